"""Requests and responses: as lazy as they are, they say what Werkzeug's say."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.routing import Rule
from werkzeug.test import create_environ, run_wsgi_app
from werkzeug.wrappers import Request as WerkzeugRequest

from brim import Flask, Request, Response, request
from brim.json.provider import DefaultJSONProvider
from brim.testing import FlaskClient

# Requests ------------------------------------------------------------------------------

# What a server may hand over: any byte as one character.
wire = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=8)
hosts = st.sampled_from(
    (
        "",
        "localhost",
        "example.com:80",
        "example.com:443",
        "example.com:8000",
        "[::1]:5000",
        "EXAMPLE.com",
    )
) | st.text("aA.:-_/@ \xe9", max_size=6)
paths = st.sampled_from(("", "/", "//", "/a/", "a", "/a/../b", "/caf\xc3\xa9", "/\xff\xfe")) | wire

environs = st.fixed_dictionaries(
    {},
    optional={
        "REQUEST_METHOD": st.sampled_from(("GET", "get", "POST", "HEAD", "PROPFIND")),
        "wsgi.url_scheme": st.sampled_from(("http", "https", "ws", "ftp")),
        "SERVER_NAME": hosts,
        "SERVER_PORT": st.sampled_from(("80", "443", "8000", "", "unix", "-1")),
        "SCRIPT_NAME": paths,
        "PATH_INFO": paths,
        "QUERY_STRING": st.sampled_from(("a=1&a=2", "a=%C3%A9", "q=\xc3\xa9", "&&=")) | wire,
        "REMOTE_ADDR": st.sampled_from(("127.0.0.1", "", "::1")),
        "HTTP_HOST": hosts,
        "HTTP_COOKIE": st.sampled_from(("a=1; b=2", "a=1; a=2", 'a="b c"', ";=;")) | wire,
        "HTTP_X_FORWARDED_FOR": st.sampled_from(("1.1.1.1, 2.2.2.2", "")),
        "HTTP_ACCEPT": st.sampled_from(("text/html;q=0.5, */*", "", ";;")),
        "CONTENT_TYPE": st.sampled_from(("text/plain; charset=latin1", "application/json", "")),
        "CONTENT_LENGTH": st.sampled_from(("3", "", "x", "-1")),
    },
)

# Each of these is computed from the environ, at once by Werkzeug or on demand.
ATTRIBUTES = (
    *("method", "scheme", "server", "root_path", "path", "query_string", "headers", "remote_addr"),
    *("url", "base_url", "root_url", "url_root", "host_url", "host", "full_path", "script_root"),
    *("args", "values", "cookies", "access_route", "is_secure", "is_json", "mimetype"),
    *("content_type", "content_length", "accept_mimetypes", "user_agent", "data"),
)


def outcome(read: Callable[[], Any]) -> Any:
    try:
        value = read()
    except Exception as error:
        return type(error)
    # These compare by identity, or not at all.
    return str(value) if type(value).__name__ in ("EnvironHeaders", "UserAgent") else value


@settings(deadline=None)
@given(environs, st.permutations(ATTRIBUTES))
def test_a_request_reads_an_environ_as_werkzeugs_does(
    environ: dict[str, Any], attributes: list[str]
) -> None:
    """Whatever the environ, and in whichever order the attributes are read."""
    theirs = WerkzeugRequest({**environ, "wsgi.input": io.BytesIO(b"abc")})
    ours = Request({**environ, "wsgi.input": io.BytesIO(b"abc")})
    for name in attributes:
        expected = outcome(lambda: getattr(theirs, name))  # noqa: B023
        assert outcome(lambda: getattr(ours, name)) == expected, name  # noqa: B023


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"])
def test_text_that_no_server_makes_is_refused(name: str) -> None:
    """PEP 3333 has bytes in it, as latin-1; other text never came over a wire."""
    ours = Request({**create_environ("/"), name: "/\u20ac"})
    with pytest.raises(UnicodeEncodeError):
        _ = ours.url
    with pytest.raises(UnicodeEncodeError):
        WerkzeugRequest({**create_environ("/"), name: "/\u20ac"})


def test_attributes_of_a_request_can_be_replaced() -> None:
    made = Request(create_environ("/a", "http://example.com/"))
    assert made.url == "http://example.com/a"
    other = Request(create_environ("/a", "http://example.com/"))
    other.path = "/b"
    other.method = "PUT"
    assert (other.url, other.method) == ("http://example.com/b", "PUT")


def test_a_request_outside_an_application() -> None:
    """It has no route, and Werkzeug's limits."""
    made = Request(create_environ("/"))
    assert (made.url_rule, made.view_args, made.routing_exception) == (None, None, None)
    assert (made.endpoint, made.blueprint, made.blueprints) == (None, None, [])
    limits = (made.max_content_length, made.max_form_memory_size, made.max_form_parts)
    assert limits == (None, 500_000, 1_000)


