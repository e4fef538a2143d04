"""Between sync and async: run a coroutine from code that can't await.

Where an ASGI server's loop serves the request, coroutines run there. For all others one event
loop is kept per process, on a thread of its own, started at first use and anew after a fork.
Coroutines see the caller's context variables, and the caller sees what they changed.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from functools import partial, update_wrapper
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from .ctx import RequestContext, _cv_ctx
from .greenlets import make_outcome, start_thread

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from .greenlets import Outcome

#: The ASGI server's own loop, where that is said; ``None``: there is none to wait for.
home_loop: ContextVar[AbstractEventLoop | None] = ContextVar("brim.home_loop")


def find_home_loop() -> AbstractEventLoop | None:
    """Return the ASGI server's loop, while something is done for a request of its."""
    try:
        return home_loop.get()
    except LookupError:
        # PERF: the door doesn't set it for each request; benchmarks/bench_plain.py.
        ctx = _cv_ctx.get(None)
        if not isinstance(ctx, RequestContext):
            ctx = None if ctx is None else ctx._outer_request_ctx
        # Also of a request that has ended: what it has started may still be at work.
        exchange = None if ctx is None else ctx._exchange
        return None if exchange is None else exchange.loop


def keep_home_loop() -> None:
    """Have the loop found here once the request is no longer current."""
    home_loop.set(find_home_loop())


class LoopThread:
    """An event loop on a daemon thread, that other threads hand coroutines to."""

    def __init__(self) -> None:
        started = make_outcome()
        start_thread(partial(self._serve, started), "brim-loop")
        self.loop: AbstractEventLoop = started.result()

    def _serve(self, started: Future[Any] | Outcome) -> None:
        import asyncio  # noqa: PLC0415 -- a process without async views never loads it

        try:
            # In an empty context, as the loop keeps the one that it is made in.
            loop: AbstractEventLoop = Context().run(asyncio.new_event_loop)
        except BaseException as error:  # no more files may be open, for example
            started.set_exception(error)
            return
        asyncio.set_event_loop(loop)
        started.set_result(loop)
        while True:
            # SystemExit and KeyboardInterrupt are a task's outcome, and stop the loop besides.
            with suppress(SystemExit, KeyboardInterrupt):
                loop.run_forever()


def _run_on(loop: AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: Context) -> Any:
    """Run ``coroutine`` on another thread's loop in ``context``; wait; return its result."""
    outcome = make_outcome()
    tasks: list[Task[Any]] = []
    try:
        loop.call_soon_threadsafe(_start, loop, coroutine, context, tasks, outcome)
        return outcome.result()
    except BaseException:
        if not outcome.done():  # the waiting was interrupted, not the work
            loop.call_soon_threadsafe(_cancel, tasks)
        raise
    finally:
        # An error keeps this frame, so the frame may not keep what has the error.
        del outcome, tasks


def _start(
    loop: AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any],
    context: Context,
    tasks: list[Task[Any]],
    outcome: Future[Any] | Outcome,
) -> None:
    task = loop.create_task(hold_exit(coroutine), context=context)
    tasks.append(task)
    task.add_done_callback(partial(_hand_over, outcome))


class Exit:
    """A ``SystemExit`` or ``KeyboardInterrupt``, which as a task's outcome would end its loop."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


async def hold_exit(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Await a coroutine; return what would end the loop instead of raising it."""
    try:
        return await coroutine
    except (SystemExit, KeyboardInterrupt) as error:
        return Exit(error)


def _cancel(tasks: list[Task[Any]]) -> None:
    for task in tasks:
        task.cancel()


def _hand_over(outcome: Future[Any] | Outcome, task: Task[Any]) -> None:
    if task.cancelled():
        from asyncio import CancelledError  # noqa: PLC0415 -- loaded by now

        # As it is in a coroutine; the future's own CancelledError is another class.
        outcome.set_exception(CancelledError())
        return
    error = task.exception()
    if error is None and isinstance(result := task.result(), Exit):
        error = result.error
    if error is not None:
        outcome.set_exception(error)
    else:
        outcome.set_result(task.result())


