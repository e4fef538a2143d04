"""Do requests under ASGI ever see one another?

500 requests at a time go through the ASGI door, in this process, until 100,000 have: coroutines,
sync views on threads, WebSockets, streams and teardown functions. Each has a number, and looks
again and again whether everything that is its own still has it: the request, ``g``, a context
variable, and on threads a ``threading.local``. One that finds another's number is a leak.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

from brim import Flask, after_this_request, g, has_request_context, request, stream_with_context
from brim import websocket as ws

#: How many requests are under way at a time.
TOGETHER = 500

_number: ContextVar[str] = ContextVar("number")
_local = threading.local()

Send = Callable[[Any], Awaitable[None]]


class Watch:
    """Counts what was looked at, and what belonged to another."""

    def __init__(self) -> None:
        self.looks = 0
        self.leaks = 0
        self.torn_down = 0
        self._lock = threading.Lock()

    def look(self, thread: bool = False) -> None:
        """See whether everything has the number of the request that is current."""
        mine = request.args["n"]
        found = {g.get("number"), _number.get("none"), mine}
        if thread:
            found.add(getattr(_local, "number", "none"))
        with self._lock:
            self.looks += 1
            self.leaks += len(found) > 1

    def end(self, thread: bool = False) -> None:
        """Look for the last time, as a teardown function."""
        self.look(thread)
        with self._lock:
            self.torn_down += 1


def make_app(watch: Watch) -> Flask:
    """Return an application whose every function looks."""
    app = Flask("isolation")
    _add_hooks(app, watch)
    _add_views(app, watch)
    _add_streams(app, watch)
    return app


def _begin() -> None:
    g.number = request.args["n"]
    _number.set(request.args["n"])


def _add_hooks(app: Flask, watch: Watch) -> None:
    @app.before_request
    async def in_coroutine() -> None:
        _begin()
        await asyncio.sleep(0)
        watch.look()

    @app.before_request
    def on_thread() -> None:
        _local.number = request.args["n"]
        watch.look(thread=True)

    @app.teardown_request
    def ended_on_thread(error: BaseException | None) -> None:
        watch.end(thread=True)

    @app.teardown_request
    async def ended_in_coroutine(error: BaseException | None) -> None:
        await asyncio.sleep(0)
        watch.look()

    @app.before_websocket
    async def opened() -> None:
        _begin()

    @app.teardown_websocket
    async def closed(error: BaseException | None) -> None:
        watch.end()


def _add_views(app: Flask, watch: Watch) -> None:
    @app.get("/tasks")
    async def tasks() -> str:
        for _ in range(3):
            await asyncio.sleep(0)
            watch.look()
        return request.args["n"]

    @app.get("/threads")
    def threads() -> str:
        @after_this_request
        def after(response: Any) -> Any:
            watch.look(thread=True)
            return response

        time.sleep(0)
        watch.look(thread=True)
        return request.args["n"]

    @app.websocket("/websockets")
    async def websockets() -> None:
        async for message in ws:
            watch.look()
            await ws.send(f"{message!s}{request.args['n']}")


def _add_streams(app: Flask, watch: Watch) -> None:
    @app.get("/streams")
    async def streams() -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            for _ in range(2):
                watch.look()
                await asyncio.sleep(0)
                yield ""
            yield request.args["n"]

        return generate()

    @app.get("/thread-streams")
    def thread_streams() -> Any:
        @stream_with_context
        def generate() -> Iterator[str]:
            watch.look(thread=True)
            yield request.args["n"]

        return generate()


def _scope(kind: str, path: str, number: str) -> dict[str, Any]:
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http" if kind == "http" else "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": f"n={number}".encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "subprotocols": [],
    }


async def ask(app: Any, path: str, number: str) -> bool:
    """Send one request; tell whether its answer was its own."""
    body: list[bytes] = []
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await asyncio.get_running_loop().create_future()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        body.append(message.get("body", b""))

    await app(_scope("http", path, number), receive, send)
    return b"".join(body).decode() == number


async def talk(app: Any, path: str, number: str) -> bool:
    """Open one WebSocket, say something and leave; tell whether the answer was its own."""
    coming: list[dict[str, Any]] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "number "},
        {"type": "websocket.disconnect", "code": 1000},
    ]
    heard: list[str] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return coming.pop(0) if len(coming) > 1 else coming[0]

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            heard.append(message["text"])

    await app(_scope("websocket", path, number), receive, send)
    return heard == [f"number {number}"]


KINDS: dict[str, tuple[str, Any]] = {
    "tasks": ("/tasks", ask),
    "sync views on threads": ("/threads", ask),
    "WebSockets": ("/websockets", talk),
    "streams": ("/streams", ask),
    "streams on threads": ("/thread-streams", ask),
}


async def run(kind: str, total: int, together: int = TOGETHER) -> Watch:
    """Send ``total`` requests of a kind, ``together`` at a time."""
    watch = Watch()
    app: Any = make_app(watch)
    path, send = KINDS[kind]
    numbers = iter(range(total))

    async def client() -> None:
        for number in numbers:
            answered = await send(app, path, str(number))
            watch.leaks += not answered or has_request_context()

    await asyncio.gather(*(client() for _ in range(min(together, total))))
    return watch


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--total", type=int, default=100_000, help="requests of each kind")
    total = parser.parse_args().total
    missed = False
    for kind in KINDS:
        began = time.monotonic()
        watch = asyncio.run(run(kind, total))
        whole = watch.torn_down == total
        missed |= bool(watch.leaks) or not whole
        print(
            f"{kind:<24} {total:>8,} requests, {watch.looks:>9,} looks, {watch.leaks} leaks,"
            f" {watch.torn_down:,} torn down  (target: 0 leaks, all torn down)"
            f"  {time.monotonic() - began:.0f} s",
            flush=True,
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
