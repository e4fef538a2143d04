"""The limit under ASGI: a coroutine without a framework, which knows its requests beforehand."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from ..answers import CHUNK, CHUNKS, EVENT, EVENTS, HTML, TEXT, USER, created
from ..doors import ASGI, Receive, Scope, Send


async def body_of(receive: Receive) -> bytes:
    """Read a request's body."""
    pieces = []
    while True:
        message = await receive()
        pieces.append(message["body"])
        if not message["more_body"]:
            return b"".join(pieces)


async def answer(send: Send, body: bytes, kind: str = HTML, status: int = 200) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def stream(send: Send) -> None:
    headers = [(b"content-type", b"application/octet-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(CHUNKS):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def basic() -> ASGI:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/":
            await answer(send, TEXT.encode())
        elif path == "/users":
            user = created(json.loads(await body_of(receive)))
            await answer(send, json.dumps(user).encode(), "application/json")
        elif path == "/form":
            form = parse_qs((await body_of(receive)).decode())
            await answer(send, f"{form['name'][0]}, {form['city'][0]}".encode())
        elif path == "/stream":
            await stream(send)
        elif path.startswith("/users/"):
            user = {**USER, "id": int(path[7:])}
            await answer(send, json.dumps(user).encode(), "application/json")
        else:
            await answer(send, b"", status=404)

    return app


def websocket() -> ASGI:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            raise NotImplementedError
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})

    return app


def sse() -> ASGI:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _ in range(EVENTS):
            body = f"data: {EVENT}\n\n".encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


APPS = {"basic": basic, "websocket": websocket, "sse": sse}
