"""What a worker process does: loads the application, tells that it is ready, ends well.

Between Granian and the application stands a gate. It is told by the supervisor when the
worker is about to end, and has clients come back on a new connection from then on.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import tempfile
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .inspection import own_signals

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from multiprocessing.connection import Connection

#: From the worker: it accepts connections, or will in a moment.
READY = "ready"
#: To the worker: answer on, and have each client close its connection.
CLOSING = "closing"
#: How often a worker looks whether its supervisor is still there, in seconds.
LOOK = 1.0


def work(serve: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Be a worker until SIGTERM; ``serve`` is Granian's function for the interface.

    Until Granian has its handlers, SIGTERM ends the process at once: nothing was accepted
    yet. From then on it finishes what it has accepted.
    """
    own_signals()
    try:
        serve(*arguments)
    finally:
        # multiprocessing ends its processes without them.
        atexit._run_exitfuncs()


class Loader:
    """What Granian calls in a worker to get the application."""

    def __init__(
        self,
        load: Callable[[], Any],
        interface: str,
        bound: socket.socket,
        channel: Connection[Any, Any],
    ) -> None:
        self.load = load
        self.interface = interface
        self.bound = bound
        self.channel = channel
        self.supervisor = os.getpid()

    def __call__(self) -> Callable[..., Any]:
        app = self.load()
        gate: Gate
        if self.interface == "wsgi":
            gate = WsgiGate(app)
        else:
            gate = AsgiGate(app, self.ready)
        threading.Thread(target=self.listen, args=(gate,), name="brim-serve", daemon=True).start()
        if self.interface == "wsgi":
            self.ready()
        return gate

    def ready(self) -> None:
        # The supervisor may be gone, which listen() finds out.
        with suppress(OSError):
            self.channel.send(READY)

    def listen(self, gate: Gate) -> None:
        """Wait for what the supervisor says, and for its end, which is the worker's too."""
        with suppress(EOFError, OSError):
            while os.getppid() == self.supervisor:
                if self.channel.poll(LOOK) and self.channel.recv() == CLOSING:
                    with suppress(OSError):  # no folder for it: it accepts until told to end
                        stop_accepting(self.bound)
                    gate.close()
        os.kill(os.getpid(), signal.SIGTERM)


def stop_accepting(bound: socket.socket) -> None:
    """Leave connections to the other workers, from now on.

    Granian stops accepting when it is told to end, and then drops a connection of which it
    has read nothing yet. A worker that has stopped some time before has none of these. Its
    listening socket can't be closed under Granian's hands, nor shut down, as all workers
    share it; so the descriptor is made one of a socket that nobody connects to.
    """
    # Whatever kind `bound` is: asked for a connection, this one says that there is none.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as nobodys:
        nobodys.setblocking(False)
        nobodys.bind(os.path.join(folder, "s"))
        nobodys.listen(0)
        os.dup2(nobodys.fileno(), bound.fileno(), inheritable=False)


class Gate:
    """The application as Granian sees it."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app
        self.closing = False

    def close(self) -> None:
        """Have clients come back on another connection; called on another thread."""
        self.closing = True

    def __call__(self, *request: Any) -> Any:
        raise NotImplementedError


class WsgiGate(Gate):
    """The gate for WSGI."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if self.closing and environ["SERVER_PROTOCOL"].startswith("HTTP/1"):
            return self.app(environ, _start_and_close(start_response))
        return self.app(environ, start_response)


def _start_and_close(start_response: Callable[..., Any]) -> Callable[..., Any]:
    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        # RFC 9112, section 9.6: the last response on this connection.
        return start_response(status, [*headers, ("Connection", "close")], exc_info)

    return start


class AsgiGate(Gate):
    """The gate for ASGI. The worker is ready when the application's life has begun."""

    def __init__(self, app: Callable[..., Any], ready: Callable[[], None]) -> None:
        super().__init__(app)
        self.ready = ready
        self.loop: Any = None
        #: How to send to each WebSocket that is open.
        self.open: set[Callable[[dict[str, Any]], Awaitable[None]]] = set()

    def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> Awaitable[None]:
        kind = scope["type"]
        if kind == "http" and not self.closing:
            return self.app(scope, receive, send)  # type: ignore[no-any-return]
        if kind == "http":
            if scope["http_version"].startswith("1"):
                send = _send_and_close(send)
            return self.app(scope, receive, send)  # type: ignore[no-any-return]
        if kind == "lifespan":
            return self._live(scope, receive, send)
        return self._talk(scope, receive, send)

    def close(self) -> None:
        super().close()
        if self.loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self.loop.call_soon_threadsafe(self._close_all)

    def _close_all(self) -> None:
        for send in list(self.open):
            self.loop.create_task(_close_websocket(send))

    async def _live(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        import asyncio

        self.loop = asyncio.get_running_loop()

        async def tell(message: dict[str, Any]) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self.ready()

        begun = False
        try:
            await self.app(scope, receive, tell)
            begun = True
        finally:
            if not begun:
                # An application that knows nothing of lifespans refuses them by raising.
                self.ready()

    async def _talk(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        async def tell(message: dict[str, Any]) -> None:
            await send(message)
            if message["type"] == "websocket.accept":
                self.open.add(send)
                if self.closing:
                    await _close_websocket(send)

        try:
            await self.app(scope, receive, tell)
        finally:
            self.open.discard(send)


def _send_and_close(
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> Callable[[dict[str, Any]], Awaitable[None]]:
    def tell(message: dict[str, Any]) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            message = {**message, "headers": headers}
        return send(message)

    return tell


async def _close_websocket(send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    # RFC 6455's registry: 1012, the server restarts, and the client may connect again.
    with suppress(Exception):  # it is closed by now
        await send({"type": "websocket.close", "code": 1012, "reason": "Service Restart"})