def test_a_request_knows_its_blueprints() -> None:
    made = Request(create_environ("/"))
    made.url_rule = Rule("/", endpoint="shop.cart.show")
    assert (made.endpoint, made.blueprint) == ("shop.cart.show", "shop.cart")
    assert made.blueprints == ["shop.cart", "shop"]


def upload() -> dict[str, Any]:
    return {"text": "y" * 100, "more": "z", "file": (io.BytesIO(b"x" * 2000), "name.txt")}


@pytest.mark.parametrize(
    ("setting", "limit", "data", "status"),
    [
        ("MAX_CONTENT_LENGTH", 50, {"text": "y" * 60}, 413),
        ("MAX_CONTENT_LENGTH", 50, {"text": "y"}, 200),
        ("MAX_FORM_MEMORY_SIZE", 50, upload, 413),
        ("MAX_FORM_MEMORY_SIZE", 5_000, upload, 200),
        ("MAX_FORM_PARTS", 2, upload, 413),
        ("MAX_FORM_PARTS", 3, upload, 200),
    ],
)
def test_settings_limit_bodies(
    app: Flask, client: FlaskClient, setting: str, limit: int, data: Any, status: int
) -> None:
    @app.post("/")
    def read() -> dict[str, Any]:
        return {"form": list(request.form), "files": list(request.files)}

    app.config[setting] = limit
    assert client.post("/", data=data() if callable(data) else data).status_code == status


def test_a_view_may_have_limits_of_its_own(app: Flask, client: FlaskClient) -> None:
    app.config.update(MAX_CONTENT_LENGTH=10, MAX_FORM_MEMORY_SIZE=10, MAX_FORM_PARTS=1)

    @app.post("/wide")
    def wide() -> list[Any]:
        request.max_content_length = 10_000
        request.max_form_memory_size = 5_000
        request.max_form_parts = 3
        limits = request.max_content_length, request.max_form_memory_size, request.max_form_parts
        return [*limits, *sorted(request.form), *request.files]

    @app.post("/narrow")
    def narrow() -> str:
        request.max_content_length = 1
        text: str = request.get_data(as_text=True)
        return text

    answer = client.post("/wide", data=upload())
    assert answer.json == [10_000, 5_000, 3, "more", "text", "file"]
    assert client.post("/narrow", data=b"ab").status_code == 413


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{broken", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 5000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"[1]", "application/vnd.api+json", 200),
    ],
)
def test_a_body_that_is_no_json(
    app: Flask, client: FlaskClient, body: bytes, content_type: str, status: int
) -> None:
    """It is the client's fault; only in debug mode is it told what was wrong."""
    app.post("/")(lambda: {"got": request.json})
    headers = {"Content-Type": content_type}
    generic = BadRequest().description
    answer = client.post("/", data=body, headers=headers)
    assert answer.status_code == status
    assert status != 400 or generic in answer.text
    app.debug = True
    answer = client.post("/", data=body, headers=headers)
    assert answer.status_code == status
    assert generic not in answer.text


def test_a_provider_that_gives_up_on_nested_json(app: Flask, client: FlaskClient) -> None:
    class Provider(DefaultJSONProvider):
        def loads(self, s: str | bytes, **kwargs: Any) -> Any:
            return self.loads(s, **kwargs)

    app.json = Provider(app)
    app.post("/")(lambda: {"got": request.json})
    assert client.post("/", data=b"[]", content_type="application/json").status_code == 400


def test_json_outside_an_application() -> None:
    made = Request(create_environ("/", json={"a": [1]}, method="POST"))
    assert made.json == {"a": [1]}
    broken = Request(create_environ("/", data="{", content_type="application/json", method="POST"))
    with pytest.raises(BadRequest):
        _ = broken.json
    assert Request.json_module.loads(Request.json_module.dumps({"a": 1})) == {"a": 1}


