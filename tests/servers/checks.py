"""The forty checks that the matrix makes of each server.

Each is a function of a :class:`Wire`; it is passed if it returns. They say what a client sees,
so they know neither the server nor its interface.
"""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import uuid4

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from .app import FILE, LONGEST
from .wire import PATIENCE, Answer, Wire, exchange, read_head

Check = Callable[[Wire], None]

CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Add a function to the checks."""

    def add(function: Check) -> Check:
        assert name not in CHECKS
        CHECKS[name] = function
        return function

    return add


def equal(got: object, wanted: object) -> None:
    """Fail with both values: this runs outside pytest too, which would show them."""
    if got != wanted:
        raise AssertionError(f"{_short(got)} instead of {_short(wanted)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def until(question: Callable[[], Any], wanted: object) -> None:
    """Ask until the answer is the one that is wanted; fail when the patience is at its end."""
    deadline = time.monotonic() + 10
    while (got := question()) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    equal(got, wanted)


def digest(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def in_chunks(data: bytes, size: int = 1000) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def says(answer: Answer, text: str, status: int = 200) -> None:
    equal((answer.status, answer.text), (status, text))


# Views, hooks, errors


@check("sync view")
def sync_view(wire: Wire) -> None:
    answer = wire.get("/")
    says(answer, "index")
    equal(answer.headers["Content-Type"], "text/html; charset=utf-8")
    equal(answer.headers["Content-Length"], "5")


@check("async view")
def async_view(wire: Wire) -> None:
    says(wire.get("/async"), "async index")


@check("async MethodView")
def method_view(wire: Wire) -> None:
    equal(wire.get("/things/7").json, {"number": 7})
    answer = wire.post("/things/8", b'["x"]', "application/json")
    equal((answer.status, answer.json), (201, {"number": 8, "got": ["x"]}))


@check("hooks in order")
def hooks(wire: Wire) -> None:
    for path in ("/", "/async"):
        name = uuid4().hex
        equal(wire.get(path, X_Name=name).status, 200)
        wanted = ["before", "before async", "after", "after async"]
        wanted += ["teardown async NoneType", "teardown NoneType"]
        until(partial(_events, wire, name), wanted)


def _events(wire: Wire, name: str) -> list[str]:
    """What has happened to the request of that name."""
    noted: list[str] = wire.get(f"/events/{name}").json
    return noted


@check("async error handler")
def error_handler(wire: Wire) -> None:
    answer = wire.get("/out-of-stock/hats")
    equal((answer.status, answer.json), (409, {"missing": "hats"}))


@check("an unhandled error")
def unhandled(wire: Wire) -> None:
    name = uuid4().hex
    equal(wire.get("/crash", X_Name=name).status, 500)
    ends = ["teardown async RuntimeError", "teardown RuntimeError"]
    until(lambda: _events(wire, name)[-2:], ends)


@check("blueprint")
def blueprint(wire: Wire) -> None:
    says(wire.get("/inner/out-of-stock"), "inner: hats", 410)


@check("abort and 404")
def aborted(wire: Wire) -> None:
    equal(wire.get("/teapot").status, 418)
    says(wire.get("/nowhere"), "no page at /nowhere", 404)


@check("405")
def not_allowed(wire: Wire) -> None:
    answer = wire.post("/async")
    equal(answer.status, 405)
    equal(sorted(answer.headers["Allow"].split(", ")), ["GET", "HEAD", "OPTIONS"])


@check("HEAD")
def head(wire: Wire) -> None:
    with wire.connection() as connection:
        for path, length in (("/", "5"), ("/async", "11"), ("/bytes/300000", "300000")):
            answer = exchange(connection, "HEAD", path)
            equal((answer.status, answer.body), (200, b""))
            equal(answer.headers["Content-Length"], length)
        # Nothing of a body stands in the way of what comes next.
        says(exchange(connection, "GET", "/"), "index")


@check("OPTIONS")
def options(wire: Wire) -> None:
    answer = wire.ask("OPTIONS", "/things/1")
    equal((answer.status, answer.body), (200, b""))
    equal(sorted(answer.headers["Allow"].split(", ")), ["GET", "HEAD", "OPTIONS", "POST"])


@check("template, async context processor")
def template(wire: Wire) -> None:
    text = wire.get("/page").text
    equal("<h1>The Brim</h1>" in text and "<title>Hats &amp; caps</title>" in text, True)
    equal('<a href="/query?a=1">/page</a>' in text, True)


@check("requests apart")
def apart(wire: Wire) -> None:
    def ask(number: int) -> None:
        path = f"/{'alone-async' if number % 2 else 'alone'}/{number}"
        name = f"visitor {number}"
        equal(wire.get(path, X_Name=name).json, {"number": number, "path": path, "name": name})

    with ThreadPoolExecutor(16) as crowd:
        list(crowd.map(ask, range(64)))


# Bodies

VALUE = {"text": "naïve ☃", "numbers": [1, 2.5, None, True]}


@check("JSON")
def json_body(wire: Wire) -> None:
    for path in ("/json", "/json-async"):
        equal(wire.post(path, json.dumps(VALUE).encode(), "application/json").json, {"got": VALUE})


@check("JSON that is none")
def bad_json(wire: Wire) -> None:
    for path in ("/json", "/json-async"):
        equal(wire.post(path, b'{"half":', "application/json").status, 400)
        equal(wire.post(path, b"{}", "text/plain").status, 415)


@check("form")
def form(wire: Wire) -> None:
    for path in ("/form", "/form-async"):
        answer = wire.post(path, b"a=1&a=2&b=%C3%BC+%26", "application/x-www-form-urlencoded")
        equal(answer.json, {"form": {"a": ["1", "2"], "b": ["ü &"]}, "files": {}})


@check("multipart")
def multipart(wire: Wire) -> None:
    data = FILE[:50_000]
    body = (
        b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nH\xc3\xbcte\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + data + b"\r\n--x--\r\n"
    )
    wanted = {"form": {"title": ["Hüte"]}, "files": {"file": digest(data)}}
    for path in ("/form", "/form-async"):
        equal(wire.post(path, body, "multipart/form-data; boundary=x").json, wanted)


@check("raw body")
def raw(wire: Wire) -> None:
    data = FILE[:LONGEST]
    for path in ("/raw", "/raw-async", "/read", "/read-async"):
        for body in (data, b""):
            equal(wire.post(path, body).json, digest(body))


@check("chunked body")
def chunked(wire: Wire) -> None:
    data = FILE[:40_000]
    for path in ("/raw", "/raw-async"):
        equal(wire.post(path, in_chunks(data)).json, digest(data))
        equal(wire.post(path, iter(())).json, digest(b""))


@check("chunked body, read as it comes")
def chunked_stream(wire: Wire) -> None:
    data = FILE[:LONGEST]
    for path in ("/read", "/read-async"):
        equal(wire.post(path, in_chunks(data, 7000)).json, digest(data))


@check("big body")
def big_body(wire: Wire) -> None:
    data = FILE * 60
    equal(wire.post("/big", data).json, digest(data))
    equal(wire.post("/big", in_chunks(data, 100_000)).json, digest(data))


@check("413, length declared")
def too_long(wire: Wire) -> None:
    for path in ("/raw", "/raw-async", "/read", "/read-async"):
        equal(wire.post(path, b"x" * (LONGEST + 1)).status, 413)
    # Longer than what is on the way: the client is still sending when it is answered.
    equal(wire.post("/raw", b"x" * 8_000_000).status, 413)
    says(wire.get("/"), "index")


@check("413, chunked")
def too_long_chunked(wire: Wire) -> None:
    for path in ("/raw", "/raw-async", "/read", "/read-async"):
        equal(wire.post(path, in_chunks(b"x" * (LONGEST + 1), 8000)).status, 413)
    equal(wire.post("/read-async", in_chunks(b"x" * 8_000_000, 50_000)).status, 413)
    says(wire.get("/"), "index")


@check("a body that is not read")
def unread(wire: Wire) -> None:
    with wire.connection() as connection:
        for size in (5000, 60_000):
            says(exchange(connection, "POST", "/ignored", None, b"x" * size), "not read")
            # None of it is taken for a request.
            says(exchange(connection, "GET", "/"), "index")


@check("Expect: 100-continue")
def expect(wire: Wire) -> None:
    with wire.socket() as connection:
        connection.sendall(
            b"POST /raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        equal(_status(connection), b"100")
        connection.sendall(b"hello")
        status = b"100"
        while status == b"100":  # as often as a server likes (RFC 9110, section 15.2)
            status = _status(connection)
        equal(status, b"200")
        body = b"".join(iter(lambda: connection.recv(4096), b""))
        equal(digest(b"hello")["sha256"].encode() in body, True)


def _status(connection: socket.socket) -> bytes:
    return read_head(connection).split(b" ")[1]


# What the server makes of an address and of headers


@check("paths")
def paths(wire: Wire) -> None:
    answer = wire.get("/path/a%2Fb/%C3%BC%20%25/c%3Fd")
    rest = "a/b/ü %/c?d"
    again = "/path/a/b/%C3%BC%20%25/c?d".replace("?", "%3F")
    equal(answer.json, {"rest": rest, "path": f"/path/{rest}", "again": again})


@check("query strings")
def query(wire: Wire) -> None:
    raw = "a=1&a=2&b=%C3%BC+x&c=%2B&d="
    wanted = {"a": ["1", "2"], "b": ["ü x"], "c": ["+"], "d": [""]}
    equal(wire.get(f"/query?{raw}").json, {"args": wanted, "raw": raw})
    equal(wire.get("/query").json, {"args": {}, "raw": ""})


@check("headers")
def headers(wire: Wire) -> None:
    with wire.connection() as connection:
        connection.putrequest("GET", "/seen?q=1", skip_host=True)
        connection.putheader("Host", "shop.example:8080")
        connection.putheader("X-Twice", "one")
        connection.putheader("X-Twice", "two")
        connection.putheader("Cookie", "a=1; b=x")
        connection.endheaders()
        seen = Answer(connection.getresponse()).json
    equal(seen["url"], "http://shop.example:8080/seen?q=1")
    equal(seen["external"], "http://shop.example:8080/")
    equal(seen["remote_addr"], "127.0.0.1")
    equal([part.strip() for part in seen["twice"].split(",")], ["one", "two"])
    equal(seen["cookies"], {"a": "1", "b": "x"})


# Answers


@check("cookies")
def cookies(wire: Wire) -> None:
    answer = wire.get("/cookies")
    equal(
        answer.all("Set-Cookie"),
        ["one=1; HttpOnly; Path=/", 'two="2\\073 3"; Path=/; SameSite=Lax'],
    )
    equal(answer.all("X-Twice"), ["a", "b"])


@check("session")
def session(wire: Wire) -> None:
    cookie = ""
    for count in ("1", "2", "3"):
        answer = wire.get("/count", Cookie=cookie)
        says(answer, count)
        equal(answer.headers["Vary"], "Cookie")
        cookie = answer.headers["Set-Cookie"].partition(";")[0]


@check("redirects")
def redirects(wire: Wire) -> None:
    answer = wire.get("/away")
    equal((answer.status, answer.headers["Location"]), (302, "/query?next=/a+b"))
    answer = wire.get("/folder?x=1", Host="shop.example")
    equal((answer.status, answer.headers["Location"]), (308, "http://shop.example/folder/?x=1"))


@check("204 and 304")
def no_body(wire: Wire) -> None:
    with wire.connection() as connection:
        answer = exchange(connection, "GET", "/nothing")
        equal((answer.status, answer.body), (204, b""))
        equal(answer.headers.get("Content-Length", "0"), "0")
        unchanged = exchange(connection, "GET", "/file", {"If-None-Match": '"the-file"'})
        equal((unchanged.status, unchanged.body), (304, b""))
        equal(unchanged.headers["ETag"], '"the-file"')
        says(exchange(connection, "GET", "/"), "index")


@check("send_file with ranges")
def ranges(wire: Wire) -> None:
    equal(wire.get("/file").body, FILE)
    for wanted, part in (("0-9", FILE[:10]), ("70000-", FILE[70000:]), ("-5", FILE[-5:])):
        answer = wire.get("/file", Range=f"bytes={wanted}")
        equal((answer.status, answer.body), (206, part))
        start = FILE.index(part) if wanted == "0-9" else len(FILE) - len(part)
        end = start + len(part) - 1
        equal(answer.headers["Content-Range"], f"bytes {start}-{end}/{len(FILE)}")
    equal(wire.get("/file", Range="bytes=900000-").status, 416)
    answer = wire.get("/download", Range="bytes=0-2")
    equal((answer.status, answer.body), (206, b'"""'))
    equal(answer.headers["Content-Disposition"], "attachment; filename=app.py")


