"""What is compiled from one application: its matcher, its plans, its overrides.

All of it is dropped when the application changes and made again when it is needed.
Dispatch takes place in ``steps.py``; this file finds what it works with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from ..routing import Matcher, plain_path, plain_path_of_handshake, plain_path_of_scope
from ..signals import appcontext_tearing_down, request_tearing_down
from ..wrappers import Request
from . import steps
from .plan import Compiled, Overrides, Plan, build_plan, find_overrides, reads_stream
from .run_sync import run_sync

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blinker import NamedSignal

    from ..threads import ThreadSide
    from ..typing import AppContext, Flask, RequestContext


#: What a server's request passes before it is answered; users wrap or override these.
WAYS_IN = ("wsgi_app", "asgi_app", "request_context")


class Plans(dict["str | None", Plan]):
    """Plans by endpoint, each built when it is first asked for."""

    def __init__(self, app: ref[Flask], overrides: Overrides, compiled: Compiled) -> None:
        self.app = app
        self.overrides = overrides
        self.compiled = compiled

    def __missing__(self, endpoint: str | None) -> Plan:
        app = self.app()
        assert app is not None
        plan = self[endpoint] = build_plan(app, endpoint, self.overrides, self.compiled)
        return plan


class Engine:
    """The compiled side of an application.

    ``originals``: the application's methods as Brim defines them, by name, to tell
    which ones are overridden.

    Threads may use it while another changes the application. A change puts an empty
    :class:`Compiled` in place; whoever is compiling at that moment fills the one from
    before, which serves the requests that have begun with it and no others.
    """

    def __init__(self, app: Flask, originals: Mapping[str, Any]) -> None:
        # Weakly, so that dropping the application frees it without the garbage collector.
        self._app = ref(app)
        self.originals = originals
        self._compiled = Compiled()
        #: Which of the ways into the application (:data:`WAYS_IN`) are not Brim's own.
        self.replaced = self._find_replaced()

    @property
    def app(self) -> Flask:
        """The application."""
        app = self._app()
        assert app is not None
        return app

    def changed(self) -> None:
        """Drop what was compiled; the application's tables or methods have changed."""
        self._compiled.outdated = True
        self._compiled = Compiled()
        self.replaced = self._find_replaced()

    def _find_replaced(self) -> frozenset[str]:
        app = self.app
        mine, of_class = vars(app), type(app)
        return frozenset(
            name
            for name in WAYS_IN
            if name in mine or getattr(of_class, name) is not self.originals[name]
        )

    @property
    def plans(self) -> Mapping[str | None, Plan]:
        """The plans by endpoint; ``plans[None]`` is that of a request without one."""
        compiled = self._compiled
        return self._make_plans(compiled) if compiled.plans is None else compiled.plans

    def _make_plans(self, compiled: Compiled) -> Mapping[str | None, Plan]:
        overrides = find_overrides(self.app, self.originals)
        plans = compiled.plans = Plans(self._app, overrides, compiled)
        return plans

    def _make_matcher(
        self, compiled: Compiled, overrides: Overrides, for_websockets: bool = False
    ) -> Matcher:
        app = self.app
        matcher = Matcher(app.url_map, app.subdomain_matching, for_websockets)
        matcher.answers = (
            matcher.answers
            and overrides.create_url_adapter is None
            and not app.request_class.trusted_hosts
        )
        if for_websockets:
            compiled.websocket_matcher = matcher
        else:
            compiled.matcher = matcher
        return matcher

    @property
    def overrides(self) -> Overrides:
        """Which steps the application overrides."""
        return self.plans[None].overrides

    @property
    def reads_streams(self) -> bool:
        """Whether any view takes the request's body bit by bit."""
        compiled = self._compiled
        if compiled.reads_streams is None:
            compiled.reads_streams = any(map(reads_stream, self.app.view_functions.values()))
        return compiled.reads_streams

    def plan_of(self, ctx: RequestContext) -> Plan:
        """Return a request's plan, anew if the application has changed since it was made."""
        plan: Any = ctx._plan
        if plan is None or plan.compiled.outdated:
            plan = ctx._plan = self.plans[None if plan is None else plan.endpoint]
        found: Plan = plan
        return found

    def send(self, signal: NamedSignal, **values: Any) -> None:
        """Send a signal with the application as its sender."""
        app = self.app
        signal.send(app, _async_wrapper=app.ensure_sync, **values)

    def match(self, ctx: RequestContext) -> None:
        """Find the rule, the view's arguments and the plan; or the error to raise."""
        compiled = self._compiled
        plans = compiled.plans
        if plans is None:
            plans = self._make_plans(compiled)
        matcher = compiled.matcher or self._make_matcher(compiled, plans[None].overrides)
        found: tuple[Any, Any] | None = None
        if matcher.answers and ctx.app.config["TRUSTED_HOSTS"] is None:
            path = None
            if ctx._environ is None:
                exchange: Any = ctx._exchange
                path = plain_path_of_scope(exchange.scope, exchange.headers)
            if path is None:
                path = plain_path(ctx.environ)
            if path is not None:
                found = matcher.match(path, ctx._method)
            elif (path := plain_path_of_handshake(ctx.environ)) is not None:
                matcher = compiled.websocket_matcher or self._make_matcher(
                    compiled, plans[None].overrides, for_websockets=True
                )
                found = matcher.match(path, "GET")
        rule, args = found or self._match_by_werkzeug(ctx)
        if rule is None:
            ctx._plan = plans[None]
            _note_miss(ctx, args)
            return
        ctx.url_rule = rule
        ctx.view_args = args
        ctx._plan = plans[rule.endpoint]
        made = ctx._made
        if made is not None:
            made.url_rule, made.view_args = rule, args

    def _match_by_werkzeug(self, ctx: RequestContext) -> tuple[Any, Any]:
        """Return the rule and its arguments; or neither, once the error to raise is noted."""
        try:
            adapter = ctx.url_adapter
            if adapter is None:
                return None, None
            return adapter.match(return_rule=True)
        except HTTPException as error:
            if error.__suppress_context__:
                # How Werkzeug searched is shown to nobody, and would keep this frame.
                error.__context__ = None
            ctx.routing_exception = error
            return None, None

    def end(self, ctx: RequestContext, exc: BaseException | None) -> None:
        """End a request: see :func:`brim.dispatch.steps.end`."""
        ending = self.ending(ctx, exc)
        if ending is not None:
            run_sync(ending)

    def walk(self, ending: steps.Steps[None]) -> None:
        """Take the steps that :meth:`ending` has returned, on this thread."""
        run_sync(ending)

    async def walk_async(self, ending: steps.Steps[None], threads: ThreadSide | None) -> None:
        """Take the steps that :meth:`ending` has returned, on an event loop.

        ``threads``: the request's side on the threads; ``None`` if it has none.
        """
        # A process that serves WSGI alone loads no event loop.
        from ..threads import ThreadSide  # noqa: PLC0415
        from .run_async import run_async  # noqa: PLC0415

        if threads is not None:
            await run_async(ending, threads)
            return
        threads = ThreadSide()
        try:
            await run_async(ending, threads)
        finally:
            threads.leave()

    def ending(self, ctx: RequestContext, exc: BaseException | None) -> steps.Steps[None] | None:
        """Return the steps that end a request; ``None`` where nothing is left to do."""
        plan: Any = ctx._plan
        if plan is None or plan.compiled.outdated:
            plan = self.plan_of(ctx)
        if (
            plan.ends_quietly
            and (ctx._made is None or not has_to_close(ctx._made))
            and not request_tearing_down.receivers
            and not appcontext_tearing_down.receivers
        ):
            return None
        return steps.end(ctx, exc)

    def end_app_context(self, ctx: AppContext, exc: BaseException | None) -> None:
        """Run the teardown functions of an application context."""
        replaced = self.overrides.do_teardown_appcontext
        if replaced is not None:
            replaced(ctx, exc)
        else:
            run_sync(steps.teardown_appcontext(self.app, exc))


def has_to_close(request: Request) -> bool:
    """Tell whether closing a request object could do anything; files are all it closes."""
    # Not every class of requests has files to close.
    close = getattr(type(request), "close", None)
    return close is not Request.close or bool(request.__dict__.get("files"))


def _note_miss(ctx: RequestContext, methods: list[str] | None) -> None:
    """Note the error that the matcher has found, unless one is noted already."""
    if methods is not None:
        ctx.routing_exception = MethodNotAllowed(methods) if methods else NotFound()
    if ctx._made is not None and ctx.routing_exception is not None:
        ctx._made.routing_exception = ctx.routing_exception
