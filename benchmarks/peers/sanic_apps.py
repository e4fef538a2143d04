"""The programs with Sanic, in its ASGI mode."""

from __future__ import annotations

from typing import Any

from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, ResponseStream, html, json

from ..answers import CHUNK, CHUNKS, TEXT, USER, created


def basic() -> Any:
    app = Sanic("benchmark", configure_logging=False)

    @app.get("/")
    async def hello(request: Request) -> HTTPResponse:
        return html(TEXT)

    @app.get("/users/<user_id:int>")
    async def user(request: Request, user_id: int) -> HTTPResponse:
        return json({**USER, "id": user_id})

    @app.post("/users")
    async def create(request: Request) -> HTTPResponse:
        return json(created(request.json))

    @app.post("/form")
    async def form(request: Request) -> HTTPResponse:
        given: Any = request.form
        return html(f"{given.get('name')}, {given.get('city')}")

    @app.post("/upload")
    async def upload(request: Request) -> HTTPResponse:
        given: Any = request.form
        files: Any = request.files
        file = files.get("file")
        return html(f"{given.get('name')}: {file.name}, {len(file.body)}")

    @app.get("/stream")
    async def stream(request: Request) -> ResponseStream:
        async def chunks(response: Any) -> None:
            for _ in range(CHUNKS):
                await response.write(CHUNK)

        return ResponseStream(chunks, content_type="application/octet-stream")

    return app


APPS = {"basic": basic, "upload": basic}
