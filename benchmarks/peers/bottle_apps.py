"""The programs with Bottle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bottle import Bottle, request, response, static_file

from ..answers import CHUNK, CHUNKS, STATIC, TEXT, USER, Counted, created


def basic() -> Any:
    app = Bottle()

    @app.get("/")
    def hello() -> str:
        return TEXT

    @app.get("/users/<user_id:int>")
    def user(user_id: int) -> dict[str, Any]:
        return {**USER, "id": user_id}

    @app.post("/users")
    def create() -> dict[str, Any]:
        return created(request.json)

    @app.post("/form")
    def form() -> str:
        return f"{request.forms.name}, {request.forms.city}"

    @app.post("/upload")
    def upload() -> str:
        file = request.files["file"]
        return f"{request.forms.name}: {file.filename}, {len(file.file.read())}"

    @app.get("/stream")
    def stream() -> Iterator[bytes]:
        response.content_type = "application/octet-stream"
        for _ in range(CHUNKS):
            yield CHUNK

    return app


def hooks() -> Any:
    app = Bottle()
    counted = Counted()

    def before() -> None:
        counted.count += 1

    def after() -> None:
        counted.count -= 1

    for _ in range(5):
        app.add_hook("before_request", lambda: before())
        app.add_hook("after_request", lambda: after())

    @app.get("/area/hooked")
    def hooked() -> str:
        return counted.text()

    return app


def static() -> Any:
    app = Bottle()

    @app.get("/static/<name:path>")
    def file(name: str) -> Any:
        return static_file(name, root=STATIC)

    return app


APPS = {"basic": basic, "upload": basic, "hooks": hooks, "static": static}