class TestMissingUpload:
    """A form without ``enctype="multipart/form-data"`` sends a file's name only."""

    def files(self, app: Flask, *, debug: bool, **options: Any) -> Any:
        app.debug = debug
        with app.test_request_context("/", method="POST", **options):
            return request.files

    def test_debug_mode_explains_it(self, app: Flask) -> None:
        with app.test_request_context("/", method="POST", data={"photo": "cat.jpg"}):
            app.debug = True
            assert "photo" not in request.files
            assert type(request.files).__name__ == "ImmutableMultiDict"
            with pytest.raises(KeyError, match='enctype="multipart/form-data"') as caught:
                request.files["photo"]
        assert "'cat.jpg'" in str(caught.value)

    def test_what_was_not_sent_at_all_is_a_bad_request(self, app: Flask) -> None:
        files = self.files(app, debug=True, data={"photo": "cat.jpg"})
        with pytest.raises(BadRequest):
            files["other"]

    @pytest.mark.parametrize(
        ("debug", "options"),
        [
            (False, {"data": {"photo": "cat.jpg"}}),
            (True, {"data": {"photo": "cat.jpg"}, "content_type": "multipart/form-data"}),
        ],
    )
    def test_otherwise_it_is_missing_as_any_field(
        self, app: Flask, debug: bool, options: dict[str, Any]
    ) -> None:
        with pytest.raises(BadRequest):
            self.files(app, debug=debug, **options)["photo"]

    def test_an_upload_that_came_is_there(self, app: Flask) -> None:
        files = self.files(app, debug=True, data={"photo": (io.BytesIO(b"x"), "cat.jpg")})
        assert files["photo"].filename == "cat.jpg"


# Responses -----------------------------------------------------------------------------

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


# Short bodies, read at once -----------------------------------------------------------


class Roundabout(Request):
    """Reads every body as a stream, and every form by Werkzeug's parser."""

    def get_data(self, *args: Any, **kwargs: Any) -> Any:
        return super().get_data(*args, **kwargs)

    @property
    def mimetype(self) -> str:
        return super().mimetype


READS: dict[str, Callable[[Request], Any]] = {
    "get_data": lambda r: r.get_data(),
    "get_data, not kept": lambda r: r.get_data(cache=False),
    "get_data, text": lambda r: r.get_data(as_text=True),
    "get_data after the form": lambda r: r.get_data(parse_form_data=True),
    "data": lambda r: r.data,
    "json": lambda r: r.json,
    "get_json": lambda r: r.get_json(),
    "get_json, silent": lambda r: r.get_json(silent=True),
    "get_json, forced": lambda r: r.get_json(force=True),
    "get_json, anew": lambda r: r.get_json(cache=False),
    "form": lambda r: (type(r.form), list(r.form.items(multi=True))),
    "files": lambda r: (
        type(r.files),
        [
            (name, type(f), f.name, f.filename, f.headers.to_wsgi_list(), type(f.stream), f.read())
            for name, f in r.files.items(multi=True)
        ],
    ),
    "values": lambda r: list(r.values.items(multi=True)),
    "stream": lambda r: r.stream.read(),
}


HEADS = st.sampled_from(
    [
        b'Content-Disposition: form-data; name="a"',
        b'Content-Disposition: form-data; name="b[c]"',
        b'content-disposition: form-data; name="a"; filename="f.txt"\r\ncontent-type: text/plain',
        b'Content-Disposition: form-data; name="f"; filename="a b (1).png"',
        b'Content-Type: text/plain\r\nContent-Disposition: form-data; name="a"; filename="g"',
        b'Content-Disposition: form-data; name="a"; filename=""',
        b'Content-Disposition: form-data; name="\xc3\xa4"',
        b'Content-Disposition: form-data; name="a%22\\"b"; filename="C:\\d.txt"',
        b'Content-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=latin-1',
        b'Content-Disposition: form-data; name="a"\r\nContent-Type: text/plain',
        b'Content-Disposition: form-data; name="a"; filename="f"\r\nContent-Length: 2',
        b'Content-Disposition: form-data; name="a"\r\n folded: yes',
        b'Content-Disposition: attachment; name="a"',
        b"Content-Disposition: form-data; name=a",
        b"",
    ]
)
BITS = st.lists(
    st.sampled_from(
        [b"x", b"\r\n", b"\n", b"--", b"--B", b"--BC", b"\r\n--B", b"\xc3\xa4", b"\xff"]
    ),
    max_size=4,
).map(b"".join)


@st.composite
def multiparts(draw: Any) -> bytes:
    parts = draw(st.lists(st.tuples(HEADS, BITS), max_size=4))
    body = b"".join(b"--B\r\n%b\r\n\r\n%b\r\n" % part for part in parts) + b"--B--\r\n"
    odd = [b"pre\r\n" + body, body[:-2], body[:-4], body + b"post"]
    sent: bytes = draw(st.sampled_from([body] * 6 + odd))
    return sent


def read_all(kind: type[Request], reads: list[str], environ: dict[str, Any]) -> list[Any]:
    body = environ["wsgi.input"]
    request = kind({**environ, "wsgi.input": io.BytesIO(body)})
    came: list[Any] = []
    for name in reads:
        try:
            came.append(READS[name](request))
        except HTTPException as error:
            came.append(repr(error))
    request.close()
    return came


