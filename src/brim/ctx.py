"""One request's state, or one command's: the context.

A context knows its application by what it calls on it and imports no class from above.
Everything that a request may never need (the request object, the session, ``g``, the
URL adapter) is made when it is first asked for.

One ``ContextVar`` holds whichever context was pushed last. From it both of Flask's
contexts are found: ``app_ctx`` (the one whose ``g`` counts) and ``request_ctx`` (the
nearest request, if there is one).
"""

from __future__ import annotations

import sys
from functools import update_wrapper, wraps
from typing import TYPE_CHECKING, Any, Concatenate, TypeVar

from .errors import NO_APP_CONTEXT, NO_REQUEST_CONTEXT, WRONG_CONTEXT_POPPED
from .lazy import lazy
from .namespace import _AppCtxGlobals as _AppCtxGlobals
from .namespace import _cv_ctx as _cv_ctx
from .namespace import get_ctx as get_ctx
from .namespace import reset_ctx as reset_ctx
from .namespace import set_ctx
from .namespace import unset as unset
from .signals import appcontext_popped, appcontext_pushed

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from types import TracebackType

    from werkzeug.exceptions import HTTPException
    from werkzeug.routing import MapAdapter, Rule

    from .typing import (
        AfterRequestCallable,
        Exchange,
        Flask,
        Plan,
        Request,
        SessionMixin,
        ThreadSide,
        Websocket,
        WSGIEnvironment,
    )

T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., Any]")

#: One push: what resets the variable, the request context before, and the pushes before.
_Pushed = tuple["Token[AppContext]", "RequestContext | None", Any]


class _Referable:
    """What may be referred to weakly; a class of its own for ``ctx.pxd``."""

    __slots__ = ("__weakref__",)


