"""What the ASGI door alone can get wrong: threads, loops, bodies, clients that leave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from typing import Any

import pytest

from brim import (
    Flask,
    Response,
    current_app,
    g,
    render_template_string,
    request,
    stream_with_context,
    threads,
)
from brim.views import MethodView

#: Longer than what is kept in memory.
LONG = b"x" * 1_300_000


def scope(path: str = "/", method: str = "GET", *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
    }


class Talk:
    """One request, its body in chunks, and what was sent for it.

    ``leaves_after``: the client leaves once that many messages were sent.
    """

    def __init__(self, *chunks: bytes, leaves_after: int | None = None) -> None:
        self.chunks = list(chunks)
        self.leaves_after = leaves_after
        self.sent: list[Any] = []
        self.changed = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self.chunks:
            body = self.chunks.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self.chunks)}
        while self.leaves_after is None or len(self.sent) < self.leaves_after:
            self.changed.clear()
            await self.changed.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        self.changed.set()
        await asyncio.sleep(0)

    @property
    def answer(self) -> tuple[int, bytes]:
        body = b"".join(message.get("body", b"") for message in self.sent[1:])
        return self.sent[0]["status"], body


async def post(app: Flask, path: str, body: bytes, *chunks: bytes) -> tuple[int, bytes]:
    talk = Talk(body, *chunks)
    length = (b"content-length", str(len(body) + sum(map(len, chunks))).encode())
    async with asyncio.timeout(20):
        await app(scope(path, "POST", length), talk.receive, talk.send)
    return talk.answer


@pytest.fixture
def few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_pool", threads.Pool(2, "few"))


def test_uploads_wait_for_no_thread_that_their_own_requests_have(
    app: Flask, few_threads: None
) -> None:
    app.before_request(lambda: None)

    @app.post("/")
    async def view() -> str:
        return str(len(request.get_data()))

    async def together() -> list[Any]:
        return await asyncio.gather(*(post(app, "/", LONG, b"end") for _ in range(6)))

    assert asyncio.run(together()) == [(200, b"1300003")] * 6


def test_coroutines_that_wait_hold_up_no_sync_function(app: Flask, few_threads: None) -> None:
    app.before_request(lambda: None)
    gate: list[asyncio.Event] = []

    @app.get("/waits")
    async def waits() -> str:
        await gate[0].wait()
        return "waited"

    @app.get("/sync")
    def sync() -> str:
        return "sync"

    async def talk() -> list[tuple[int, bytes]]:
        gate.append(asyncio.Event())
        waiting = [Talk(b"") for _ in range(6)]
        tasks = [
            asyncio.create_task(app(scope("/waits"), one.receive, one.send)) for one in waiting
        ]
        await asyncio.sleep(0.05)
        quick = Talk(b"")
        async with asyncio.timeout(20):
            await app(scope("/sync"), quick.receive, quick.send)
            gate[0].set()
            await asyncio.gather(*tasks)
        return [quick.answer, *(one.answer for one in waiting)]

    assert asyncio.run(talk()) == [(200, b"sync")] + [(200, b"waited")] * 6


def test_a_request_has_one_thread_from_its_first_function_to_its_last(app: Flask) -> None:
    seen: dict[str, set[int]] = {}

    def note(*_: object) -> None:
        seen.setdefault(g.number, set()).add(threading.get_ident())

    @app.before_request
    def begin() -> None:
        g.number = request.args["n"]
        note()

    @app.get("/")
    async def view() -> str:
        await asyncio.sleep(0.001)
        return ""

    app.after_request(lambda response: (note(), response)[1])
    app.teardown_request(note)

    async def ask(number: int) -> None:
        talk = Talk(b"")
        asked = {**scope(), "query_string": f"n={number}".encode()}
        await app(asked, talk.receive, talk.send)

    async def all_of_them() -> None:
        await asyncio.gather(*(ask(number) for number in range(100)))

    asyncio.run(all_of_them())
    assert len(seen) == 100
    assert {len(ids) for ids in seen.values()} == {1}


def test_coroutines_in_coroutines_by_sync_code_end(app: Flask) -> None:
    async def inner() -> str:
        await asyncio.sleep(0)
        return "inner"

    @app.context_processor
    async def processor() -> dict[str, Any]:
        return {"value": app.ensure_sync(inner)()}

    @app.get("/")
    async def view() -> str:
        return render_template_string("{{ value }}")

    async def ask() -> tuple[int, bytes]:
        talk = Talk(b"")
        async with asyncio.timeout(20):
            await app(scope(), talk.receive, talk.send)
        return talk.answer

    assert asyncio.run(ask()) == (200, b"inner")


def by_ensure_sync(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def decorated(**kwargs: Any) -> Any:
        return current_app.ensure_sync(view)(**kwargs)

    return decorated


@pytest.mark.parametrize("body", [b"short", LONG], ids=["short", "long"])
def test_coroutines_behind_sync_functions_have_their_body(app: Flask, body: bytes) -> None:
    @app.post("/decorated")
    @by_ensure_sync
    async def view() -> str:
        return str(len(request.get_data()))

    class Mixed(MethodView):
        def get(self) -> str:
            return ""

        async def post(self) -> str:
            return str(len(request.get_data()))

    app.add_url_rule("/mixed", view_func=Mixed.as_view("mixed"))
    expected = (200, str(len(body) + 3).encode())
    assert asyncio.run(post(app, "/decorated", body, b"end")) == expected
    assert asyncio.run(post(app, "/mixed", body, b"end")) == expected


@pytest.mark.parametrize("body", [b"short", LONG], ids=["short", "long"])
def test_async_handlers_and_after_functions_have_the_body(app: Flask, body: bytes) -> None:
    @app.errorhandler(404)
    async def not_found(error: Exception) -> tuple[str, int]:
        return str(len(request.get_data())), 404

    @app.post("/")
    def view() -> str:
        return ""

    @app.after_request
    async def after(response: Response) -> Response:
        response.headers["X-Size"] = str(len(request.get_data()))
        return response

    size = str(len(body) + 3).encode()
    assert asyncio.run(post(app, "/nowhere", body, b"end")) == (404, size)
    assert asyncio.run(post(app, "/", body, b"end")) == (200, b"")


@pytest.mark.parametrize("fails_at", [0, 1, 2])
@pytest.mark.parametrize("kind", ["sync", "async", "whole"])
def test_whatever_fails_to_be_sent_is_closed(app: Flask, kind: str, fails_at: int) -> None:
    closed: list[str] = []

    @app.get("/")
    def view() -> Response:
        @stream_with_context
        def generate() -> Iterator[str]:
            yield "a"
            yield "b"

        @stream_with_context
        async def generate_async() -> AsyncIterator[str]:
            yield "a"
            yield "b"

        body = {"sync": generate, "async": generate_async, "whole": lambda: "ab"}[kind]()
        response = Response(body)
        response.call_on_close(lambda: closed.append("response"))
        return response

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        closed.append("request")

    async def ask() -> None:
        talk = Talk(b"")

        async def send(message: Any) -> None:
            if len(talk.sent) == fails_at:
                raise OSError("the client has left")
            talk.sent.append(message)

        await app(scope(), talk.receive, send)

    if kind == "whole" and fails_at == 2:
        asyncio.run(ask())
    else:
        with pytest.raises(OSError, match="has left"):
            asyncio.run(ask())
    assert sorted(closed) == ["request", "response"]


def test_a_stream_may_read_the_body_while_it_is_sent(app: Flask) -> None:
    @app.post("/")
    def view() -> Any:
        @stream_with_context
        def generate() -> Iterator[str]:
            yield "read: "
            yield str(len(request.get_data()))

        return generate()

    talk = Talk(b"one", b"two")
    headers = (b"transfer-encoding", b"chunked")

    async def ask() -> None:
        async with asyncio.timeout(20):
            await app(scope("/", "POST", headers), talk.receive, talk.send)

    asyncio.run(ask())
    assert talk.answer == (200, b"read: 6")


@pytest.mark.parametrize("chunks", [(b"",), (b"x" * 512 * 1024, b""), (b"abc", b"")])
def test_a_client_that_leaves_ends_the_stream(app: Flask, chunks: tuple[bytes, ...]) -> None:
    ended: list[str] = []

    @app.route("/", methods=["GET", "POST"])
    async def view() -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            try:
                while True:
                    yield "tick"
                    await asyncio.sleep(0.001)
            finally:
                ended.append("generator")

        return generate()

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        ended.append("request")

    async def ask() -> None:
        talk = Talk(*chunks, leaves_after=5)
        length = (b"content-length", str(sum(map(len, chunks))).encode())
        async with asyncio.timeout(20):
            await app(scope("/", "POST", length), talk.receive, talk.send)

    asyncio.run(ask())
    assert ended == ["generator", "request"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_stream_that_exits_does_not_end_the_server(app: Flask, kind: str) -> None:
    @app.get("/")
    def view() -> Any:
        def generate() -> Iterator[str]:
            yield "a"
            raise SystemExit(3)

        async def generate_async() -> AsyncIterator[str]:
            yield "a"
            raise SystemExit(3)

        return generate() if kind == "sync" else generate_async()

    async def server() -> str:
        talk = Talk(b"")
        try:
            await app(scope(), talk.receive, talk.send)
        except SystemExit:
            return "logged"
        return "not raised"

    assert asyncio.run(server()) == "logged"


def test_a_cancelled_request_tells_its_teardown_functions(app: Flask) -> None:
    told: list[Any] = []
    began = threading.Event()
    goes_on = threading.Event()
    app.teardown_request(lambda error: told.append(type(error)))

    @app.get("/")
    def view() -> str:
        began.set()
        goes_on.wait(10)
        return ""

    async def server() -> None:
        talk = Talk(b"")
        task = asyncio.create_task(app(scope(), talk.receive, talk.send))
        await asyncio.to_thread(began.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        assert told == []
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(server())
    assert told == [asyncio.CancelledError]


def test_a_cancellation_in_a_teardown_function_leaves_out_none(app: Flask) -> None:
    told: list[str] = []
    began = threading.Event()
    goes_on = threading.Event()

    @app.teardown_request
    def last(error: BaseException | None) -> None:
        told.append("last")

    @app.teardown_request
    async def second(error: BaseException | None) -> None:
        told.append("second")

    @app.teardown_request
    async def third(error: BaseException | None) -> None:
        await asyncio.sleep(0)
        told.append("third")

    @app.teardown_request
    def first(error: BaseException | None) -> None:
        began.set()
        goes_on.wait(10)
        told.append("first")

    app.get("/")(lambda: "")

    async def server() -> None:
        talk = Talk(b"")
        task = asyncio.create_task(app(scope(), talk.receive, talk.send))
        await asyncio.to_thread(began.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(server())
    # The one whose call the cancellation came to was not called.
    assert told == ["first", "second", "last"]


def test_a_generator_that_fails_at_once_has_sent_nothing(app: Flask) -> None:
    @app.get("/")
    def view() -> Iterator[str]:
        raise LookupError("at once")
        yield ""

    talk = Talk(b"")
    with pytest.raises(LookupError, match="at once"):
        asyncio.run(app(scope(), talk.receive, talk.send))
    assert talk.sent == []


def test_what_is_expected_to_be_refused_is_refused_without_the_body(app: Flask) -> None:
    app.before_request(lambda: ("no", 401))
    app.post("/")(lambda: "")
    talk = Talk()

    async def ask() -> None:
        headers = [(b"content-length", b"5"), (b"expect", b"100-continue")]
        async with asyncio.timeout(20):
            await app(scope("/", "POST", *headers), talk.receive, talk.send)

    async def receive() -> dict[str, Any]:
        if talk.sent:
            return {"type": "http.disconnect"}
        raise AssertionError("The body was asked for.")

    talk.receive = receive  # type: ignore[method-assign]
    asyncio.run(ask())
    assert talk.answer == (401, b"no")


@pytest.mark.parametrize(
    ("path", "raw", "expected"),
    [
        ("/é", b"/%C3%A9", "/é"),
        ("/a/é", b"/rewritten/%C3%A9", "/a/é"),
        ("/\ufffd", b"/%E9", "/\ufffd"),
        ("/a b", b"/a%20b", "/a b"),
    ],
)
def test_the_path_is_the_scopes(app: Flask, path: str, raw: bytes, expected: str) -> None:
    @app.get("/<path:rest>")
    def view(rest: str) -> str:
        return request.path

    async def ask() -> tuple[int, bytes]:
        talk = Talk(b"")
        await app({**scope(path), "raw_path": raw}, talk.receive, talk.send)
        return talk.answer

    assert asyncio.run(ask()) == (200, expected.encode())


def test_an_unknown_kind_of_scope_is_an_error(app: Flask) -> None:
    talk = Talk()
    with pytest.raises(ValueError, match="'gopher'"):
        asyncio.run(app({"type": "gopher"}, talk.receive, talk.send))


def test_a_call_that_is_neither_protocol_names_the_fix(app: Flask) -> None:
    with pytest.raises(TypeError, match="--interface"):
        app(object(), object())  # type: ignore[call-overload]
