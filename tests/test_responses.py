"""Responses: as lazy as they are, they say what Werkzeug's say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import create_environ, run_wsgi_app

from brim import Flask, Response

Change = Callable[[Response], object]

header_names = st.sampled_from(("X-A", "Content-Type", "Content-Length", "Vary", "Location"))
header_names |= st.sampled_from(("Content-Location", "ETag", "Set-Cookie", "content-type"))
header_values = st.sampled_from(
    ("1", "text/plain", "/relative", "http://example.com/\xe9", '"tag"')
)
bodies = st.binary(max_size=5)
statuses = st.sampled_from((200, 201, 100, 101, 204, 206, 301, 302, 304, 404, 500, 299))


def change(name: str, *arguments: Any) -> Change:
    def apply(response: Response) -> object:
        return getattr(response, name)(*arguments)

    apply.__name__ = f"{name}{arguments}"
    return apply


def setting(name: str, value: Any) -> Change:
    def apply(response: Response) -> None:
        setattr(response, name, value() if callable(value) else value)

    apply.__name__ = f"{name}={'made' if callable(value) else value}"
    return apply


def on_headers(name: str, *arguments: Any) -> Change:
    def apply(response: Response) -> None:
        getattr(response.headers, name)(*arguments)

    apply.__name__ = f"headers.{name}{arguments}"
    return apply


changes = st.one_of(
    st.builds(lambda n, v: on_headers("set", n, v), header_names, header_values),
    st.builds(lambda n, v: on_headers("add", n, v), header_names, header_values),
    st.builds(lambda n: on_headers("remove", n), header_names),
    st.just(on_headers("clear")),
    st.builds(lambda s: setting("status_code", s), statuses),
    st.builds(lambda s: setting("status", s), st.sampled_from(("299 Odd", "404", "201 Made"))),
    st.builds(lambda b: change("set_data", b), bodies | st.text(max_size=3)),
    st.builds(lambda t: setting("mimetype", t), st.sampled_from(("text/css", "image/png"))),
    st.just(change("set_cookie", "name", "value")),
    st.just(change("add_etag")),
    st.just(change("call_on_close", list)),
    st.just(change("freeze")),
    st.just(change("make_sequence")),
    st.just(change("get_data")),
    st.just(change("calculate_content_length")),
    st.just(change("close")),
    st.just(setting("direct_passthrough", True)),
    st.just(change("make_conditional", create_environ("/", headers={"If-None-Match": "*"}))),
)
# After these, a length that was worked out before may not be that of the body.
replacements = st.one_of(
    st.builds(lambda b: setting("response", lambda: [b]), bodies | st.text(max_size=2)),
    st.builds(lambda b: setting("response", lambda: [b, b]), bodies),
    st.builds(lambda b: setting("response", lambda: (b,)), bodies),
    st.builds(lambda b: setting("response", lambda: iter([b])), bodies),
    st.just(setting("response", list)),
    st.just(setting("automatically_set_content_length", False)),
)
content_types = st.sampled_from(("text/html; charset=utf-8", "application/json"))


def changed(response: Response, several: list[Change]) -> Response:
    for apply in several:
        # Werkzeug refuses to look into streams that are to be passed on as they are.
        with suppress(RuntimeError):
            apply(response)
    return response


def sent(answer: tuple[Any, str, list[tuple[str, str]]]) -> tuple[str, list[Any], bytes]:
    body, status, headers = answer
    return status, list(headers), b"".join(body)


@settings(deadline=None)
@given(
    bodies,
    content_types,
    st.lists(changes | replacements, max_size=4),
    st.sampled_from(("GET", "HEAD", "POST")),
)
def test_the_short_way_out_sends_what_werkzeug_would(
    body: bytes, content_type: str, several: list[Change], method: str
) -> None:
    environ = create_environ("/", method=method)
    ready = changed(Response.of_body(body, content_type), several).as_wsgi(method)
    if ready is None:
        return
    status, headers, parts = ready
    twin = changed(Response.of_body(body, content_type), several)
    assert sent((parts, status, headers)) == sent(twin.get_wsgi_response(environ))


@settings(deadline=None)
@given(bodies, content_types, st.lists(changes, max_size=4), st.sampled_from(("GET", "HEAD")))
def test_a_response_made_of_a_body_is_like_any_other(
    body: bytes, content_type: str, several: list[Change], method: str
) -> None:
    environ = create_environ("/", method=method)
    short = changed(Response.of_body(body, content_type), several)
    long = changed(Response(body, content_type=content_type), several)
    assert (short.status_code, list(short.headers)) == (long.status_code, list(long.headers))
    assert sent(short.get_wsgi_response(environ)) == sent(long.get_wsgi_response(environ))


def test_what_is_plain_takes_the_short_way() -> None:
    plain = Response.of_body(b"x", "text/html; charset=utf-8")
    assert plain.as_wsgi("GET") is not None
    plain.status_code = 404
    plain.headers["X-A"] = "1"
    plain.set_cookie("name", "value")
    assert plain.as_wsgi("GET") is not None
    assert plain.as_wsgi("HEAD") is None
    plain.headers.remove("Content-Length")
    ready = plain.as_wsgi("GET")
    assert ready is not None
    assert ready[1][-1] == ("Content-Length", "1")
    plain.headers.remove("Content-Length")
    plain.automatically_set_content_length = False
    assert plain.as_wsgi("GET") is None


@pytest.mark.parametrize(
    "apply",
    [
        *(setting("status_code", status) for status in (101, 204, 304)),
        on_headers("set", "Location", "/relative"),
        on_headers("set", "Content-Location", "/relative"),
        change("call_on_close", list),
        setting("response", lambda: [b"a", b"b"]),
        setting("response", lambda: ["text"]),
        setting("response", lambda: iter([b"a"])),
    ],
)
def test_what_is_not_plain_is_left_to_werkzeug(apply: Change) -> None:
    assert changed(Response.of_body(b"x", "text/plain"), [apply]).as_wsgi("GET") is None


def test_the_length_is_that_of_the_body_that_is_sent() -> None:
    """Where nobody asked for the headers before the body was replaced."""
    made = Response.of_body(b"longer", "text/plain")
    made.response = [b"a", b"bc"]
    assert made.headers["Content-Length"] == "3"
    made = Response.of_body(b"longer", "text/plain")
    made.response = iter([b"a"])
    assert "Content-Length" not in made.headers


def test_a_response_is_html_by_default() -> None:
    made = Response("<p>")
    assert made.content_type == "text/html; charset=utf-8"
    assert (made.default_mimetype, made.autocorrect_location_header) == ("text/html", False)


def test_functions_to_call_when_a_plain_response_is_closed() -> None:
    made = Response.of_body(b"x", "text/plain")
    closed: list[int] = []
    made.call_on_close(lambda: closed.append(1))
    made.close()
    assert closed == [1]


def test_a_setting_says_from_which_size_cookies_warn(app: Flask) -> None:
    assert Response().max_cookie_size == 4093
    app.config["MAX_COOKIE_SIZE"] = 10
    with app.app_context():
        assert Response().max_cookie_size == 10
        with pytest.warns(UserWarning, match="cookie is too large"):
            Response().set_cookie("name", "x" * 20)
        app.config["MAX_COOKIE_SIZE"] = 0
        Response().set_cookie("name", "x" * 5000)


@pytest.mark.parametrize("make", [lambda: iter("a"), lambda: iter([]), lambda: {"a": 1}.keys()])
def test_a_stream_with_nothing_else_is_the_response_that_any_argument_makes(make: Any) -> None:
    quick, exact = Response(make()), Response(make(), 200)
    environ = create_environ()
    assert quick.get_wsgi_headers(environ) == exact.get_wsgi_headers(environ)
    assert (quick.status, quick.mimetype, quick.is_streamed, quick.direct_passthrough) == (
        exact.status,
        exact.mimetype,
        exact.is_streamed,
        exact.direct_passthrough,
    )
    quick.call_on_close(lambda: None)
    assert quick.get_data() == exact.get_data()


def test_a_stream_of_a_class_of_its_own_is_made_by_its_constructor() -> None:
    class Mine(Response):
        default_mimetype = "text/plain"

    assert Mine(iter("a")).mimetype == "text/plain"


def test_a_streams_chunks_go_through_an_encoding_that_was_replaced() -> None:
    class Loud(Response):
        def iter_encoded(self) -> Any:
            return (chunk.upper() for chunk in super().iter_encoded())

    body, _, _ = run_wsgi_app(Loud(iter("ab")), create_environ())
    assert b"".join(body) == b"AB"


def test_a_wsgi_servers_close_closes_the_stream_also_where_nothing_was_read() -> None:
    closed: list[bool] = []

    class Stream:
        def __iter__(self) -> Any:
            return iter(["a", b"b"])

        def close(self) -> None:
            closed.append(True)

    response = Response(Stream())  # type: ignore[arg-type]
    response(create_environ(), lambda *started: started).close()  # type: ignore[attr-defined, arg-type, return-value]
    assert closed == [True]
    body, _, _ = run_wsgi_app(Response(Stream()), create_environ())  # type: ignore[arg-type]
    assert list(body) == [b"a", b"b"]
