"""A response as ASGI messages: whole, or bit by bit as fast as the client takes it.

What is sent bit by bit is closed however it ends: at its end, by an error, or because the
client has left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from werkzeug.wrappers import Response as WerkzeugResponse

from ..wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator

    from ..bodies import ReceivedBody
    from ..threads import ThreadSide
    from ..typing import ASGISend, WSGIEnvironment

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
        await _send_werkzeug(response, environ, body, threads, send)
        return
    started: list[Any] = []
    early: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [status, headers]
        return early.append

    iterable = await threads.run(response, environ, start_response)
    await send_iterable(started, early, iterable, body, threads, send)


async def _send_werkzeug(
    response: WerkzeugResponse,
    environ: WSGIEnvironment,
    body: ReceivedBody,
    threads: ThreadSide,
    send: ASGISend,
) -> None:
    status = response.status_code
    await _start(send, status, response.get_wsgi_headers(environ).to_wsgi_list())
    if environ["REQUEST_METHOD"] == "HEAD" or status < 200 or status in _BODILESS:
        await send({"type": "http.response.body"})
        await _close(response, threads)
        return
    content: Any = response.response
    if response.is_sequence:
        await send({"type": "http.response.body", "body": b"".join(response.iter_encoded())})
        await _close(response, threads)
        return
    if isinstance(content, AsyncIterable):
        sending = _send_async(content, send)  # pyright: ignore[reportUnknownArgumentType]
    else:
        is_file = response.direct_passthrough
        chunks: Iterable[bytes] = content if is_file else response.iter_encoded()
        sending = _send_sync(chunks, threads, send, is_file)
    await _until_disconnect(sending, partial(_close, response, threads), body, send)


async def send_iterable(
    started: list[Any],
    early: list[bytes],
    iterable: Iterable[bytes],
    body: ReceivedBody,
    threads: ThreadSide,
    send: ASGISend,
) -> None:
    """Send what a WSGI application has returned.

    ``started``: status and headers once the application has called ``start_response``, at
    the latest for its first chunk; ``early``: what it has written by the deprecated
    ``write`` (PEP 3333).
    """
    if isinstance(iterable, (list, tuple)) and started:
        await _start(send, int(started[0].split(None, 1)[0]), started[1])
        await send({"type": "http.response.body", "body": b"".join([*early, *iterable])})
        return
    sending = _send_wsgi(started, early, iterable, threads, send)
    await _until_disconnect(sending, partial(_close_iterable, iterable, threads), body, send)


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
        data = chunk.encode() if isinstance(chunk, str) else bytes(chunk)
        if data:
            await send({"type": "http.response.body", "body": data, "more_body": True})


async def _send_sync(
    chunks: Iterable[bytes], threads: ThreadSide, send: ASGISend, many: bool
) -> None:
    """Send an iterable's chunks, each a step on a thread; a file's ``many`` at a time."""
    iterator = iter(chunks)
    step = _join_some if many else _next_that_is_any
    while data := await threads.run(step, iterator):
        await send({"type": "http.response.body", "body": data, "more_body": True})


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
    await _start(send, int(started[0].split(None, 1)[0]), started[1])
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


async def _close_iterable(iterable: Iterable[bytes], threads: ThreadSide) -> None:
    close = getattr(iterable, "close", None)
    if close is not None:
        await threads.run(close)


async def _until_disconnect(
    sending: Coroutine[Any, Any, None],
    closing: Callable[[], Awaitable[None]],
    body: ReceivedBody,
    send: ASGISend,
) -> None:
    """Carry on sending until the end, or until the client leaves; then close what was sent.

    While the request's body is still coming in, the view may be reading it, and learns of
    the client's leave from that.
    """
    sender = asyncio.create_task(sending)
    watcher = None if body.pending else asyncio.create_task(body.client_has_left())
    whole = False
    try:
        await asyncio.wait(
            (sender,) if watcher is None else (sender, watcher),
            return_when=asyncio.FIRST_COMPLETED,
        )
        whole = sender.done()
    finally:
        # Closing is not a part of the task: it takes place whenever that is cancelled, and in
        # the context in which the request began, whose tokens its teardown functions have.
        if watcher is not None:
            watcher.cancel()
        if not whole:
            sender.cancel()
            await asyncio.wait((sender,))
        try:
            if not sender.cancelled():
                sender.result()
        finally:
            # Its error keeps this frame.
            del sender
            await closing()
    if whole:
        await send({"type": "http.response.body"})
