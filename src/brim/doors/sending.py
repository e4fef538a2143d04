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
from typing import TYPE_CHECKING, Any, cast

from werkzeug.wrappers import Response as WerkzeugResponse

from ..bridge import Exit, hold_exit
from ..wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator

    from ..bodies import ReceivedBody
    from ..threads import ThreadSide
    from ..typing import ASGIMessage, ASGISend, RequestContext, WSGIApplication
    from .exchange import Exchange

#: How many chunks of a file go through one trip to a thread.
FILE_CHUNKS = 32

_BODILESS = {204, 304}


def dropping(body: ReceivedBody, send: ASGISend) -> ASGISend:
    """Return a ``send`` that, with the last message, drops what nobody has read of the body."""
    if not body.pending:
        return send

    async def send_and_drop(message: ASGIMessage) -> None:
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and body.pending:
            body.start_dropping()
        await send(message)

    return send_and_drop


async def send_response(
    response: Any, ctx: RequestContext, exchange: Exchange, send: ASGISend
) -> None:
    """Send what the steps have returned: a response, or any WSGI application."""
    if type(response) is Response:
        ready = response.as_wsgi(ctx._method)
        if ready is not None:
            await _start(send, response._status_code, ready[1])
            await send({"type": "http.response.body", "body": cast("list[bytes]", ready[2])[0]})
            return
    if isinstance(response, WerkzeugResponse):
        await _close_after(
            _send_werkzeug(response, exchange, send),
            partial(_close, response, exchange),
            send,
        )
    else:
        await send_by_wsgi(response, exchange, send)


async def send_by_wsgi(
    application: WSGIApplication,
    exchange: Exchange,
    send: ASGISend,
    called: Callable[[], None] = lambda: None,
) -> None:
    """Call a WSGI application and send what it returns; ``called`` tells that it has."""
    environ, threads = exchange.environ, exchange.threads
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
        return await _until_disconnect(sending, exchange.body)

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


async def _send_werkzeug(response: WerkzeugResponse, exchange: Exchange, send: ASGISend) -> bool:
    """Send a response; tell whether its end is still to be sent."""
    environ = exchange.environ
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
        sending = _send_async(content, send)  # pyright: ignore[reportUnknownArgumentType]
    else:
        is_file = response.direct_passthrough
        chunks: Iterable[bytes] = content if is_file else response.iter_encoded()
        sending = _send_sync(chunks, exchange.threads, start, send, is_file)
    return await _until_disconnect(sending, exchange.body)


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


async def _send_async(chunks: AsyncIterable[Any], send: ASGISend) -> None:
    async for chunk in chunks:
        data = chunk.encode() if isinstance(chunk, str) else bytes(memoryview(chunk))
        if data:
            await send({"type": "http.response.body", "body": data, "more_body": True})


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


async def _close(response: WerkzeugResponse, exchange: Exchange) -> None:
    """Close a response; what is registered for that may wait, so it is done on a thread."""
    content: Any = response.response
    aclose = getattr(content, "aclose", None)
    try:
        if aclose is not None:
            await aclose()
    finally:
        if response._on_close or (aclose is None and hasattr(content, "close")):
            await exchange.threads.run(response.close)


async def _until_disconnect(sending: Coroutine[Any, Any, None], body: ReceivedBody) -> bool:
    """Carry on sending until the end, or until the client leaves; tell which."""
    sender = asyncio.create_task(hold_exit(sending))
    watcher = asyncio.create_task(body.client_has_left())
    try:
        await asyncio.wait((sender, watcher), return_when=asyncio.FIRST_COMPLETED)
        whole = sender.done()
    finally:
        watcher.cancel()
        sender.cancel()
        # Nothing is closed while it is at work.
        while not sender.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((sender,))
    try:
        if whole or not sender.cancelled():
            result = sender.result()
            if isinstance(result, Exit):
                raise result.error
    finally:
        # Its error keeps this frame.
        del sender
    return whole
