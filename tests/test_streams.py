"""Streams that keep their request: what each step sees, and when the request ends."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import pytest
from werkzeug.exceptions import HTTPException

import brim
from brim import (
    Flask,
    Response,
    abort,
    appcontext_tearing_down,
    current_app,
    g,
    has_app_context,
    has_request_context,
    request,
    stream_with_context,
)
from brim.streams import AsyncBody
from brim.testing import FlaskClient
from tests.devserver.server import until
from tests.support import ENDED, Log, ended, knock, on_thread


@pytest.fixture(params=["sync", "async"])
def stream(request: pytest.FixtureRequest, app: Flask, log: Log) -> Flask:
    """An application that streams what a generator of either kind gives, and notes when."""
    kind: str = request.param

    @app.get("/stream")
    @app.get("/stream/<int:fails>")
    def stream(fails: int = 9) -> Response:
        @stream_with_context
        def generate() -> Iterator[str]:
            g.steps = 0
            try:
                for step in range(3):
                    yield take(step)
            finally:
                log.append(("generator", has_request_context()))

        @stream_with_context
        async def generate_async() -> AsyncIterator[str]:
            g.steps = 0
            try:
                for step in range(3):
                    yield take(step)
                    await asyncio.sleep(0)
            finally:
                log.append(("generator", has_request_context()))

        def take(step: int) -> str:
            if step == fails:
                abort(409)
            g.steps += 1
            return f"{brim.request.path}:{g.steps} "

        return Response(generate() if kind == "sync" else generate_async())

    app.get("/plain")(lambda: "plain")
    return app


STREAMED = b"/stream:1 /stream:2 /stream:3 "


def test_the_request_lasts_as_long_as_its_stream(stream: Flask, log: Log) -> None:
    answer = knock(stream, "/stream")
    assert (log, has_app_context()) == ([], False)
    assert answer.read() == STREAMED
    assert log == [("generator", True), *ENDED]
    answer.close()
    answer.close()
    assert len(log) == 3


def test_nothing_is_current_between_its_steps(stream: Flask) -> None:
    answer = knock(stream, "/stream")
    for _ in answer.body:
        assert not has_app_context()
        assert knock(stream, "/plain").read() == b"plain"
    answer.close()


def test_cut_short_it_ends_the_request_with_a_generator_exit(stream: Flask, log: Log) -> None:
    answer = knock(stream, "/stream")
    assert next(iter(answer.body)) == b"/stream:1 "
    answer.close()
    assert log == [("generator", True), *ended(GeneratorExit)]


@pytest.mark.wsgi("an ASGI application sends its chunks, so the first is made unasked")
def test_never_iterated_it_ends_the_request_all_the_same(stream: Flask, log: Log) -> None:
    answer = knock(stream, "/stream")
    answer.close()
    assert log == ENDED
    answer.close()
    assert log == ENDED


@pytest.mark.wsgi("an ASGI server always says that a client has left")
def test_dropped_without_a_close_it_ends_the_request(stream: Flask, log: Log) -> None:
    answer = knock(stream, "/stream")
    del answer
    assert log == ENDED


@pytest.mark.wsgi("an ASGI server always says that a client has left")
def test_dropped_half_way_it_ends_the_request(stream: Flask, log: Log) -> None:
    answer = knock(stream, "/stream")
    next(iter(answer.body))
    del answer
    # An async one is closed on its loop, for which nobody waits here.
    until(lambda: len(log) == 3)
    assert log == [("generator", True), *ended(GeneratorExit)]


def test_an_error_in_it_ends_the_request_and_goes_on_to_the_server(stream: Flask, log: Log) -> None:
    answer = knock(stream, "/stream/1")
    with pytest.raises(HTTPException) as raised:
        answer.read()
    assert raised.value.code == 409
    assert log == [("generator", True), *ended(type(raised.value))]
    answer.close()
    assert len(log) == 3


def test_once_it_has_ended_there_is_nothing_more(app: Flask, log: Log) -> None:
    with app.test_request_context():
        stream = stream_with_context(iter("a"))
        assert list(stream) == ["a"]
        assert list(stream) == []
        stream.close()  # type: ignore[attr-defined]
    assert log == ENDED


def test_to_a_head_request_it_is_not_sent_and_ends(stream: Flask, log: Log) -> None:
    answer = knock(stream, "/stream", method="HEAD")
    assert answer.read() == b""
    answer.close()
    assert log == ENDED


def test_in_an_applications_context_only_the_request_ends(stream: Flask, log: Log) -> None:
    with stream.app_context():
        g.steps = "outer"
        answer = knock(stream, "/stream")
        assert answer.read() == STREAMED
        assert log == [("generator", True), ("request", None, True)]
        assert g.steps == 3
    assert log[-1] == ("app", None, False)


def test_with_the_test_client(stream: Flask, client: FlaskClient, log: Log) -> None:
    response = client.get("/stream")
    assert response.data == STREAMED
    response.close()
    assert log == [("generator", True), *ENDED]


def test_with_the_test_client_in_a_block(stream: Flask, client: FlaskClient, log: Log) -> None:
    with client:
        response = client.get("/stream")
        assert response.data == STREAMED
        assert (request.path, g.steps) == ("/stream", 3)
        assert log == [("generator", True)]
    assert log == [("generator", True), *ENDED]


def test_with_the_test_client_buffered(stream: Flask, client: FlaskClient, log: Log) -> None:
    assert client.get("/stream", buffered=True).data == STREAMED
    assert log == [("generator", True), *ENDED]


def test_given_up_for_an_error_it_holds_the_request_no_longer(
    app: Flask, client: FlaskClient, log: Log
) -> None:
    """Whatever keeps the stream that was never sent, such as a traceback."""
    kept: list[Iterator[str]] = []

    @app.get("/<error>")
    def view(error: str) -> str:
        kept.append(stream_with_context(iter("a")))
        abort(409) if error == "http" else [][1]
        return ""

    app.testing = False
    for error, status in {"http": 409, "other": 500}.items():
        assert client.get(f"/{error}").status_code == status
        assert log == (ended(IndexError) if status == 500 else ENDED)
        assert list(kept.pop()) == ["a"]
        assert len(log) == 2
        log.clear()


def test_iterated_in_the_view_it_is_like_any_iterator(
    app: Flask, client: FlaskClient, log: Log
) -> None:
    app.get("/")(lambda: "".join(stream_with_context(iter("abc"))))
    assert client.get("/").text == "abc"
    assert log == ENDED


def test_of_several_the_last_one_ends_the_request(app: Flask, log: Log) -> None:
    with app.test_request_context():
        one, other = stream_with_context(iter("ab")), stream_with_context(iter("cd"))
    assert log == []
    assert list(one) == ["a", "b"]
    assert log == []
    other.close()  # type: ignore[attr-defined]
    assert log == ENDED


def test_what_is_set_before_the_view_is_reset_after_the_stream(
    stream: Flask, client: FlaskClient
) -> None:
    """As tracers do, which have a request's span in a context variable of their own."""
    span = ContextVar("span", default="none")

    @stream.before_request
    def begin() -> None:
        g.token = span.set(request.path)

    @stream.teardown_request
    def finish(error: BaseException | None) -> None:
        span.reset(g.token)

    for path in ("/stream", "/stream/1", "/plain"):
        with suppress(HTTPException):
            client.get(path, buffered=True).close()
        assert span.get() == "none", path


