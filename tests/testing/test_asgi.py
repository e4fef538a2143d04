"""The server in miniature: what it tells an ASGI application, and what it makes of the answer."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable
from typing import Any

import pytest
from werkzeug.test import create_environ

from brim.testing.asgi import CHUNK, as_wsgi, scope_of

START = {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]}


def part(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def call(app: Any, environ: dict[str, Any] | None = None) -> tuple[str, Any, Iterable[bytes]]:
    answer: list[Any] = []
    body = as_wsgi(app)(environ or create_environ("/"), lambda *args: answer.extend(args))
    return answer[0], answer[1], body


# The scope -----------------------------------------------------------------------------


def test_what_a_scope_says() -> None:
    environ = create_environ(
        "/a%2Fb/é?x=é",
        "https://ex.com:8000/röot",
        method="POST",
        data=b"body",
        content_type="text/x",
        headers={"X-A": "1", "X-B-C": "é"},
        environ_base={"REMOTE_ADDR": "10.0.0.1", "REMOTE_PORT": "99"},
    )
    scope = scope_of(environ)
    assert sorted(scope.pop("headers")) == [
        (b"content-length", b"4"),
        (b"content-type", b"text/x"),
        (b"host", b"ex.com:8000"),
        (b"x-a", b"1"),
        (b"x-b-c", "é".encode("latin-1")),
    ]
    assert set(scope.pop("brim.environ")) == {"wsgi.errors"}
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/röot/a/b/é",
        "raw_path": b"/r%C3%B6ot/a%2Fb/%C3%A9",
        "query_string": environ["QUERY_STRING"].encode("latin-1"),
        "root_path": "/röot",
        "client": ("10.0.0.1", 99),
        "server": ("ex.com", 8000),
    }


def test_what_no_scope_can_say_goes_beside_it() -> None:
    environ = create_environ("/")
    environ |= {"ADDED": 1, "REMOTE_USER": "Ada", "HTTP_X": 2}
    told = scope_of(environ)["brim.environ"]
    assert (told["ADDED"], told["REMOTE_USER"], told["HTTP_X"]) == (1, "Ada", 2)


def test_a_path_that_was_changed_later_is_the_one_that_counts() -> None:
    environ = create_environ("/a%2Fb")
    environ["PATH_INFO"] = "/c d\xff"
    scope = scope_of(environ)
    assert (scope["path"], scope["raw_path"]) == ("/c d\ufffd", b"/c%20d%FF")
    assert scope["client"] is None


# The request's body --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "ends", "sizes"),
    [
        ({}, "whole", [0]),
        ({"data": b"a" * 10}, "whole", [10]),
        ({"data": b"a" * (2 * CHUNK)}, "whole", [CHUNK, CHUNK]),
        ({"data": b"a" * 10}, "cut short", [10]),
        ({"data": b"a" * 10}, "chunked", [10, 0]),
    ],
    ids=["none", "small", "large", "cut short", "chunked"],
)
def test_how_a_body_arrives(options: dict[str, Any], ends: str, sizes: list[int]) -> None:
    environ = create_environ("/", method="POST", **options)
    if ends == "cut short":
        environ["CONTENT_LENGTH"] = "11"
    elif ends == "chunked":
        del environ["CONTENT_LENGTH"]
        environ["wsgi.input_terminated"] = True
        assert (b"transfer-encoding", b"chunked") in scope_of(environ)["headers"]
    got: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            got.append(message)
        await send(START)
        await send(part(b"", more=False))
        # All is said: what comes next is the end.
        got.append(await receive())

    call(app, environ)
    assert got.pop() == {"type": "http.disconnect"}
    if ends == "cut short":
        assert got.pop() == {"type": "http.disconnect"}
    assert [len(message["body"]) for message in got] == sizes


# The response --------------------------------------------------------------------------


def test_a_response_that_is_whole_is_there_when_the_application_has_ended() -> None:
    log: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(part(b"body", more=False))
        log.append("ended")

    assert call(app) == ("200 OK", [("x-a", "1")], [b"body"])
    assert log == ["ended"]


def test_the_application_is_held_at_each_chunk() -> None:
    log: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        for n in range(3):
            log.append(n)
            await send(part(str(n).encode()))
            await send(part(b""))
        await send(part(b"end", more=False))
        log.append(99)

    body: Any = call(app)[2]
    assert log == [0]
    assert next(body) == b"0"
    assert log == [0]
    assert next(body) == b"1"
    assert log == [0, 1]
    assert list(body) == [b"2", b"end"]
    assert log == [0, 1, 2, 99]
    assert list(body) == []
    body.close()


@pytest.mark.parametrize("how", ["closed", "dropped"])
def test_a_client_that_hangs_up_is_noticed(how: str) -> None:
    log: list[Any] = []
    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(START)
        try:
            await send(part(b"a"))
        except OSError:
            log.append(await receive())
            raise
        finally:
            ended.set()

    body: Any = call(app)[2]
    assert next(body) == b"a"
    if how == "closed":
        body.close()
    else:
        del body
        gc.collect()
        from brim import bridge

        bridge.run(ended.wait())
    assert log == [{"type": "http.disconnect"}]


def test_errors_come_out_once_each_in_its_place() -> None:
    async def at_once(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("at once")

    async def later(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(part(b"a"))
        raise LookupError("later")

    async def at_the_close(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        try:
            await send(part(b"a"))
        finally:
            raise LookupError("at the close")

    with pytest.raises(LookupError, match="at once"):
        call(at_once)
    body: Any = call(later)[2]
    assert next(body) == b"a"
    with pytest.raises(LookupError, match="later"):
        next(body)
    body.close()
    body = call(at_the_close)[2]
    with pytest.raises(LookupError, match="at the close"):
        body.close()
    body.close()


@pytest.mark.parametrize(
    "messages",
    [[part(b"")], [START, START], [START, part(b"", more=False), part(b"")], [{"type": "http.x"}]],
    ids=["no start", "two starts", "after the end", "unknown"],
)
def test_an_application_that_breaks_the_protocol_is_told(messages: list[Any]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    with pytest.raises(RuntimeError, match="out of turn"):
        call(app)


@pytest.mark.parametrize("messages", [[], [START]], ids=["nothing", "the start alone"])
def test_an_application_that_does_not_finish_is_told(messages: list[Any]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    with pytest.raises(RuntimeError, match="before it had sent all"):
        call(app)
