"""What a view may return, and the response that each result becomes.

The statuses, headers and bodies are those that Flask 3.1.3 sends. Bodies that are made
asynchronously, which Flask refuses, are like those that are made synchronously.
"""

from __future__ import annotations

import collections
import io
from collections.abc import AsyncIterator, Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from markupsafe import Markup
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as WerkzeugResponse

from brim import Flask, Response, jsonify, make_response, request
from brim.testing import FlaskClient
from tests.support import handed_over, knock

HTML = ("Content-Type", "text/html; charset=utf-8")
PLAIN = ("Content-Type", "text/plain; charset=utf-8")
JSON = ("Content-Type", "application/json")
X1, X2 = ("X", "1"), ("X", "2")


def length(size: int) -> tuple[str, str]:
    return ("Content-Length", str(size))


class Text(str):
    """A str, but not quite."""


class Pair(collections.namedtuple("Pair", "body status")):
    """A tuple, but not quite."""


def generate() -> Iterator[str]:
    yield "a"
    yield "é"


async def generate_async() -> AsyncIterator[str]:
    yield "a"
    yield "é"


class Pages:
    """An async iterable that is no iterator."""

    def __aiter__(self) -> AsyncIterator[str]:
        return generate_async()


def wsgi_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("202 Ok", [("Content-Type", "a/b"), ("X-Path", environ["PATH_INFO"])])
    return [b"wsgi"]


class WSGIApp:
    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("299 Hm", [X1])
        return [b"object"]


