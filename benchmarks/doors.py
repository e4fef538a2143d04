"""WSGI and ASGI by hand: how a request reaches an application in process.

What a server would make is made anew for each request: the environ, or the scope and its
``receive``. What it would do with the answer is done as cheaply as the protocol allows, so that the
framework is what the clock sees. Nothing here knows Brim or a peer.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from .measure import Batch

Environ = dict[str, Any]
Scope = dict[str, Any]
WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]

#: A browser's headers.
HEADERS = (
    ("host", "127.0.0.1:8000"),
    ("accept", "text/html,application/json;q=0.9,*/*;q=0.8"),
    ("accept-encoding", "gzip, br"),
    ("user-agent", "benchmark"),
)


@dataclass(frozen=True)
class Request:
    """What is asked."""

    path: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def with_header(self, name: str, value: str) -> Request:
        return replace(self, headers=(*self.headers, (name, value)))

    @property
    def all_headers(self) -> tuple[tuple[str, str], ...]:
        length = (("content-length", str(len(self.body))),) if self.body else ()
        return (*HEADERS, *self.headers, *length)


@dataclass(frozen=True)
class Answer:
    """What came back; the names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


# WSGI


def environ(path: str, method: str = "GET", **more: Any) -> Environ:
    """What a WSGI server hands to an app, with the headers of a browser."""
    path, _, query = path.partition("?")
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in HEADERS}
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        **headers,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **more,
    }


