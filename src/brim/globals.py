"""The proxies that users' code imports: one object each, a different target a request.

Nothing of Brim's core reads them; it passes the context on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.local import LocalProxy as WerkzeugProxy

from .ctx import _cv_app as _cv_app
from .ctx import _cv_ctx as _cv_ctx
from .ctx import _cv_request as _cv_request
from .ctx import current_ctx, current_request_ctx, get_ctx
from .errors import NO_WEBSOCKET

if TYPE_CHECKING:
    from collections.abc import Callable

    from .typing import (
        AppContext,
        Flask,
        Request,
        RequestContext,
        SessionMixin,
        Websocket,
        _AppCtxGlobals,
    )


def _find_app() -> Any:
    return current_ctx().app


def _find_g() -> Any:
    return current_ctx().g


def _find_app_ctx() -> Any:
    return current_ctx().app_ctx


def _find_request() -> Any:
    ctx = current_request_ctx()
    made = ctx._made
    return ctx.request if made is None else made


def _find_session() -> Any:
    ctx = current_request_ctx()
    opened = ctx._opened
    if opened is None:
        return ctx.session
    opened.accessed = True
    return opened


def _find_websocket() -> Any:
    websocket = current_request_ctx("'websocket'").websocket
    if websocket is None:
        raise RuntimeError(NO_WEBSOCKET)
    return websocket


def _talking() -> Any:
    ctx = get_ctx(None)
    if ctx is not None and ctx._talking is not None:
        return ctx._talking
    return _find_websocket()


class WebsocketProxy(WerkzeugProxy[Any]):
    """A proxy that has what is used for each message at hand, :func:`_talking` in place if need be.

    PERF: a quarter of the time that an attribute of another proxy takes to be found;
    benchmarks/bench_websocket.py.
    """

    __slots__ = ()

    def receive(self) -> Any:
        ctx = get_ctx(None)
        if ctx is not None and ctx._talking is not None:
            return ctx._talking.receive()
        return _find_websocket().receive()

    def receive_text(self) -> Any:
        return _talking().receive_text()

    def receive_bytes(self) -> Any:
        return _talking().receive_bytes()

    def receive_json(self) -> Any:
        return _talking().receive_json()

    def send(self, data: Any) -> Any:
        ctx = get_ctx(None)
        if ctx is not None and ctx._talking is not None:
            return ctx._talking.send(data)
        return _find_websocket().send(data)

    def send_json(self, *args: Any, **kwargs: Any) -> Any:
        return _talking().send_json(*args, **kwargs)


#: How many names a proxy notes: as many as programs write, however many are made up.
_MOST_NAMES = 1000


def _proxy(find: Callable[[], Any]) -> Any:
    """Return one of Werkzeug's proxies, of what ``find`` returns.

    PERF: what takes Werkzeug five calls takes these methods two; the rest is as it was. A name
    that was found once is a property of the proxy's class from then on: Python looks there
    first, and to find nothing takes it longer than all the rest. benchmarks/bench_hooks.py.
    """
    left = _MOST_NAMES

    class LocalProxy(WerkzeugProxy[Any]):
        __slots__ = ()

        def __getattr__(self, name: str) -> Any:
            nonlocal left
            value = getattr(find(), name)
            # Threads may take the last one together.
            if left > 0 and not name.startswith("_"):
                left -= 1
                setattr(LocalProxy, name, property(lambda _: getattr(find(), name)))
            return value

        def __setattr__(self, name: str, value: Any) -> None:
            setattr(find(), name, value)

        def __getitem__(self, key: Any) -> Any:
            return find()[key]

        def __setitem__(self, key: Any, value: Any) -> None:
            find()[key] = value

        def __contains__(self, item: Any) -> bool:
            return item in find()

        def __bool__(self) -> bool:
            try:
                found = find()
            except RuntimeError:
                return False
            return bool(found)

    return LocalProxy(find)


#: The current application context.
app_ctx: AppContext = _proxy(_find_app_ctx)
#: The current request's context.
request_ctx: RequestContext = _proxy(current_request_ctx)
#: The application that handles the current request or command.
current_app: Flask = _proxy(_find_app)
#: A namespace for values that last as long as the application context.
g: _AppCtxGlobals = _proxy(_find_g)
#: The request that is being answered.
request: Request = _proxy(_find_request)
#: The session of the client that sent the request.
session: SessionMixin = _proxy(_find_session)
#: The WebSocket connection that the view serves.
websocket: Websocket = WebsocketProxy(_find_websocket)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
