"""The sync loop: walks the steps and calls what they yield, on this thread.

It decides nothing. Where the steps say that a request goes straight, the functions are called
in a row, and the steps are taken only for what turns out otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ..signals import request_finished
from .results import make_response
from .steps import (
    Called,
    ends_straight,
    goes_straight,
    lone_answer,
    lone_view,
    respond,
    session_to_save,
    view_call,
)

if TYPE_CHECKING:
    from ..typing import RequestContext, Response
    from .results import Ready
    from .steps import Steps

T = TypeVar("T")


def answer_sync(ctx: RequestContext) -> Response | Ready:
    """Answer a request that was matched."""
    view = lone_view(ctx)
    if view is None:
        return _answer_straight(ctx) if goes_straight(ctx) else run_sync(respond(ctx))
    try:
        args = ctx.view_args
        rv = view(**args) if args else view()
    except BaseException as error:
        called = Called(error=error)
    else:
        answer = lone_answer(ctx, rv)
        return _finish(ctx, rv) if answer is None else answer
    return run_sync(respond(ctx, called))


def _answer_straight(ctx: RequestContext) -> Response | Ready:
    """Call the functions before the view, the view, and those after it."""
    rv: Any = None
    try:
        for function in ctx._plan.before:
            rv = function()
            if rv is not None:
                break
        else:
            view, args, kwargs = view_call(ctx)
            rv = view(*args, **kwargs)
    except BaseException as error:
        called = Called(error=error)
    else:
        answer = lone_answer(ctx, rv) if ctx._method in ctx._plan.bare_methods else None
        return _finish(ctx, rv) if answer is None else answer
    finally:
        # It may be an HTTP error, and those keep the frames that they came through.
        rv = None
    return run_sync(respond(ctx, called))


def _finish(ctx: RequestContext, rv: Any) -> Response:
    """Answer with what was returned."""
    if ends_straight(ctx):
        try:
            return _make_final(ctx, rv)
        except BaseException as error:
            called = Called(error=error, late=True)
    else:
        called = Called(rv)
    return run_sync(respond(ctx, called))


def _make_final(ctx: RequestContext, rv: Any) -> Response:
    """Make the response, let the after-functions have it, and save the session."""
    app = ctx.app
    response = make_response(app, rv, ctx)
    for function in ctx._plan.after:
        response = function(response)
    session = session_to_save(ctx)
    if session is not None:
        app.session_interface.save_session(app, session, response)
    if request_finished.receivers:
        app._engine.send(request_finished, response=response)
    return response


def run_sync(steps: Steps[T]) -> T:
    """Walk ``steps`` to their end and return what they return."""
    try:
        function, args, kwargs = next(steps)
        while True:
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                # In a list, as a name that stays would keep the error in a circle.
                raised = [error]
            else:
                function, args, kwargs = steps.send(result)
                continue
            # Out of the `except`: whether an error is being handled is for the steps to say.
            function, args, kwargs = steps.throw(raised.pop())
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        # An error keeps this frame, so the frame may not keep an error.
        args, result = (), None