Result = Callable[[], Any]
RESULTS: dict[str, Any] = {
    # Bodies
    "str": (lambda: "é", "200 OK", [HTML, length(2)], "é".encode()),
    "empty str": (lambda: "", "200 OK", [HTML, length(0)], b""),
    "subclass of str": (lambda: Text("x"), "200 OK", [HTML, length(1)], b"x"),
    "markup": (lambda: Markup("<b>"), "200 OK", [HTML, length(3)], b"<b>"),
    "bytes": (lambda: b"\xff", "200 OK", [HTML, length(1)], b"\xff"),
    "bytearray": (lambda: bytearray(b"x"), "200 OK", [HTML, length(1)], b"x"),
    "dict": (lambda: {"b": 1, "a": 2}, "200 OK", [JSON, length(14)], b'{"a":2,"b":1}\n'),
    "empty dict": (dict, "200 OK", [JSON, length(3)], b"{}\n"),
    "multidict": (
        lambda: MultiDict([("a", 1), ("a", 2)]),
        *("200 OK", [JSON, length(8)], b'{"a":1}\n'),
    ),
    "list": (lambda: [1, "a"], "200 OK", [JSON, length(8)], b'[1,"a"]\n'),
    "list of a pair": (lambda: [("a", 1)], "200 OK", [JSON, length(10)], b'[["a",1]]\n'),
    "empty list": (list, "200 OK", [JSON, length(3)], b"[]\n"),
    "generator": (generate, "200 OK", [HTML], "aé".encode()),
    "async generator": (generate_async, "200 OK", [HTML], "aé".encode()),
    "async iterable": (Pages, "200 OK", [HTML], "aé".encode()),
    "iterator of str": (lambda: iter("ab"), "200 OK", [HTML], b"ab"),
    "iterator of bytes": (lambda: iter([b"a", b"b"]), "200 OK", [HTML], b"ab"),
    "map": (lambda: map(str, [1, 2]), "200 OK", [HTML], b"12"),
    "file": (lambda: io.BytesIO(b"file"), "200 OK", [HTML], b"file"),
    # Responses
    "response": (lambda: Response("x", 418), "418 I'M A TEAPOT", [HTML, length(1)], b"x"),
    "Werkzeug's response": (
        lambda: WerkzeugResponse("x", 201, {"X": "1"}),
        *("201 CREATED", [X1, PLAIN, length(1)], b"x"),
    ),
    "HTTP error's response": (
        lambda: NotFound().get_response(),
        *("404 NOT FOUND", [HTML, length(207)], NotFound().get_body().encode()),
    ),
    "HTTP error": (
        lambda: NotFound(),
        *("404 NOT FOUND", [HTML, length(207)], NotFound().get_body().encode()),
    ),
    "jsonify": (lambda: jsonify(1), "200 OK", [JSON, length(2)], b"1\n"),
    "WSGI function": (
        lambda: wsgi_app,
        *("202 Ok", [("Content-Type", "a/b"), ("X-Path", "/")], b"wsgi"),
    ),
    "WSGI object": (WSGIApp, "299 Hm", [X1, PLAIN], b"object"),
    # With a status
    "status": (lambda: ("x", 404), "404 NOT FOUND", [HTML, length(1)], b"x"),
    "status as str": (lambda: ("x", "404 Nope"), "404 Nope", [HTML, length(1)], b"x"),
    "status as digits": (lambda: ("x", "404"), "404 NOT FOUND", [HTML, length(1)], b"x"),
    "status as text": pytest.param(
        lambda: ("x", "nope"),
        *("0 nope", [HTML, length(1)], b"x"),
        marks=pytest.mark.wsgi("there is no status 0 in HTTP, and servers refuse it"),
    ),
    "status as enum": (lambda: ("x", HTTPStatus.CREATED), "201 CREATED", [HTML, length(1)], b"x"),
    "status unknown": (lambda: ("x", 999), "999 UNKNOWN", [HTML, length(1)], b"x"),
    "status None": (lambda: ("x", None), "200 OK", [HTML, length(1)], b"x"),
    "tuple's subclass": (lambda: Pair("x", 201), "201 CREATED", [HTML, length(1)], b"x"),
    "dict and status": (lambda: ({"a": 1}, 201), "201 CREATED", [JSON, length(8)], b'{"a":1}\n'),
    "list and status": (lambda: ([1], 201), "201 CREATED", [JSON, length(4)], b"[1]\n"),
    "generator and status": (lambda: (generate(), 201), "201 CREATED", [HTML], "aé".encode()),
    "async generator and status": (
        lambda: (generate_async(), 201),
        *("201 CREATED", [HTML], "aé".encode()),
    ),
    "response of an async generator": (
        lambda: Response(generate_async(), 201, {"X": "1"}),
        *("201 CREATED", [X1, HTML], "aé".encode()),
    ),
    "response and status": (
        lambda: (Response("x", 400), 201),
        *("201 CREATED", [HTML, length(1)], b"x"),
    ),
    "response and status as str": (
        lambda: (Response("x", 400), "299 Mine"),
        *("299 Mine", [HTML, length(1)], b"x"),
    ),
    "WSGI function and status": (
        lambda: (wsgi_app, 201),
        *("201 CREATED", [("Content-Type", "a/b"), ("X-Path", "/")], b"wsgi"),
    ),
    "no content": (lambda: ("", 204), "204 NO CONTENT", [HTML], b""),
    "not modified": (lambda: ("x", 304), "304 NOT MODIFIED", [], b""),
    # With headers
    "headers": (lambda: ("x", {"X": "1"}), "200 OK", [X1, HTML, length(1)], b"x"),
    "headers that repeat": (
        lambda: ("x", [X1, X2]),
        *("200 OK", [X1, X2, HTML, length(1)], b"x"),
    ),
    "headers as tuple": (lambda: ("x", (X1,)), "200 OK", [X1, HTML, length(1)], b"x"),
    "headers of several values": (
        lambda: ("x", {"X": ["1", "2"]}),
        *("200 OK", [X1, X2, HTML, length(1)], b"x"),
    ),
    "headers' own class": (
        lambda: ("x", Headers([X1, X2])),
        *("200 OK", [X1, X2, HTML, length(1)], b"x"),
    ),
    "headers as multidict": (
        lambda: ("x", MultiDict([X1, X2])),
        *("200 OK", [X1, X2, HTML, length(1)], b"x"),
    ),
    "headers that aren't text": (lambda: ("x", {"X": 1}), "200 OK", [X1, HTML, length(1)], b"x"),
    "no headers": (lambda: ("x", {}), "200 OK", [HTML, length(1)], b"x"),
    "content type": (
        lambda: ("x", {"Content-Type": "a/b"}),
        *("200 OK", [("Content-Type", "a/b"), length(1)], b"x"),
    ),
    "wrong content length": (
        lambda: ("abc", {"Content-Length": "1"}),
        *("200 OK", [length(3), HTML], b"abc"),
    ),
    "dict and content type": (
        lambda: ([], {"Content-Type": "a/b"}),
        *("200 OK", [("Content-Type", "a/b"), length(3)], b"[]\n"),
    ),
    "response and headers": (
        lambda: (Response("x", headers=[("A", "0"), X1]), {"X": "2"}),
        *("200 OK", [("A", "0"), X2, HTML, length(1)], b"x"),
    ),
    # With both
    "both": (lambda: ("x", 201, {"X": "1"}), "201 CREATED", [X1, HTML, length(1)], b"x"),
    "both, status None": (lambda: ("x", None, [X1]), "200 OK", [X1, HTML, length(1)], b"x"),
    "both, headers None": (lambda: ("x", 201, None), "201 CREATED", [HTML, length(1)], b"x"),
    "both for a dict": (
        lambda: ({"a": 1}, 201, [X1]),
        *("201 CREATED", [JSON, length(8), X1], b'{"a":1}\n'),
    ),
    # By hand
    "make_response": (
        lambda: make_response("x", 201, {"X": "1"}),
        *("201 CREATED", [X1, HTML, length(1)], b"x"),
    ),
    "make_response of a tuple": (
        lambda: make_response(("x", 202)),
        *("202 ACCEPTED", [HTML, length(1)], b"x"),
    ),
    "make_response of nothing": (make_response, "200 OK", [HTML, length(0)], b""),
}


