"""What is compiled from one application: its matcher, its plans, its overrides.

All of it is dropped when the application changes and made again when it is needed.
Dispatch takes place in ``steps.py``; this file finds what it works with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from werkzeug.exceptions import HTTPException

from ..routing import Matcher, decode_path, environ_is_plain
from ..signals import appcontext_tearing_down, request_tearing_down
from . import steps
from .plan import Overrides, Plan, build_plan, find_overrides
from .run_sync import run_sync

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blinker import NamedSignal

    from ..typing import Flask, RequestContext


class Plans(dict["str | None", Plan]):
    """Plans by endpoint, each built when it is first asked for."""

    def __init__(self, app: ref[Flask], overrides: Overrides) -> None:
        self.app = app
        self.overrides = overrides

    def __missing__(self, endpoint: str | None) -> Plan:
        plan = self[endpoint] = build_plan(self.app(), endpoint, self.overrides)  # type: ignore[arg-type]
        return plan


class Engine:
    """The compiled side of an application.

    ``originals``: the application's methods as Brim defines them, by name, to tell
    which ones are overridden.

    Threads may use it while another changes the application: what is compiled is
    replaced whole, never changed in place, so that each works on one state of it.
    """

    def __init__(self, app: Flask, originals: Mapping[str, Any]) -> None:
        # Weakly, so that dropping the application frees it without the garbage collector.
        self._app = ref(app)
        self.originals = originals
        self._plans: Plans | None = None
        self._matcher: Matcher | None = None

    @property
    def app(self) -> Flask:
        """The application."""
        app = self._app()
        assert app is not None
        return app

    def changed(self) -> None:
        """Drop what was compiled; the application's tables or methods have changed."""
        self._plans = None
        self._matcher = None

    @property
    def plans(self) -> Plans:
        """The plans by endpoint; ``plans[None]`` is that of a request without one."""
        plans = self._plans
        if plans is None:
            plans = self._plans = Plans(self._app, find_overrides(self.app, self.originals))
        return plans

    @property
    def overrides(self) -> Overrides:
        """Which steps the application overrides."""
        return self.plans.overrides

    def send(self, signal: NamedSignal, **values: Any) -> None:
        """Send a signal with the application as its sender."""
        app = self.app
        signal.send(app, _async_wrapper=app.ensure_sync, **values)

    def match(self, ctx: RequestContext) -> None:
        """Find the rule, the view's arguments and the plan; or the error to raise."""
        environ = ctx.environ
        plans = self._plans or self.plans
        matcher = self._matcher or self._compile()
        found = None
        if (
            matcher.answers
            and environ_is_plain(environ)
            and ctx.app.config["TRUSTED_HOSTS"] is None
        ):
            path = environ.get("PATH_INFO", "")
            if not path.isascii():
                path = decode_path(path)
            found = matcher.match(path, environ["REQUEST_METHOD"])
        if found is None:
            found = self._match_by_werkzeug(ctx)
        if found is None:
            ctx._plan = plans[None]
            return
        made = ctx.__dict__.get("request")
        ctx.url_rule, ctx.view_args = found
        ctx._plan = plans[found[0].endpoint]
        if made is not None:
            made.url_rule, made.view_args = found

    def _compile(self) -> Matcher:
        app = self.app
        matcher = Matcher(app.url_map, subdomain_matching=app.subdomain_matching)
        matcher.answers = matcher.answers and self.overrides.create_url_adapter is None
        self._matcher = matcher
        return matcher

    def _match_by_werkzeug(self, ctx: RequestContext) -> tuple[Any, dict[str, Any]] | None:
        try:
            adapter = ctx.url_adapter
            if adapter is None:
                return None
            return adapter.match(return_rule=True)  # type: ignore[return-value]
        except HTTPException as error:
            ctx.routing_exception = error
            made = ctx.__dict__.get("request")
            if made is not None:
                made.routing_exception = error
            return None

    def end(self, ctx: RequestContext, exc: BaseException | None) -> None:
        """End a request: see :func:`brim.dispatch.steps.end`."""
        plan = ctx._plan
        if (
            plan.ends_quietly
            and "request" not in ctx.__dict__
            and not request_tearing_down.receivers
            and not appcontext_tearing_down.receivers
        ):
            return
        run_sync(steps.end(ctx, exc))
