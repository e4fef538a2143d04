"""What users' code of WebSockets is inferred to be, sync and async. Checked, never run."""

from __future__ import annotations

from typing import Any, assert_type

from werkzeug.datastructures import Headers

from brim import Blueprint, Flask, WebsocketClosed, websocket
from brim.typing import ResponseReturnValue

app = Flask(__name__)
bp = Blueprint("bp", __name__)


@app.websocket("/<int:room>")
async def awaited(room: int) -> None:
    assert_type(await websocket.receive(), str | bytes)
    assert_type(await websocket.receive_text(), str)
    assert_type(await websocket.receive_bytes(), bytes)
    assert_type(await websocket.send("a"), None)
    await websocket.accept("chat", {"X-A": "1"})
    await websocket.send_json(a=1)
    await websocket.close(4000, "bye")
    async for message in websocket:
        assert_type(message, str | bytes)


@bp.websocket("/")
def waited_for() -> ResponseReturnValue | None:
    text: str = websocket.receive_text()
    data: bytes = websocket.receive_bytes()
    either: str | bytes = websocket.receive()
    websocket.send(text)
    websocket.send(data)
    for message in websocket:
        assert_type(message, str | bytes)
    assert_type(websocket.args["a"], str)
    assert_type(websocket.headers, Headers)
    assert_type(websocket.requested_subprotocols, list[str])
    assert_type(websocket.closed, WebsocketClosed | None)
    return ("no", 401) if either else None


@app.before_websocket
@bp.before_app_websocket
async def before() -> ResponseReturnValue | None:
    return None


@app.after_websocket
@bp.after_app_websocket
def after(response: Any) -> Any:
    return response


@app.teardown_websocket
@bp.teardown_app_websocket
def teardown(error: BaseException | None) -> None: ...


assert_type(websocket.url, str)
