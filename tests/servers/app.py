"""The application that the matrix of servers serves: each feature that a server has a say in.

With ``BEHIND_PROXY`` in the environment it has ``ProxyFix`` around its ``wsgi_app``.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

from brim import (
    Blueprint,
    EventStream,
    Flask,
    Response,
    ServerSentEvent,
    abort,
    g,
    redirect,
    render_template,
    request,
    send_file,
    session,
    stream_with_context,
    url_for,
    websocket,
)
from brim.views import MethodView

#: Longer bodies are refused, but where a view says otherwise.
LONGEST = 64 * 1024
#: What ``/file`` sends: each byte tells where it stands.
FILE = bytes(range(256)) * 400

#: What happened to a request that gave itself a name, in order.
events: defaultdict[str, list[str]] = defaultdict(list)
#: What a stream waits for between its first piece and its last.
gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)


app = Flask(__name__)
app.config.update(SECRET_KEY="for the matrix", MAX_CONTENT_LENGTH=LONGEST)
if "BEHIND_PROXY" in os.environ:
    app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
        app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1
    )


class OutOfStock(Exception):
    """What the views raise for a handler to take."""


def note(event: str) -> None:
    """Remember that something happened to this request."""
    if name := request.headers.get("X-Name"):
        events[name].append(event)


@app.before_request
def before() -> None:
    g.name = request.headers.get("X-Name")
    note("before")


@app.before_request
async def before_async() -> None:
    await asyncio.sleep(0)
    assert g.name == request.headers.get("X-Name")
    note("before async")


@app.after_request
async def after_async(response: Response) -> Response:
    await asyncio.sleep(0)
    note("after async")
    return response


@app.after_request
def after(response: Response) -> Response:
    note("after")
    return response


@app.teardown_request
def teardown(error: BaseException | None) -> None:
    note(f"teardown {type(error).__name__}")


@app.teardown_request
async def teardown_async(error: BaseException | None) -> None:
    await asyncio.sleep(0)
    note(f"teardown async {type(error).__name__}")


@app.context_processor
async def shop() -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"shop": "The Brim"}


@app.errorhandler(OutOfStock)
async def out_of_stock(error: OutOfStock) -> tuple[dict[str, str], int]:
    await asyncio.sleep(0)
    return {"missing": str(error)}, 409


@app.errorhandler(404)
def not_found(error: Exception) -> tuple[str, int]:
    return f"no page at {request.path}", 404


class Things(MethodView):
    """A view whose methods are coroutine functions."""

    async def get(self, number: int) -> dict[str, int]:
        await asyncio.sleep(0)
        return {"number": number}

    async def post(self, number: int) -> tuple[dict[str, Any], int]:
        return {"number": number, "got": request.get_json()}, 201


app.add_url_rule("/things/<int:number>", view_func=Things.as_view("things"))


@app.get("/")
def index() -> str:
    return "index"


@app.get("/async")
async def index_async() -> str:
    await asyncio.sleep(0)
    return "async index"


@app.get("/events/<name>")
def events_of(name: str) -> list[str]:
    return events[name]


@app.get("/out-of-stock")
@app.get("/out-of-stock/<kind>")
def raise_in_view(kind: str = "sync") -> str:
    raise OutOfStock(kind)


@app.get("/crash")
async def crash() -> str:
    raise RuntimeError("on purpose")


@app.get("/path/<path:rest>")
def path(rest: str) -> dict[str, str]:
    return {"rest": rest, "path": request.path, "again": url_for("path", rest=rest)}


@app.get("/query")
async def query() -> dict[str, Any]:
    return {"args": request.args.to_dict(flat=False), "raw": request.query_string.decode()}


@app.get("/seen")
def seen() -> dict[str, Any]:
    return {
        "url": request.url,
        "scheme": request.scheme,
        "remote_addr": request.remote_addr,
        "script_root": request.script_root,
        "external": url_for("index", _external=True),
        "twice": request.headers.get("X-Twice", ""),
        "cookies": request.cookies,
    }


@app.get("/page")
async def page() -> str:
    return render_template("page.html", title="Hats & caps")


@app.get("/alone/<int:number>")
def alone(number: int) -> dict[str, Any]:
    return _what_is_mine(number, lambda: time.sleep(0.02))


@app.get("/alone-async/<int:number>")
async def alone_async(number: int) -> dict[str, Any]:
    before = _what_is_mine(number)
    await asyncio.sleep(0.02)
    assert _what_is_mine(number) == before
    return before


inner = Blueprint("inner", __name__, url_prefix="/inner")


@inner.before_request
async def before_inner() -> None:
    g.inner = "inner"


@inner.errorhandler(OutOfStock)
def inner_out_of_stock(error: OutOfStock) -> tuple[str, int]:
    return f"{g.inner}: {error}", 410


@inner.get("/out-of-stock")
async def raise_inside() -> str:
    raise OutOfStock("hats")


app.register_blueprint(inner)


def _what_is_mine(number: int, wait: Any = lambda: None) -> dict[str, Any]:
    """What a request sees of itself while others are answered."""
    g.number = number
    wait()
    return {"number": g.number, "path": request.path, "name": g.name}


def _digest(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _as_coroutine(view: Any) -> Any:
    async def coroutine() -> Any:
        await asyncio.sleep(0)
        return view()

    coroutine.__name__ = f"{view.__name__}_async"
    return coroutine


@app.post("/json")
def json_body() -> dict[str, Any]:
    return {"got": request.get_json()}


@app.post("/json-async")
async def json_body_async() -> dict[str, Any]:
    return {"got": request.get_json()}


@app.post("/form")
def form() -> dict[str, Any]:
    files = {name: _digest(file.read()) for name, file in request.files.items()}
    return {"form": request.form.to_dict(flat=False), "files": files}


app.add_url_rule("/form-async", view_func=_as_coroutine(form), methods=["POST"])


@app.post("/raw")
def raw() -> dict[str, Any]:
    return _digest(request.get_data())


app.add_url_rule("/raw-async", view_func=_as_coroutine(raw), methods=["POST"])


@app.post("/big")
def big() -> dict[str, Any]:
    request.max_content_length = 16 * 1024 * 1024
    return _digest(request.get_data())


@app.post("/read")
def read() -> dict[str, Any]:
    whole = hashlib.sha256()
    size = 0
    while chunk := request.stream.read(1000):
        size += len(chunk)
        whole.update(chunk)
    return {"size": size, "sha256": whole.hexdigest()}


@app.post("/read-async")
async def read_async() -> dict[str, Any]:
    whole = hashlib.sha256()
    size = 0
    async for chunk in request.stream:
        size += len(chunk)
        whole.update(chunk)
    return {"size": size, "sha256": whole.hexdigest()}


@app.post("/ignored")
def ignored() -> str:
    return "not read"


@app.get("/count")
def count() -> str:
    session["count"] = session.get("count", 0) + 1
    return str(session["count"])


@app.get("/cookies")
async def cookies() -> Response:
    response = app.make_response("cookies")
    response.set_cookie("one", "1", httponly=True)
    response.set_cookie("two", "2; 3", samesite="Lax")
    response.headers.add("X-Twice", "a")
    response.headers.add("X-Twice", "b")
    return response


@app.get("/away")
async def away() -> Any:
    return redirect(url_for("query", next="/a b"))


@app.get("/folder/")
def folder() -> str:
    return "folder"


@app.get("/nothing")
def nothing() -> tuple[str, int]:
    return "", 204


@app.get("/file")
def file() -> Any:
    return send_file(
        io.BytesIO(FILE),
        mimetype="application/octet-stream",
        etag="the-file",
        conditional=True,
    )


@app.get("/download")
async def download() -> Any:
    return send_file(__file__, as_attachment=True)


@app.get("/bytes/<int:size>")
def sized(size: int) -> bytes:
    return b"b" * size


@app.get("/teapot")
def teapot() -> str:
    abort(418)


@app.get("/stream/<name>")
def stream(name: str) -> Iterator[str]:
    def pieces() -> Iterator[str]:
        yield "first "
        assert gates[name].wait(10)
        yield "last"

    return pieces()


@app.get("/stream-async/<name>")
async def stream_async(name: str) -> Response:
    async def pieces() -> AsyncIterator[str]:
        yield "first "
        async with asyncio.timeout(10):
            while not gates[name].is_set():
                await asyncio.sleep(0.01)
        yield "last"

    return Response(pieces(), mimetype="text/plain")


@app.post("/gates/<name>")
async def open_gate(name: str) -> str:
    gates[name].set()
    return "open"


@app.get("/with-context")
def with_context() -> Any:
    @stream_with_context
    def pieces() -> Iterator[str]:
        for word in request.args.getlist("word"):
            yield f"{word} for {g.name}\n"

    return pieces()


@app.get("/endless/<name>")
def endless(name: str) -> Any:
    @stream_with_context
    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield b"." * 1000
                time.sleep(0.01)
        finally:
            events[name].append("closed")

    return pieces()


@app.get("/endless-async/<name>")
async def endless_async(name: str) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"." * 1000
                await asyncio.sleep(0.01)
        finally:
            events[name].append("closed")

    return Response(pieces())


@app.get("/feed/<name>")
async def feed(name: str) -> EventStream:
    async def events_to_come() -> AsyncIterator[ServerSentEvent]:
        last = int(request.last_event_id or 0)
        yield ServerSentEvent({"name": name}, event="hello", id=str(last + 1))
        async with asyncio.timeout(10):
            while not gates[name].is_set():
                await asyncio.sleep(0.01)
        yield ServerSentEvent("two\nlines", id=str(last + 2))

    return EventStream(events_to_come())


@app.websocket("/echo/<name>")
def echo(name: str) -> None:
    for message in websocket:
        websocket.send(f"{name} {message}" if isinstance(message, str) else message)


@app.websocket("/echo-async/<name>")
async def echo_async(name: str) -> None:
    async for message in websocket:
        await websocket.send(f"{name} {message}" if isinstance(message, str) else message)
