"""What every kind of WebSocket connection does alike: take turns, read ahead, end.

Where the bytes come from is decided by the files of the doors. Nothing here knows of views or
hooks.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ..either import Turn, running_loop
from ..sessions import SecureCookieSessionInterface
from ..websockets import WebsocketClosed

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task, TimerHandle
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

#: How often it is looked whether a view still waits for its client, in seconds.
LOOK_INTERVAL = 1.0

#: How many messages are read ahead of a view that doesn't ask for them.
MOST_AHEAD = 64
MOST_BYTES_AHEAD = 1024 * 1024


class BaseConnection:
    """One connection, as :class:`brim.websockets.Connection` describes it, but for the I/O.

    ``limit``: the most bytes a message may have, or None.
    """

    #: The thread whose event loop serves it, if one does.
    loop_thread: int | None = None

    def __init__(self, limit: int | None) -> None:
        #: How it ended; ``None`` while it lasts.
        self.closed: WebsocketClosed | None = None
        #: Whether it was the client, or the network, that ended it.
        self.left = False
        self.limit = limit
        #: The tasks that were told how it ended.
        self.told: list[Task[Any] | None] = []
        self._reading = Turn()
        self._ahead: deque[str | bytes] = deque()
        self._bytes_ahead = 0
        self._receivers = 0
        #: Whether one receives that isn't counted among them.
        self._receives = False
        #: Whether anybody has asked for a message since the watch has looked.
        self._asked = False
        #: The watch, while it waits for the view to have received what it waits for.
        self.resting: Watch | None = None

    async def _read(self) -> str | bytes:
        """Return the next message from the client."""
        raise NotImplementedError

    async def receive(self) -> str | bytes:
        self._receivers += 1
        self._asked = True
        try:
            # Not in turn: whoever reads ahead waits for the next message, and has this one.
            if self._ahead:
                return self._take_ahead()
            async with self._reading:
                return self._take_ahead() if self._ahead else await self._read()
        finally:
            self._receivers -= 1
            if self.resting is not None:
                self.resting.resume()

    def _take_ahead(self) -> str | bytes:
        message = self._ahead.popleft()
        self._bytes_ahead -= len(message)
        return message

    async def read_ahead(self) -> None:
        """Read what the view hasn't asked for yet, to learn whether the client leaves."""
        async with self._reading:
            while not self.is_awaited and self.has_room:
                message = await self._read()
                self._ahead.append(message)
                self._bytes_ahead += len(message)

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for a message."""
        return self._receives or self._receivers > 0

    @property
    def has_room(self) -> bool:
        """Whether more may be read ahead."""
        return len(self._ahead) < MOST_AHEAD and self._bytes_ahead < MOST_BYTES_AHEAD

    def lost(self, code: int = 1006, reason: str = "") -> WebsocketClosed:
        """Note that the client has left; return how, to be raised."""
        if self.closed is None:
            self.closed = WebsocketClosed(code, reason)
            self.left = True
        if self.resting is not None:
            self.resting.resume()
        return self.ended()

    def ended(self) -> WebsocketClosed:
        """Return how the connection ended, to be raised.

        That is another object than :attr:`closed`, as what is raised keeps frames.
        """
        closed = self.closed
        assert closed is not None
        if running_loop() is not None:
            from asyncio import current_task  # noqa: PLC0415 -- loaded by now

            self.told.append(current_task())
        return WebsocketClosed(closed.code, closed.reason)

    def too_long(self, size: int) -> bool:
        """Tell whether a message has more bytes than are allowed."""
        return self.limit is not None and size > self.limit

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        if running_loop() is None or _never_waits(function):
            return function(*args)
        from contextvars import copy_context  # noqa: PLC0415 -- as the next

        from ..threads import run  # noqa: PLC0415 -- brings in asyncio, which is loaded by now

        return await run(copy_context(), function, *args)

    async def watched(self, view: Coroutine[Any, Any, Any]) -> Any:
        from asyncio import CancelledError, current_task  # noqa: PLC0415 -- loaded by now

        task = current_task()
        watch = Watch(self, task)
        try:
            return await view
        except CancelledError:
            if task is None or not watch.client_has_left:
                raise
            task.uncancel()
            raise self.lost() from None
        finally:
            await watch.end()


def _never_waits(function: Callable[..., Any]) -> bool:
    return getattr(function, "__func__", None) is SecureCookieSessionInterface.save_session


class Watch:
    """Looks now and then whether a view's client is still there.

    A view that receives learns of it by that. One that waits for something else would never
    be told, so messages are read ahead for it, and ``task`` is cancelled when there can be
    no more. Without a task the connection is noted as closed, nothing else.

    While the view waits for a message there is nothing to look after: a connection that is
    open and silent has no timer.
    """

    def __init__(self, connection: BaseConnection, task: Task[Any] | None) -> None:
        from asyncio import get_running_loop  # noqa: PLC0415 -- loaded by now

        self.client_has_left = False
        self._connection = connection
        self._task = task
        self._loop: AbstractEventLoop = get_running_loop()
        self._reader: Task[None] | None = None
        self._ended = False
        self._is_late = False
        self._timer: TimerHandle = self._loop.call_later(LOOK_INTERVAL, self._look)

    def _look(self) -> None:
        connection = self._connection
        if connection.closed is not None:
            self._look_after_the_end()
            return
        idle = not connection.is_awaited and not connection._asked
        if idle and self._reader is None and connection.has_room:
            self._reader = self._loop.create_task(self._read())
        connection._asked = False
        if self._may_rest():
            connection.resting = self
            # Another thread may have received it, or ended the connection, in this moment.
            if self._may_rest():
                return
            connection.resting = None
        self._timer = self._loop.call_later(LOOK_INTERVAL, self._look)

    def _may_rest(self) -> bool:
        return self._connection.is_awaited and self._connection.closed is None

    def resume(self) -> None:
        """Look again, as nobody receives any more; on whatever thread that comes to pass."""
        self._connection.resting = None
        if running_loop() is self._loop:
            self._look_later()
        else:
            with suppress(RuntimeError):  # a loop that was closed has nothing to look after
                self._loop.call_soon_threadsafe(self._look_later)

    def _look_later(self) -> None:
        if not self._ended:
            self._timer.cancel()
            self._timer = self._loop.call_later(LOOK_INTERVAL, self._look)

    def _look_after_the_end(self) -> None:
        """Cancel a view that only another task of its has told; give it a moment before."""
        if not self._connection.left or self._task is None or self._task in self._connection.told:
            return
        if self._is_late:
            self._cancel()
        else:
            self._is_late = True
            self._timer = self._loop.call_later(LOOK_INTERVAL, self._look)

    def _cancel(self) -> None:
        if self._ended:
            return
        self.client_has_left = True
        if self._task is not None:
            self._task.cancel()

    async def _read(self) -> None:
        try:
            await self._connection.read_ahead()
        except WebsocketClosed:
            if self._connection.left:
                self._cancel()
        finally:
            self._reader = None

    async def end(self) -> None:
        """Stop looking; come back when nothing is read any more."""
        from asyncio import wait  # noqa: PLC0415 -- loaded by now

        self._ended = True
        self._connection.resting = None
        self._timer.cancel()
        reader = self._reader
        if reader is not None:
            reader.cancel()
            await wait([reader])