@pytest.mark.parametrize(("result", "status", "headers", "body"), RESULTS.values(), ids=RESULTS)
def test_the_response_that_a_result_becomes(
    app: Flask, result: Result, status: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    app.add_url_rule("/", "view", result)
    answer = knock(app)
    assert (answer.status, answer.headers) == handed_over(status, headers)
    assert answer.read() == body
    answer.close()


@pytest.mark.parametrize(("result", "status", "headers", "body"), RESULTS.values(), ids=RESULTS)
def test_the_answer_to_head_has_the_same_headers(
    app: Flask, result: Result, status: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    app.add_url_rule("/", "view", result)
    answer = knock(app, method="HEAD")
    assert (answer.status, answer.headers) == handed_over(status, headers)
    assert answer.read() == b""
    answer.close()


class Page(Response):
    default_mimetype = "x/y"
    default_status = 203


@pytest.mark.parametrize(
    ("result", "status", "content_type"),
    [
        (lambda: "x", 203, "x/y"),
        (lambda: ("x", 201), 201, "x/y"),
        (lambda: ("x", {"X": "1"}), 203, "x/y"),
        (lambda: iter("x"), 203, "x/y"),
        (lambda: {}, 203, "application/json"),
        (lambda: ({}, 201), 201, "application/json"),
        (lambda: Response("x", 400), 400, "text/html; charset=utf-8"),
        (lambda: WerkzeugResponse("x", 400), 400, "text/plain; charset=utf-8"),
        (lambda: Page("x"), 203, "x/y"),
    ],
)
def test_a_class_of_responses_has_defaults_of_its_own(
    app: Flask, client: FlaskClient, result: Result, status: int, content_type: str
) -> None:
    made: list[Response] = []

    @app.after_request
    def after(response: Response) -> Response:
        made.append(response)
        return response

    app.response_class = Page
    app.add_url_rule("/", "view", result)
    response = client.get("/")
    assert (response.status_code, response.content_type) == (status, content_type)
    assert isinstance(made[0], Page)


def test_headers_that_are_a_constant_stay_as_they_are(app: Flask) -> None:
    """Werkzeug's responses would take them over, and all requests share what is added."""
    constant = Headers([X1])
    app.get("/")(lambda: ("x", constant))

    @app.after_request
    def after(response: Response) -> Response:
        response.set_cookie("a", "b")
        return response

    for _ in range(2):
        assert [name.title() for name, _ in knock(app).headers] == [
            *("X", "Content-Type", "Content-Length", "Set-Cookie"),
        ]
    assert list(constant) == [X1]


# What is refused -----------------------------------------------------------------------

FORMS = "The tuple must have the form (body, status, headers), (body, status), or (body, headers)"
KINDS = "a string, dict, list, tuple with headers or status, Response instance, or WSGI callable"


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (lambda: None, "either returned None or ended without a return statement"),
        (lambda: (None, 200), "either returned None or ended without a return statement"),
        (lambda: (None, 200, {}), "either returned None or ended without a return statement"),
        (lambda: (), f"{FORMS}, and this one has 0 items."),
        (lambda: ("a",), f"{FORMS}, and this one has 1 items."),
        (lambda: ("a", 1, {}, 2), f"{FORMS}, and this one has 4 items."),
        (lambda: 1, f"{KINDS}, but it was a int."),
        (lambda: True, f"{KINDS}, but it was a bool."),
        (lambda: 1.5, f"{KINDS}, but it was a float."),
        (lambda: {1}, f"{KINDS}, but it was a set."),
        (lambda: range(2), f"{KINDS}, but it was a range."),
        (lambda: memoryview(b""), f"{KINDS}, but it was a memoryview."),
        (lambda: ValueError(), f"{KINDS}, but it was a ValueError."),
        (lambda: collections.UserDict(), f"{KINDS}, but it was a UserDict."),
        (lambda: (("a", 201), 202), f"{KINDS}, but it was a tuple."),
        (lambda: lambda: "x", f"{KINDS}, but it was a function."),
    ],
)
def test_what_can_not_be_a_response_is_explained(
    app: Flask, client: FlaskClient, result: Result, text: str
) -> None:
    app.add_url_rule("/", "shop.view", result)
    with pytest.raises(TypeError) as raised:
        client.get("/")
    message = str(raised.value)
    assert "The view function for 'shop.view' did not return a valid response." in message
    assert message.endswith(text) or f"{text}." in message


