"""The programs with Litestar: typed handlers, which it is chosen for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Litestar, MediaType, Response, WebSocket, get, post, websocket
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import ServerSentEvent, Stream
from litestar.static_files import create_static_files_router

from ..answers import CHUNK, CHUNKS, EVENT, EVENTS, STATIC, TEXT, USER, created

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Upload = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]


@get("/", media_type=MediaType.HTML)
async def hello() -> str:
    return TEXT


@get("/users/{user_id:int}")
async def user(user_id: int) -> dict[str, Any]:
    return {**USER, "id": user_id}


@post("/users", status_code=200)
async def create(data: dict[str, Any]) -> dict[str, Any]:
    return created(data)


@post("/form", status_code=200, media_type=MediaType.HTML)
async def form(data: Form) -> str:
    return f"{data['name']}, {data['city']}"


@post("/upload", status_code=200, media_type=MediaType.HTML)
async def upload(data: Upload) -> str:
    file: UploadFile = data["file"]
    return f"{data['name']}: {file.filename}, {len(await file.read())}"


@get("/stream")
async def stream() -> Stream:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(CHUNKS):
            yield CHUNK

    return Stream(chunks(), media_type="application/octet-stream")


def basic() -> Any:
    return Litestar([hello, user, create, form, upload, stream], request_max_body_size=None)


@get("/broken", media_type=MediaType.HTML)
async def broken() -> str:
    raise LookupError("no such thing")


def handle(request: Any, error: LookupError) -> Response[str]:
    return Response(str(error), status_code=409, media_type=MediaType.HTML)


def errors() -> Any:
    return Litestar([broken], exception_handlers={LookupError: handle})


def static() -> Any:
    return Litestar([create_static_files_router("/static", directories=[STATIC])])


@websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_data("text"):
        await socket.send_text(text)


def sockets() -> Any:
    return Litestar([echo])


@get("/events")
async def events() -> ServerSentEvent:
    async def ticks() -> AsyncIterator[str]:
        for _ in range(EVENTS):
            yield EVENT

    return ServerSentEvent(ticks())


def sse() -> Any:
    return Litestar([events])


APPS = {
    "basic": basic,
    "upload": basic,
    "errors": errors,
    "static": static,
    "websocket": sockets,
    "sse": sse,
}
