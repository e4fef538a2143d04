"""What goes on beside the sending of a stream: the client may leave, silences are filled.

Nothing here knows what is sent, or of what it is a part.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..streams import within

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import Context

    from ..streams import Silence
    from ..typing import ASGISend
    from .exchange import Exchange


async def until_disconnect(
    sending: Coroutine[Any, Any, None],
    exchange: Exchange,
    variables: Context,
    filler: Filler | None = None,
) -> bool:
    """Carry on sending until the end, or until the client leaves; tell which.

    It is done in this task, which is cancelled for a moment if the client leaves, as
    ``asyncio.timeout`` does it; with the context variables of ``variables``.
    """
    lookout = Lookout(exchange, filler)
    try:
        # PERF: what never waits is through without a task or a turn of the loop, and one that
        #   waits takes one task more, not two; benchmarks/bench_streaming.py.
        await within(variables, sending, lookout.begin)
    except asyncio.CancelledError:
        if not lookout.take_back():
            raise
    finally:
        await lookout.end()
    return lookout.is_whole


class Lookout:
    """Looks out for the client's leaving, and for silences, while this task sends."""

    def __init__(self, exchange: Exchange, filler: Filler | None) -> None:
        self._exchange = exchange
        self._filler = filler
        self._task: asyncio.Task[Any] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._cancellations = 0
        #: Whether the client has stayed.
        self.is_whole = True

    def begin(self) -> None:
        """Begin, as sending waits for something for the first time."""
        task = self._task = asyncio.current_task()
        assert task is not None
        self._cancellations = task.cancelling()
        self._watcher = asyncio.create_task(self._watch())
        if self._filler is not None:
            self._filler.begin(self._fail)

    async def _watch(self) -> None:
        try:
            await self._exchange.body.client_has_left()
        except asyncio.CancelledError:
            return
        except BaseException:
            self._stop()
            raise
        self._stop()

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        self._stop()

    def _stop(self) -> None:
        if self.is_whole and self._task is not None:
            self.is_whole = False
            self._task.cancel()

    def take_back(self) -> bool:
        """Tell whether a cancellation came from here and from nobody else; then it is undone."""
        if self.is_whole or self._task is None:
            return False
        return self._task.uncancel() <= self._cancellations

    async def end(self) -> None:
        """Stop looking out. Raises what made filling a silence fail."""
        if self._watcher is not None:
            self._watcher.cancel()
        if self._filler is not None:
            await self._filler.end()
        if self._failure is not None:
            raise self._failure


class Filler:
    """Sends something where a stream is silent for long, between two of what it gives.

    Whoever sends what the stream gives waits for :meth:`filled` before and notes
    :attr:`since`, :attr:`patience` after it.
    """

    def __init__(self, silence: Silence, send: ASGISend) -> None:
        self._filler = silence.filler
        self._send = send
        #: How long it may be silent now, and how long later.
        self.patience = silence.first
        self.later = silence.later
        #: Since when the stream is waited for; None while something is sent.
        self.since: float | None = monotonic()
        #: While a silence is filled, what does that.
        self.filling: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, failed: Callable[[BaseException], None]) -> None:
        """Look out for silences; ``failed`` is told why one could not be filled."""
        self._failed = failed
        self._look_later(self.patience)

    def _look_later(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        left = self.patience
        if self.since is not None:
            left += self.since - monotonic()
        if left > 0:
            self._look_later(left)
        else:
            self.filling = asyncio.create_task(self._fill())

    async def _fill(self) -> None:
        self.since = None
        try:
            await self._send(
                {"type": "http.response.body", "body": self._filler, "more_body": True}
            )
        except Exception as error:
            self._failed(error)
            return
        self.filling = None
        self.since = monotonic()
        self.patience = self.later
        self._look_later(self.patience)

    async def filled(self) -> None:
        """Wait until the silence is filled."""
        if self.filling is not None:
            await asyncio.wait((self.filling,))

    async def end(self) -> None:
        """Stop looking out; come back when nothing is sent any more."""
        if self._timer is not None:
            self._timer.cancel()
        while self.filling is not None and not self.filling.done():
            self.filling.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait((self.filling,))
