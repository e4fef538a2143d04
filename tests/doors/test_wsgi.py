"""The WSGI door: what a server sees, and what hostile bodies get, over a real socket too."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from werkzeug.test import create_environ, run_wsgi_app

from brim import Flask, Response, has_app_context, request, stream_with_context
from brim.json.depth import MAX_DEPTH
from brim.testing import FlaskClient

pytestmark = pytest.mark.wsgi("this door alone is the subject")

SERVER = """\
from __future__ import annotations

import socket
import sys

from werkzeug.serving import make_server

from brim import Flask, request

app = Flask("hostile")


@app.post("/echo")
def echo():
    return {"echo": request.get_json()}


@app.post("/size")
def size():
    return {"size": len(request.get_data())}


@app.post("/form")
def form():
    return request.form.to_dict()


server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""

LEVELS = [1_000, 10_000, 100_000, 1_000_000]
HOSTILE = {
    **{f"arrays-{n}": lambda n=n: b"[" * n + b"]" * n for n in LEVELS},
    **{f"objects-{n}": lambda n=n: b'{"a":' * n + b"1" + b"}" * n for n in LEVELS},
    **{f"mixed-{n}": lambda n=n: b'[{"a":' * (n // 2) + b"1" + b"}]" * (n // 2) for n in LEVELS},
    **{f"open-{n}": lambda n=n: b"[" * n for n in LEVELS},
    "invalid UTF-8": lambda: b'{"a": "\xff\xfe"}',
    "surrogates in UTF-8": lambda: b'"\xed\xa0\x80"',
    "overlong UTF-8": lambda: b'"\xc0\xaf"',
    "100,000 digits": lambda: b"1" * 100_000,
    "-100,000 digits": lambda: b'{"n": -' + b"9" * 100_000 + b"}",
    "cut string": lambda: b'{"a": "b',
    "cut object": lambda: b'{"a": 1',
    "cut literal": lambda: b"[tru",
    "nothing": lambda: b"",
}


def post_json(url: str, body: bytes) -> tuple[int, bytes]:
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    file = tmp_path_factory.mktemp("server") / "hostile.py"
    file.write_text(SERVER)
    with subprocess.Popen(
        [sys.executable, str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


@pytest.fixture
def echo(app: Flask) -> FlaskClient:
    @app.post("/echo")
    def view() -> dict[str, Any]:
        return {"echo": request.get_json()}

    app.testing = False
    return app.test_client()


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_a_bad_request(echo: FlaskClient, make: Callable[[], bytes]) -> None:
    answer = echo.post("/echo", data=make(), content_type="application/json")
    assert answer.status_code == 400


def test_hostile_json_is_a_bad_request_over_a_socket(server: int) -> None:
    url = f"http://127.0.0.1:{server}/echo"
    assert {name: post_json(url, make())[0] for name, make in HOSTILE.items()} == dict.fromkeys(
        HOSTILE, 400
    )
    assert post_json(url, b'{"still": "there"}')[0] == 200


def test_json_of_the_greatest_depth_is_read_and_written(echo: FlaskClient, server: int) -> None:
    body = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert echo.post("/echo", data=body, content_type="application/json").status_code == 200
    status, answer = post_json(f"http://127.0.0.1:{server}/echo", body)
    assert (status, answer.replace(b"\n", b"")) == (200, b'{"echo":' + body + b"}")


MULTIPART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue'
CUT_SHORT = {
    "data": ("/size", "text/plain", b"x" * 10),
    "nothing": ("/size", "text/plain", b""),
    # What has come is whole by itself.
    "JSON": ("/echo", "application/json", b"[1, 2]"),
    "form": ("/form", "application/x-www-form-urlencoded", b"a=1"),
    "multipart": ("/form", "multipart/form-data; boundary=b", MULTIPART),
}


@pytest.mark.parametrize(("path", "kind", "body"), CUT_SHORT.values(), ids=CUT_SHORT)
def test_a_body_cut_short_of_its_length_is_not_taken_for_whole(
    server: int, path: str, kind: str, body: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", server), timeout=10) as client:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 1000"
        client.sendall(head.encode() + b"\r\n\r\n" + body)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")


# What a server is given -----------------------------------------------------------------


def make_everything(app: Flask) -> list[tuple[str, str]]:
    """Fill ``app`` with views of each kind; return methods and paths to ask for."""

    class Closing:
        def __init__(self) -> None:
            self.parts = iter([b"a", b"b"])

        def __iter__(self) -> Iterator[bytes]:
            return self.parts

        def close(self) -> None:
            app.extensions["closed"] = app.extensions.get("closed", 0) + 1

    app.secret_key = "k"
    app.testing = False
    app.add_url_rule("/text", "text", lambda: "text")
    app.add_url_rule("/json", "json", lambda: {"a": [1]})
    app.add_url_rule("/status", "status", lambda: ("made", 201, {"X-A": "b"}))
    # Not ("", 204): as Flask, Brim sends a Content-Type with it, and wsgiref minds.
    app.add_url_rule("/stream", "stream", lambda: (part for part in "abc"))
    app.add_url_rule("/held", "held", lambda: stream_with_context(iter([request.path])))
    app.add_url_rule("/closing", "closing", lambda: Response(Closing()))
    app.add_url_rule("/redirect/", "redirect", lambda: "")
    app.add_url_rule("/error", "error", lambda: 1 / 0)
    app.add_url_rule("/unicode/<name>", "unicode", lambda name: name)
    paths = "/text /json /status /stream /held /closing /redirect /error /nope /unicode/ü"
    return [(method, path) for path in paths.split() for method in ("GET", "HEAD", "OPTIONS")]


def test_every_answer_keeps_to_the_protocol(app: Flask) -> None:
    checked = validator(app)
    for method, path in make_everything(app):
        given = create_environ(path, method=method)
        given.setdefault("QUERY_STRING", "")
        body, status, headers = run_wsgi_app(checked, given, buffered=True)
        if method == "HEAD":
            assert b"".join(body) == b"", path
        elif status.startswith("200"):
            sent = headers.get("Content-Length")
            assert sent is None or int(sent) == len(b"".join(body)), path
    assert app.extensions["closed"] == 2


def test_the_response_starts_before_the_request_ends_and_closes_last(app: Flask) -> None:
    order: list[str] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            order.append("body")
            yield b"x"

        def close(self) -> None:
            order.append("close")

    app.teardown_request(lambda _error: order.append("teardown"))
    app.add_url_rule("/", "index", lambda: Response(Body()))

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        order.append("start")

    answer: Any = app(create_environ("/"), start)
    assert b"".join(answer) == b"x"
    answer.close()
    assert order == ["start", "teardown", "body", "close"]


def test_middleware_wraps_the_door(app: Flask) -> None:
    app.add_url_rule("/", "index", lambda: request.environ["marked"])
    inner = app.wsgi_app

    def middleware(environ: Any, start_response: Any) -> Any:
        environ["marked"] = "yes"
        return inner(environ, start_response)

    app.wsgi_app = middleware  # type: ignore[method-assign]
    assert app.test_client().get("/").text == "yes"


def test_an_error_of_the_context_is_answered(app: Flask) -> None:
    app.testing = False

    class Broken(app.url_map.converters["default"]):  # type: ignore[name-defined,misc]
        def to_python(self, value: str) -> str:
            raise LookupError(value)

    app.url_map.converters["broken"] = Broken
    app.add_url_rule("/<broken:x>", "index", lambda x: x)
    assert app.test_client().get("/a").status_code == 500


def test_errors_may_be_kept_from_teardown_functions(app: Flask) -> None:
    seen: list[BaseException | None] = []

    class Forgiving(Flask):
        def should_ignore_error(self, error: BaseException | None) -> bool:
            return isinstance(error, ZeroDivisionError)

    forgiving = Forgiving(__name__)
    forgiving.teardown_request(seen.append)
    forgiving.add_url_rule("/", "index", lambda: 1 / 0)
    assert forgiving.test_client().get("/").status_code == 500
    assert seen == [None]


def test_a_status_line_and_headers_are_plain_strings(app: Flask) -> None:
    app.add_url_rule("/", "index", lambda: "x")
    started: list[Any] = []
    app(create_environ("/"), lambda *args: started.append(args))  # type: ignore[arg-type]
    assert json.loads(json.dumps(started[0])) == [
        "200 OK",
        [["Content-Type", "text/html; charset=utf-8"], ["Content-Length", "1"]],
    ]


def test_an_error_of_a_teardown_function_goes_to_the_server(app: Flask) -> None:
    """The response has been started by then, but its body isn't sent."""
    app.add_url_rule("/", "index", lambda: "x")

    @app.teardown_request
    def fail(error: BaseException | None) -> None:
        raise LookupError("teardown")

    started: list[str] = []
    with pytest.raises(LookupError, match="teardown"):
        app(create_environ("/"), lambda status, *args: started.append(status))  # type: ignore[arg-type,misc,return-value]
    assert started == ["200 OK"]
    assert not has_app_context()


def test_an_error_that_comes_out_is_told_to_the_teardown_functions(app: Flask) -> None:
    seen: list[BaseException | None] = []
    app.teardown_request(seen.append)
    app.add_url_rule("/", "index", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError) as raised:
        run_wsgi_app(app, create_environ("/"))
    assert seen == [raised.value]
    assert not has_app_context()


def test_a_debugger_gets_hold_of_the_context(app: Flask) -> None:
    """Werkzeug's puts a function into the environ, to enter contexts again for its console."""
    kept: list[Any] = []
    environ = create_environ("/a?b=c")
    environ["werkzeug.debug.preserve_context"] = kept.append
    app.add_url_rule("/a", "a", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_wsgi_app(app, environ)
    [ctx] = kept
    with ctx:
        assert request.args["b"] == "c"
    assert not has_app_context()


def test_responses_of_other_classes_answer_for_themselves(app: Flask) -> None:
    class Own(Response):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            start_response("299 Own", [])
            return [environ["PATH_INFO"].encode()]

    app.response_class = Own
    app.add_url_rule("/own", "own", lambda: "not sent")
    body, status, headers = run_wsgi_app(app, create_environ("/own"))
    assert (list(body), status, list(headers)) == ([b"/own"], "299 Own", [])


def test_a_response_may_be_sent_again_and_again(app: Flask) -> None:
    page = Response("page", headers={"X": "1"})
    app.add_url_rule("/", "index", lambda: page)
    for method, body in [("GET", b"page"), ("HEAD", b""), ("GET", b"page")]:
        chunks, status, headers = run_wsgi_app(app, create_environ("/", method=method))
        assert (b"".join(chunks), status, headers["Content-Length"]) == (body, "200 OK", "4")
