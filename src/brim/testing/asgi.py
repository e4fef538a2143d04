"""A server in miniature: sends one HTTP request to an ASGI application, in process.

It speaks ASGI 3 alone: a WSGI environ is told as a scope, messages go both ways, and what
comes back is a status, headers and a body that arrives chunk by chunk. Cookies, redirects and
the kinds of response are the clients'.
"""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from werkzeug.http import HTTP_STATUS_CODES

from .. import bridge

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    from ..typing import (
        ASGIApplication,
        ASGIMessage,
        ASGIScope,
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

#: How many bytes of a request's body one message has at most.
CHUNK = 64 * 1024

#: What a scope can say; a server that speaks ASGI decides the rest by itself.
_TOLD = frozenset(
    {
        *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "RAW_URI"),
        *("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "REMOTE_PORT"),
        *("CONTENT_TYPE", "CONTENT_LENGTH"),
        *("wsgi.version", "wsgi.url_scheme", "wsgi.input", "wsgi.input_terminated"),
        *("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"),
    }
)


# The scope ---------------------------------------------------------------------------


def scope_of(environ: WSGIEnvironment) -> ASGIScope:
    """Tell a WSGI environ as an ASGI HTTP scope, as servers do.

    ``path`` begins with ``root_path``, and ``raw_path`` is as it was sent. What no scope can
    say, such as a key that a test has set, is in ``scope["brim.environ"]``, from where Brim's
    door takes it.
    """
    script = _bytes(environ.get("SCRIPT_NAME", ""))
    path = _bytes(environ.get("PATH_INFO", ""))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": environ.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2],
        "method": environ["REQUEST_METHOD"],
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "path": (script + path).decode("utf-8", "replace"),
        "raw_path": quote(script).encode() + _raw_path(environ, path),
        "query_string": _bytes(environ.get("QUERY_STRING", "")),
        "root_path": script.decode("utf-8", "replace"),
        "headers": _headers(environ),
        "client": _address(environ, "REMOTE_ADDR", "REMOTE_PORT"),
        "server": _address(environ, "SERVER_NAME", "SERVER_PORT"),
        "brim.environ": {
            key: value
            for key, value in environ.items()
            if key not in _TOLD and not _is_header(key, value)
        },
    }


def _bytes(text: str) -> bytes:
    """Return the bytes that a WSGI string stands for (PEP 3333)."""
    return text.encode("latin-1")


def _raw_path(environ: WSGIEnvironment, path: bytes) -> bytes:
    # An environ that was changed after it was made may have another path by now.
    sent = _bytes(environ.get("REQUEST_URI", "")).partition(b"?")[0]
    return (
        quote(sent, safe="/%").encode() if unquote_to_bytes(sent) == path else quote(path).encode()
    )


def _headers(environ: WSGIEnvironment) -> list[tuple[bytes, bytes]]:
    named = {
        key.removeprefix("HTTP_"): value
        for key, value in environ.items()
        if _is_header(key, value) or (key in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value)
    }
    if environ.get("wsgi.input_terminated") and "CONTENT_LENGTH" not in named:
        named.setdefault("TRANSFER_ENCODING", "chunked")
    return [
        (key.replace("_", "-").lower().encode("latin-1"), str(value).encode("latin-1"))
        for key, value in named.items()
    ]


def _is_header(key: str, value: Any) -> bool:
    return key.startswith("HTTP_") and isinstance(value, str)


def _address(environ: WSGIEnvironment, host: str, port: str) -> tuple[str, int] | None:
    if not environ.get(host):
        return None
    return environ[host], int(environ.get(port) or 0)


#: Loops hold tasks weakly; an application's call has to last until its client hangs up.
_under_way: set[Task[None]] = set()


# The exchange ------------------------------------------------------------------------


