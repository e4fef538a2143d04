"""Operations that are written once and carried out by a thread or by an event loop.

They are coroutines whose waiting is done by the functions of this file. Where an event loop
runs, these suspend; on a thread without one they block, so that a coroutine comes to its end
in one step (:func:`carry_out`). A process that only ever blocks doesn't load asyncio.
"""

from __future__ import annotations

import select
import sys
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from asyncio import Future as Future_
    from collections.abc import Coroutine
    from concurrent.futures import Future
    from socket import socket
    from types import TracebackType

T = TypeVar("T")


def running_loop() -> AbstractEventLoop | None:
    """Return the event loop that runs on this thread, if one does."""
    asyncio = sys.modules.get("asyncio.events")
    return None if asyncio is None else asyncio._get_running_loop()


def carry_out(operation: Coroutine[Any, Any, T]) -> T:
    """Carry out an operation on this thread, which has no event loop; return its result."""
    try:
        operation.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    operation.close()
    raise RuntimeError(
        f"{operation!r} waits for an event loop, and none runs on this thread."
        " Call it from a coroutine function."
    )


async def done(future: Future[T]) -> T:
    """Wait for a future; return its result or raise its error."""
    if running_loop() is None:
        return future.result()
    from asyncio import wrap_future  # noqa: PLC0415 -- loaded, as a loop runs

    return await wrap_future(future)


async def readable(sock: socket, timeout: float | None) -> bool:
    """Wait until something can be read from ``sock``; tell whether it can."""
    loop = running_loop()
    if loop is None:
        return _poll(sock, False, timeout)
    return await _watch(loop, sock, False, timeout)


async def writable(sock: socket, timeout: float | None) -> bool:
    """Wait until something can be written to ``sock``; tell whether it can."""
    loop = running_loop()
    if loop is None:
        return _poll(sock, True, timeout)
    return await _watch(loop, sock, True, timeout)


def _poll(sock: socket, write: bool, timeout: float | None) -> bool:
    if not hasattr(select, "poll"):  # Windows
        reading, writing = ([], [sock]) if write else ([sock], [])
        return any(select.select(reading, writing, [], timeout))
    poll = select.poll()
    poll.register(sock, select.POLLOUT if write else select.POLLIN)
    return bool(poll.poll(None if timeout is None else timeout * 1000))


async def _watch(loop: AbstractEventLoop, sock: socket, write: bool, timeout: float | None) -> bool:
    """Wait by the loop's own selector, which takes no thread."""
    waiter: Future_[bool] = loop.create_future()

    def tell(ready: bool) -> None:
        if not waiter.done():
            waiter.set_result(ready)

    number = sock.fileno()
    try:
        (loop.add_writer if write else loop.add_reader)(number, tell, True)
    except NotImplementedError:  # the loop that Windows has by default
        return await loop.run_in_executor(None, _poll, sock, write, timeout)
    timer = None if timeout is None else loop.call_later(timeout, tell, False)
    try:
        return await waiter
    finally:
        (loop.remove_writer if write else loop.remove_reader)(number)
        if timer is not None:
            timer.cancel()


class Turn:
    """A lock for threads and tasks alike: ``async with turn:``.

    Whoever waits for it is woken when it is free, and may find it taken again.
    """

    __slots__ = ("_guard", "taken", "waiting")

    def __init__(self) -> None:
        self._guard = threading.Lock()
        #: Whether somebody has it. Where one event loop has all who want it, its tasks may
        #: set this themselves: nothing comes between two steps of one.
        self.taken = False
        self.waiting: list[Future[None]] = []

    async def __aenter__(self) -> None:
        while not self._take():
            from concurrent.futures import Future  # noqa: PLC0415 -- seldom needed

            waiter: Future[None] = Future()
            with self._guard:
                if not self.taken:
                    continue
                self.waiting.append(waiter)
            await done(waiter)

    def _take(self) -> bool:
        with self._guard:
            if self.taken:
                return False
            self.taken = True
            return True

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """Let the next one have it."""
        with self._guard:
            self.taken = False
            waiting, self.waiting = self.waiting, []
        for waiter in waiting:
            # False for one whose task was cancelled meanwhile.
            if waiter.set_running_or_notify_cancel():
                waiter.set_result(None)