def environ_of(request: Request) -> Environ:
    """The environ of a request."""
    made = environ(request.path, request.method)
    for name, value in request.all_headers:
        name = name.upper().replace("-", "_")
        made[name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{name}"] = value
    made["wsgi.input"] = io.BytesIO(request.body)
    return made


def ask(app: WSGI, environ: Environ) -> tuple[str, dict[str, str], bytes]:
    """Send one request and return status, headers and body, as a server would read them."""
    started: list[tuple[str, Sequence[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started.append((status, headers))
        return lambda data: None

    body = app(environ, start_response)
    try:
        data = b"".join(body)
    finally:
        if close := getattr(body, "close", None):
            close()
    status, headers = started[-1]
    return status, {name.lower(): value for name, value in headers}, data


class WSGIDoor:
    """Asks WSGI applications, and makes the calls that are timed."""

    def start(self, app: WSGI) -> None:
        """Do nothing: WSGI has no start."""

    def ask(self, app: WSGI, request: Request) -> Answer:
        status, headers, body = ask(app, environ_of(request))
        return Answer(int(status[:3]), headers, body)

    def caller(self, app: WSGI, request: Request) -> Batch:
        template, data = environ_of(request), request.body

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Any:
            return None

        def run(count: int) -> None:
            for _ in range(count):
                environ = template.copy()
                if data:
                    environ["wsgi.input"] = io.BytesIO(data)
                body = app(environ, start_response)
                for _ in body:
                    pass
                close = getattr(body, "close", None)
                if close is not None:
                    close()

        return Batch(run)


# ASGI

#: How much of a body a server hands over in one message: what Uvicorn and Granian read at once.
PIECE = 64 * 1024


def scope_of(request: Request, kind: str = "http", spec: str = "2.4") -> Scope:
    """The scope of a request, or of a connection (``kind="websocket"``)."""
    path, _, query = request.path.partition("?")
    common = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": spec},
        "http_version": "1.1",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in request.all_headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "extensions": {},
    }
    if kind == "websocket":
        return {**common, "scheme": "ws", "subprotocols": []}
    return {**common, "scheme": "http", "method": request.method}


def messages_of(request: Request) -> list[dict[str, Any]]:
    """The body of a request as a server would hand it over."""
    data = request.body
    pieces = [data[start : start + PIECE] for start in range(0, len(data), PIECE)] or [b""]
    return [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]


class Exchange:
    """One request and its answer, between the application and what would be its server.

    A client stays until the answer has ended: who listens for its leaving before that, waits.
    """

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.messages = iter(messages)
        self.has_ended = False
        self.end: asyncio.Future[None] | None = None

    async def receive(self) -> dict[str, Any]:
        for message in self.messages:
            return message
        if not self.has_ended:
            # Whoever waited before was cancelled, and the future with it.
            if self.end is None or self.end.done():
                self.end = asyncio.get_running_loop().create_future()
            await self.end
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if not message.get("more_body") and message["type"] == "http.response.body":
            self.has_ended = True
            if self.end is not None and not self.end.done():
                self.end.set_result(None)


class Recorded(Exchange):
    """An exchange that keeps what was sent."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        super().__init__(messages)
        self.sent: list[dict[str, Any]] = []

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        await super().send(message)


class ASGIDoor:
    """Asks ASGI applications on one event loop, and makes the calls that are timed.

    A slice of calls runs in one task, one request after the other: what a loop and a server would
    add is the same for all, and is left out. Used with ``with``.
    """

    def __init__(self, spec: str = "2.4") -> None:
        self.loop = asyncio.new_event_loop()
        self.spec = spec
        self.lifespans: list[asyncio.Task[None]] = []

    def start(self, app: ASGI) -> None:
        """Let the application start up, where it knows of that (the lifespan protocol)."""
        self.loop.run_until_complete(self._start(app))

    async def _start(self, app: ASGI) -> None:
        answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        receive = Exchange([{"type": "lifespan.startup"}]).receive
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        task = self.loop.create_task(_lifespan(app(scope, receive, answers.put), answers))
        self.lifespans.append(task)
        answer = await answers.get()
        if answer["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"{app!r} did not start: {answer.get('message')}")

    def ask(self, app: ASGI, request: Request) -> Answer:
        return self.loop.run_until_complete(self._ask(app, request))

    async def _ask(self, app: ASGI, request: Request) -> Answer:
        exchange = Recorded(messages_of(request))
        await app(scope_of(request, spec=self.spec), exchange.receive, exchange.send)
        assert exchange.has_ended, f"{app!r} did not end its answer"
        start, *rest = exchange.sent
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        body = b"".join(message.get("body", b"") for message in rest)
        return Answer(start["status"], headers, body)

    def caller(self, app: ASGI, request: Request) -> Batch:
        template, messages = scope_of(request, spec=self.spec), messages_of(request)

        async def some(count: int) -> None:
            for _ in range(count):
                exchange = Exchange(messages)
                await app(template.copy(), exchange.receive, exchange.send)

        return Batch(lambda count: self.loop.run_until_complete(some(count)))

    def echoer(self, app: ASGI, path: str, text: str) -> Batch:
        """Make the call that sends one message over a WebSocket and gets it back."""
        template = scope_of(Request(path), "websocket", self.spec)
        message = {"type": "websocket.receive", "text": text, "bytes": None}

        async def connection(count: int) -> None:
            left = count
            echoed = 0
            began = False
            # Some read ahead, and would take a disconnect that comes at once for the end.
            ended = self.loop.create_future()

            async def receive() -> dict[str, Any]:
                nonlocal left, began
                if not began:
                    began = True
                    return {"type": "websocket.connect"}
                if not left:
                    await ended
                    return {"type": "websocket.disconnect", "code": 1000, "reason": ""}
                left -= 1
                return message.copy()

            async def send(answer: dict[str, Any]) -> None:
                nonlocal echoed
                if answer["type"] == "websocket.send":
                    assert answer["text"] == text, answer
                    echoed += 1
                    if echoed == count:
                        ended.set_result(None)

            await app(template.copy(), receive, send)
            assert echoed == count, f"{app!r} echoed {echoed} of {count}"

        return Batch(lambda count: self.loop.run_until_complete(connection(count)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """End what was started, without asking the applications: the process ends too."""
        for task in self.lifespans:
            task.cancel()
        if self.lifespans:
            self.loop.run_until_complete(asyncio.wait(self.lifespans))
        self.loop.close()


async def _lifespan(running: Awaitable[None], answers: asyncio.Queue[dict[str, Any]]) -> None:
    """Carry out a lifespan; an application that has none says so by an error."""
    try:
        await running
    except Exception as error:
        await answers.put({"type": "lifespan.none", "error": repr(error)})
    else:
        await answers.put({"type": "lifespan.ended"})
