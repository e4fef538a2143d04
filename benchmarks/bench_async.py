"""What does an async view cost under WSGI, and a sync view under ASGI?

In process. Under WSGI the cost of ``async def`` is its time less that of the same view by ``def``,
for Brim and for Flask. Under ASGI a sync view takes a trip to a thread, in Brim as in Starlette;
requests come one after the other, and 32 at a time.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from . import measure
from .bench_overhead import requester
from .measure import WSGI, Figure

TEXT = "Hello, World!"
TOGETHER = 32

#: The most that Brim may take, in parts of what the peer takes.
TARGETS = {"WSGI, beside Flask": 1 / 3, "ASGI, beside Starlette": 1.0}

ASGI = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]


def flask_like(module: ModuleType) -> Any:
    app: Any = module.Flask("benchmark")

    def plain() -> str:
        return TEXT

    async def awaited() -> str:
        return TEXT

    app.add_url_rule("/sync", view_func=plain)
    app.add_url_rule("/async", view_func=awaited)
    return app


def starlette_app() -> ASGI:
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    def plain(request: Any) -> Any:
        return HTMLResponse(TEXT)

    async def awaited(request: Any) -> Any:
        return HTMLResponse(TEXT)

    app: Any = Starlette(routes=[Route("/sync", plain), Route("/async", awaited)])
    return app  # type: ignore[no-any-return]


def scope(path: str) -> dict[str, Any]:
    """What an ASGI server hands to an app, with the headers of a browser."""
    headers = {
        "host": "127.0.0.1:8000",
        "accept": "text/html,application/json;q=0.9,*/*;q=0.8",
        "accept-encoding": "gzip, br",
        "user-agent": "benchmark",
    }
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "extensions": {},
    }


async def ask(app: ASGI, path: str) -> tuple[int, bytes]:
    """Send one request; return the status and the body."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope(path), receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


class Caller:
    """Sends requests to an ASGI app on one loop: one by one, or many at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, app: ASGI, path: str) -> None:
        self.loop, self.app, self.path = loop, app, path
        status, body = loop.run_until_complete(ask(app, path))
        assert (status, body) == (200, TEXT.encode()), (status, body)

    def one_by_one(self) -> None:
        self.loop.run_until_complete(self._some())

    async def _some(self) -> None:
        for _ in range(TOGETHER):
            await ask(self.app, self.path)

    def together(self) -> None:
        self.loop.run_until_complete(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(ask(self.app, self.path) for _ in range(TOGETHER)))


def under_wsgi(apps: dict[str, WSGI]) -> list[Figure]:
    calls = {
        f"{name} {kind}": requester(app, f"/{kind}")
        for name, app in apps.items()
        for kind in ("sync", "async")
    }
    cost = measure.interleaved(calls)
    extra = {name: cost[f"{name} async"] - cost[f"{name} sync"] for name in apps}
    figures = [Figure(f"WSGI, what async def adds: {name}", µs, "µs") for name, µs in extra.items()]
    ratio = extra["Brim"] / extra["Flask"]
    return [
        *figures,
        Figure("WSGI, what async def adds: Brim / Flask", ratio, "", TARGETS["WSGI, beside Flask"]),
    ]


def under_asgi(apps: dict[str, ASGI]) -> list[Figure]:
    figures = []
    loop = asyncio.new_event_loop()
    for kind in ("sync", "async"):
        callers = {name: Caller(loop, app, f"/{kind}") for name, app in apps.items()}
        for how in ("one by one", "together"):
            calls = {
                name: getattr(caller, how.replace(" ", "_")) for name, caller in callers.items()
            }
            cost = measure.interleaved(calls, rounds=15)
            what = f"ASGI, {kind} view, {how if how == 'one by one' else f'{TOGETHER} at a time'}"
            for name in apps:
                figures.append(Figure(f"{what}: {name}", cost[name] / TOGETHER, "µs"))
            target = TARGETS["ASGI, beside Starlette"] if kind == "sync" else None
            ratio = cost["Brim"] / cost["Starlette"]
            figures.append(Figure(f"{what}: Brim / Starlette", ratio, "", target))
    loop.close()
    return figures


def run() -> list[Figure]:
    import flask

    import brim

    app = flask_like(brim)
    return [
        *under_wsgi({"Brim": app, "Flask": flask_like(flask)}),
        *under_asgi({"Brim": app, "Starlette": starlette_app()}),
    ]


if __name__ == "__main__":
    sys.exit(measure.main(run, __doc__))
