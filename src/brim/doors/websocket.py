"""The ASGI door's side for WebSockets: a scope comes in, messages go both ways (ASGI 3.0).

Coroutine functions are awaited on the server's loop. A sync view has a thread of its own for
as long as the connection lasts, so that it takes none from the pool that requests share.
"""

from __future__ import annotations

import asyncio
import sys
from _thread import get_ident
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

from werkzeug.exceptions import ServiceUnavailable

from .. import bridge, lifespan
from ..background import start_after_response
from ..dispatch.run_async import run_async
from ..dispatch.steps import answer_unhandled, respond
from ..dispatch.websocket_steps import Closing, after, converse
from ..pools import Pool
from ..threads import ThreadSide
from ..websockets import Websocket, WebsocketClosed
from .connection import BaseConnection, Watch
from .ending import pop_async
from .scope import environ_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..typing import (
        ASGIMessage,
        ASGIReceive,
        ASGIScope,
        ASGISend,
        Flask,
        RequestContext,
        WSGIEnvironment,
    )

T = TypeVar("T")

#: Status, headers and body of the HTTP answer that refuses a handshake.
Answer = tuple[int, list[tuple[str, str]], bytes]

_NO_PING = """\
Under ASGI the server sends the pings, when and as its options say (uvicorn and Hypercorn: \
--ws-ping-interval and --websocket-ping-interval)."""

_NO_THREAD_LEFT = """\
{limit} WebSockets are being served by sync views in this process, as many as \
WEBSOCKET_MAX_THREADS allows. A coroutine function as the view needs no thread."""


class ServerConnection(BaseConnection):
    """A connection that an ASGI server speaks for."""

    def __init__(
        self, scope: ASGIScope, receive: ASGIReceive, send: ASGISend, limit: int | None
    ) -> None:
        super().__init__(limit)
        #: How long a message may be whose bytes need not be counted: four a character at most.
        self._surely_allowed = sys.maxsize if limit is None else limit // 4
        self._answers = "websocket.http.response" in (scope.get("extensions") or {})
        self._receive_message = receive
        self._send_message = send
        self._loop = asyncio.get_running_loop()
        self.loop_thread = get_ident()
        self._accepted = False
        #: Whether the view is on a thread.
        self.on_thread = False
        #: Operations that a thread waits for.
        self._awaited: set[Future[Any]] = set()

    def wait(self, operation: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(operation, self._loop)
        self._awaited.add(future)
        try:
            return future.result()
        except FutureCancelledError:
            raise self.lost() from None
        finally:
            self._awaited.discard(future)

    def abandon(self) -> None:
        """Have every operation fail: the server gives up the connection."""
        self.lost()
        for future in list(self._awaited):
            future.cancel()

    async def accept(self, subprotocol: str | None, headers: list[tuple[str, str]]) -> None:
        encoded = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]
        await self._tell(
            {"type": "websocket.accept", "subprotocol": subprotocol, "headers": encoded}
        )
        self._accepted = True

    async def receive(self) -> str | bytes:
        # PERF: the usual message takes one coroutine, not three, and no lock: all of this is
        #   done on one loop. What is unusual goes the long way. benchmarks/bench_websocket.py.
        turn = self._reading
        if turn.taken or self._ahead or self.closed is not None:
            return await super().receive()
        turn.taken = self._asked = self._receives = True
        try:
            message = await self._receive_message()
            text = message.get("text")
            if text is not None and len(text) <= self._surely_allowed:
                return text  # type: ignore[no-any-return]
            return await self._content(message)
        finally:
            turn.taken = self._receives = False
            if turn.waiting or self.resting is not None:
                self._let_others()

    def _let_others(self) -> None:
        self._reading.leave()
        if self.resting is not None:
            self.resting.resume()

    async def send(self, data: str | bytes) -> None:
        if self.closed is not None:
            raise self.ended()
        text = isinstance(data, str)
        try:
            await self._send_message(
                {"type": "websocket.send", "text": data}
                if text
                else {"type": "websocket.send", "bytes": data}
            )
        except OSError as error:  # the client is gone (ASGI, "Disconnected client")
            raise self.lost() from error

    async def ping(self, payload: bytes) -> None:
        raise RuntimeError(_NO_PING)

    async def close(self, code: int, reason: str) -> None:
        if self.closed is not None:
            return
        if self._accepted:
            try:
                await self._tell({"type": "websocket.close", "code": code, "reason": reason})
            except WebsocketClosed:
                return
        self.closed = WebsocketClosed(code, reason)

    async def refuse(self, answer: Answer) -> None:
        """Answer the handshake over HTTP; by a plain 403 where the server can do no more."""
        if self.left:
            return
        status, headers, body = answer
        try:
            if not self._answers:
                await self._send_message({"type": "websocket.close", "code": 1000, "reason": ""})
                return
            await self._send_message(
                {
                    "type": "websocket.http.response.start",
                    "status": status,
                    "headers": [
                        (name.lower().encode("latin-1"), value.encode("latin-1"))
                        for name, value in headers
                    ],
                }
            )
            await self._send_message({"type": "websocket.http.response.body", "body": body})
        except OSError:
            self.lost()

    async def _tell(self, message: ASGIMessage) -> None:
        if self.closed is not None:
            raise self.ended()
        try:
            await self._send_message(message)
        except OSError as error:  # the client is gone (ASGI, "Disconnected client")
            raise self.lost() from error

    async def _read(self) -> str | bytes:
        if self.closed is not None:
            raise self.ended()
        return await self._content(await self._receive_message())

    async def _content(self, message: ASGIMessage) -> str | bytes:
        """Return what a message brings; raise what ends the connection."""
        if message["type"] == "websocket.disconnect":
            raise self.lost(message.get("code") or 1005, message.get("reason") or "")
        text: str | None = message.get("text")
        data: str | bytes = message["bytes"] if text is None else text
        size = len(data) if text is None or text.isascii() else len(text.encode())
        if self.too_long(size):
            await self.close(1009, f"A message may have {self.limit} bytes.")
            raise self.ended()
        return data


