"""The programs with Bottle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bottle import Bottle, request, response

from ..answers import CHUNK, CHUNKS, TEXT, USER, created


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


APPS = {"basic": basic}
