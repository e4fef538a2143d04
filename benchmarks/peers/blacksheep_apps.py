"""The programs with BlackSheep."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from blacksheep import (
    Application,
    Request,
    Response,
    Router,
    StreamedContent,
    WebSocket,
    WebSocketDisconnectError,
    html,
    json,
)

from ..answers import CHUNK, CHUNKS, STATIC, TEXT, USER, created


def basic() -> Any:
    app = Application(router=Router())
    get, post = app.router.get, app.router.post

    @get("/")
    async def hello() -> Response:
        return html(TEXT)

    @get("/users/{int:user_id}")
    async def user(user_id: int) -> Response:
        return json({**USER, "id": user_id})

    @post("/users")
    async def create(request: Request) -> Response:
        return json(created(await request.json()))

    @post("/form")
    async def form(request: Request) -> Response:
        given: Any = await request.form()
        return html(f"{given['name']}, {given['city']}")

    @post("/upload")
    async def upload(request: Request) -> Response:
        given: Any = await request.form()
        file = (await request.files("file"))[0]
        data = file.data if isinstance(file.data, bytes) else file.data.read()
        return html(f"{given['name']}: {file.file_name.decode()}, {len(data)}")

    @get("/stream")
    async def stream() -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(CHUNKS):
                yield CHUNK

        return Response(200, content=StreamedContent(b"application/octet-stream", chunks))

    return app


def errors() -> Any:
    app = Application(router=Router())

    @app.router.get("/broken")
    async def broken() -> Response:
        raise LookupError("no such thing")

    @app.exception_handler(LookupError)
    async def handle(self: Any, request: Request, error: LookupError) -> Response:
        response = html(str(error))
        response.status = 409
        return response

    return app


def static() -> Any:
    app = Application(router=Router())
    app.serve_files(STATIC, root_path="static")
    return app


def sockets() -> Any:
    app = Application(router=Router())

    @app.router.ws("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except WebSocketDisconnectError:
            pass

    return app


APPS = {"basic": basic, "upload": basic, "errors": errors, "static": static, "websocket": sockets}
