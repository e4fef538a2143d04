"""A response as ASGI messages: whole, or bit by bit as fast as the client takes it.

What is sent bit by bit is closed however it ends: at its end, by an error, or because the
client has left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from contextlib import suppress
from functools import partial
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from werkzeug.wrappers import Response as WerkzeugResponse

from ..bridge import Exit, hold_exit
from ..streams import AsyncBody
from ..wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
    from contextvars import Context

    from ..bodies import ReceivedBody
    from ..streams import Silence
    from ..threads import ThreadSide
    from ..typing import ASGISend, WSGIApplication, WSGIEnvironment

#: How many chunks of a file go through one trip to a thread.
FILE_CHUNKS = 32

_BODILESS = {204, 304}


async def send_response(
    response: Any,
    environ: WSGIEnvironment,
    body: ReceivedBody,
    threads: ThreadSide,
    send: ASGISend,
) -> None:
    """Send what the steps have returned: a response, or any WSGI application."""
    method = environ["REQUEST_METHOD"]
    if type(response) is Response:
        ready = response.as_wsgi(method)
        if ready is not None:
            await _start(send, response._status_code, ready[1])
            await send({"type": "http.response.body", "body": cast("list[bytes]", ready[2])[0]})
            return
    if isinstance(response, WerkzeugResponse):
        await _close_after(
            _send_werkzeug(response, environ, body, threads, send),
            partial(_close, response, threads),
            send,
        )
    else:
        await send_by_wsgi(response, environ, body, threads, send)


async def send_by_wsgi(
    application: WSGIApplication,
    environ: WSGIEnvironment,
    body: ReceivedBody,
    threads: ThreadSide,
    send: ASGISend,
    called: Callable[[], None] = lambda: None,
) -> None:
    """Call a WSGI application and send what it returns; ``called`` tells that it has."""
    started: list[Any] = []
    early: list[bytes] = []
    made: list[Iterable[bytes]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [int(status.split(None, 1)[0]), headers]
        return early.append

    def call() -> None:
        made.append(application(environ, start_response))

    async def send_made() -> bool:
        await threads.run(call)
        called()
        if made and isinstance(made[0], (list, tuple)) and started:
            await _start(send, started[0], started[1])
            await send({"type": "http.response.body", "body": b"".join([*early, *made[0]])})
            return False
        sending = _send_wsgi(started, early, made[0], threads, send)
        return await _until_disconnect(sending, body)

    async def close_made() -> None:
        close = getattr(made[0], "close", None) if made else None
        if close is not None:
            await threads.run(close)

    await _close_after(send_made(), close_made, send)


async def _close_after(
    sending: Awaitable[bool], closing: Callable[[], Awaitable[None]], send: ASGISend
) -> None:
    """Send, close whatever has become of that, and end the message if it has no end yet."""
    unended = False
    try:
        unended = await sending
    finally:
        await closing()
    if unended:
        await send({"type": "http.response.body"})


async def _send_werkzeug(
    response: WerkzeugResponse,
    environ: WSGIEnvironment,
    body: ReceivedBody,
    threads: ThreadSide,
    send: ASGISend,
) -> bool:
    """Send a response; tell whether its end is still to be sent."""
    status = response.status_code
    start = partial(_start, send, status, response.get_wsgi_headers(environ).to_wsgi_list())
    if environ["REQUEST_METHOD"] == "HEAD" or status < 200 or status in _BODILESS:
        await start()
        return True
    content: Any = response.response
    if response.is_sequence:
        await start()
        await send({"type": "http.response.body", "body": b"".join(response.iter_encoded())})
        return False
    if isinstance(content, AsyncIterable):
        await start()
        # What was put there by hand the constructor has made no body of.
        stream = content if isinstance(content, AsyncBody) else AsyncBody(content)  # pyright: ignore[reportUnknownArgumentType]
        return await _send_async(stream, body, send)
    is_file = response.direct_passthrough
    chunks: Iterable[bytes] = content if is_file else response.iter_encoded()
    return await _until_disconnect(_send_sync(chunks, threads, start, send, is_file), body)


async def _start(send: ASGISend, status: int, headers: list[tuple[str, str]]) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
            ],
        }
    )


async def _send_async(stream: AsyncBody, body: ReceivedBody, send: ASGISend) -> bool:
    if stream.silence is not None:
        filler = Filler(stream.silence, send)
        return await _until_disconnect(
            stream.pass_on(filler.send_event), body, stream.variables, filler
        )

    async def send_chunk(chunk: Any) -> None:
        data = chunk if type(chunk) is bytes else _as_bytes(chunk)
        if data:
            await send({"type": "http.response.body", "body": data, "more_body": True})

    return await _until_disconnect(stream.pass_on(send_chunk), body, stream.variables)


def _as_bytes(chunk: Any) -> bytes:
    return chunk.encode() if isinstance(chunk, str) else bytes(memoryview(chunk))


class Filler:
    """Sends something where a stream is silent for long, between two of what it gives."""

    def __init__(self, silence: Silence, send: ASGISend) -> None:
        self._silence = silence
        self._send = send
        self._patience = silence.first
        #: Since when the stream is waited for; None while something is sent.
        self._since: float | None = monotonic()
        self.filling: asyncio.Task[None] | None = None

    async def send_event(self, data: bytes) -> None:
        """Send what the stream has given."""
        if self.filling is not None:
            await asyncio.wait((self.filling,))
        self._since = None
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self._since = monotonic()
        self._patience = self._silence.later

    def seconds_left(self) -> float:
        """Return how long the stream may still be silent."""
        if self._since is None:
            return self._patience
        return self._since + self._patience - monotonic()

    def fill(self) -> None:
        """Begin to send what fills a silence that has lasted long enough."""
        if self._since is not None and self.seconds_left() <= 0:
            self._since = None
            self.filling = asyncio.create_task(self._fill())

    async def _fill(self) -> None:
        data = self._silence.filler
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self._since = monotonic()
        self._patience = self._silence.later


async def _send_sync(
    chunks: Iterable[bytes],
    threads: ThreadSide,
    start: Callable[[], Awaitable[None]],
    send: ASGISend,
    many: bool,
) -> None:
    """Send an iterable's chunks, each a step on a thread; a file's ``many`` at a time.

    One that fails before its first chunk has sent nothing, so the server can answer 500.
    """
    iterator = iter(chunks)
    step = _join_some if many else _next_that_is_any
    data = await threads.run(step, iterator)
    await start()
    while data:
        await send({"type": "http.response.body", "body": data, "more_body": True})
        data = await threads.run(step, iterator)


def _join_some(chunks: Iterator[bytes]) -> bytes:
    return b"".join(islice(chunks, FILE_CHUNKS))


def _next_that_is_any(chunks: Iterator[bytes]) -> bytes:
    return next(filter(None, chunks), b"")


async def _send_wsgi(
    started: list[Any],
    early: list[bytes],
    iterable: Iterable[bytes],
    threads: ThreadSide,
    send: ASGISend,
) -> None:
    iterator = iter(iterable)
    data = await threads.run(_next_that_is_any, iterator)
    if not started:
        raise AssertionError("The WSGI application has not called start_response().")
    await _start(send, started[0], started[1])
    data = b"".join([*early, data])
    while data:
        await send({"type": "http.response.body", "body": data, "more_body": True})
        data = await threads.run(_next_that_is_any, iterator)


async def _close(response: WerkzeugResponse, threads: ThreadSide) -> None:
    """Close a response; what is registered for that may wait, so it is done on a thread."""
    content: Any = response.response
    aclose = getattr(content, "aclose", None)
    try:
        if aclose is not None:
            await aclose()
    finally:
        if response._on_close or (aclose is None and hasattr(content, "close")):
            await threads.run(response.close)


async def _until_disconnect(
    sending: Coroutine[Any, Any, None],
    body: ReceivedBody,
    variables: Context | None = None,
    filler: Filler | None = None,
) -> bool:
    """Carry on sending until the end, or until the client leaves; tell which.

    The coroutine is a task of its own, which runs in ``variables``.
    """
    sender = asyncio.create_task(hold_exit(sending), context=variables)
    watcher: asyncio.Task[None] | None = None
    try:
        # PERF: what never waits is through when it has had its turn, and needs no watch;
        #   benchmarks/bench_streaming.py.
        await asyncio.sleep(0)
        if not sender.done():
            watcher = asyncio.create_task(body.client_has_left())
            await _one_of(sender, watcher, filler)
        whole = sender.done()
    finally:
        if watcher is not None:
            watcher.cancel()
        await _end(sender)
        if filler is not None and filler.filling is not None:
            await _end(filler.filling)
    try:
        if whole or not sender.cancelled():
            result = sender.result()
            if isinstance(result, Exit):
                raise result.error
    finally:
        # Its error keeps this frame.
        del sender
    return whole


async def _one_of(
    sender: asyncio.Task[Any], watcher: asyncio.Task[None], filler: Filler | None
) -> None:
    """Wait until all is sent or the client has left, and have silences filled meanwhile."""
    tasks = {sender, watcher}
    if filler is None:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return
    while not (sender.done() or watcher.done()):
        if filler.filling is None:
            filler.fill()
        if filler.filling is not None:
            tasks.add(filler.filling)
        await asyncio.wait(
            tasks, timeout=max(filler.seconds_left(), 0), return_when=asyncio.FIRST_COMPLETED
        )
        if filler.filling is not None and filler.filling.done():
            tasks.discard(filler.filling)
            filled, filler.filling = filler.filling, None
            filled.result()


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel a task, and wait: nothing is closed while it is at work."""
    task.cancel()
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait((task,))
