"""A response as ASGI messages: whole, or bit by bit as fast as the client takes it.

What is sent bit by bit is closed however it ends: at its end, by an error, or because the
client has left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from werkzeug.wrappers import Response as WerkzeugResponse

from ..wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Iterator

    from ..bodies import ReceivedBody
    from ..threads import ThreadSide
    from ..typing import ASGISend, WSGIEnvironment

#: How many chunks of a file go through one trip to a thread.
FILE_CHUNKS = 32

_BODILESS = {204, 304}
_END: Any = object()


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
        chunks: Iterable[bytes] = (
            content if response.direct_passthrough else response.iter_encoded()
        )
        sending = _send_sync(chunks, threads, send, response.direct_passthrough)
    await _send_and_close(sending, _close(response, threads), body, send)


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
    await _send_and_close(sending, _close_wsgi(iterable, threads), body, send)


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
    while True:
        if many:
            data = await threads.run(_join_some, iterator)
        else:
            data = await threads.run(next, iterator, b"")
            if not data:
                # An empty chunk is no end.
                data = await threads.run(_next_that_is_any, iterator)
        if not data:
            return
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
    begun = False
    iterator = iter(iterable)
    while True:
        data = await threads.run(_next_that_is_any, iterator)
        if not begun:
            if not started:
                raise AssertionError("The WSGI application has not called start_response().")
            await _start(send, int(started[0].split(None, 1)[0]), started[1])
            begun = True
            data = b"".join([*early, data])
        if not data:
            return
        await send({"type": "http.response.body", "body": data, "more_body": True})


async def _close_wsgi(iterable: Iterable[bytes], threads: ThreadSide) -> None:
    close = getattr(iterable, "close", None)
    if close is not None:
        await threads.run(close)


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


async def _send_and_close(
    sending: Coroutine[Any, Any, None],
    closing: Coroutine[Any, Any, None],
    body: ReceivedBody,
    send: ASGISend,
) -> None:
    """Send a body, close it, and then say that it was all, if anybody is there to be told."""
    is_sent = False
    try:
        is_sent = await _until_disconnect(sending, body)
    finally:
        # Nobody's leaving interrupts this: teardown functions may be at work.
        await closing
    if is_sent:
        await send({"type": "http.response.body"})


async def _until_disconnect(sending: Coroutine[Any, Any, None], body: ReceivedBody) -> bool:
    """Carry on sending and stop when the client leaves; tell whether all was sent.

    It is sent in this task, so that a stream that ends its request does so in the context in
    which the request began.
    """
    if body.pending:
        # The view reads the body while it answers, and learns of the end from that.
        await sending
        return True
    task = asyncio.current_task()
    assert task is not None
    left = over = False

    def stop(watcher: asyncio.Task[None]) -> None:
        nonlocal left
        if not over:
            left = True
            task.cancel()

    watcher = asyncio.create_task(body.client_has_left())
    watcher.add_done_callback(stop)
    try:
        await sending
    except asyncio.CancelledError:
        if not left or task.cancelling() > 1:
            raise
        return False
    finally:
        over = True
        watcher.cancel()
        if left:
            task.uncancel()
    return True
