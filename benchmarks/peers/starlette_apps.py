"""The programs with Starlette."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from ..answers import CHUNK, CHUNKS, EVENT, EVENTS, STATIC, TEXT, USER, Counted, created
from ..doors import ASGI, Receive, Scope, Send


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


class Counting:
    """One of five, and a plain ASGI middleware: the quickest way that Starlette offers."""

    def __init__(self, app: ASGI, counted: Counted) -> None:
        self.app, self.counted = app, counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.counted.count += 1
            await self.app(scope, receive, send)
            self.counted.count -= 1
        else:
            await self.app(scope, receive, send)


def hooks() -> Any:
    counted = Counted()

    async def hooked(request: Request) -> HTMLResponse:
        return HTMLResponse(counted.text())

    return Starlette(
        routes=[Mount("/area", routes=[Route("/hooked", hooked)])],
        middleware=[Middleware(Counting, counted=counted) for _ in range(5)],
    )


async def broken(request: Request) -> HTMLResponse:
    raise LookupError("no such thing")


async def handle(request: Request, error: Exception) -> HTMLResponse:
    return HTMLResponse(str(error), 409)


def errors() -> Any:
    return Starlette(routes=[Route("/broken", broken)], exception_handlers={LookupError: handle})


async def login(request: Request) -> HTMLResponse:
    request.session["user"] = 7
    request.session["name"] = "ada"
    return HTMLResponse(TEXT)


async def me(request: Request) -> HTMLResponse:
    return HTMLResponse(f"{request.session['name']}, {request.session['user']}")


def session() -> Any:
    return Starlette(
        routes=[Route("/login", login), Route("/me", me), Route("/idle", hello)],
        middleware=[Middleware(SessionMiddleware, secret_key="a key for the benchmark")],
    )


def static() -> Any:
    return Starlette(routes=[Mount("/static", StaticFiles(directory=STATIC))])


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


def sockets() -> Any:
    return Starlette(routes=[WebSocketRoute("/echo", echo)])


async def events(request: Request) -> StreamingResponse:
    async def ticks() -> AsyncIterator[str]:
        for _ in range(EVENTS):
            yield f"data: {EVENT}\n\n"

    return StreamingResponse(ticks(), media_type="text/event-stream")


def sse() -> Any:
    return Starlette(routes=[Route("/events", events)])


APPS = {
    "basic": basic,
    "upload": basic,
    "hooks": hooks,
    "errors": errors,
    "session": session,
    "static": static,
    "websocket": sockets,
    "sse": sse,
}
