"""A WebSocket over the socket that a WSGI server hands out (RFC 6455).

wsproto knows the frames, this file moves the bytes: the same operations block a thread or
suspend a coroutine (:mod:`brim.either`). What the messages are for is not known here.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from base64 import b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, Any, TypeVar

from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.exceptions import NotImplemented as NotSupported
from werkzeug.wrappers import Response
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
from wsproto.utilities import generate_accept_token

from ..either import Turn, carry_out, readable, writable
from ..websockets import WebsocketClosed
from .connection import BaseConnection

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ..typing import Flask, WSGIEnvironment

T = TypeVar("T")

#: Where servers put the connection's socket.
SOCKET_KEYS = ("werkzeug.socket", "gunicorn.socket")

#: How long a closing handshake may take, in seconds.
CLOSING_TIME = 3.0

#: How many bytes one call reads or writes at most.
_PIECE = 65536

_NO_SOCKET = """\
This server hands out no socket, which a WebSocket needs under WSGI. Serve the app over ASGI \
('brim serve', or uvicorn, Hypercorn, Granian), or with 'gunicorn --threads', or in development \
with 'brim run'."""

_NO_THREADS = """\
This server answers one request at a time, and a WebSocket would keep it from answering any \
other. Give it threads ('gunicorn --threads 100', 'brim run' without --without-threads), or serve \
the app over ASGI ('brim serve')."""


def socket_of(environ: WSGIEnvironment) -> socket.socket:
    """Return the connection's socket.

    Raises a 501 that tells what to use, where the server has none or no threads.
    """
    for key in SOCKET_KEYS:
        if key in environ:
            if not environ["wsgi.multithread"]:
                raise NotSupported(_NO_THREADS)
            return environ[key]  # type: ignore[no-any-return]
    raise NotSupported(_NO_SOCKET)


def accept_token(environ: WSGIEnvironment) -> str:
    """Check the opening handshake (RFC 6455, 4.2.1); return the proof that it was read.

    Raises 400 for what is no handshake, 426 for another version of the protocol.
    """
    if environ["REQUEST_METHOD"] != "GET" or environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        raise BadRequest("A WebSocket is opened by GET and HTTP/1.1.")
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13":
        answer = Response(
            "WebSockets are served in version 13.", 426, {"Sec-WebSocket-Version": "13"}
        )
        raise HTTPException(response=answer)
    key: str = environ.get("HTTP_SEC_WEBSOCKET_KEY", "").strip()
    try:
        nonce = b64decode(key, validate=True)
    except (Base64Error, ValueError):
        nonce = b""
    if len(nonce) != 16:
        raise BadRequest("The header Sec-WebSocket-Key must be 16 bytes in base 64.")
    return generate_accept_token(key.encode()).decode()


class SocketConnection(BaseConnection):
    """A connection over a socket, which is the server's again after :meth:`finish`.

    ``token`` is that of :func:`accept_token`.
    """

    def __init__(self, app: Flask, sock: socket.socket, token: str) -> None:
        super().__init__(app.config["WEBSOCKET_MAX_MESSAGE_SIZE"])
        self._interval: float | None = app.config["WEBSOCKET_PING_INTERVAL"] or None
        self._timeout: float | None = app.config["WEBSOCKET_PING_TIMEOUT"] or None
        self._sock = sock
        self._token = token
        self._protocol: Connection | None = None
        self._server_timeout: float | None = None
        # Held for single calls only, never while something is waited for.
        self._guard = threading.Lock()
        self._out = bytearray()
        self._writing = Turn()
        self._messages: list[str | bytes] = []
        self._parts: list[Any] = []
        self._size = 0

    def wait(self, operation: Coroutine[Any, Any, T]) -> T:
        return carry_out(operation)

    async def accept(self, subprotocol: str | None, headers: list[tuple[str, str]]) -> None:
        if self.closed is not None:
            raise self.ended()
        lines = [
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {self._token}",
        ]
        if subprotocol is not None:
            lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
        lines += [f"{name}: {value}" for name, value in headers]
        self._protocol = Connection(ConnectionType.SERVER)
        self._server_timeout = self._sock.gettimeout()
        self._sock.setblocking(False)
        self._out += "\r\n".join([*lines, "", ""]).encode("latin-1")
        await self._flush()

    async def send(self, data: str | bytes) -> None:
        event = TextMessage(data) if isinstance(data, str) else BytesMessage(data)
        await self._send_event(event)

    async def ping(self, payload: bytes) -> None:
        if len(payload) > 125:
            raise ValueError("A ping carries at most 125 bytes.")
        await self._send_event(Ping(payload))

    async def _send_event(self, event: Any) -> None:
        with self._guard:
            if self.closed is not None:
                raise self.ended()
            self._out += self._frames.send(event)
        await self._flush()

    async def close(self, code: int, reason: str) -> None:
        with self._guard:
            if self.closed is not None:
                return
            self.closed = WebsocketClosed(code, reason)
            if self._protocol is None:
                return
            self._out += self._protocol.send(CloseConnection(code, reason))
        try:
            await self._flush()
        except WebsocketClosed:
            return

    @property
    def _frames(self) -> Connection:
        assert self._protocol is not None
        return self._protocol

    # Writing --------------------------------------------------------------------------

    async def _flush(self) -> None:
        """Write what is to be sent, in the order that it was given."""
        async with self._writing:
            while self._out:
                try:
                    with self._guard:
                        sent = self._sock.send(self._out[:_PIECE])
                        del self._out[:sent]
                except (BlockingIOError, InterruptedError, ssl.SSLWantWriteError):
                    if not await writable(self._sock, self._timeout):
                        raise self.lost(1006, "The client takes nothing more.") from None
                except ssl.SSLWantReadError:
                    await readable(self._sock, 1.0)
                except OSError as error:
                    raise self.lost() from error

    # Reading --------------------------------------------------------------------------

    async def _read(self) -> str | bytes:
        while True:
            if self._messages:
                return self._messages.pop(0)
            if self.closed is not None:
                raise self.ended()
            data = await self._bytes()
            with self._guard:
                self._take(data)
            if self._out:
                await self._flush()

    async def _bytes(self) -> bytes:
        """Return what has come, at least a byte; send a ping where nothing does for long."""
        pinged = False
        while True:
            try:
                with self._guard:
                    data = self._sock.recv(_PIECE)
            except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
                if await readable(self._sock, self._timeout if pinged else self._interval):
                    continue
                if pinged:
                    raise self.lost(1006, "The client answers no ping.") from None
                pinged = True
                await self._send_event(Ping())
            except ssl.SSLWantWriteError:
                await writable(self._sock, 1.0)
            except OSError as error:
                raise self.lost() from error
            else:
                if not data:
                    raise self.lost()
                return data

    def _take(self, data: bytes) -> None:
        """Have the protocol read bytes; do what their frames ask for."""
        protocol = self._frames
        if self.closed is not None:
            return
        protocol.receive_data(data)
        for event in protocol.events():
            if isinstance(event, (TextMessage, BytesMessage)):
                self._collect(event)
            elif isinstance(event, Ping):
                self._out += protocol.send(event.response())
            elif isinstance(event, CloseConnection):
                self._end(event)
            if self.closed is not None:
                return

    def _collect(self, event: TextMessage | BytesMessage) -> None:
        data = event.data
        text = isinstance(data, str)
        # A text's characters have one byte at least.
        self._size += (
            len(data) if not isinstance(data, str) or data.isascii() else len(data.encode())
        )
        if self.too_long(self._size):
            reason = f"A message may have {self.limit} bytes."
            self._out += self._frames.send(CloseConnection(1009, reason))
            self.closed = WebsocketClosed(1009, reason)
            return
        self._parts.append(data)
        if event.message_finished:
            self._messages.append("".join(self._parts) if text else b"".join(self._parts))
            self._parts, self._size = [], 0

    def _end(self, event: CloseConnection) -> None:
        """Answer the client's closing, or what it sent that is no WebSocket frame."""
        self.lost(int(event.code), event.reason or "")
        answer = event
        if self._frames.state is ConnectionState.REMOTE_CLOSING:
            answer = event.response()
        self._out += self._frames.send(answer)

    # The end --------------------------------------------------------------------------

    @property
    def opened(self) -> bool:
        """Whether the handshake was answered."""
        return self._protocol is not None

    def finish(self) -> None:
        """End the closing handshake, and let the server have a socket that it will drop."""
        if self._protocol is None:
            return
        try:
            carry_out(self._await_close())
        except OSError:
            pass
        self._shut(socket.SHUT_RDWR)
        try:
            self._sock.settimeout(self._server_timeout)
        except OSError:
            pass

    async def _await_close(self) -> None:
        """Wait for the client's side of the closing handshake, reading what is left.

        A socket that is closed with something unread resets the connection, and the client
        might never see why.
        """
        if self._frames.state is not ConnectionState.LOCAL_CLOSING:
            return
        if self.left:
            # It sent what is no WebSocket frame; nothing it sends now can be understood.
            self._shut(socket.SHUT_WR)
        deadline = time.monotonic() + CLOSING_TIME
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                data = self._sock.recv(_PIECE)
            except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
                await readable(self._sock, remaining)
                continue
            if not data:
                return
            if not self.left and self._reads_close(data):
                return

    def _reads_close(self, data: bytes) -> bool:
        protocol = self._frames
        protocol.receive_data(data)
        return any(isinstance(event, CloseConnection) for event in protocol.events())

    def _shut(self, how: int) -> None:
        try:
            self._sock.shutdown(how)
        except OSError:
            pass
