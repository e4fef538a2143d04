"""The programs with Brim, and async views."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from brim import Flask, Response, request

from ..answers import CHUNK, CHUNKS, TEXT, USER, created


def basic() -> Flask:
    app = Flask("benchmark")

    @app.get("/")
    async def hello() -> str:
        return TEXT

    @app.get("/users/<int:user_id>")
    async def user(user_id: int) -> dict[str, Any]:
        return {**USER, "id": user_id}

    @app.post("/users")
    async def create() -> dict[str, Any]:
        return created(request.get_json())

    @app.post("/form")
    async def form() -> str:
        return f"{request.form['name']}, {request.form['city']}"

    @app.post("/upload")
    async def upload() -> str:
        file = request.files["file"]
        return f"{request.form['name']}: {file.filename}, {len(file.read())}"

    @app.get("/stream")
    async def stream() -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(CHUNKS):
                yield CHUNK

        return Response(chunks(), mimetype="application/octet-stream")

    return app


APPS = {"basic": basic}
