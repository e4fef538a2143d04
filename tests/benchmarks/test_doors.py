"""The benchmarks' own WSGI and ASGI: what they ask of Brim comes back as it should."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import answers
from benchmarks.answers import Case
from benchmarks.doors import ASGIDoor, Request, WSGIDoor, environ_of, messages_of, scope_of
from benchmarks.peers import brim_apps, brim_async, raw_asgi, raw_wsgi

BODIES = (answers.PLAIN, answers.JSON, answers.POST_JSON, answers.FORM, answers.STREAM)
CASES = (
    *BODIES,
    answers.upload("1 KB", 1024),
    answers.upload("1 MB", 2**20),
    answers.MISSING,
    answers.ERROR,
    answers.HOOKS,
    answers.HOOKS_USING_G,
    answers.LOGIN,
    answers.FILE,
    answers.SSE,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_brim_answers_each_case_under_wsgi(case: Case) -> None:
    door, app = WSGIDoor(), brim_apps.APPS[case.program]()
    case.check("Brim", door.ask(app, case.request))
    door.caller(app, case.request).run(2)
    case.check("Brim", door.ask(app, case.request))


@pytest.mark.parametrize("spec", ["2.3", "2.4"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_brim_answers_each_case_under_asgi(case: Case, spec: str) -> None:
    app = brim_async.APPS[case.program]()
    with ASGIDoor(spec) as door:
        door.start(app)
        case.check("Brim", door.ask(app, case.request))
        door.caller(app, case.request).run(2)
        case.check("Brim", door.ask(app, case.request))


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case.title)
def test_the_raw_callables_answer_as_the_frameworks_do(case: Case) -> None:
    case.check("raw", WSGIDoor().ask(raw_wsgi.APPS["basic"](), case.request))
    with ASGIDoor() as door:
        case.check("raw", door.ask(raw_asgi.APPS["basic"](), case.request))


def test_messages_go_there_and_back_over_a_websocket() -> None:
    with ASGIDoor() as door:
        for apps in (brim_async.APPS, raw_asgi.APPS):
            door.echoer(apps["websocket"](), "/echo", "a message").run(10)


def test_an_echo_that_loses_messages_is_noticed() -> None:
    async def deaf(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    with ASGIDoor() as door, pytest.raises(AssertionError, match="echoed 0 of 3"):
        door.echoer(deaf, "/echo", "a message").run(3)


@pytest.mark.parametrize(
    "wrong",
    [
        answers.Answer(500, {"content-type": answers.HTML}, b"Hello, World!"),
        answers.Answer(200, {"content-type": "text/plain"}, b"Hello, World!"),
        answers.Answer(200, {"content-type": answers.HTML}, b"Hello"),
        answers.Answer(200, {}, b"Hello, World!"),
    ],
)
def test_a_wrong_answer_is_not_timed(wrong: answers.Answer) -> None:
    with pytest.raises(AssertionError, match="plain text: Flask answered"):
        answers.PLAIN.check("Flask", wrong)


def test_a_request_is_the_same_by_both_protocols() -> None:
    request = Request("/a?b=c", "POST", (("x-one", "1"),), b"x" * 70_000)
    environ, scope = environ_of(request), scope_of(request)
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/a", "b=c")
    assert (scope["path"], scope["query_string"]) == ("/a", b"b=c")
    assert environ["CONTENT_LENGTH"] == "70000" and environ["HTTP_X_ONE"] == "1"
    assert dict(scope["headers"]).items() >= {(b"content-length", b"70000"), (b"x-one", b"1")}
    messages = messages_of(request)
    assert [message["more_body"] for message in messages] == [True, False]
    assert b"".join(message["body"] for message in messages) == environ["wsgi.input"].read()


def test_an_application_that_fails_to_start_is_told() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with ASGIDoor() as door, pytest.raises(RuntimeError, match="no database"):
        door.start(app)


def test_an_application_without_a_lifespan_is_started_all_the_same() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError

    with ASGIDoor() as door:
        door.start(app)