def test_contexts_of_its_own_are_left_in_it(app: Flask) -> None:
    inner = Flask("inner")

    @app.get("/")
    def view() -> Response:
        @stream_with_context
        def generate() -> Iterator[str]:
            with inner.app_context():
                yield current_app.name
            yield current_app.name

        return Response(generate())

    answer = knock(app)
    assert [chunk for chunk in answer.body if not has_app_context()] == [b"inner", b"tests"]


@pytest.mark.parametrize("upto", [0, 1, 3])
def test_closed_on_another_thread_it_costs_nobody_a_teardown(
    stream: Flask, log: Log, upto: int
) -> None:
    """flask#6123: later requests on the first thread lose their teardown functions."""
    answer = knock(stream, "/stream")
    chunks = iter(answer.body)
    for _ in range(upto):
        next(chunks)
    on_thread(answer.close)
    assert not has_app_context()
    # It was read to the end of its data, not to its own.
    end = ended(GeneratorExit) if upto or FlaskClient.door == "asgi" else ENDED
    assert [entry for entry in log if entry[0] != "generator"] == end
    log.clear()
    for _ in range(3):
        assert knock(stream, "/plain").read() == b"plain"
    assert log == ENDED * 3


def test_each_step_may_be_on_another_thread(stream: Flask, log: Log) -> None:
    answer = knock(stream, "/stream")
    chunks = iter(answer.body)
    body = [on_thread(lambda: next(chunks)) for _ in range(3)]
    assert on_thread(lambda: next(chunks, b"end")) == b"end"
    assert b"".join(body) == STREAMED
    assert log == [("generator", True), *ENDED]
    on_thread(answer.close)
    assert len(log) == 3


