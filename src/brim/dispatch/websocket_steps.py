"""Every decision on a WebSocket's way: who may refuse it, and how it is closed.

The steps are those of a request (:mod:`brim.dispatch.steps`), with the functions that are
registered for WebSockets in its plan. What is different stands here: until a connection is
accepted an answer is an HTTP response, and from then on there is only its closing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import Forbidden, HTTPException, InternalServerError

from ..bridge import Synced
from ..signals import got_request_exception
from ..websockets import UnexpectedMessage, WebsocketClosed, check_origin
from . import steps
from .handling import handling

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import RequestContext, Response, Websocket
    from .steps import Call, Steps

_NONE: dict[str, Any] = {}

_LATE_RESULT = """\
The view function for {endpoint!r} returned {result!r} after its WebSocket was accepted, when \
no HTTP answer can be sent any more. Send it as a message, or return it before accept()."""

_LATE_ERROR = "WebSocket %s: %s was raised after accept() and can't be answered; closed with 1011."


@dataclass(frozen=True, slots=True)
class Closing:
    """How an accepted connection is to be closed, unless it already is."""

    code: int = 1000
    reason: str = ""


def converse(ctx: RequestContext, refusal: Exception | None) -> Steps[Response | Closing]:
    """Have the view talk to the client; return what is left to do.

    That is the response that refuses the handshake, or how an accepted connection is
    closed. ``refusal``: why the door can't serve this one, if it can't.
    """
    websocket = _websocket_of(ctx)
    rv: Any = None
    ctx._talking = websocket
    try:
        try:
            rv = yield from _ask(ctx, refusal)
            if rv is not None and websocket.accepted:
                raise TypeError(_LATE_RESULT.format(endpoint=websocket.endpoint, result=rv))
        except WebsocketClosed:
            pass
        except Exception as error:
            if websocket.accepted:
                return (yield from handling(error, _close_for(ctx, error)))
            rv = yield from handling(error, steps.answer_error(ctx, error))
        if websocket.accepted:
            return Closing()
        return (yield from steps.finalize(ctx, Forbidden() if rv is None else rv))
    except Exception as error:
        if websocket.accepted:
            raise
        return (yield from handling(error, steps.answer_unhandled(ctx, error)))
    except BaseException as error:
        ctx.error = error
        raise
    finally:
        ctx._talking = None
        # It may be an HTTP error, and those keep the frames that they came through.
        rv = None


def after(ctx: RequestContext) -> Steps[None]:
    """Call the after-functions of a connection that was accepted and is closed."""
    for function in ctx.app._engine.plan_of(ctx).after:
        try:
            yield function, (None,), _NONE
        except Exception as error:
            yield from handling(error, _report(ctx, error))


def _websocket_of(ctx: RequestContext) -> Websocket:
    websocket = ctx.websocket
    assert websocket is not None
    return websocket


def _ask(ctx: RequestContext, refusal: Exception | None) -> Steps[Any]:
    """Call the before-functions and the view; return the first answer."""
    app = ctx.app
    if not app._got_first_request:
        app._got_first_request = True
    if refusal is not None:
        raise refusal
    check_origin(ctx)
    rv = yield from steps.preprocess(ctx)
    if rv is None:
        rv = yield _view_call(ctx)
    return rv


def _view_call(ctx: RequestContext) -> Call:
    """Return the call of the view; a coroutine function is watched while it runs."""
    view, args, kwargs = steps.view_call(ctx)
    function: Any = view
    if type(function) is Synced:
        return _WATCHED, (_websocket_of(ctx), function.func, args, kwargs), _NONE
    return function, args, kwargs


async def _watched(
    websocket: Websocket, view: Callable[..., Any], args: Any, kwargs: dict[str, Any]
) -> Any:
    return await websocket._connection.watched(view(*args, **kwargs))


_WATCHED = Synced(_watched)


def _close_for(ctx: RequestContext, error: Exception) -> Steps[Closing]:
    """Deal with an error of a view whose connection was accepted.

    Its handler is called as always; what that returns has nowhere to go. An error that no
    handler takes is logged, and raised where tests are to see it.
    """
    if isinstance(error, UnexpectedMessage):
        return Closing(error.code, error.reason)
    ctx.error = error
    closing = Closing(1011)
    try:
        answer = yield from steps.answer_error(ctx, error)
    except Exception as unhandled:
        yield from _report(ctx, unhandled)
        propagate = ctx.app.config["PROPAGATE_EXCEPTIONS"]
        if propagate or (propagate is None and ctx.app.testing):
            raise
        return closing
    if answer is error and isinstance(error, HTTPException):
        ctx.app.logger.warning(_LATE_ERROR, ctx.request.path, error)
    return closing


def _report(ctx: RequestContext, error: Exception) -> Steps[None]:
    """Log an error, tell the signal's receivers, and call the handler of a 500."""
    app = ctx.app
    error.__traceback__ = steps.without_dispatch(error.__traceback__)
    exc_info = (type(error), error, error.__traceback__)
    try:
        app._engine.send(got_request_exception, exception=error)
        replaced = ctx._plan.overrides.log_exception
        if replaced is not None:
            yield replaced, (ctx, exc_info), _NONE
        else:
            steps.log_exception(ctx, exc_info)
        answer = InternalServerError(original_exception=error)
        handler = steps.find_handler(ctx, answer)
        if handler is not None:
            yield handler, (answer,), _NONE
    except Exception:
        app.logger.exception("Dealing with an error of a WebSocket failed with another.")
    finally:
        del exc_info