class _OwnThread:
    """A thread that one connection has for its sync functions.

    The pool that requests share would soon have none left for requests.
    """

    taken = 0

    def __init__(self) -> None:
        self.pool = Pool(1, "brim-websocket")
        _OwnThread.taken += 1

    def give_back(self) -> None:
        _OwnThread.taken -= 1
        self.pool.end()


async def serve_asgi(app: Flask, scope: ASGIScope, receive: ASGIReceive, send: ASGISend) -> None:
    """Serve one connection, from its handshake to its end."""
    message = await receive()
    if message["type"] != "websocket.connect":
        return
    connection = ServerConnection(scope, receive, send, app.config["WEBSOCKET_MAX_MESSAGE_SIZE"])
    serving = asyncio.create_task(_serve(app, scope, connection))
    try:
        await asyncio.wait([serving])
    except asyncio.CancelledError:
        connection.abandon()
        if not connection.on_thread:
            serving.cancel()
        await asyncio.wait([serving])
        raise
    serving.result()


async def _serve(app: Flask, scope: ASGIScope, connection: ServerConnection) -> None:
    bridge.home_loop.set(asyncio.get_running_loop())
    environ = environ_of(scope)
    environ["wsgi.input"] = BytesIO()
    if scope.get("subprotocols"):
        # Some servers take the header out of those that they hand on.
        environ["HTTP_SEC_WEBSOCKET_PROTOCOL"] = ", ".join(scope["subprotocols"])
    if "wsgi_app" in app._engine.replaced:
        await lifespan.ensure_started(app)
        reached, answer = await ThreadSide().run(_through_middleware, app, environ)
        if reached is None:
            await connection.refuse(answer)
            return
        app, environ = reached
    threads = ThreadSide()
    ctx = app.request_context(environ)
    own: _OwnThread | None = None
    try:
        try:
            ctx.push()
            await lifespan.ensure_started(app)
        except Exception as error:
            response = await run_async(answer_unhandled(ctx, error), threads)
        else:
            if ctx._plan.for_websockets:
                refusal = None
                if type(ctx._plan.view) is not bridge.Synced:
                    limit: int = app.config["WEBSOCKET_MAX_THREADS"]
                    if _OwnThread.taken < limit:
                        own = _OwnThread()
                        threads.pool = own.pool
                        connection.on_thread = True
                    else:
                        refusal = ServiceUnavailable(_NO_THREAD_LEFT.format(limit=limit))
                await _converse(ctx, connection, threads, refusal)
                return
            response = await run_async(respond(ctx), threads)
        await connection.refuse(await threads.run(call_wsgi, response, environ))
    finally:
        try:
            await pop_async(app, ctx, threads)
        finally:
            if own is not None:
                own.give_back()
            start_after_response(ctx)


async def _converse(
    ctx: RequestContext,
    connection: ServerConnection,
    threads: ThreadSide,
    refusal: Exception | None,
) -> None:
    """Take the steps of a connection whose view was found."""
    ctx.websocket = Websocket(ctx, connection)
    # A coroutine's own watch cancels it; for a thread's next operation this is enough.
    watch = Watch(connection, None) if connection.on_thread else None
    try:
        outcome = await run_async(converse(ctx, refusal), threads)
        if isinstance(outcome, Closing):
            await connection.close(outcome.code, outcome.reason)
            await run_async(after(ctx), threads)
        else:
            await connection.refuse(await threads.run(call_wsgi, outcome, ctx.environ))
    except Exception:
        await connection.close(1011, "")
        raise
    finally:
        if watch is not None:
            await watch.end()


def _through_middleware(
    app: Flask, environ: WSGIEnvironment
) -> tuple[tuple[Flask, WSGIEnvironment] | None, Answer]:
    """Send a handshake through ``app.wsgi_app``, which the user has wrapped.

    Returns the application that it came out at, with the environ as the middleware has
    made it, and what was answered.
    """
    reached: list[tuple[Flask, WSGIEnvironment]] = []
    environ["brim.handshake"] = reached
    answer = call_wsgi(app.wsgi_app, environ)
    return (reached[0] if reached else None), answer


def call_wsgi(application: Callable[..., Any], environ: WSGIEnvironment) -> Answer:
    """Call a WSGI application; return all of its answer."""
    started: list[Any] = []
    parts: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [status, headers]
        return parts.append

    iterable = application(environ, start_response)
    try:
        parts.extend(iterable)
    finally:
        close = getattr(iterable, "close", None)
        if close is not None:
            close()
    return int(started[0].split(None, 1)[0]), started[1], b"".join(parts)
