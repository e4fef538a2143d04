"""The programs with Quart."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from quart import Blueprint, Quart, Response, g, request, session, websocket

from ..answers import CHUNK, CHUNKS, EVENT, EVENTS, STATIC, TEXT, USER, Counted, created


def basic() -> Quart:
    app = Quart("benchmark")

    @app.get("/")
    async def hello() -> str:
        return TEXT

    @app.get("/users/<int:user_id>")
    async def user(user_id: int) -> dict[str, Any]:
        return {**USER, "id": user_id}

    @app.post("/users")
    async def create() -> dict[str, Any]:
        return created(await request.get_json())

    @app.post("/form")
    async def form() -> str:
        given = await request.form
        return f"{given['name']}, {given['city']}"

    @app.post("/upload")
    async def upload() -> str:
        file = (await request.files)["file"]
        name = (await request.form)["name"]
        return f"{name}: {file.filename}, {len(file.read())}"

    @app.get("/stream")
    async def stream() -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(CHUNKS):
                yield CHUNK

        return Response(chunks(), mimetype="application/octet-stream")

    return app


def hooks() -> Quart:
    """Three functions of the application and two of the blueprint, before and after."""
    app = Quart("benchmark")
    area = Blueprint("area", "benchmark", url_prefix="/area")
    counted = Counted()

    async def before() -> None:
        counted.count += 1

    async def after(response: Response) -> Response:
        counted.count -= 1
        return response

    async def teardown(error: BaseException | None) -> None:
        counted.ended += 1

    for _ in range(3):
        app.before_request(partial(before))
        app.after_request(partial(after))
    for _ in range(2):
        area.before_request(partial(before))
        area.after_request(partial(after))
    app.teardown_request(teardown)

    @area.get("/hooked")
    async def hooked() -> str:
        return counted.text()

    app.register_blueprint(area)
    return app


def hooks_using_g() -> Quart:
    """What such functions are there for: who asks, and how long it took."""
    app = Quart("benchmark")

    @app.before_request
    async def begin() -> None:
        g.began = time.perf_counter()

    @app.before_request
    async def who() -> None:
        g.user = request.headers.get("X-User", "nobody")

    @app.after_request
    async def mark(response: Response) -> Response:
        response.headers["X-Took"] = f"{time.perf_counter() - g.began:.6f}"
        return response

    @app.teardown_request
    async def end(error: BaseException | None) -> None:
        g.pop("user")

    @app.get("/area/hooked")
    async def hooked() -> str:
        return f"{g.user} at {request.path}"

    return app


def errors() -> Quart:
    app = Quart("benchmark")

    @app.get("/broken")
    async def broken() -> str:
        raise LookupError("no such thing")

    @app.errorhandler(LookupError)
    async def handle(error: LookupError) -> tuple[str, int]:
        return str(error), 409

    return app


def sessions() -> Quart:
    app = Quart("benchmark")
    app.secret_key = "a key for the benchmark"

    @app.get("/login")
    async def login() -> str:
        session["user"] = 7
        session["name"] = "ada"
        return TEXT

    @app.get("/idle")
    async def idle() -> str:
        return TEXT

    @app.get("/me")
    async def me() -> str:
        return f"{session['name']}, {session['user']}"

    return app


def static() -> Quart:
    return Quart("benchmark", static_folder=STATIC, static_url_path="/static")


def sockets() -> Quart:
    app = Quart("benchmark")

    @app.websocket("/echo")
    async def echo() -> None:
        while True:
            await websocket.send(await websocket.receive())

    return app


def sse() -> Quart:
    app = Quart("benchmark")

    @app.get("/events")
    async def events() -> Response:
        async def ticks() -> AsyncIterator[str]:
            for _ in range(EVENTS):
                yield f"data: {EVENT}\n\n"

        response = Response(ticks(), mimetype="text/event-stream")
        response.timeout = None
        return response

    return app


APPS = {
    "basic": basic,
    "upload": basic,
    "hooks": hooks,
    "hooks using g": hooks_using_g,
    "errors": errors,
    "session": sessions,
    "static": static,
    "websocket": sockets,
    "sse": sse,
}
