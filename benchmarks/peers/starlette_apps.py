"""The programs with Starlette."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.routing import Route

from ..answers import CHUNK, CHUNKS, TEXT, USER, created


async def hello(request: Request) -> HTMLResponse:
    return HTMLResponse(TEXT)


async def user(request: Request) -> JSONResponse:
    return JSONResponse({**USER, "id": request.path_params["user_id"]})


async def create(request: Request) -> JSONResponse:
    return JSONResponse(created(await request.json()))


async def form(request: Request) -> HTMLResponse:
    async with request.form() as given:
        return HTMLResponse(f"{given['name']}, {given['city']}")


async def upload(request: Request) -> HTMLResponse:
    async with request.form() as given:
        file: Any = given["file"]
        return HTMLResponse(f"{given['name']}: {file.filename}, {len(await file.read())}")


async def stream(request: Request) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(CHUNKS):
            yield CHUNK

    return StreamingResponse(chunks(), media_type="application/octet-stream")


def basic() -> Any:
    return Starlette(
        routes=[
            Route("/", hello),
            Route("/users/{user_id:int}", user),
            Route("/users", create, methods=["POST"]),
            Route("/form", form, methods=["POST"]),
            Route("/upload", upload, methods=["POST"]),
            Route("/stream", stream),
        ]
    )


APPS = {"basic": basic}