class AppContext(_Referable):
    """What is current while work is done for ``app`` outside a request.

    Made by :meth:`brim.Flask.app_context`, entered by ``with``. Teardown functions of
    the application run when it is left.
    """

    # PERF: what every request reads is in slots, and no dict is made unless something else
    #   is set; benchmarks/bench_plain.py.
    __slots__ = ("__dict__", "_left_early", "_outer_request_ctx", "_pushed", "app")

    #: The WebSocket while its view runs, for the proxy: it is then current for certain.
    _talking: Websocket | None = None

    def __init__(self, app: Flask) -> None:
        self.app = app
        # The stack of pushes as linked tuples: (token, request context before, the rest).
        self._pushed: _Pushed | None = None
        self._outer_request_ctx: RequestContext | None = None
        #: How many of the pushes were left while something above them stayed.
        self._left_early = 0

    @property
    def g(self) -> Any:
        """The namespace that :data:`~brim.g` shows; an ``app_ctx_globals_class``."""
        return self._g

    @g.setter
    def g(self, value: Any) -> None:
        self._g = value

    @lazy
    def _g(self) -> Any:
        return self.app.app_ctx_globals_class()

    @lazy
    def url_adapter(self) -> MapAdapter | None:
        """Werkzeug's adapter for matching and building, bound by the application."""
        return self.app.create_url_adapter(None)

    @property
    def app_ctx(self) -> AppContext:
        """The context whose ``g`` is current while this one is on top."""
        return self

    @property
    def request_ctx(self) -> RequestContext | None:
        """The request that is current while this context is on top, if any."""
        return self._outer_request_ctx and self._outer_request_ctx.request_ctx

    def push(self) -> None:
        """Make this context the current one."""
        outer = get_ctx(None)
        before = self._outer_request_ctx
        self._pushed = (set_ctx(self), before, self._pushed)
        self._outer_request_ctx = None if outer is None else outer.request_ctx
        if appcontext_pushed.receivers:
            self.app._engine.send(appcontext_pushed)

    def pop(self, exc: BaseException | None = unset) -> None:
        """Leave this context; the last ``pop`` runs the teardown functions.

        ``exc`` is what they are given, by default the exception being handled.
        """
        if exc is unset:
            exc = sys.exc_info()[1]
        held = self._held()
        try:
            if held is None or held[2] is None:
                self.app._engine.end_app_context(self, exc)
        finally:
            self._leave()
            _leave_late()
        if appcontext_popped.receivers:
            self.app._engine.send(appcontext_popped)

    def _held(self) -> _Pushed | None:
        """The pushes that were not left yet, the last one first."""
        held = self._pushed
        for _ in range(self._left_early if held else 0):
            held = held and held[2]
        return held

    def _is_nearest(self, current: AppContext) -> bool:
        """Tell whether it is what ``current``, pushed later, leans on, so may be left."""
        return current.app_ctx is self

    def _leave(self) -> None:
        """Undo the last push in the context variable."""
        pushed = self._pushed
        if pushed is None or (self._left_early and self._held() is None):
            raise LookupError(WRONG_CONTEXT_POPPED.format(self, "it was never pushed"))
        current = get_ctx(None)
        if current is not self and current is not None and self._is_nearest(current):
            self._left_early += 1
            return
        token, self._outer_request_ctx, self._pushed = pushed
        if current is None:
            # Pushed by another thread or task, or left already with the one below it.
            return
        try:
            reset_ctx(token)
        except ValueError:
            # Pushed by another thread or task, whose variable is not in reach here.
            # This one's is left as it was found.
            return
        if current is not self:
            raise AssertionError(WRONG_CONTEXT_POPPED.format(self, f"{current!r} is on top"))

    def __enter__(self) -> AppContext:
        self.push()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.pop(exc_value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {id(self):#x} of {self.app.name}>"


class RequestContext(AppContext):
    """What is current during one request: the merged context of Flask 3.2.

    It is an application context too. Only where a context of the same application is
    current already when it is pushed does it share that one's ``g``, as Flask 3.1 does.

    Made by the doors, by :meth:`brim.Flask.request_context` from a WSGI environ, and by
    :meth:`brim.Flask.test_request_context`.
    """

    __slots__ = (
        "_after",
        "_cookies",
        "_environ",
        "_exchange",
        "_made",
        "_method",
        "_opened",
        "_plan",
        "_request_ended",
        "_shared",
        "_streams",
        "_waiting",
        "error",
        "routing_exception",
        "url_rule",
        "view_args",
    )

    flashes: list[tuple[str, str]] | None = None
    #: The connection, where the request asks for a WebSocket and a view is to have it.
    websocket: Websocket | None = None

    _origin: RequestContext | None = None
    # Since which error streams hold the request open, and what it ended with.
    _streams_since = 0
    _outcome: BaseException | None = None
    #: Under ASGI, while streams hold the request: its side on the threads, to end it there.
    _threads: ThreadSide | None = None

    def __init__(
        self,
        app: Flask,
        environ: WSGIEnvironment | None,
        request: Request | None = None,
        session: SessionMixin | None = None,
        exchange: Exchange | None = None,
    ) -> None:
        self.app = app
        self._pushed = self._outer_request_ctx = None
        self._left_early = 0
        self._exchange = exchange
        #: As the server has them: the method, and the cookies' header, empty without any.
        self._method: str
        self._cookies: str
        if exchange is not None:
            self._method = exchange.method
            self._cookies = exchange.cookies
        else:
            if request is not None:
                environ = request.environ
            assert environ is not None
            self._method = environ.get("REQUEST_METHOD", "GET")
            self._cookies = environ.get("HTTP_COOKIE", "")
        #: The environ; ``None`` as long as none was made of an exchange by ASGI.
        self._environ = environ
        self.url_rule: Rule | None = None
        self.view_args: dict[str, Any] | None = None
        self.routing_exception: HTTPException | None = None
        #: The exception that the request ended with, for the teardown functions.
        self.error: BaseException | None = None
        #: The request object, if it was made.
        self._made = request
        self._opened = session
        #: The endpoint's plan; ``None`` before the request was matched.
        self._plan: Plan = None  # type: ignore[assignment]
        self._shared: AppContext | None = None
        #: How many streams hold the request open.
        self._streams = 0
        self._request_ended = False
        #: What :func:`after_this_request` was given, and what waits for the answer's end.
        self._after: list[AfterRequestCallable] | None = None
        self._waiting: list[Any] | None = None

    @property
    def environ(self) -> WSGIEnvironment:
        """The request's WSGI environ (PEP 3333); under ASGI it is made at first access."""
        environ = self._environ
        if environ is None:
            assert self._exchange is not None
            environ = self._environ = self._exchange.environ
        return environ

    @environ.setter
    def environ(self, value: WSGIEnvironment) -> None:
        self._environ = value

    @property
    def request(self) -> Request:
        """The request object, an ``app.request_class``."""
        made = self._made
        if made is None:
            cls: Any = self.app.request_class
            if self._environ is None and (of := getattr(cls, "of_exchange", None)) is not None:
                found = self.url_rule, self.view_args, self.routing_exception
                made = of(self._exchange, *found)
            if made is None:
                made = cls(self.environ)
                made.url_rule = self.url_rule
                made.view_args = self.view_args
                made.routing_exception = self.routing_exception
            self._made = made
        return made

    @request.setter
    def request(self, value: Request) -> None:
        self._made = value

    @lazy
    def url_adapter(self) -> MapAdapter | None:
        """Werkzeug's adapter for matching and building, bound to the request.

        ``None`` where the request's host is refused; ``routing_exception`` says why.
        """
        from werkzeug.exceptions import HTTPException  # noqa: PLC0415 -- start-up time

        try:
            return self.app.create_url_adapter(self.request)
        except HTTPException as error:
            self.routing_exception = self.request.routing_exception = error
            return None

    @property
    def _after_request_functions(self) -> list[AfterRequestCallable]:
        if self._after is None:
            self._after = []
        return self._after

    @property
    def g(self) -> Any:
        """The namespace that :data:`~brim.g` shows."""
        return self._g if self._shared is None else self._shared.g

    @g.setter
    def g(self, value: Any) -> None:
        self._g = value

    @property
    def session(self) -> SessionMixin:
        """The session, opened at first access and marked as accessed by each.

        A copy of a context shares the session of the one that it was made from.
        """
        session = self._open_session()
        session.accessed = True
        return session

    @session.setter
    def session(self, value: SessionMixin) -> None:
        self._opened = value

    @property
    def _session(self) -> SessionMixin:
        # Flask's name for the session that is looked at without being marked as accessed.
        return self._open_session()

    @_session.setter
    def _session(self, value: SessionMixin) -> None:
        self._opened = value

    def _open_session(self) -> SessionMixin:
        if self._opened is None:
            if self._origin is not None:
                self._opened = self._origin._open_session()
            else:
                interface = self.app.session_interface
                opened = interface.open_session(self.app, self.request)
                if opened is None:
                    opened = interface.make_null_session(self.app)
                self._opened = opened
        return self._opened

    @property
    def app_ctx(self) -> AppContext:
        return self if self._shared is None else self._shared

    @property
    def request_ctx(self) -> RequestContext | None:
        return None if self._request_ended or self._left_early else self

    def _is_nearest(self, current: AppContext) -> bool:
        return self._shared is not None and current.request_ctx is self

    def copy(self) -> RequestContext:
        """Return a context of the same request, to be pushed elsewhere.

        It shares the request object and the session. Pushing the *same* context in two
        threads at once is not supported; a copy is.
        """
        copied = type(self)(self.app, self.environ, request=self.request)
        copied._opened = self._opened
        copied._origin = self
        copied._exchange = self._exchange
        copied.websocket = self.websocket
        return copied

    def disown_streams(self) -> None:
        """Let go of streams that were made, as an error is answered in their place."""
        if self._streams:
            self._streams = 0
            self._streams_since += 1

    def match_request(self) -> None:
        """Match the request against the URL map; set ``url_rule`` or the error."""
        self.app._engine.match(self)

    def push(self) -> None:
        """Make this context the current one, and match the request."""
        outer = get_ctx(None)
        pushed = self._pushed
        if pushed is None:
            if outer is not None and outer.app is self.app:
                self._shared = outer.app_ctx
            elif self._shared is not None:
                self._shared = None
            if self._request_ended:
                self._request_ended = False
        self._pushed = (set_ctx(self), None, pushed)
        if appcontext_pushed.receivers and pushed is None and self._shared is None:
            self.app._engine.send(appcontext_pushed)
        self.match_request()

    def pop(self, exc: BaseException | None = unset) -> None:
        """Leave this context; the last ``pop`` ends the request.

        Ending it runs the teardown functions and closes uploaded files. While a
        response is streamed with this context, the stream's end does that instead.
        """
        pushed = self._pushed
        ends = (pushed is None or pushed[2] is None) and not self._streams
        if exc is unset:
            exc = sys.exc_info()[1]
        try:
            if ends:
                engine = self.app._engine
                ending = engine.ending(self, exc)
                if ending is not None:
                    engine.walk(ending)
            else:
                self._outcome = exc
        finally:
            self.leave(exc)
        if ends and appcontext_popped.receivers:
            self.tell_popped()

    @property
    def ends_when_popped(self) -> bool:
        """Whether the next :meth:`pop` ends the request."""
        pushed = self._pushed
        return (pushed is None or pushed[2] is None) and not self._streams

    def leave(self, exc: BaseException | None) -> None:
        """Undo a push, as :meth:`pop` does once the request has ended with ``exc``."""
        self._leave()
        # Errors keep the frames that they came through, and those keep this context.
        # One that leaves the request is somebody else's by now.
        if self.error is not None:
            self.error = None
        if self.routing_exception is not None and exc is None:
            self.routing_exception.__traceback__ = None
        if self._shared is not None:
            _leave_late()

    def tell_popped(self) -> None:
        """Send ``appcontext_popped``, if this context was one of its own."""
        if appcontext_popped.receivers and self._shared is None:
            self.app._engine.send(appcontext_popped)

    def __enter__(self) -> RequestContext:
        self.push()
        return self

    def __repr__(self) -> str:
        request = self.request
        return f"<{type(self).__name__} {request.url!r} [{request.method}] of {self.app.name}>"


def _leave_late() -> None:
    """Leave for good what was left early, now that it is on top again."""
    ctx = get_ctx(None)
    while ctx is not None and ctx._left_early and ctx._pushed is not None:
        ctx._left_early -= 1
        token, ctx._outer_request_ctx, ctx._pushed = ctx._pushed
        reset_ctx(token)
        ctx = get_ctx(None)


class _ContextView:
    """One of Flask 3.1's two context variables, seen in Brim's one; for reading."""

    def __init__(self, name: str, attribute: str) -> None:
        self.name = name
        self._attribute = attribute

    def get(self, *default: Any) -> Any:
        """Return the context, or ``default``; ``LookupError`` if there is neither."""
        ctx = get_ctx(None)
        found = None if ctx is None else getattr(ctx, self._attribute)
        if found is not None:
            return found
        if default:
            return default[0]
        raise LookupError(self.name)


_cv_app = _ContextView("flask.app_ctx", "app_ctx")
_cv_request = _ContextView("flask.request_ctx", "request_ctx")


def current_ctx() -> AppContext:
    """Return the current context; ``RuntimeError`` outside any."""
    ctx = get_ctx(None)
    if ctx is None:
        raise RuntimeError(NO_APP_CONTEXT)
    return ctx


def current_request_ctx(purpose: str = "") -> RequestContext:
    """Return the current request's context; ``RuntimeError`` outside a request.

    ``purpose``: what needs it, the beginning of the error's sentence.
    """
    ctx = get_ctx(None)
    request_ctx = None if ctx is None else ctx.request_ctx
    if request_ctx is None:
        if purpose:
            raise RuntimeError(
                f"{purpose} can only be used when a request context is active,"
                " such as in a view function."
            )
        raise RuntimeError(NO_REQUEST_CONTEXT)
    return request_ctx


def find_request_ctx() -> RequestContext:
    """Return the request's context, also while the request is being ended.

    By then it counts no longer as current for users' code.
    """
    ctx = get_ctx(None)
    return ctx if isinstance(ctx, RequestContext) else current_request_ctx()


def takes_ctx(
    method: Callable[Concatenate[Any, RequestContext, ...], T],
) -> Callable[..., T]:
    """Let a method that takes a request's context first be called without it.

    Flask 3.2 passes ``ctx`` to the methods that applications override, Flask 3.1
    doesn't. Both calls work, from outside and by ``super()``.
    """

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> T:
        if "ctx" in kwargs or (args and isinstance(args[0], AppContext)):
            return method(self, *args, **kwargs)
        return method(self, find_request_ctx(), *args, **kwargs)

    return call


def has_app_context() -> bool:
    """Tell whether an application context is current.

    ``bool(current_app)`` and ``bool(g)`` tell the same.
    """
    return get_ctx(None) is not None


def has_request_context() -> bool:
    """Tell whether a request is current, so that ``request`` can be used."""
    ctx = get_ctx(None)
    return ctx is not None and ctx.request_ctx is not None


def after_this_request(f: F) -> F:
    """Run ``f`` with the response of the current request, once.

    It must return the response, changed or another; it runs before the functions of
    :meth:`~brim.Flask.after_request`.

    Raises ``RuntimeError`` outside a request.
    """
    current_request_ctx("'after_this_request'")._after_request_functions.append(f)
    return f


def copy_current_request_context(f: F) -> F:
    """Let ``f`` run elsewhere, on a thread or greenlet, with this request's context.

    Each call of the function that is returned runs in a context of its own, that shares
    the request and the session with the current one.

    Raises ``RuntimeError`` outside a request.
    """
    origin = current_request_ctx("'copy_current_request_context'").copy()

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with origin.copy() as ctx:
            return ctx.app.ensure_sync(f)(*args, **kwargs)

    return update_wrapper(wrapper, f)  # type: ignore[return-value]