# Where Werkzeug's parser gives up, it leaves files open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=500, deadline=None)
@given(
    body=multiparts(),
    reads=st.lists(st.sampled_from([*READS]), max_size=2).map(
        lambda reads: [*reads, "form", "files"]
    ),
    kind=st.sampled_from(["multipart/form-data; boundary=B", 'multipart/form-data;boundary="B"']),
    most_parts=st.sampled_from([None, 1000, 2, 0]),
)
def test_a_short_upload_is_parsed_as_werkzeug_parses_it(
    body: bytes, reads: list[str], kind: str, most_parts: int | None
) -> None:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": body,
    }
    app = Flask("uploads")
    app.config["MAX_FORM_PARTS"] = most_parts
    with app.app_context():
        assert read_all(Request, reads, environ) == read_all(Roundabout, reads, environ)


@settings(max_examples=500, deadline=None)
@given(
    reads=st.lists(st.sampled_from([*READS]), min_size=1, max_size=4),
    kind=st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=latin-1",
            "application/json",
            "application/json; charset=utf-8",
            "application/problem+json",
            "text/plain",
            "",
        ]
    ),
    body=st.one_of(
        st.sampled_from([b"", b"{}", b'{"a": [1]}', b"[", b"null", b"a=1&b=2&a=3&c", b"&&=&;a"]),
        st.sampled_from([b"a=%ff", b"a=\xff", b"\xc3\xa4=%C3%A4+b", b"a=%", b"%00=\0", b'"\xff"']),
        st.text("ab=&;+%1fF\0\xe4", max_size=20).map(str.encode),
        st.binary(max_size=20),
    ),
    announced=st.sampled_from([0, 0, 0, 1, -1, None]),
    terminated=st.booleans(),
    limit=st.sampled_from([None, None, 0, 3, 100]),
    form_limit=st.sampled_from([None, 500_000, 4]),
)
def test_a_short_body_is_read_at_once_as_it_is_by_its_stream(
    reads: list[str],
    kind: str,
    body: bytes,
    announced: int | None,
    terminated: bool,
    limit: int | None,
    form_limit: int | None,
) -> None:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": kind,
        "wsgi.input": body,
    }
    if terminated:
        environ["wsgi.input_terminated"] = True
    if announced is not None:
        environ["CONTENT_LENGTH"] = str(max(0, len(body) + announced))
        if announced < 0 and terminated:
            # The server says where the body ends in two ways that don't agree.
            return
    app = Flask("bodies")
    app.config.update(MAX_CONTENT_LENGTH=limit, MAX_FORM_MEMORY_SIZE=form_limit)
    with app.app_context():
        assert read_all(Request, reads, environ) == read_all(Roundabout, reads, environ)


def test_json_is_parsed_once_unless_it_shall_be_parsed_anew(app: Flask) -> None:
    with app.test_request_context(method="POST", json={"a": [1]}):
        first = request.get_json()
        assert request.get_json() is first
        assert request.json is first
        assert request.get_json(silent=True, force=True) is first
        again = request.get_json(cache=False)
        assert again == first and again is not first
        assert json.loads(request.data) == first


@pytest.mark.parametrize("name", ["get_data", "mimetype", "is_json", "stream"])
def test_a_patched_way_to_read_is_taken(name: str, app: Flask, monkeypatch: Any) -> None:
    calls: list[str] = []
    original = getattr(WerkzeugRequest, name)

    def patched(self: Request, *args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        if name == "get_data":
            return original(self, *args, **kwargs)
        return original.__get__(self, type(self))

    monkeypatch.setattr(Request, name, patched if name == "get_data" else property(patched))
    with app.test_request_context(method="POST", json={"a": [1]}):
        assert request.get_json() == {"a": [1]}
    assert calls


def test_a_form_parser_of_the_classs_own_parses_short_forms(app: Flask) -> None:
    class Parser(FormDataParser):
        def parse(self, *args: Any, **kwargs: Any) -> Any:
            stream, _, files = super().parse(*args, **kwargs)
            return stream, MultiDict({"a": "parsed"}), files

    class Own(Request):
        form_data_parser_class = Parser

    app.request_class = Own
    with app.test_request_context(method="POST", data={"a": "sent"}):
        assert request.form["a"] == "parsed"


def test_a_form_has_the_storage_of_its_class(app: Flask) -> None:
    class Own(Request):
        parameter_storage_class = MultiDict  # type: ignore[assignment]

    app.request_class = Own
    with app.test_request_context(method="POST", data={"a": "sent"}):
        assert type(request.form) is MultiDict
        assert type(request.files) is MultiDict
        assert request.form["a"] == "sent"
