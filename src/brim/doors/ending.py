"""How a request ends, for every door: with which error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ctx import RequestContext, _cv_ctx, get_ctx, reset_ctx
from ..dispatch.engine import has_to_close
from ..signals import appcontext_popped, appcontext_tearing_down, request_tearing_down

if TYPE_CHECKING:
    from ..threads import ThreadSide
    from ..typing import Flask


def failure_of(app: Flask, ctx: RequestContext) -> BaseException | None:
    """Return the error that the teardown functions are to be told of."""
    failure = ctx.error
    if failure is not None:
        ignores = app._engine.overrides.should_ignore_error
        if ignores is not None and ignores(ctx, failure):
            return None
    return failure


def pop_at_once(ctx: RequestContext) -> bool:
    """Leave the context of a request that has nothing left to be done; tell whether it was left.

    A stream may hold the request: what is to be done at its end is decided then. No function
    of this request was called on a thread.

    PERF: the whole of what :meth:`RequestContext.pop` comes to for most requests, in one call;
    benchmarks/bench_plain.py.
    """
    pushed, plan, made = ctx._pushed, ctx._plan, ctx._made
    if (
        type(ctx) is not RequestContext
        or pushed is None
        or pushed[2] is not None
        or not plan.ends_quietly
        or plan.compiled.outdated
        or (made is not None and has_to_close(made))
        or ctx.error is not None
        or ctx.routing_exception is not None
        or ctx._shared is not None
        or ctx._left_early
        or request_tearing_down.receivers
        or appcontext_tearing_down.receivers
        or appcontext_popped.receivers
        or get_ctx(None) is not ctx
    ):
        return False
    try:
        reset_ctx(pushed[0])
    except ValueError:
        return False
    ctx._pushed = None
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