@check("static files")
def static(wire: Wire) -> None:
    answer = wire.get("/static/style.css")
    says(answer, "body { color: teal; }\n")
    equal(answer.headers["Content-Type"], "text/css; charset=utf-8")
    modified = answer.headers["Last-Modified"]
    equal(wire.get("/static/style.css", If_Modified_Since=modified).status, 304)
    equal(wire.get("/static/../app.py").status, 404)


@check("big answer")
def big_answer(wire: Wire) -> None:
    answer = wire.get("/bytes/5000000")
    equal((len(answer.body), answer.body.strip(b"b")), (5_000_000, b""))


@check("keep-alive")
def keep_alive(wire: Wire) -> None:
    with wire.connection() as connection:
        connection.connect()
        where = connection.sock
        for number in range(5):
            equal(exchange(connection, "GET", f"/things/{number}").json, {"number": number})
            body = json.dumps(number).encode()
            kind = {"Content-Type": "application/json"}
            equal(exchange(connection, "POST", "/json-async", kind, body).json, {"got": number})
        equal(connection.sock is where, True)


# Streams


@check("streams arrive as they are made")
def streams(wire: Wire) -> None:
    for kind in ("stream", "stream-async"):
        gate = uuid4().hex
        with wire.opened(f"/{kind}/{gate}") as response:
            equal(response.read(6), b"first ")
            says(wire.post(f"/gates/{gate}"), "open")
            equal(response.read(), b"last")