class Exchange:
    """One HTTP request to an ASGI application, and its response.

    It lives on the event loop that :meth:`start` is awaited on. The application is held at
    each chunk of its body until the next one is asked for: it is never ahead of its reader
    by more than one.
    """

    def __init__(self, app: ASGIApplication, environ: WSGIEnvironment) -> None:
        self.scope = scope_of(environ)
        self.status: int | None = None
        self.headers: list[tuple[str, str]] = []
        self._app = app
        self._input = environ["wsgi.input"]
        seekable = getattr(self._input, "seekable", None)
        self._begin: int | None = self._input.tell() if seekable and seekable() else None
        length = environ.get("CONTENT_LENGTH")
        # None for a body that ends where the input does.
        self._left = None if environ.get("wsgi.input_terminated") else int(length or 0)
        self._sent_all = False
        self._chunk: bytes | None = None
        self._complete = False
        self._ended = False
        self._errors: list[BaseException] = []

    async def start(self) -> None:
        """Send the request; return when there is something of the body, or no more to come.

        Raises what the application raises. If the waiting is cancelled, so is it.
        """
        import asyncio  # noqa: PLC0415 -- a process without a second door never loads it

        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._wanted = asyncio.Event()
        self._gone = asyncio.Event()
        self._task = asyncio.ensure_future(self._call())
        _under_way.add(self._task)
        self._task.add_done_callback(_under_way.discard)
        try:
            await self._news.wait()
        except BaseException:
            self._task.cancel()
            await self._hang_up_and_wait()
            raise
        if self._ended:
            self._raise_failure()
            if not self._complete:
                raise RuntimeError("The application returned before it had sent all its response.")

    def whole(self) -> list[bytes] | None:
        """Return the body, if all of it is there and the application has ended."""
        if not self._ended:
            return None
        return [] if self._chunk is None else [self._chunk]

    async def next(self) -> bytes | None:
        """Return the next chunk of the body, ``None`` after the last.

        Raises what the application raises.
        """
        if self._chunk is None and not self._ended:
            self._news.clear()
            self._wanted.set()
            await self._news.wait()
        chunk, self._chunk = self._chunk, None
        if chunk is None:
            self._raise_failure()
        return chunk

    async def close(self) -> None:
        """Hang up, and wait for the application to end; raise what it raises then."""
        self._chunk = None
        await self._hang_up_and_wait()
        self._raise_failure()

    def drop(self) -> None:
        """Hang up without waiting, from whatever thread, even after the loop was closed."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._hang_up)

    def _hang_up(self) -> None:
        self._gone.set()
        self._wanted.set()

    async def _hang_up_and_wait(self) -> None:
        import asyncio  # noqa: PLC0415

        self._hang_up()
        await asyncio.wait([self._task])

    async def _call(self) -> None:
        try:
            await self._app(self.scope, self._receive, self._send)
        except _HungUp:
            pass
        except BaseException as error:
            # Raised where the client waits; a KeyboardInterrupt would stop the loop here.
            self._errors.append(error)
        if self._begin is not None and not self._input.closed:
            # A redirect that keeps the body sends it again.
            self._input.seek(self._begin)
        self._ended = True
        self._news.set()

    def _raise_failure(self) -> None:
        """Raise what the application ended with, once."""
        if self._errors:
            # Taken out, as the error keeps this frame.
            raise self._errors.pop()

    # What the application calls ---------------------------------------------------------

    async def _receive(self) -> ASGIMessage:
        if not self._sent_all and not self._gone.is_set():
            size = CHUNK if self._left is None else min(CHUNK, self._left)
            body = self._input.read(size) if size else b""
            if self._left is not None:
                self._left -= len(body)
            if body or not self._left:
                more = bool(body) if self._left is None else self._left > 0
                self._sent_all = not more
                return {"type": "http.request", "body": body, "more_body": more}
            # The input is shorter than its Content-Length: a client that hung up.
        elif not self._complete:
            await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: ASGIMessage) -> None:
        kind = message["type"]
        if kind == "http.response.start" and self.status is None:
            self.status = message["status"]
            self.headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message.get("headers", ())
            ]
        elif kind == "http.response.body" and self.status is not None and not self._complete:
            self._check_that_somebody_reads()
            await self._send_body(message.get("body", b""), message.get("more_body", False))
        else:
            raise RuntimeError(f"The application sent {kind!r}, which is out of turn.")

    def _check_that_somebody_reads(self) -> None:
        if self._gone.is_set():
            raise _HungUp("The client has hung up.")

    async def _send_body(self, body: bytes, more: bool) -> None:
        if not more:
            self._complete = True
        if not body:
            return
        self._chunk = body
        if more:
            self._wanted.clear()
            self._news.set()
            await self._wanted.wait()
            self._check_that_somebody_reads()


class _HungUp(OSError):
    """What ``send`` raises after a disconnect, as of version 2.4 of the HTTP protocol."""


# As WSGI -----------------------------------------------------------------------------


def status_line(status: int) -> str:
    """Return a status with its phrase; by ASGI, as by HTTP/2, none is sent."""
    return f"{status} {HTTP_STATUS_CODES.get(status, 'Unknown').upper()}"


#: What :func:`run` runs with, where that isn't the process's own loop.
runner: ContextVar[Callable[[Coroutine[Any, Any, Any]], Any]] = ContextVar("brim.testing.runner")


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on the application's event loop, wait for it, return its result.

    That is the loop that :mod:`brim.bridge` keeps, unless an asynchronous client is at work.
    """
    return runner.get(bridge.run)(coroutine)


def as_wsgi(app: ASGIApplication) -> WSGIApplication:
    """Make a WSGI application that calls an ASGI one, on the loop of :func:`run`."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        exchange = Exchange(app, environ)
        run(exchange.start())
        start_response(status_line(exchange.status or 0), exchange.headers)
        whole = exchange.whole()
        return Body(exchange) if whole is None else whole

    return call


class Body:
    """A response's body for code that doesn't await: each step runs on the event loop."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk: bytes | None = run(self._exchange.next())
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Hang up, and wait for the application to end."""
        run(self._exchange.close())

    def __del__(self) -> None:
        # A response that a test neither reads to its end nor closes.
        self._exchange.drop()
