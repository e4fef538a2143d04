"""The pool of threads on which sync code runs while an event loop serves.

Made at first use, one per process and made anew after a fork. What a function of
the pool does to context variables is carried over by :class:`ThreadSide`.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from .pools import Pool, Seat

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable, Iterable
    from contextvars import ContextVar

T = TypeVar("T")

#: The environment variable that says how many threads the pool may have, and the default.
SIZE_VARIABLE = "BRIM_THREADS"
DEFAULT_SIZE = 40


class _Job:
    """One call that a coroutine waits for; what changes in it changes on the loop's thread."""

    __slots__ = ("args", "context", "ended", "function", "future", "loop")

    def __init__(
        self, loop: AbstractEventLoop, context: Context, function: Callable[..., Any], args: Any
    ) -> None:
        self.loop = loop
        self.context = context
        self.function = function
        self.args = args
        self.future: Future[Any] | None = loop.create_future()
        self.ended = False

    def work(self) -> None:
        """Make the call, on a thread of the pool."""
        result = error = None
        try:
            result = self.context.run(self.function, *self.args)
        except BaseException as caught:
            error = caught
        # Nobody waits on a loop that was closed.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._end, result, error)
        # What was raised keeps this frame, and this frame the thread's next wait.
        result = error = None

    def _end(self, result: Any, error: BaseException | None) -> None:
        self.ended = True
        # Not kept: an error's frames have this job.
        future, self.future = self.future, None
        if future is None or future.done():
            return
        if error is None:
            future.set_result(result)
        elif isinstance(error, StopIteration):
            # No future takes it, as it ends generators.
            future.set_exception(RuntimeError("A function raised StopIteration."))
        else:
            future.set_exception(error)


_lock = threading.Lock()
_pool: Pool | None = None
_file_pool: Pool | None = None


def pool() -> Pool:
    """Return this process's pool.

    Raises ``ValueError`` if ``BRIM_THREADS`` is no positive number.
    """
    global _pool
    if _pool is None:
        with _lock:
            if _pool is None:
                _pool = Pool(_size(), "brim-sync")
    return _pool


def file_pool() -> Pool:
    """Return the pool for reading and writing bodies, whose requests may have a seat each."""
    global _file_pool
    if _file_pool is None:
        with _lock:
            if _file_pool is None:
                _file_pool = Pool(_size(), "brim-files")
    return _file_pool


def _size() -> int:
    text = os.environ.get(SIZE_VARIABLE, str(DEFAULT_SIZE))
    if not text.isdecimal() or not int(text):
        raise ValueError(
            f"{SIZE_VARIABLE} is {text!r}; it says on how many threads sync views run under"
            " ASGI and must be a number of 1 or more."
        )
    return int(text)


def _forget_pool() -> None:
    # Its threads did not come along into the child process.
    global _pool, _file_pool, _lock
    _pool = _file_pool = None
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


async def run(
    context: Context,
    function: Callable[..., T],
    *args: Any,
    on: Pool | None = None,
    seat: Seat | None = None,
) -> T:
    """Run a sync function on the pool, within ``context``; return its result.

    It comes back only when the function has ended. A cancellation that arrives meanwhile is
    raised then: no thread goes on with what its request has left. While the interpreter
    ends, when no thread takes up anything, it is called in place. ``on``: another pool than
    the process's own; ``seat``: what keeps its thread for later calls.
    """
    loop = asyncio.get_running_loop()
    job = _Job(loop, context, function, args)
    try:
        (on or pool()).put(job, seat)
    except RuntimeError:
        return context.run(function, *args)
    try:
        return await job.future  # type: ignore[misc, no-any-return]
    except asyncio.CancelledError:
        while not job.ended:
            job.future = loop.create_future()
            with suppress(asyncio.CancelledError, Exception):
                await job.future
        raise
    finally:
        # What it raised keeps this frame.
        del job


_MISSING: Any = object()


class ThreadSide:
    """One request's side on the threads: its sync functions, in one ``Context``.

    Under ASGI a request's coroutines run in its task's context and its sync functions here.
    Each side sees what the other has set before. As each keeps its own ``Context`` from the
    first function to the last, a token that a before-function got can be reset by a
    teardown function.

    All of them run on one thread, too, which nobody else has until :meth:`leave`: state that
    belongs to a thread (``threading.local``, SQLAlchemy's ``scoped_session``) holds from the
    first function to the last, as under WSGI.
    """

    def __init__(self) -> None:
        self._context: Context | None = None
        self._seat: Seat | None = Seat()
        #: The pool that runs them; None for the process's own.
        self.pool: Pool | None = None
        #: What both sides have agreed upon.
        self._known: dict[ContextVar[Any], Any] = {}

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run a sync function on a thread; see :func:`run`."""
        context = self._context
        if context is None:
            context = self._context = copy_context()
            self._known = dict(context.items())
        else:
            changes = self._changes(copy_context().items())
            if changes:
                context.run(_set, changes)
        try:
            return await run(context, function, *args, on=self.pool, seat=self._seat)
        finally:
            _set(self._changes(context.items()))

    def forget(self, var: ContextVar[Any]) -> None:
        """Have ``None`` for what the other side has reset, which can't be seen from here."""
        if self._context is not None and var in self._known:
            self._context.run(var.set, None)
            self._known[var] = None

    def leave(self) -> None:
        """Give the thread back; what is run from now on may run on any, and sees no request."""
        self._context = None
        # They may lead back here, as the request does.
        self._known = {}
        seat, self._seat = self._seat, None
        if seat is not None and seat.worker is not None:
            (self.pool or pool()).leave(seat)

    def _changes(
        self, items: Iterable[tuple[ContextVar[Any], Any]]
    ) -> list[tuple[ContextVar[Any], Any]]:
        known = self._known
        changes = [(var, value) for var, value in items if known.get(var, _MISSING) is not value]
        known.update(changes)
        return changes


def _set(changes: Iterable[tuple[ContextVar[Any], Any]]) -> None:
    for var, value in changes:
        var.set(value)
