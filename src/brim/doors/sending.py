"""A response as ASGI messages: whole, or bit by bit as fast as the client takes it.

What is sent bit by bit is closed however it ends: at its end, by an error, or because the
client has left.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextvars import copy_context
from functools import partial
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response as WerkzeugResponse

from ..streams import AsyncBody
from ..wrappers import Response
from .lookout import Filler, until_disconnect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator

    from ..bodies import ReceivedBody
    from ..threads import ThreadSide
    from ..typing import ASGIMessage, ASGISend, RequestContext, WSGIApplication
    from .exchange import Exchange

#: How many chunks of a file go through one trip to a thread.
FILE_CHUNKS = 32

_BODILESS = {204, 304}

#: Headers that Werkzeug completes from the request.
_MADE_ABSOLUTE = {"location", "content-location"}
_GET_WSGI_HEADERS = WerkzeugResponse.get_wsgi_headers


#: The header of each length below :data:`_MOST_LENGTHS` that was sent so far.
#: PERF: to format a number takes five times as long; benchmarks/bench_plain.py.
LENGTHS: dict[int, tuple[bytes, bytes]] = {}
_MOST_LENGTHS = 1000


def length_header(length: int) -> tuple[bytes, bytes]:
    """Return the header with a body's length; those of small ones from :data:`LENGTHS` on."""
    header = b"content-length", b"%d" % length
    if length < _MOST_LENGTHS:
        LENGTHS[length] = header
    return header


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
            await send({"type": "http.response.body", "body": b"".join(ready[2])})
            return
    if isinstance(response, WerkzeugResponse):
        unended = False
        try:
            unended = await _sending_of(response, ctx._method, exchange, send)
        finally:
            await _close(response, exchange)
        if unended:
            await send({"type": "http.response.body"})
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
        return await until_disconnect(sending, exchange, copy_context())

    async def close_made() -> None:
        close = getattr(made[0], "close", None) if made else None
        if close is not None:
            await threads.run(close)

    unended = False
    try:
        unended = await send_made()
    finally:
        await close_made()
    if unended:
        await send({"type": "http.response.body"})


def _sending_of(
    response: WerkzeugResponse, method: str, exchange: Exchange, send: ASGISend
) -> Coroutine[Any, Any, bool]:
    """Return what sends a response, and tells whether its end is still to be sent.

    PERF: no coroutine, as each step of a stream would have to come through it;
    benchmarks/bench_streaming.py.
    """
    status = response.status_code
    start = partial(_start, send, status, _headers_of(response, status, exchange))
    if method == "HEAD" or status < 200 or status in _BODILESS:
        return _send_whole(start, None, send)
    content: Any = response.response
    if response.is_sequence:
        return _send_whole(start, response, send)
    if isinstance(content, AsyncIterable):
        # What was put there by hand the constructor has made no body of.
        stream = content if isinstance(content, AsyncBody) else AsyncBody(content)  # pyright: ignore[reportUnknownArgumentType]
        silence = stream.silence
        filler = None if silence is None else Filler(silence, send)
        sending = _send_stream(stream, start, send, filler)
        return until_disconnect(sending, exchange, stream.variables, filler)
    is_file = response.direct_passthrough
    chunks: Iterable[bytes] = content if is_file else response.iter_encoded()
    sending = _send_sync(chunks, exchange.threads, start, send, is_file)
    return until_disconnect(sending, exchange, copy_context())


def _headers_of(
    response: WerkzeugResponse, status: int, exchange: Exchange
) -> list[tuple[str, str]]:
    # PERF: of most streams Werkzeug would change no header, and copy them all;
    #   benchmarks/bench_streaming.py.
    if (
        not response.is_sequence
        and status >= 200
        and status not in _BODILESS
        and getattr(response.get_wsgi_headers, "__func__", None) is _GET_WSGI_HEADERS
    ):
        if isinstance(response, Response) and "headers" not in response.__dict__:
            return response._plain_headers()
        headers = response.headers.to_wsgi_list()
        if not any(name.lower() in _MADE_ABSOLUTE for name, _ in headers):
            return headers
    return response.get_wsgi_headers(exchange.environ).to_wsgi_list()


async def _send_whole(
    start: Callable[[], Awaitable[None]], response: WerkzeugResponse | None, send: ASGISend
) -> bool:
    await start()
    if response is None:
        return True
    await send({"type": "http.response.body", "body": b"".join(response.iter_encoded())})
    return False


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


async def _send_stream(
    stream: AsyncBody, start: Callable[[], Awaitable[None]], send: ASGISend, filler: Filler | None
) -> None:
    """Send what an async iterator gives, and close it, in this task."""
    await start()
    iterator, encode = stream.hand_over()
    of_iterator = True
    try:
        async for item in iterator:
            if encode is not None:
                data = encode(item)
            else:
                data = item if type(item) is bytes else _as_bytes(item)
            if not data:
                continue
            of_iterator = False
            if filler is None:
                await send({"type": "http.response.body", "body": data, "more_body": True})
            else:
                if filler.filling is not None:
                    await filler.filled()
                filler.since = None
                await send({"type": "http.response.body", "body": data, "more_body": True})
                filler.since = monotonic()
                filler.patience = filler.later
            of_iterator = True
    except BaseException as error:
        stream.fail(error if of_iterator else GeneratorExit())
        raise
    finally:
        await iterator.close()


def _as_bytes(chunk: Any) -> bytes:
    return chunk.encode() if isinstance(chunk, str) else bytes(memoryview(chunk))


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
        # Of Brim's own, looking for it would make it.
        if response.__dict__.get("_on_close") or (aclose is None and hasattr(content, "close")):
            await exchange.threads.run(response.close)
