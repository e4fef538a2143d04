"""How a request ends, for every door: with which error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ctx import _cv_ctx
from ..signals import appcontext_popped

if TYPE_CHECKING:
    from ..threads import ThreadSide
    from ..typing import Flask, RequestContext


def failure_of(app: Flask, ctx: RequestContext) -> BaseException | None:
    """Return the error that the teardown functions are to be told of."""
    failure = ctx.error
    if failure is not None:
        ignores = app._engine.overrides.should_ignore_error
        if ignores is not None and ignores(ctx, failure):
            return None
    return failure


def pop_at_once(app: Flask, ctx: RequestContext) -> bool:
    """Leave the context of a request that has nothing left to end; tell whether it was left."""
    pushed = ctx._pushed
    if (
        ctx.error is not None
        or ctx._streams
        or pushed is None
        or pushed[2] is not None
        or app._engine.ending(ctx, None) is not None
    ):
        return False
    ctx.leave(None)
    if appcontext_popped.receivers:
        ctx.tell_popped()
    return True


async def pop_async(app: Flask, ctx: RequestContext, threads: ThreadSide) -> None:
    """Leave the context; the request ends with it, unless something keeps it."""
    from ..dispatch.run_async import run_async  # noqa: PLC0415 -- WSGI loads no asyncio

    failure = failure_of(app, ctx)
    ends = ctx.ends_when_popped
    try:
        if not ends:
            ctx._outcome, ctx._threads = failure, threads
        elif (ending := app._engine.ending(ctx, failure)) is not None:
            await run_async(ending, threads)
    finally:
        ctx.leave(failure)
        threads.forget(_cv_ctx)
        # Errors keep this frame, so it may not keep the error.
        failure = None
    if ends:
        ctx.tell_popped()
        threads.leave()
