"""The sync loop: walks the steps and calls what they yield, on this thread.

It decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .steps import Called, lone_answer, lone_view, respond

if TYPE_CHECKING:
    from ..typing import RequestContext, Response
    from .results import Ready
    from .steps import Steps

T = TypeVar("T")


def answer_sync(ctx: RequestContext) -> Response | Ready:
    """Answer a request that was matched."""
    view = lone_view(ctx)
    if view is None:
        return run_sync(respond(ctx))
    try:
        args = ctx.view_args
        rv = view(**args) if args else view()
    except BaseException as error:
        called = Called(error=error)
    else:
        answer = lone_answer(ctx, rv)
        if answer is not None:
            return answer
        called = Called(rv)
    return run_sync(respond(ctx, called))


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