_lock = threading.Lock()
_kept: LoopThread | None = None


def _kept_loop() -> LoopThread:
    global _kept
    with _lock:
        if _kept is None:
            _kept = LoopThread()
        return _kept


def _forget_loop() -> None:
    # The thread did not come along into the child process.
    global _kept, _lock
    _kept = None
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_loop)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end, from a thread that can't await; return its result.

    On a loop's own thread, where waiting for that loop would never end, it runs on another.
    """
    context = copy_context()
    if (error := sys.exc_info()[1]) is not None:
        coroutine = while_handling(error, coroutine)
        del error
    home = find_home_loop()
    try:
        loop = _loop_to_wait_for(home)
        if loop is not home and home is not None:
            # It stands still, as this thread does, and nothing may wait for it.
            context.run(home_loop.set, None)
        if loop is None:
            return _run_aside(coroutine, context)
        return _run_on(loop, coroutine, context)
    finally:
        for var, value in context.items():
            if var is home_loop:
                continue
            try:
                if var.get() is value:
                    continue
            except LookupError:
                pass
            var.set(value)


def _loop_to_wait_for(home: AbstractEventLoop | None) -> AbstractEventLoop | None:
    """Return the server's loop, or else the kept one; ``None`` if this thread runs it."""
    if home is not None and home.is_running() and _running_loop() is not home:
        return home
    kept = _kept_loop().loop
    return None if _running_loop() is kept else kept


def loop_for_tasks() -> AbstractEventLoop:
    """Return the loop for what outlives its caller: the server's, or else the kept one."""
    home = find_home_loop()
    return home if home is not None and home.is_running() else _kept_loop().loop


def is_running_here(loop: AbstractEventLoop) -> bool:
    """Tell whether ``loop`` runs on this thread, which may not wait for it then."""
    return _running_loop() is loop


def _running_loop() -> AbstractEventLoop | None:
    from asyncio import _get_running_loop  # noqa: PLC0415 -- loaded by now

    return _get_running_loop()


async def while_handling(error: BaseException, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Await ``coroutine`` with ``error`` as the exception that is being handled."""
    context, traceback = error.__context__, error.__traceback__
    try:
        raise error
    except BaseException:
        # It was raised elsewhere; raising it here is to leave no trace.
        error.__context__, error.__traceback__ = context, traceback
        return await coroutine


def _run_aside(coroutine: Coroutine[Any, Any, Any], context: Context) -> Any:
    outcome = make_outcome()
    start_thread(partial(_run_alone, coroutine, context, outcome), "brim-loop-aside")
    try:
        return outcome.result()
    finally:
        # An error keeps this frame, so the frame may not keep what has the error.
        del outcome


def _run_alone(
    coroutine: Coroutine[Any, Any, Any], context: Context, outcome: Future[Any] | Outcome
) -> None:
    import asyncio  # noqa: PLC0415

    try:
        with asyncio.Runner() as runner:
            result = runner.run(coroutine, context=context)
    except BaseException as error:
        outcome.set_exception(error)
    else:
        outcome.set_result(result)


class Synced:
    """A coroutine function made callable from sync code.

    ``func`` is the coroutine function itself, for callers that can await it.
    """

    def __init__(self, func: Callable[..., Coroutine[Any, Any, Any]]) -> None:
        self.func = func
        update_wrapper(self, func)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return run(self.func(*args, **kwargs))

    def __get__(self, obj: object, owner: type | None = None) -> Any:
        return self if obj is None else partial(self, obj)


def is_async(func: Any) -> bool:
    """Tell whether calling ``func`` gives a coroutine."""
    while isinstance(func, partial):
        func = func.func
    return iscoroutinefunction(func) or iscoroutinefunction(getattr(func, "__call__", None))  # noqa: B004
