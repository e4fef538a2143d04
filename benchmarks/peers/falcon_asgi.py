"""The programs with Falcon, under ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import falcon
import falcon.asgi

from ..answers import CHUNK, CHUNKS, EVENT, EVENTS, HTML, STATIC, TEXT, USER, Counted, created


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


class Counting:
    """One of five."""

    def __init__(self, counted: Counted) -> None:
        self.counted = counted

    async def process_request(self, req: Any, resp: Any) -> None:
        self.counted.count += 1

    async def process_response(self, req: Any, resp: Any, resource: Any, succeeded: bool) -> None:
        self.counted.count -= 1


class Hooked:
    def __init__(self, counted: Counted) -> None:
        self.counted = counted

    async def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = HTML
        resp.text = self.counted.text()


def hooks() -> Any:
    counted = Counted()
    app = falcon.asgi.App(middleware=[Counting(counted) for _ in range(5)])
    app.add_route("/area/hooked", Hooked(counted))
    return app


class Broken:
    async def on_get(self, req: Any, resp: Any) -> None:
        raise LookupError("no such thing")


async def handle(req: Any, resp: Any, error: LookupError, params: Any) -> None:
    resp.status = 409
    resp.content_type = HTML
    resp.text = str(error)


def errors() -> Any:
    app = falcon.asgi.App()
    app.add_route("/broken", Broken())
    app.add_error_handler(LookupError, handle)
    return app


def static() -> Any:
    app = falcon.asgi.App()
    app.add_static_route("/static", STATIC)
    return app


class Echo:
    async def on_websocket(self, req: Any, ws: Any) -> None:
        await ws.accept()
        try:
            while True:
                await ws.send_text(await ws.receive_text())
        except falcon.WebSocketDisconnected:
            pass


def websocket() -> Any:
    app = falcon.asgi.App()
    app.add_route("/echo", Echo())
    return app


class Events:
    async def on_get(self, req: Any, resp: Any) -> None:
        async def ticks() -> AsyncIterator[falcon.asgi.SSEvent]:
            for _ in range(EVENTS):
                yield falcon.asgi.SSEvent(text=EVENT)

        resp.sse = ticks()


def sse() -> Any:
    app = falcon.asgi.App()
    app.add_route("/events", Events())
    return app


APPS = {
    "basic": basic,
    "upload": basic,
    "hooks": hooks,
    "errors": errors,
    "static": static,
    "websocket": websocket,
    "sse": sse,
}