@check("server-sent events")
def server_sent_events(wire: Wire) -> None:
    name = uuid4().hex
    with wire.opened(f"/feed/{name}", {"Last-Event-ID": "6"}) as response:
        equal(response.headers["Content-Type"].partition(";")[0], "text/event-stream")
        lines = [response.readline() for _ in range(4)]
        fields = dict(line.rstrip(b"\n").partition(b": ")[::2] for line in lines)
        equal((fields[b"event"], fields[b"id"]), (b"hello", b"7"))
        equal(json.loads(fields[b"data"]), {"name": name})
        says(wire.post(f"/gates/{name}"), "open")
        lines = response.read().splitlines()
        equal(sorted(lines), [b"", b"data: lines", b"data: two", b"id: 8"])


@check("stream_with_context")
def with_context(wire: Wire) -> None:
    says(wire.get("/with-context?word=a&word=b", X_Name="me"), "a for me\nb for me\n")


@check("a client that leaves a stream")
def leaves(wire: Wire) -> None:
    for kind in ("endless", "endless-async"):
        name = uuid4().hex
        with wire.opened(f"/{kind}/{name}", {"X-Name": name}) as response:
            equal(response.read(1000), b"." * 1000)
        until(partial(_ends, wire, name), {"closed", "teardown", "teardown async"})


