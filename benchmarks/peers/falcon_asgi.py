"""The programs with Falcon, under ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import falcon.asgi

from ..answers import CHUNK, CHUNKS, HTML, TEXT, USER, created


class Hello:
    async def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = HTML
        resp.text = TEXT


class User:
    async def on_get(self, req: Any, resp: Any, user_id: int) -> None:
        resp.media = {**USER, "id": user_id}


class Users:
    async def on_post(self, req: Any, resp: Any) -> None:
        resp.media = created(await req.get_media())


class Form:
    async def on_post(self, req: Any, resp: Any) -> None:
        form = await req.get_media()
        resp.content_type = HTML
        resp.text = f"{form['name']}, {form['city']}"


class Upload:
    async def on_post(self, req: Any, resp: Any) -> None:
        async for part in await req.get_media():
            if part.name == "name":
                name = await part.text
            elif part.name == "file":
                filename, size = part.filename, len(await part.stream.read())
        resp.content_type = HTML
        resp.text = f"{name}: {filename}, {size}"


class Stream:
    async def on_get(self, req: Any, resp: Any) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(CHUNKS):
                yield CHUNK

        resp.content_type = "application/octet-stream"
        resp.stream = chunks()


def basic() -> Any:
    app = falcon.asgi.App()
    app.add_route("/", Hello())
    app.add_route("/users/{user_id:int}", User())
    app.add_route("/users", Users())
    app.add_route("/form", Form())
    app.add_route("/upload", Upload())
    app.add_route("/stream", Stream())
    return app


APPS = {"basic": basic}
