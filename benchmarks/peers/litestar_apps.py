"""The programs with Litestar: typed handlers, which it is chosen for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Litestar, MediaType, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Stream

from ..answers import CHUNK, CHUNKS, TEXT, USER, created

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


APPS = {"basic": basic}
