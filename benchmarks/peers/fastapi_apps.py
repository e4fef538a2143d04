"""The programs with FastAPI: typed parameters and models, which it is chosen for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import FastAPI, Form, Request, UploadFile, WebSocket
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BaseModel

from ..answers import CHUNK, CHUNKS, TEXT, USER, created


class NewUser(BaseModel):
    name: str
    admin: bool
    tags: list[str]
    age: int


def basic() -> Any:
    app = FastAPI()

    @app.get("/", response_class=HTMLResponse)
    async def hello() -> str:
        return TEXT

    @app.get("/users/{user_id}")
    async def user(user_id: int) -> dict[str, Any]:
        return {**USER, "id": user_id}

    @app.post("/users")
    async def create(user: NewUser) -> dict[str, Any]:
        return created(user.model_dump())

    @app.post("/form", response_class=HTMLResponse)
    async def form(name: Annotated[str, Form()], city: Annotated[str, Form()]) -> str:
        return f"{name}, {city}"

    @app.post("/upload", response_class=HTMLResponse)
    async def upload(name: Annotated[str, Form()], file: UploadFile) -> str:
        return f"{name}: {file.filename}, {len(await file.read())}"

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(CHUNKS):
                yield CHUNK

        return StreamingResponse(chunks(), media_type="application/octet-stream")

    return app


def errors() -> Any:
    app = FastAPI()

    @app.get("/broken")
    async def broken() -> str:
        raise LookupError("no such thing")

    @app.exception_handler(LookupError)
    async def handle(request: Request, error: LookupError) -> HTMLResponse:
        return HTMLResponse(str(error), 409)

    return app


def sockets() -> Any:
    app = FastAPI()

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)

    return app


APPS = {"basic": basic, "upload": basic, "errors": errors, "websocket": sockets}