def _ends(wire: Wire, name: str) -> set[str]:
    """How a request ended, without the error that a teardown was told of."""
    ends = {event.rpartition(" ")[0] or event for event in _events(wire, name)}
    return ends & {"closed", "teardown", "teardown async"}


# On top of all of the above, where a server is started for it


def behind_a_proxy(wire: Wire) -> None:
    """What ProxyFix takes over from a proxy's headers."""
    seen = wire.ask(
        "GET",
        "/seen",
        {
            "X-Forwarded-For": "192.0.2.1",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "shop.example",
            "X-Forwarded-Prefix": "/shop",
        },
    ).json
    equal(seen["url"], "https://shop.example/shop/seen")
    equal(seen["external"], "https://shop.example/shop/")
    equal((seen["remote_addr"], seen["script_root"]), ("192.0.2.1", "/shop"))


def mounted(wire: Wire, target: str = "/seen") -> None:
    """What the application is told of the path at which it is mounted."""
    seen = wire.get(target, Host="shop.example").json
    equal(seen["url"], "http://shop.example/shop/seen")
    equal(seen["external"], "http://shop.example/shop/")
    equal(seen["script_root"], "/shop")


def mounted_keeping(wire: Wire) -> None:
    """The same, of a server that wants to be asked for the whole path."""
    mounted(wire, "/shop/seen")


def websockets(wire: Wire) -> None:
    """Text and bytes go through a WebSocket and back, in a sync and in an async view."""
    for path in ("echo", "echo-async"):
        with connect(f"ws://127.0.0.1:{wire.port}/{path}/me") as client:
            for message, wanted in (("hey ☃", "me hey ☃"), (FILE, FILE)):
                client.send(message)
                equal(client.recv(PATIENCE), wanted)


def refused_websockets(wire: Wire) -> None:
    """A server that hands out no socket has the handshake answered, and goes on."""
    try:
        with connect(f"ws://127.0.0.1:{wire.port}/echo/me"):
            raise AssertionError("The WebSocket was opened.")
    except InvalidStatus as refused:
        equal(refused.response.status_code, 501)
    says(wire.get("/"), "index")
