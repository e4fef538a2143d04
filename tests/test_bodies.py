"""Request bodies are bounded, and never taken for whole where they are not, through both doors."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.exceptions import ClientDisconnected
from werkzeug.test import create_environ

from brim import Flask, request
from brim.bodies import BodyStream, may_have_body, stream_of
from brim.testing import FlaskClient
from tests.support import knock

LONG = 2_000_000

READS: dict[str, Callable[[], Any]] = {
    "data": lambda: request.data,
    "get_data": lambda: request.get_data(cache=False),
    "stream": lambda: request.stream.read(),
    "in bits": lambda: b"".join(iter(lambda: request.stream.read(3), b"")),
    "in lines": lambda: b"".join(request.stream),
}


def chunked(body: bytes) -> dict[str, Any]:
    """What a server makes of a chunked request."""
    return {
        "method": "POST",
        "input_stream": io.BytesIO(body),
        "headers": {"Transfer-Encoding": "chunked"},
        "environ_overrides": {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    }


@pytest.fixture(params=["sync", "async"])
def view(app: Flask, request: pytest.FixtureRequest) -> Callable[[Callable[[], Any]], None]:
    """Adds a view, sync or async, that answers with what a function reads."""

    def add(read: Callable[[], Any]) -> None:
        async def awaited() -> Any:
            return read()

        app.post("/")(awaited if request.param == "async" else read)

    return add


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("body", [b"", b"a\nb", b"x" * LONG], ids=["empty", "short", "long"])
def test_a_body_is_read_whole(view: Any, client: FlaskClient, read: Any, body: bytes) -> None:
    view(read)
    if len(body) == LONG and read in (READS["in bits"], READS["in lines"]):
        body = body[:1000]
    assert client.post("/", data=body).data == body


@pytest.mark.parametrize("size", [9, 10, 11])
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_chunked_body_is_bounded(
    app: Flask, view: Any, client: FlaskClient, read: Any, size: int
) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10
    view(read)
    answer = client.open("/", **chunked(b"x" * size))
    assert (answer.status_code, answer.data if size < 11 else b"") == (
        (200, b"x" * size) if size < 11 else (413, b"")
    )


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_body_that_ends_short_of_its_length_is_not_taken_for_whole(
    view: Any, app: Flask, read: Any
) -> None:
    view(read)
    answer = knock(
        app,
        method="POST",
        input_stream=io.BytesIO(b"half"),
        environ_overrides={"CONTENT_LENGTH": "8", "wsgi.input_terminated": True},
    )
    assert answer.status.startswith("400")
    answer.close()


def test_a_view_may_have_a_limit_of_its_own(app: Flask, client: FlaskClient) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10

    @app.post("/")
    def view() -> bytes:
        request.max_content_length = 20
        return request.data

    assert client.post("/", data=b"x" * 20).data == b"x" * 20
    assert client.post("/", data=b"x" * 21).status_code == 413


def test_an_async_view_iterates_over_its_body(app: Flask, client: FlaskClient) -> None:
    @app.post("/")
    async def view() -> str:
        sizes = [len(chunk) async for chunk in request.stream]
        return f"{sum(sizes)} {len(sizes) > 1}"

    assert client.post("/", data=b"x" * LONG).text == f"{LONG} True"


def test_the_first_chunk_is_there_before_the_second_was_sent(app: Flask) -> None:
    seen: list[bytes] = []

    @app.post("/async")
    async def in_coroutine() -> str:
        async for chunk in request.stream:
            seen.append(chunk)
        return "done"

    @app.post("/sync")
    def on_thread() -> str:
        while chunk := request.stream.read(100):
            seen.append(chunk)
        return "done"

    for path in ("/async", "/sync"):
        seen.clear()
        asyncio.run(send_in_two(app, path, seen))
        assert seen == [b"first", b"second"]


async def send_in_two(app: Flask, path: str, seen: list[bytes]) -> None:
    """Send a body of two chunks, the second once the first was seen."""
    number = 0

    async def receive() -> dict[str, Any]:
        nonlocal number
        number += 1
        if number == 2:
            async with asyncio.timeout(10):
                while not seen:
                    await asyncio.sleep(0.01)
        body = {1: b"first", 2: b"second"}.get(number, b"")
        return {"type": "http.request", "body": body, "more_body": number == 1}

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"transfer-encoding", b"chunked")],
    }
    await app(scope, receive, send)


def test_a_server_that_fails_to_read_is_a_bad_request() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("broken chunk")

    with pytest.raises(ClientDisconnected):
        BodyStream(Broken(), None, None).read()


@pytest.mark.parametrize(
    ("environ", "may"),
    [
        ({"CONTENT_LENGTH": "0"}, False),
        ({"CONTENT_LENGTH": "1"}, True),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, True),
        ({"SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_METHOD": "POST"}, False),
        ({"SERVER_PROTOCOL": "HTTP/2", "REQUEST_METHOD": "POST"}, True),
        ({"SERVER_PROTOCOL": "HTTP/2", "REQUEST_METHOD": "GET"}, False),
    ],
)
def test_a_body_has_to_be_announced(environ: dict[str, str], may: bool) -> None:
    assert may_have_body({**create_environ(), "CONTENT_LENGTH": "", **environ}) is may


@pytest.mark.parametrize("size", [-1, 0, 2, 3, 100])
def test_what_follows_a_body_is_not_read(size: int) -> None:
    source = io.BytesIO(b"abcnext")
    stream = stream_of({"wsgi.input": source, "CONTENT_LENGTH": "3"}, 10)

    parts = [stream.read(size) for _ in range(3)]

    assert b"".join(parts) == (b"" if size == 0 else b"abc")
    assert source.read() == (b"abcnext" if size == 0 else b"next")
