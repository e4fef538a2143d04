"""What does an async view cost under WSGI, and a sync view under ASGI?

Under WSGI the cost of ``async def`` is its time less that of the same view by ``def``, for Brim and
for Flask. Under ASGI a sync view takes a trip to a thread, in Brim as in Starlette; requests come
one after the other, and 32 at a time. So does a sync function before an async view. Threads hand
over to one another there: the clock is the wall's.
"""

from __future__ import annotations

import asyncio
import sys
import time
from types import ModuleType
from typing import Any

from . import measure, program
from .answers import HTML, TEXT
from .doors import ASGI, ASGIDoor, Exchange, Request, WSGIDoor, messages_of, scope_of
from .measure import Batch, Figure
from .versus import at_most, figures_of

TOGETHER = 32
SYNC, ASYNC = Request("/sync"), Request("/async")


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

    app: Any = Starlette(routes=[Route("/sync", plain)])
    return app  # type: ignore[no-any-return]


def under_wsgi() -> list[Figure]:
    import flask

    import brim

    door = WSGIDoor()
    calls = {}
    for name, module in {"Brim": brim, "Flask": flask}.items():
        app = flask_like(module)
        for kind, request in {"sync": SYNC, "async": ASYNC}.items():
            answer = door.ask(app, request)
            assert (answer.status, answer.body) == (200, TEXT.encode()), answer
            calls[f"{name}, {kind}"] = door.caller(app, request)
    # The loop has a thread of its own in Brim.
    race = measure.interleaved(calls, clock=time.perf_counter)
    case = "what async def adds, WSGI"
    added = {
        name: [
            a - b
            for a, b in zip(race.taken[f"{name}, async"], race.taken[f"{name}, sync"], strict=True)
        ]
        for name in ("Brim", "Flask")
    }
    return figures_of(case, measure.Race(added), (at_most("Flask", 1 / 3),))


def together(door: ASGIDoor, app: ASGI) -> Batch:
    """Make the call that sends many requests at once; the count is of requests."""
    template, messages = scope_of(SYNC), messages_of(SYNC)

    async def one() -> None:
        exchange = Exchange(messages)
        await app(template.copy(), exchange.receive, exchange.send)

    async def all_of(count: int) -> None:
        while count > 0:
            await asyncio.gather(*(one() for _ in range(min(count, TOGETHER))))
            count -= TOGETHER

    return Batch(lambda count: door.loop.run_until_complete(all_of(count)))


def under_asgi() -> list[Figure]:
    import brim

    apps = {"Brim": flask_like(brim), "Starlette": starlette_app()}
    figures = []
    with ASGIDoor() as door:
        for name, app in apps.items():
            door.start(app)
            answer = door.ask(app, SYNC)
            assert answer.body == TEXT.encode() and answer.headers["content-type"] == HTML, name
        ways = {
            "one by one": {name: door.caller(app, SYNC) for name, app in apps.items()},
            f"{TOGETHER} at a time": {name: together(door, app) for name, app in apps.items()},
        }
        for way, calls in ways.items():
            race = measure.interleaved(calls, slice_seconds=0.04, clock=time.perf_counter)
            figures += figures_of(f"sync view, {way}, ASGI", race, (at_most("Starlette"),))
    return figures


def with_sync_hook(module: ModuleType, application: str) -> ASGI:
    """An async view behind a sync function, as where an application of Flask's is moved to ASGI."""
    app: Any = getattr(module, application)("benchmark")

    async def awaited() -> str:
        return TEXT

    def before() -> None:
        return None

    app.add_url_rule("/async", view_func=awaited)
    app.before_request(before)
    return app  # type: ignore[no-any-return]


def behind_a_sync_hook() -> list[Figure]:
    import quart

    import brim

    apps = {"Brim": with_sync_hook(brim, "Flask"), "Quart": with_sync_hook(quart, "Quart")}
    with ASGIDoor() as door:
        for name, app in apps.items():
            door.start(app)
            assert door.ask(app, ASYNC).body == TEXT.encode(), name
        calls = {name: door.caller(app, ASYNC) for name, app in apps.items()}
        race = measure.interleaved(calls, slice_seconds=0.04, clock=time.perf_counter)
    return figures_of("async view behind a sync hook, ASGI", race)


def run() -> list[Figure]:
    return [*under_wsgi(), *under_asgi(), *behind_a_sync_hook()]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