def test_what_a_callable_fails_with_comes_first(app: Flask, client: FlaskClient) -> None:
    app.get("/")(lambda: lambda: "x")
    with pytest.raises(TypeError) as raised:
        client.get("/")
    assert isinstance(raised.value.__cause__, TypeError)
    assert str(raised.value).startswith(f"{raised.value.__cause__}\nThe view function")


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (lambda: ("x", ""), ValueError),
        (lambda: ("x", {"X": "a\nb"}), ValueError),
        (lambda: ("x", {"X": "1"}, 201), TypeError),
        (lambda: {"a": {1}}, TypeError),
    ],
)
def test_errors_inside_are_raised_as_they_are(
    app: Flask, client: FlaskClient, result: Result, error: type[Exception]
) -> None:
    app.add_url_rule("/", "view", result)
    with pytest.raises(error) as raised:
        client.get("/")
    assert "valid response" not in str(raised.value)


def test_a_before_function_is_taken_at_its_word_as_a_view_is(
    app: Flask, client: FlaskClient
) -> None:
    app.get("/")(lambda: "view")
    app.before_request(lambda: ({"a": 1}, 201) if request.args else None)
    assert client.get("/").text == "view"
    assert client.get("/?x").json == {"a": 1}


def test_debug_mode_is_what_a_class_says_that_it_is() -> None:
    class Debugged(Flask):
        debug = True  # type: ignore[assignment]

    app = Debugged("debugged")
    app.add_url_rule("/", view_func=lambda: {"a": 1}, endpoint="plain")
    assert app.test_client().get("/").text == '{\n  "a": 1\n}\n'
