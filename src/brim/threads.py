"""The pool of threads on which sync code runs while an event loop serves.

Bounded, made at first use, one per process and made anew after a fork. What a function of
the pool does to context variables is carried over by :class:`ThreadSide`.
"""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextvars import ContextVar

T = TypeVar("T")

#: The environment variable that says how many threads the pool may have, and the default.
SIZE_VARIABLE = "BRIM_THREADS"
DEFAULT_SIZE = 40

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None


def pool() -> ThreadPoolExecutor:
    """Return this process's pool.

    Raises ``ValueError`` if ``BRIM_THREADS`` is no positive number.
    """
    global _pool
    if _pool is None:
        with _lock:
            if _pool is None:
                _pool = ThreadPoolExecutor(_size(), thread_name_prefix="brim-sync")
    return _pool


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
    global _pool, _lock
    _pool = None
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


async def run(context: Context, function: Callable[..., T], *args: Any) -> T:
    """Run a sync function on the pool, within ``context``; return its result.

    It comes back only when the function has ended. A cancellation that arrives meanwhile is
    raised then: no thread goes on with what its request has left. A function that no thread
    has taken up yet is not begun any more.
    """
    job = pool().submit(context.run, function, *args)
    try:
        return await asyncio.wrap_future(job)
    except asyncio.CancelledError:
        while not job.done():
            try:
                await asyncio.wait([asyncio.wrap_future(job)])
            except asyncio.CancelledError:  # once is enough
                continue
        raise


_MISSING: Any = object()


class ThreadSide:
    """One request's side on the threads: its sync functions, in one ``Context``.

    Under ASGI a request's coroutines run in its task's context and its sync functions here.
    Each side sees what the other has set before. As each keeps its own ``Context`` from the
    first function to the last, a token that a before-function got can be reset by a
    teardown function.
    """

    def __init__(self) -> None:
        self._context: Context | None = None
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
            return await run(context, function, *args)
        finally:
            _set(self._changes(context.items()))

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
