"""What arrives bit by bit: bodies that are read ahead, and bodies that nobody reads."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest

from brim import Flask, request
from tests.support import knock

#: More than the application's limit, and than a server lets wait for the application.
LONG = b"x" * 200_000


@pytest.fixture
def app() -> Flask:
    app = Flask("bodies")
    app.config["MAX_CONTENT_LENGTH"] = 1000

    @app.before_request
    def limit_async() -> None:
        if request.endpoint == "size_async":
            assert request.view_args is not None
            request.max_content_length = request.view_args["limit"]

    @app.before_request
    async def before() -> None:
        await asyncio.sleep(0)

    @app.post("/<int:limit>")
    def size(limit: int) -> str:
        request.max_content_length = limit
        return str(len(request.get_data()))

    @app.post("/async/<int:limit>")
    async def size_async(limit: int) -> str:
        return str(len(request.get_data()))

    @app.post("/unread")
    async def unread() -> str:
        return "not read"

    return app


@pytest.mark.parametrize("kind", ["", "/async"])
@pytest.mark.parametrize(
    ("limit", "status"), [(LONG, "200 OK"), (LONG[1:], "413 REQUEST ENTITY TOO LARGE")]
)
def test_a_view_has_a_limit_of_its_own_for_a_body_without_a_length(
    app: Flask, kind: str, limit: bytes, status: str
) -> None:
    """What was read ahead for a coroutine function is not all that there is."""
    answer = knock(
        app,
        f"{kind}/{len(limit)}",
        method="POST",
        input_stream=io.BytesIO(LONG),
        environ_overrides={
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
            "CONTENT_LENGTH": "",
        },
    )
    assert answer.status == status
    assert (answer.read() == str(len(LONG)).encode()) is (status == "200 OK")


class Waiting:
    """Like Hypercorn: it queues few messages, and tells of the response's end in the same queue."""

    def __init__(self, path: str) -> None:
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(b"transfer-encoding", b"chunked")],
            "http_version": "1.1",
        }
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(2)
        self.statuses: list[int] = []

    async def serve(self, app: Flask) -> None:
        sending = asyncio.create_task(self.put_body())
        await asyncio.sleep(0)
        await app(self.scope, self.queue.get, self.send)
        sending.cancel()

    async def put_body(self) -> None:
        for start in range(0, len(LONG), 1000):
            body = LONG[start : start + 1000]
            await self.queue.put({"type": "http.request", "body": body, "more_body": True})

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.statuses.append(message["status"])
        elif not message.get("more_body"):
            await self.queue.put({"type": "http.disconnect"})


def test_a_coroutine_is_told_how_to_have_a_limit_of_its_own(app: Flask) -> None:
    """It can't wait for what was not read ahead."""

    @app.post("/late")
    async def late() -> str:
        request.max_content_length = len(LONG)
        return str(len(request.get_data()))

    app.testing = True
    client = app.test_client(door="asgi")
    with pytest.raises(RuntimeError, match="request.max_content_length in a sync before-function"):
        client.post("/late", data=LONG)


@pytest.mark.wsgi("it is about a server of its own")
@pytest.mark.parametrize(("path", "status"), [("/unread", 200), ("/1000", 413)])
def test_what_nobody_reads_does_not_hold_up_the_response(
    app: Flask, path: str, status: int
) -> None:
    server = Waiting(path)

    async def serve() -> None:
        async with asyncio.timeout(20):
            await server.serve(app)

    asyncio.run(serve())
    assert server.statuses == [status]
