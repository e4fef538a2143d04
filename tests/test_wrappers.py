"""Requests: as lazy as they are, they say what Werkzeug's say."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.routing import Rule
from werkzeug.test import create_environ
from werkzeug.wrappers import Request as WerkzeugRequest

from brim import Flask, Request, request
from brim.bodies import KeptBody, ReceivedBody
from brim.doors.exchange import Exchange
from brim.doors.scope import environ_of
from brim.json.provider import DefaultJSONProvider
from brim.testing import FlaskClient

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


scopes = st.fixed_dictionaries(
    {
        "type": st.just("http"),
        "path": st.sampled_from(("/", "//", "/a/", "/caf\xe9")),
        "headers": st.sampled_from(([], [(b"host", b"a")], [(b"cookie", b"a=1"), (b"host", b"b")])),
    },
    optional={
        "method": st.sampled_from(("GET", "get", "POST", "PROPFIND")),
        "query_string": st.sampled_from((b"", b"a=1&a=2", b"a=%C3%A9", b"\xe9=\xc3\xa9")),
        "root_path": st.sampled_from(("", "/a")),
        "scheme": st.sampled_from(("http", "https")),
        "client": st.none() | st.just(("127.0.0.1", 5000)),
        "brim.environ": st.sampled_from(({}, {"REQUEST_METHOD": "PUT", "QUERY_STRING": "b=3"})),
    },
)


@settings(deadline=None)
@given(scopes, st.permutations(ATTRIBUTES), st.booleans())
def test_a_request_reads_a_scope_as_werkzeugs_reads_its_environ(
    scope: dict[str, Any], attributes: list[str], has_environ: bool
) -> None:
    environ = {**environ_of(scope), "wsgi.input": io.BytesIO()}
    exchange = Exchange(scope, None, None)  # type: ignore[arg-type]  # Nothing is received.
    ours = Request.of_exchange(exchange, None, None, None)
    assert ours is not None
    if has_environ:
        # What was asked for may have been changed.
        for some in (environ, ours.environ):
            some["REQUEST_METHOD"] = "DELETE"
            some["QUERY_STRING"] = "c=4"
    theirs = WerkzeugRequest(environ)
    for name in attributes:
        expected = outcome(lambda: getattr(theirs, name))  # noqa: B023
        assert outcome(lambda: getattr(ours, name)) == expected, name  # noqa: B023


def test_methods_and_queries_are_read_of_a_scope_alone() -> None:
    scope = {"type": "http", "method": "get", "path": "/", "query_string": b"a=1", "headers": []}
    exchange = Exchange(scope, None, None)  # type: ignore[arg-type]
    ours = Request.of_exchange(exchange, None, None, None)
    assert ours is not None
    assert (ours.method, ours.args["a"]) == ("GET", "1")
    assert exchange.made_environ is None


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


def contents(request: Request) -> list[Any]:
    """What a request's files are and have, whatever they are kept in."""
    return [
        (name, type(f), f.name, f.filename, f.headers.to_wsgi_list(), f.read())
        for name, f in request.files.items(multi=True)
    ]


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


@st.composite
def long_multiparts(draw: Any) -> bytes:
    """Fields and files about as long as the limits that a test has, and as pieces are."""
    lengths = st.sampled_from([65_536, 262_144, 300_000, 500_000]).flatmap(
        lambda length: st.integers(length - 3, length + 3)
    )
    heads = st.sampled_from(
        [
            b'Content-Disposition: form-data; name="a"',
            b'Content-Disposition: form-data; name="f"; filename="f.bin"',
        ]
    )
    parts = draw(st.lists(st.tuples(heads, lengths), min_size=1, max_size=3))
    body = b"".join(b"--B\r\n%b\r\n\r\n%b\r\n" % (head, b"x" * length) for head, length in parts)
    return body + b"--B--\r\n"


def read_all(kind: type[Request], reads: list[str], environ: dict[str, Any]) -> list[Any]:
    body = environ["wsgi.input"]
    return read_of(kind({**environ, "wsgi.input": io.BytesIO(body)}), reads)


def read_of(request: Request, reads: list[str]) -> list[Any]:
    came: list[Any] = []
    for name in reads:
        try:
            came.append(contents(request) if name == "contents" else READS[name](request))
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


# As above.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=300, deadline=None)
@given(
    body=multiparts() | long_multiparts(),
    first=st.sampled_from(["form", "get_data after the form", "get_data", "stream", "json"]),
    most_parts=st.sampled_from([None, 1000, 2, 0]),
    most_memory=st.sampled_from([None, 500_000, 300_000, 262_144, 65_536, 2]),
    longest=st.sampled_from([None, None, 20]),
)
def test_an_upload_that_was_kept_in_a_file_is_parsed_as_werkzeug_parses_it(
    body: bytes,
    first: str,
    most_parts: int | None,
    most_memory: int | None,
    longest: int | None,
) -> None:
    app = Flask("uploads")
    app.config["MAX_FORM_PARTS"] = most_parts
    app.config["MAX_FORM_MEMORY_SIZE"] = most_memory
    came: list[list[Any]] = []
    for cls in (Request, Roundabout):
        kept = KeptBody()
        kept.keep(body)
        kept.ready(None)
        received = ReceivedBody(None, None, len(body), False)  # type: ignore[arg-type]
        received._kept = kept
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": "multipart/form-data; boundary=B",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": received,
            "wsgi.input_terminated": True,
        }
        with app.app_context(), mock.patch("brim.bodies.KEPT_IN_MEMORY", 0):
            request = cls(environ)
            request.max_content_length = longest
            came.append(read_of(request, [first, "form", "contents", "get_data"]))
        received.close()
    assert came[0] == came[1]


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


def test_a_class_of_requests_may_know_nothing_of_brim(app: Flask, client: FlaskClient) -> None:
    app.request_class = WerkzeugRequest  # type: ignore[assignment]
    seen: list[str] = []
    app.before_request(lambda: seen.append(request.path))
    app.add_url_rule("/a", view_func=lambda: "a", endpoint="a")
    assert client.get("/a").text == "a"
    assert seen == ["/a"]
