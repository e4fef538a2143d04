"""What views call. Streams are in test_ctx.py, URLs in test_urls.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as WerkzeugResponse

from brim import (
    Flask,
    Response,
    abort,
    flash,
    get_flashed_messages,
    get_template_attribute,
    has_request_context,
    make_response,
    message_flashed,
    redirect,
    request,
    session,
    stream_with_context,
    url_for,
)
from brim.helpers import get_debug_flag, get_load_dotenv
from brim.testing import FlaskClient


@pytest.mark.parametrize(
    ("variables", "debug"),
    [
        ({}, False),
        ({"FLASK_DEBUG": "No"}, False),
        ({"FLASK_DEBUG": "0"}, False),
        ({"FLASK_DEBUG": "False"}, False),
        ({"FLASK_DEBUG": "1"}, True),
        ({"FLASK_DEBUG": "anything"}, True),
        ({"BRIM_DEBUG": "1"}, True),
        ({"BRIM_DEBUG": "0", "FLASK_DEBUG": "1"}, False),
    ],
    ids=str,
)
def test_flags_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], debug: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.replace("DEBUG", "SKIP_DOTENV"), value)
    assert get_debug_flag() is debug
    assert get_load_dotenv() is not debug
    assert get_load_dotenv(default=False) is (bool(variables) and not debug)


def test_an_empty_flag_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "")
    monkeypatch.setenv("BRIM_SKIP_DOTENV", "")
    assert not get_debug_flag()
    assert get_load_dotenv()
    assert not get_load_dotenv(default=False)


# Responses -----------------------------------------------------------------------------


def test_make_response(app: Flask) -> None:
    with app.test_request_context("/"):
        empty = make_response()
        assert (empty.status_code, empty.data) == (200, b"")
        assert make_response("x").data == make_response(b"x").data == b"x"
        several = make_response("x", 201, {"X-A": "1"})
        assert (several.status_code, several.headers["X-A"]) == (201, "1")
        assert make_response({"a": 1}).json == {"a": 1}
        assert make_response(several) is several


@pytest.mark.parametrize("inside", [True, False])
def test_redirect(app: Flask, inside: bool) -> None:
    """Outside an application it is Werkzeug's."""

    class Own(WerkzeugResponse):
        pass

    def answers() -> list[tuple[int, str | None]]:
        made = redirect("/x"), redirect("/x", 307)
        return [(answer.status_code, answer.location) for answer in made]

    expected = [(302, "/x"), (307, "/x")]
    if inside:
        with app.app_context():
            assert answers() == expected
            assert type(redirect("/x")) is Response
    else:
        assert answers() == expected
        assert type(redirect("/x", Response=Own)) is Own


@pytest.mark.parametrize("inside", [True, False])
def test_abort(app: Flask, inside: bool) -> None:
    def stop(*args: Any, **kwargs: Any) -> HTTPException:
        with pytest.raises(HTTPException) as raised:
            abort(*args, **kwargs)
        return raised.value

    def check() -> None:
        assert type(stop(404)) is NotFound
        assert stop(404, "why").description == "why"
        assert stop(404, description="why").description == "why"
        response = Response("own", 299)
        assert stop(response).get_response() is response
        with pytest.raises(LookupError):
            abort(299)

    if inside:
        app.aborter.mapping[404] = NotFound
        with app.app_context():
            check()
    else:
        check()


def test_a_streams_function_may_take_arguments(app: Flask, client: FlaskClient) -> None:
    @app.get("/")
    def view() -> Iterator[str]:
        @stream_with_context
        def greet(greeting: str, mark: str) -> Iterator[str]:
            yield greeting
            yield f"{request.args['name']}{mark}"

        assert greet.__name__ == "greet"
        return greet("Hello, ", mark="!")

    assert client.get("/?name=Ada").text == "Hello, Ada!"
    assert not has_request_context()


def test_a_stream_needs_a_request() -> None:
    with pytest.raises(RuntimeError, match="'stream_with_context' can only be used"):
        stream_with_context(iter("ab"))
    with pytest.raises(RuntimeError, match="outside of application context"):
        url_for("x")


def test_what_a_template_exports(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    source = "{% macro hello(name) %}Hello, {{ name }}!{% endmacro %}{% set answer = 42 %}"
    (tmp_path / "templates" / "macros.html").write_text(source)
    app = Flask(__name__, root_path=str(tmp_path))
    with app.app_context():
        assert get_template_attribute("macros.html", "hello")("Ada") == "Hello, Ada!"
        assert get_template_attribute("macros.html", "answer") == 42
        with pytest.raises(AttributeError):
            get_template_attribute("macros.html", "nothing")


# Flashed messages ----------------------------------------------------------------------


def test_flashed_messages_are_shown_once(app: Flask, client: FlaskClient) -> None:
    @app.get("/flash")
    def flashes() -> str:
        flash("one")
        flash("two", "error")
        return ""

    @app.get("/show")
    def show() -> list[Any]:
        return [
            get_flashed_messages(),
            get_flashed_messages(with_categories=True),
            get_flashed_messages(category_filter=["error"]),
            get_flashed_messages(with_categories=True, category_filter=("error", "info")),
            "_flashes" in session,
        ]

    client.get("/flash")
    both = [["message", "one"], ["error", "two"]]
    assert client.get("/show").json == [["one", "two"], both, ["two"], both[1:], False]
    assert client.get("/show").json == [[], [], [], [], False]


def test_messages_of_the_same_request(app: Flask) -> None:
    """Those flashed after the first look wait for the next request."""
    with app.test_request_context("/"):
        flash("early")
        assert get_flashed_messages() == ["early"]
        flash("late")
        assert get_flashed_messages() == ["early"]
        assert session["_flashes"] == [("message", "late")]


def test_a_signal_tells_of_each_message(app: Flask) -> None:
    told: list[Any] = []

    def receive(sender: Flask, **values: Any) -> None:
        told.append((sender, values))

    with message_flashed.connected_to(receive, app), app.test_request_context("/"):
        flash("text", "info")
    assert told == [(app, {"message": "text", "category": "info"})]


def test_messages_need_a_request() -> None:
    with pytest.raises(RuntimeError, match="outside of request context"):
        flash("text")
    with pytest.raises(RuntimeError, match="outside of request context"):
        get_flashed_messages()
