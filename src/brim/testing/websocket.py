"""WebSockets for tests: what an ASGI server tells the application of one, in process.

:class:`AsyncClientWebsocket` speaks ASGI on the event loop that it was connected on;
:class:`ClientWebsocket` is the same for code without ``await``. Which handshake is sent, and what
its cookies are, is the clients'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from ..websockets import WebsocketClosed
from .asgi import run, scope_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from types import TracebackType

    from werkzeug.test import TestResponse

    from ..json.provider import JSONProvider
    from ..typing import ASGIApplication, ASGIMessage, ASGIScope, WSGIEnvironment

    #: Makes the response of a handshake that was refused: of status, headers and body.
    Refusal = Callable[[int, Headers, bytes], TestResponse]
    #: Is told the headers that the handshake was accepted with.
    Accepted = Callable[[Headers], None]

#: How many messages the application may be ahead of the test.
AHEAD = 16

_SCHEMES = {"http": "ws", "https": "wss"}


class WebsocketRejected(Exception):
    """The application answered the handshake with an ordinary response.

    ``response`` is that response. It is a 403 where the application has closed the
    connection without a response of its own.
    """

    def __init__(self, response: TestResponse) -> None:
        super().__init__(f"The WebSocket was rejected with {response.status}.")
        self.response = response


def websocket_scope(environ: WSGIEnvironment, subprotocols: Iterable[str]) -> ASGIScope:
    """Tell the environ of a handshake as an ASGI WebSocket scope."""
    scope = scope_of(environ)
    del scope["method"]
    own = [b"upgrade", b"connection", b"sec-websocket-version", b"sec-websocket-key"]
    headers = [(name, value) for name, value in scope["headers"] if name not in own]
    offered = list(subprotocols)
    if offered:
        headers.append((b"sec-websocket-protocol", ", ".join(offered).encode("latin-1")))
    scope.update(
        type="websocket",
        scheme=_SCHEMES.get(scope["scheme"], scope["scheme"]),
        # The key is the example of RFC 6455.
        headers=[
            *headers,
            (b"upgrade", b"websocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-version", b"13"),
            (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        ],
        subprotocols=offered,
        extensions={"websocket.http.response": {}},
    )
    return scope


class AsyncClientWebsocket:
    """A WebSocket to the application, from :meth:`AsyncFlaskClient.websocket_connect`.

        async with client.websocket_connect("/echo") as ws:
            await ws.send("hello")
            assert await ws.receive() == "hello"

    What the application raises is raised here, by the ``receive`` or ``close`` that comes after
    its last message. Waiting for
    the application longer than ``timeout`` seconds is a ``TimeoutError``. Leaving the block
    closes the connection and waits until the application is done with it.
    """

    #: The subprotocol that the application chose, if any.
    subprotocol: str | None = None
    #: The code that the connection was closed with, by whichever side; ``None`` while it is open.
    close_code: int | None = None
    #: The reason that was given with it.
    close_reason: str = ""

    def __init__(
        self,
        app: ASGIApplication,
        scope: ASGIScope,
        *,
        timeout: float | None,
        provider: JSONProvider,
        accepted: Accepted,
        refusal: Refusal,
    ) -> None:
        #: The headers that the application accepted the connection with.
        self.headers = Headers()
        self.timeout = timeout
        self._app = app
        self._scope = scope
        self._json = provider
        self._accepted = accepted
        self._refusal = refusal
        self._errors: list[BaseException] = []
        self._task: asyncio.Task[None] | None = None

    # Connecting and closing -------------------------------------------------------------

    async def connect(self) -> None:
        """Send the handshake and wait until it is accepted.

        Raises :exc:`WebsocketRejected`, and what the application raises.
        """
        import asyncio  # noqa: PLC0415 -- tests without WebSockets never load it

        self._to_app: asyncio.Queue[ASGIMessage] = asyncio.Queue()
        self._from_app: asyncio.Queue[ASGIMessage] = asyncio.Queue(AHEAD)
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._call())
        try:
            message = await self._next()
            if message is None:
                raise RuntimeError(
                    "The application returned without accepting or closing the WebSocket."
                )
            if message["type"] != "websocket.accept":
                raise WebsocketRejected(await self._read_refusal(message))
        except BaseException:
            await self._end()
            raise
        self.subprotocol = message.get("subprotocol")
        self.headers = _headers(message)
        self._accepted(self.headers)

    async def _read_refusal(self, message: ASGIMessage) -> TestResponse:
        if message["type"] == "websocket.close":
            return self._refusal(403, Headers(), b"")
        status, headers = message["status"], _headers(message)
        body = b""
        more = True
        while more and (part := await self._next()) is not None:
            body += part.get("body", b"")
            more = part.get("more_body", False)
        return self._refusal(status, headers, body)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection, and wait until the application is done with it.

        Raises what the application raises meanwhile, and ``TimeoutError`` if it goes on. A
        connection that is closed already stays as it is.
        """
        if self.close_code is None:
            self._closed(code, reason)
        try:
            # What it still sends goes nowhere.
            while await self._next() is not None:
                pass
        finally:
            await self._end()

    def _closed(self, code: int, reason: str) -> None:
        self.close_code, self.close_reason = code, reason
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    async def _end(self) -> None:
        """End the application's call, if it hasn't ended by itself."""
        import asyncio  # noqa: PLC0415 -- loaded by now

        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    # Messages ---------------------------------------------------------------------------

    async def send(self, data: str | bytes) -> None:
        """Send a text message for ``str``, a binary one for ``bytes``.

        Raises :exc:`~brim.WebsocketClosed` if the connection is known to be closed.
        """
        self._check_open()
        kind = "text" if isinstance(data, str) else "bytes"
        self._to_app.put_nowait({"type": "websocket.receive", kind: data})

    async def send_json(self, value: Any) -> None:
        """Send ``value`` as the application's JSON, in a text message."""
        await self.send(self._json.dumps(value))

    async def receive(self) -> str | bytes:
        """Return the next message: ``str`` for text, ``bytes`` for a binary one.

        Raises :exc:`~brim.WebsocketClosed` once the application has closed the connection.
        """
        self._check_open()
        message = await self._next()
        if message is None:
            # A server closes what the application has left open.
            self.close_code = 1000
        elif message["type"] == "websocket.close":
            self._closed(message.get("code", 1000), message.get("reason") or "")
        else:
            text: str | None = message.get("text")
            data: bytes = message.get("bytes") or b""
            return data if text is None else text
        raise WebsocketClosed(self.close_code or 1000, self.close_reason)

    async def receive_json(self) -> Any:
        """Return the next message, parsed as JSON."""
        return self._json.loads(await self.receive())

    def _check_open(self) -> None:
        if self.close_code is not None:
            raise WebsocketClosed(self.close_code, self.close_reason)

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self.receive()
        except WebsocketClosed:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> AsyncClientWebsocket:
        await self.connect()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if exc_value is None:
            await self.close()
        else:
            # The block's own error is the one to see.
            if self.close_code is None:
                self._closed(1000, "")
            await self._end()

    # The application's side ---------------------------------------------------------------

    async def _next(self) -> ASGIMessage | None:
        """Return the application's next message; ``None`` when it has ended.

        Raises what it has raised, after its last message.
        """
        import asyncio  # noqa: PLC0415 -- loaded by now

        assert self._task is not None
        if self._from_app.empty():
            getting = asyncio.ensure_future(self._from_app.get())
            try:
                await asyncio.wait(
                    [getting, self._task],
                    timeout=self.timeout,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if getting.done():
                    return getting.result()
            finally:
                getting.cancel()
                await asyncio.wait([getting])
        # Also what it has sent last, at the moment it ended.
        if not self._from_app.empty():
            return self._from_app.get_nowait()
        if not self._task.done():
            raise TimeoutError(f"The application has sent nothing for {self.timeout} seconds.")
        self._raise_failure()
        return None

    async def _call(self) -> None:
        try:
            await self._app(self._scope, self._to_app.get, self._send)
        except _Gone:
            pass
        except BaseException as error:
            # Raised where the test waits.
            self._errors.append(error)

    async def _send(self, message: ASGIMessage) -> None:
        if self.close_code is not None:
            raise _Gone("The client has closed the WebSocket.")
        await self._from_app.put(message)

    def _raise_failure(self) -> None:
        if self._errors:
            # As a server closes it then (RFC 6455, section 7.4.1).
            self.close_code = 1011
            # Taken out, as the error keeps this frame.
            raise self._errors.pop()


class _Gone(OSError):
    """What ``send`` raises after a disconnect, as of version 2.4 of the protocol."""


def _headers(message: ASGIMessage) -> Headers:
    return Headers(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in message.get("headers", ())
    )


class ClientWebsocket:
    """A WebSocket to the application, from :meth:`FlaskClient.websocket_connect`.

        with client.websocket_connect("/echo") as ws:
            ws.send("hello")
            assert ws.receive() == "hello"

    It is as :class:`AsyncClientWebsocket`, without ``await``.
    """

    def __init__(self, connection: AsyncClientWebsocket) -> None:
        self._connection = connection

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the application chose, if any."""
        return self._connection.subprotocol

    @property
    def headers(self) -> Headers:
        """The headers that the application accepted the connection with."""
        return self._connection.headers

    @property
    def close_code(self) -> int | None:
        """The code that the connection was closed with; ``None`` while it is open."""
        return self._connection.close_code

    @property
    def close_reason(self) -> str:
        """The reason that the connection was closed with."""
        return self._connection.close_reason

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection; see :meth:`AsyncClientWebsocket.close`."""
        run(self._connection.close(code, reason))

    def send(self, data: str | bytes) -> None:
        """Send a message; see :meth:`AsyncClientWebsocket.send`."""
        run(self._connection.send(data))

    def send_json(self, value: Any) -> None:
        """Send ``value`` as JSON, in a text message."""
        run(self._connection.send_json(value))

    def receive(self) -> str | bytes:
        """Return the next message; see :meth:`AsyncClientWebsocket.receive`."""
        message: str | bytes = run(self._connection.receive())
        return message

    def receive_json(self) -> Any:
        """Return the next message, parsed as JSON."""
        return run(self._connection.receive_json())

    def __iter__(self) -> Iterator[str | bytes]:
        return self

    def __next__(self) -> str | bytes:
        try:
            return self.receive()
        except WebsocketClosed:
            raise StopIteration from None

    def __enter__(self) -> ClientWebsocket:
        run(self._connection.connect())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        run(self._connection.__aexit__(exc_type, exc_value, tb))
