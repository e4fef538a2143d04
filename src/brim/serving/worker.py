"""What a worker process does: loads the application, tells that it is ready, ends well.

Between Granian and the application stands a gate. It is told by the supervisor when the
worker is about to end, and has clients come back on a new connection from then on.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import socket
import tempfile
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .inspection import own_signals

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from multiprocessing.connection import Connection

    from ..typing import ASGIApplication, ASGIReceive, ASGIScope, ASGISend

#: From the worker: it accepts connections, or will in a moment.
READY = "ready"
#: To the worker: answer on, and have each client close its connection.
CLOSING = "closing"
#: To the worker: its time is over, and what runs is to be cancelled.
GIVE_UP = "give up"
#: How often a worker looks whether its supervisor is still there, in seconds.
LOOK = 1.0


def work(serve: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Be a worker until SIGTERM; ``serve`` is Granian's function for the interface.

    While the application is loaded, SIGTERM ends the process at once: nothing has begun yet.
    From then on it finishes what it has accepted, and ends its life.
    """
    own_signals()
    try:
        serve(*arguments)
    finally:
        # multiprocessing ends its processes without them.
        atexit._run_exitfuncs()


def tell_later(number: int, frame: object) -> None:
    """Tell of a signal once Granian has a handler for it: it has none before it serves."""

    def tell() -> None:
        while signal.getsignal(number) is tell_later:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    threading.Thread(target=tell, name="brim-serve-signal", daemon=True).start()


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

    def __call__(self) -> WsgiGate | AsgiGate:
        app = self.load()
        signal.signal(signal.SIGTERM, tell_later)
        gate = WsgiGate(app) if self.interface == "wsgi" else AsgiGate(app, self.ready)
        threading.Thread(target=self.listen, args=(gate,), name="brim-serve", daemon=True).start()
        if self.interface == "wsgi":
            # ASGI has a way of its own to say that life begins; its end is the process's.
            app.lifespan.start()
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
                if not self.channel.poll(LOOK):
                    continue
                if self.channel.recv() == GIVE_UP:
                    gate.give_up()
                    continue
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
    # Of the same family, as Granian asks for its address when it begins to serve.
    with tempfile.TemporaryDirectory() as folder, socket.socket(bound.family) as nobodys:
        nobodys.setblocking(False)
        if bound.family == socket.AF_UNIX:
            nobodys.bind(os.path.join(folder, "s"))
        else:
            nobodys.bind(("::1" if bound.family == socket.AF_INET6 else "127.0.0.1", 0))
        nobodys.listen(0)
        os.dup2(nobodys.fileno(), bound.fileno(), inheritable=False)


class Gate:
    """The application as Granian sees it."""

    #: Whether the worker is about to end.
    closing = False

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    def close(self) -> None:
        """Have clients come back on another connection; called on another thread."""
        self.closing = True

    def give_up(self) -> None:
        """Have what still runs clean up after itself; threads can't be told to."""


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
    """The gate for ASGI. The worker is ready when the application's life has begun.

    Two things of Granian's are mended here. It ends the application's life when the last
    response is on its way, not when the last call has returned, and so cuts off what runs
    after a response. And it drains a worker for as long as a WebSocket is open.
    """

    def __init__(self, app: ASGIApplication, ready: Callable[[], None]) -> None:
        super().__init__(app)
        self.ready = ready
        self.loop: asyncio.AbstractEventLoop | None = None
        #: The calls that have not returned.
        self.running: set[asyncio.Task[Any] | None] = set()
        self.idle: asyncio.Future[None] | None = None
        #: Of each open WebSocket, what is done once it is to be closed.
        self.open: set[asyncio.Future[None]] = set()

    async def __call__(self, scope: ASGIScope, receive: ASGIReceive, send: ASGISend) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._live(scope, receive, send)
            return
        task = asyncio.current_task()
        self.running.add(task)
        try:
            if kind == "websocket":
                await self._talk(scope, receive, send)
            elif self.closing and scope["http_version"].startswith("1"):
                await self.app(scope, receive, _send_and_close(send))
            else:
                await self.app(scope, receive, send)
        finally:
            self.running.discard(task)
            if self.idle is not None and not self.running and not self.idle.done():
                self.idle.set_result(None)

    def close(self) -> None:
        super().close()
        self._soon(self._close_websockets)

    def give_up(self) -> None:
        self._soon(self._cancel)

    def _soon(self, function: Callable[[], None]) -> None:
        if self.loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self.loop.call_soon_threadsafe(function)

    def _cancel(self) -> None:
        for task in self.running:
            if task is not None:
                task.cancel()

    def _close_websockets(self) -> None:
        for closing in self.open:
            if not closing.done():
                closing.set_result(None)

    async def _live(self, scope: ASGIScope, receive: ASGIReceive, send: ASGISend) -> None:
        """Pass the application's life on: it ends when nothing is running any more."""
        self.loop = asyncio.get_running_loop()

        async def hear() -> MutableMapping[str, Any]:
            message = await receive()
            if message["type"] == "lifespan.shutdown" and self.running:
                self.idle = asyncio.get_running_loop().create_future()
                await self.idle
            return message

        async def tell(message: MutableMapping[str, Any]) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self.ready()

        try:
            await self.app(scope, hear, tell)
        except Exception:
            # An application that knows nothing of this refuses it so, and is served.
            self.ready()
            raise

    async def _talk(self, scope: ASGIScope, receive: ASGIReceive, send: ASGISend) -> None:
        """Pass a WebSocket on, and close it when the worker closes."""

        closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.closing:
            closing.set_result(None)

        connected = False

        async def hear() -> MutableMapping[str, Any]:
            nonlocal connected
            if not connected:
                connected = True
                return await receive()
            # With a call that is cancelled before it began, Granian would never send again.
            if not closing.done():
                heard = asyncio.ensure_future(receive())
                await asyncio.wait((heard, closing), return_when=asyncio.FIRST_COMPLETED)
                if heard.done():
                    return heard.result()
                # Granian doesn't always say that it is closed, once this side has closed it.
                heard.cancel()
            with suppress(Exception):  # closed by the client meanwhile
                # RFC 6455's registry: the service restarts, and the client may come back.
                await send({"type": "websocket.close", "code": 1012, "reason": "Service Restart"})
            return {"type": "websocket.disconnect", "code": 1012, "reason": "Service Restart"}

        self.open.add(closing)
        try:
            await self.app(scope, hear, send)
        finally:
            self.open.discard(closing)


def _send_and_close(send: ASGISend) -> ASGISend:
    def tell(message: MutableMapping[str, Any]) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            message = {**message, "headers": headers}
        return send(message)

    return tell