def test_an_error_of_a_teardown_function_comes_out_of_the_close(app: Flask) -> None:
    app.get("/")(lambda: Response(stream_with_context(iter("a"))))

    @app.teardown_request
    def fail(error: BaseException | None) -> None:
        raise ValueError("teardown")

    answer = knock(app)
    with pytest.raises(ValueError, match="teardown"):
        answer.close()
    assert not has_app_context()


# Async generators that hold no request ------------------------------------------------


class Source:
    """An async iterator with a closing of its own, which may fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.closed = 0
        self.error = error

    def __aiter__(self) -> Source:
        return self

    async def __anext__(self) -> bytes:
        return b"chunk"

    async def aclose(self) -> None:
        self.closed += 1
        if self.error is not None:
            raise self.error


async def letters(log: Log) -> AsyncIterator[str]:
    mark = tracked.set("inside")
    try:
        for letter in "abc":
            await asyncio.sleep(0)
            yield letter
    finally:
        tracked.reset(mark)
        log.append(tracked.get())


tracked = ContextVar("tracked", default="outside")


def test_a_body_is_iterated_by_a_thread_or_a_loop() -> None:
    log: Log = []

    async def read() -> list[str]:
        return [letter async for letter in AsyncBody(letters(log))]

    assert list(AsyncBody(letters(log))) == asyncio.run(read()) == ["a", "b", "c"]
    assert log == ["outside", "outside"]


def test_a_body_is_closed_once() -> None:
    source = Source()
    body = AsyncBody(source)
    assert next(body) == b"chunk"
    body.close()
    body.close()
    assert (source.closed, list(body)) == (1, [])

    async def close() -> None:
        native = AsyncBody(source)
        await native.aclose()
        await native.aclose()
        assert [chunk async for chunk in native] == []

    asyncio.run(close())
    assert source.closed == 2


def test_an_error_of_its_closing_comes_out_of_the_close() -> None:
    with pytest.raises(ValueError, match="closing"):
        AsyncBody(Source(ValueError("closing"))).close()


def test_cut_short_its_steps_share_a_context() -> None:
    log: Log = []
    body = AsyncBody(letters(log))
    next(body)
    on_thread(lambda: next(body))
    on_thread(body.close)
    assert log == ["outside"]


def test_it_holds_no_request(app: Flask, log: Log) -> None:
    """As no generator does without :func:`stream_with_context`."""

    @app.get("/")
    async def view() -> AsyncIterator[str]:
        async def generate() -> AsyncIterator[str]:
            yield str(has_request_context())

        return generate()

    assert knock(app).read() == b"False"
    assert log == ENDED


@pytest.mark.parametrize("started", [False, True])
def test_dropped_it_leaves_nothing_behind(started: bool, caplog: pytest.LogCaptureFixture) -> None:
    log: Log = []
    body = AsyncBody(letters(log))
    if started:
        next(body)
    del body
    gc.collect()
    if started:
        until(lambda: log)
    assert (log, caplog.messages) == (["outside"] if started else [], [])


def test_never_begun_a_generator_needs_no_loop_to_be_closed(app: Flask, log: Log) -> None:
    app.get("/")(lambda: stream_with_context(letters(log)))
    answer = knock(app, method="HEAD")
    assert answer.read() == b""
    answer.close()
    assert log == ENDED


def test_what_is_set_before_the_view_is_reset_after_it_on_either_side(
    app: Flask, client: FlaskClient
) -> None:
    """Sync functions and coroutines each reset what a function of their kind has set."""
    marks: Log = []
    if FlaskClient.door == "asgi":

        @app.before_request
        async def begin_async() -> None:
            g.async_mark = tracked.set("async")

        @app.teardown_request
        async def finish_async(error: BaseException | None) -> None:
            tracked.reset(g.async_mark)
            marks.append("async")

    span = ContextVar("span", default="none")

    @app.before_request
    def begin() -> None:
        g.mark = span.set("sync")

    @app.teardown_request
    def finish(error: BaseException | None) -> None:
        span.reset(g.mark)
        marks.append("sync")

    app.get("/")(lambda: stream_with_context(letters([])))
    assert client.get("/").text == "abc"
    assert marks == ["sync", "async"][: 2 if FlaskClient.door == "asgi" else 1]


def test_async_teardown_functions_are_awaited_where_the_stream_is_closed(app: Flask) -> None:
    loops: list[Any] = []

    @app.teardown_request
    async def finish(error: BaseException | None) -> None:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())

    @app.get("/")
    async def view() -> AsyncIterator[str]:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            loops.append(asyncio.get_running_loop())
            yield "a"

        return generate()

    answer = knock(app)
    assert answer.read() == b"a"
    answer.close()
    assert len(loops) == 2
    assert loops[0] is loops[1]


@pytest.mark.parametrize("kind", [Response, brim.EventStream])
@pytest.mark.parametrize("sync", [False, True])
def test_the_lone_stream_of_a_coroutine_function_ends_its_request(
    app: Flask, kind: Any, sync: bool
) -> None:
    seen: list[Any] = []

    async def steps() -> AsyncIterator[str]:
        await asyncio.sleep(0)
        # What is to be done at the end is decided at the end.
        appcontext_tearing_down.connect(receiver, app)
        yield brim.request.path

    def sync_steps() -> Iterator[str]:
        appcontext_tearing_down.connect(receiver, app)
        yield brim.request.path

    def receiver(_: Flask, exc: BaseException | None) -> None:
        seen.append((exc, has_request_context(), has_app_context()))

    @app.get("/")
    async def view() -> Response:
        response: Response = kind(stream_with_context(sync_steps() if sync else steps()))
        return response

    try:
        answer = knock(app, "/")
        assert (seen, has_app_context()) == ([], False)
        assert b"/" in answer.read()
        answer.close()
    finally:
        appcontext_tearing_down.disconnect(receiver, app)
    assert seen == [(None, False, True)]


def test_a_response_of_a_class_of_ones_own_is_sent_as_it_is(app: Flask) -> None:
    class Mine(Response):
        default_mimetype = "text/x-mine"

        def get_wsgi_headers(self, environ: Any) -> Any:
            headers = super().get_wsgi_headers(environ)
            headers["X-Path"] = environ["PATH_INFO"]
            return headers

    async def steps() -> AsyncIterator[str]:
        yield "a"

    @app.get("/<kind>")
    async def view(kind: str) -> Response:
        return Mine(steps() if kind == "stream" else "a")

    for path in ("/stream", "/whole"):
        answer = knock(app, path)
        headers = dict(answer.headers)
        sent = {name.lower(): value for name, value in headers.items()}
        assert answer.read() == b"a"
        answer.close()
        assert (sent["x-path"], sent["content-type"][:11]) == (path, "text/x-mine")
