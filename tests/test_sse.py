"""Server-sent events: what is sent, what of the request is there, and how a stream ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from typing import Any

import pytest

import brim
from brim import (
    EventStream,
    Flask,
    Response,
    ServerSentEvent,
    current_app,
    has_request_context,
    request,
    session,
)
from brim.sse import COMMENT
from brim.testing import FlaskClient
from tests.devserver.server import until
from tests.support import ENDED, Log, ended, knock

# Events -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        (ServerSentEvent("a"), "data: a\n\n"),
        (ServerSentEvent(""), "data: \n\n"),
        (ServerSentEvent(" é\0"), "data:  é\0\n\n"),
        (ServerSentEvent("a\nb\rc\r\nd\n"), "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
        # Line ends of Python's, but not of the format's.
        (ServerSentEvent("a\x0bb\u2028c"), "data: a\x0bb\u2028c\n\n"),
        (ServerSentEvent({"a": ["é", None]}), 'data: {"a": ["\\u00e9", null]}\n\n'),
        (ServerSentEvent([]), "data: []\n\n"),
        (ServerSentEvent(1.5), "data: 1.5\n\n"),
        (ServerSentEvent(date(2000, 1, 2)), 'data: "Sun, 02 Jan 2000 00:00:00 GMT"\n\n'),
        (ServerSentEvent("a", event="b c"), "event: b c\ndata: a\n\n"),
        (ServerSentEvent("a", event=""), "data: a\n\n"),
        (ServerSentEvent("a", id="é 1"), "id: é 1\ndata: a\n\n"),
        (ServerSentEvent("a", id=0), "id: 0\ndata: a\n\n"),
        (ServerSentEvent("a", id=""), "id: \ndata: a\n\n"),
        (ServerSentEvent(retry=0), "retry: 0\n\n"),
        (ServerSentEvent(comment="a\r\nb"), ": a\n: b\n\n"),
        (
            ServerSentEvent("a", comment="d", retry=5, id="c", event="b"),
            ": d\nevent: b\nid: c\nretry: 5\ndata: a\n\n",
        ),
    ],
    ids=repr,
)
def test_an_event_is_lines_and_an_empty_one(event: ServerSentEvent, sent: str) -> None:
    assert event.encode() == sent.encode()


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ({"event": "a\nb"}, ValueError, "'a\\nb' has a line break"),
        ({"event": "a\r"}, ValueError, "'a\\r' has a line break"),
        ({"id": "a\nb"}, ValueError, "'a\\nb' has a line break or a NUL"),
        ({"id": "a\0"}, ValueError, "'a\\x00' has a line break or a NUL"),
        ({"retry": -1}, ValueError, "retry is -1; it is milliseconds, 0 or more"),
        ({"retry": 1.5}, TypeError, "retry is 1.5; it must be int"),
        ({"retry": True}, TypeError, "retry is True; it must be int"),
        ({"id": 1.5}, TypeError, "id is 1.5; it must be str or int"),
        ({"event": 1}, TypeError, "event is 1; it must be str"),
        ({"comment": b"a"}, TypeError, "comment is b'a'; it must be str"),
    ],
)
def test_what_would_break_the_stream_is_refused(
    values: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as raised:
        ServerSentEvent("data", **values)
    assert text in str(raised.value)


def test_an_event_can_not_be_changed() -> None:
    event = ServerSentEvent("a", id=1)
    with pytest.raises(AttributeError):
        event.data = "b"  # type: ignore[misc]
    assert not hasattr(event, "__dict__")
    assert (event, hash(event)) == (ServerSentEvent("a", id=1), hash(ServerSentEvent("a", id=1)))


# Streams ------------------------------------------------------------------------------

#: Every way of running a generator's steps.
Kind = Callable[..., EventStream]


def sync_events(steps: Callable[[], Iterator[Any]], **options: Any) -> EventStream:
    """On a thread of its own."""
    return EventStream(steps(), **{"keep_alive": 60, **options})


def plain_events(steps: Callable[[], Iterator[Any]], **options: Any) -> EventStream:
    """Where the server iterates."""
    return EventStream(steps(), **{**options, "keep_alive": None})


def async_events(steps: Callable[[], Iterator[Any]], **options: Any) -> EventStream:
    """On a loop."""

    async def events() -> AsyncIterator[Any]:
        for event in steps():
            await asyncio.sleep(0)
            yield event

    return EventStream(events(), **{"keep_alive": 60, **options})


@pytest.fixture(params=[sync_events, plain_events, async_events], ids=["sync", "plain", "async"])
def stream(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


def headers_of(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def test_data_alone_is_an_event(app: Flask, stream: Kind) -> None:
    events = ["a\nb", {"c": 1}, [2], 3, None, ServerSentEvent("d", id="e")]
    app.get("/")(lambda: stream(lambda: iter(events)))
    answer = knock(app)
    assert answer.read().decode() == (
        'data: a\ndata: b\n\ndata: {"c": 1}\n\ndata: [2]\n\ndata: 3\n\n:\n\nid: e\ndata: d\n\n'
    )
    answer.close()
    assert answer.status == "200 OK"
    assert headers_of(answer.headers) == {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
    }


@pytest.mark.parametrize("events", [list[str], lambda: sync_events(lambda: iter("a")).response])
def test_without_headers_of_the_views_it_is_made_in_the_same_way(events: Any) -> None:
    quick, slow = EventStream(events()), EventStream(events(), headers={})
    for response in (quick, slow):
        assert (response.status, response.status_code) == ("200 OK", 200)
        assert (response.mimetype, response.is_streamed) == ("text/event-stream", True)
        response.headers.add("X", "1")
        response.set_cookie("c", "d")
    assert sorted(quick.headers) == sorted(slow.headers)
    assert len(quick.headers) == 5
    quick.close()
    slow.close()


def test_status_and_headers_are_the_views(app: Flask, stream: Kind) -> None:
    headers = {"Cache-Control": "no-cache", "X": "1"}

    @app.get("/<kind>")
    def view(kind: str) -> Any:
        if kind == "tuple":
            return stream(lambda: iter("a")), 203, headers
        return stream(lambda: iter("a"), status=203, headers=headers)

    for path in ("/tuple", "/arguments"):
        answer = knock(app, path)
        sent = headers_of(answer.headers)
        assert (int(answer.status[:3]), sent["cache-control"], sent["x"]) == (203, "no-cache", "1")
        assert answer.read() == b"data: a\n\n"
        answer.close()


def test_it_becomes_the_applications_class_of_responses(
    app: Flask, client: FlaskClient, stream: Kind
) -> None:
    class Mine(Response):
        default_mimetype = "text/plain"

    app.response_class = Mine
    made: list[Response] = []

    @app.after_request
    def after(response: Response) -> Response:
        made.append(response)
        return response

    app.get("/")(lambda: stream(lambda: iter("a")))
    response = client.get("/")
    assert (response.mimetype, response.data) == ("text/event-stream", b"data: a\n\n")
    assert isinstance(made[0], Mine)


def test_the_request_lasts_as_long_as_the_stream(app: Flask, stream: Kind, log: Log) -> None:
    @app.get("/")
    def view() -> EventStream:
        def steps() -> Iterator[Any]:
            session["seen"] = True
            yield request.args["name"]
            yield {"app": current_app.name, "seen": session["seen"]}

        return stream(steps)

    answer = knock(app, "/?name=Ada")
    assert not has_request_context()
    assert answer.read() == b'data: Ada\n\ndata: {"app": "tests", "seen": true}\n\n'
    answer.close()
    assert log == ENDED


def test_data_is_written_by_the_applications_provider(app: Flask, stream: Kind) -> None:
    class Provider(brim.json.provider.DefaultJSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return f"{request.path} {obj!r}"

    app.json = Provider(app)
    app.get("/")(lambda: stream(lambda: iter([{"a": 1}])))
    assert knock(app).read() == b"data: / {'a': 1}\n\n"


def test_cut_short_the_generator_is_closed_and_then_the_request_ends(
    app: Flask, stream: Kind, log: Log
) -> None:
    @app.get("/")
    def view() -> EventStream:
        def steps() -> Iterator[str]:
            try:
                yield from "abc"
            finally:
                log.append(("generator", has_request_context()))

        return stream(steps)

    answer = knock(app)
    assert next(iter(answer.body)) == b"data: a\n\n"
    answer.close()
    answer.close()
    until(lambda: len(log) == 3)
    assert [entry[0] for entry in log] == ["generator", "request", "app"]
    assert (log[0], log[1][1]) == (("generator", True), log[2][1])
    # By the loop, where it waited for its next event; or where it stood.
    assert log[1][1] in (asyncio.CancelledError, GeneratorExit)


def test_to_a_head_request_nothing_is_sent(app: Flask, stream: Kind, log: Log) -> None:
    app.get("/")(lambda: stream(lambda: iter("a")))
    answer = knock(app, method="HEAD")
    assert (answer.read(), headers_of(answer.headers)["cache-control"]) == (b"", "no-store")
    answer.close()
    assert log == ENDED


@pytest.mark.parametrize("bad", [object(), b"bytes"], ids=["object", "bytes"])
def test_what_can_not_be_sent_cuts_the_stream(
    app: Flask, stream: Kind, bad: object, log: Log
) -> None:
    app.get("/")(lambda: stream(lambda: iter(["a", bad])))
    answer = knock(app)
    chunks = iter(answer.body)
    assert next(chunks) == b"data: a\n\n"
    with pytest.raises(TypeError, match="not JSON serializable"):
        next(chunks)
    answer.close()
    until(lambda: len(log) == 2)


def test_an_error_in_it_is_told_to_the_teardown_functions(
    app: Flask, stream: Kind, log: Log
) -> None:
    def steps() -> Iterator[str]:
        yield "a"
        raise LookupError("gone")

    app.get("/")(lambda: stream(steps))
    answer = knock(app)
    chunks = iter(answer.body)
    next(chunks)
    with pytest.raises(LookupError, match="gone"):
        next(chunks)
    answer.close()
    assert log == ended(LookupError)


def test_it_needs_no_request(app: Flask, stream: Kind) -> None:
    with app.app_context():
        response = stream(lambda: iter([current_app.name]))
    assert response.data == b"data: tests\n\n"


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ("text", "str"),
        (b"bytes", "bytes"),
        ({"a": 1}, "dict"),
        (ServerSentEvent("a"), "ServerSentEvent"),
        (lambda: iter("a"), "function"),
        (None, "NoneType"),
    ],
)
def test_one_event_or_a_function_is_no_stream(events: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=f"EventStream takes an iterable .* and not a {kind}"):
        EventStream(events)


@pytest.mark.parametrize("seconds", [0, -1.5, float("nan")])
def test_keeping_alive_takes_time(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"keep_alive is .*; it is seconds, more than 0"):
        EventStream([], keep_alive=seconds)


# Silence ------------------------------------------------------------------------------


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "brim-events"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_while_the_generator_waits_comments_are_sent(app: Flask, log: Log, kind: str) -> None:
    go_on = threading.Event()

    @app.get("/")
    def view() -> EventStream:
        def events() -> Iterator[str]:
            yield "a"
            go_on.wait()
            yield "b"

        async def events_async() -> AsyncIterator[str]:
            yield "a"
            while not go_on.is_set():
                await asyncio.sleep(0.001)
            yield "b"

        return EventStream(events() if kind == "sync" else events_async(), keep_alive=0.01)

    answer = knock(app)
    chunks = (chunk for chunk in answer.body)
    # Before the first event there may be comments as well, if the machine is slow.
    assert next(chunk for chunk in chunks if chunk != COMMENT) == b"data: a\n\n"
    assert [next(chunks) for _ in range(3)] == [COMMENT] * 3
    go_on.set()
    assert [chunk for chunk in chunks if chunk != COMMENT] == [b"data: b\n\n"]
    answer.close()
    assert log == ENDED
    until(lambda: not threads())


def test_a_generator_that_blocks_is_closed_as_soon_as_it_yields(app: Flask, log: Log) -> None:
    go_on = threading.Event()

    @app.get("/")
    def view() -> EventStream:
        def events() -> Iterator[str]:
            try:
                yield "a"
                go_on.wait()
                yield "b"
            finally:
                log.append(("generator", request.path))

        return EventStream(events(), keep_alive=0.01)

    answer = knock(app)
    chunks = iter(answer.body)
    assert COMMENT in [next(chunks) for _ in range(5)]
    answer.close()
    assert (log, threads()) == ([], ["brim-events"])
    go_on.set()
    until(lambda: len(log) == 3)
    assert log == [("generator", "/"), *ended(GeneratorExit)]
    until(lambda: not threads())


def test_an_async_generator_that_waits_is_cancelled_there(app: Flask, log: Log) -> None:
    @app.get("/")
    def view() -> EventStream:
        async def events() -> AsyncIterator[str]:
            try:
                yield "a"
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                log.append(("generator", request.path))
                raise

        return EventStream(events(), keep_alive=0.01)

    answer = knock(app)
    chunks = iter(answer.body)
    assert COMMENT in [next(chunks) for _ in range(5)]
    answer.close()
    until(lambda: len(log) == 3)
    assert log[0] == ("generator", "/")


def test_all_steps_of_an_async_generator_are_one_tasks(app: Flask, client: FlaskClient) -> None:
    """So a timeout or a task group may stay open while it yields."""
    tasks: set[Any] = set()

    @app.get("/")
    async def view() -> EventStream:
        async def child() -> None:
            await asyncio.sleep(0)

        async def events() -> AsyncIterator[str]:
            async with asyncio.TaskGroup() as group:
                for letter in "abc":
                    group.create_task(child())
                    tasks.add(asyncio.current_task())
                    yield letter
            tasks.add(asyncio.current_task())

        return EventStream(events(), keep_alive=60)

    assert client.get("/").text == "data: a\n\ndata: b\n\ndata: c\n\n"
    assert len(tasks) == 1


@pytest.mark.parametrize("keep_alive", [None, 60])
def test_a_step_begins_when_it_is_asked_for(app: Flask, keep_alive: float | None) -> None:
    begun: list[str] = []

    async def events() -> AsyncIterator[str]:
        for letter in "abc":
            begun.append(letter)
            yield letter

    with app.app_context():
        body = iter(EventStream(events(), keep_alive=keep_alive).response)
    next(body)
    assert begun == ["a"]
    body.close()  # type: ignore[attr-defined]


# Connecting again ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "value"),
    [(None, None), ("", None), ("7", "7"), ("é".encode().decode("latin-1"), "é"), ("\xff", "�")],
)
def test_the_last_events_id_is_read(
    app: Flask, client: FlaskClient, header: str | None, value: str | None
) -> None:
    app.get("/")(lambda: [request.last_event_id])
    headers = {} if header is None else {"Last-Event-ID": header}
    assert client.get("/", headers=headers).json == [value]
