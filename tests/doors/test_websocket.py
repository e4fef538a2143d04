"""WebSockets from the handshake to the end, through both doors and from sync and async views.

Every test with the fixture ``url`` runs over the development server's socket and over uvicorn.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import create_environ, run_wsgi_app

from brim import (
    Blueprint,
    Flask,
    UnexpectedMessage,
    WebsocketClosed,
    abort,
    current_app,
    g,
    request,
    session,
    url_for,
    websocket,
)
from tests.processes import end_group, first_answer, free_port
from tests.websockets import DOORS, PATIENCE, Noted, over_asgi, over_wsgi


@pytest.fixture(params=DOORS)
def url(request: pytest.FixtureRequest, app: Flask) -> Iterator[str]:
    app.config["TESTING"] = False

    @app.get("/")
    def ready() -> str:
        return "ready"

    with DOORS[request.param](app) as address:
        yield f"ws://{address}"


@pytest.fixture
def noted(app: Flask) -> Noted:
    """What the functions around the views were called with."""
    noted = Noted()

    @app.after_websocket
    def after(response: Any) -> Any:
        noted.append(("after", response and response.status_code))
        return response

    @app.teardown_websocket
    def teardown(error: BaseException | None) -> None:
        noted.append(("teardown", error and type(error)))

    return noted


ENDED = [("after", None), ("teardown", None)]


def refused(url: str, **options: Any) -> tuple[int, str]:
    """Status and text of the answer that refuses a connection."""
    with pytest.raises(InvalidStatus) as caught, connect(url, **options):
        pass
    response = caught.value.response
    return response.status_code, (response.body or b"").decode()


def close_of(client: ClientConnection) -> tuple[int, str]:
    """Code and reason of a close that the application sends."""
    with pytest.raises(ConnectionClosed):
        client.recv(PATIENCE)
    assert client.close_code is not None and client.close_reason is not None
    return client.close_code, client.close_reason


# Messages ------------------------------------------------------------------------------


@pytest.fixture(params=["sync", "async"])
def echo(request: pytest.FixtureRequest, app: Flask) -> None:
    def on_thread() -> None:
        for message in websocket:
            websocket.send(message)

    async def on_loop() -> None:
        async for message in websocket:
            await websocket.send(message)

    app.websocket("/echo")(on_thread if request.param == "sync" else on_loop)


@pytest.mark.usefixtures("echo")
def test_a_view_sends_back_what_it_receives(url: str, noted: Noted) -> None:
    with connect(f"{url}/echo") as client:
        for message in ("hällo", b"\0\xff", "", "x" * 300_000):
            client.send(message)
            assert client.recv(PATIENCE) == message
        client.send(["in ", "pieces"])
        assert client.recv(PATIENCE) == "in pieces"
    assert noted.wait_for(2) == ENDED


@pytest.mark.usefixtures("echo")
def test_a_message_beyond_the_limit_closes_with_1009(app: Flask, url: str, noted: Noted) -> None:
    app.config["WEBSOCKET_MAX_MESSAGE_SIZE"] = 10
    with connect(f"{url}/echo") as client:
        client.send("ä" * 5)
        assert client.recv(PATIENCE) == "ä" * 5
        client.send("ä" * 6)
        assert close_of(client) == (1009, "A message may have 10 bytes.")
    assert noted.wait_for(2) == ENDED


def test_json_goes_both_ways(app: Flask, url: str) -> None:
    @app.websocket("/sync")
    def on_thread() -> None:
        websocket.send_json(got=websocket.receive_json())

    @app.websocket("/async")
    async def on_loop() -> None:
        await websocket.send_json([await websocket.receive_json()])

    with connect(f"{url}/sync") as client:
        client.send('{"a": [1]}')
        assert client.recv(PATIENCE) == '{"got": {"a": [1]}}'
    with connect(f"{url}/async") as client:
        client.send(b"1.5")
        assert client.recv(PATIENCE) == "[1.5]"


@pytest.mark.parametrize(
    ("message", "code"), [("no json", 1007), ("[" * 100_000, 1007), (b"bytes", 1003)]
)
def test_what_a_view_did_not_ask_for_ends_it_quietly(
    app: Flask, url: str, noted: Noted, message: Any, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    @app.websocket("/")
    async def view() -> None:
        await (websocket.receive_text() if code == 1003 else websocket.receive_json())

    with connect(f"{url}/") as client:
        client.send(message)
        assert close_of(client)[0] == code
    assert noted.wait_for(2) == ENDED
    assert [r for r in caplog.records if r.name == app.logger.name] == []


def test_a_view_may_go_on_after_what_it_did_not_ask_for(app: Flask, url: str) -> None:
    @app.websocket("/")
    def view() -> None:
        try:
            websocket.receive_bytes()
        except UnexpectedMessage as error:
            websocket.send(str(error))
        websocket.send(websocket.receive_bytes() + b"!")

    with connect(f"{url}/") as client:
        client.send("text")
        assert client.recv(PATIENCE) == "A message of bytes was expected, and text came."
        client.send(b"bytes")
        assert client.recv(PATIENCE) == b"bytes!"


def test_tasks_of_a_view_send_and_receive_at_once(app: Flask, url: str) -> None:
    @app.websocket("/")
    async def view() -> None:
        async def talk(name: str) -> None:
            await websocket.send(name)
            await websocket.send(await websocket.receive())

        await asyncio.gather(*(talk(name) for name in "abcd"))

    with connect(f"{url}/") as client:
        assert sorted(str(client.recv(PATIENCE)) for _ in range(4)) == list("abcd")
        for number in range(4):
            client.send(str(number))
        assert sorted(str(client.recv(PATIENCE)) for _ in range(4)) == list("0123")


def test_threads_of_a_view_send_and_receive_at_once(app: Flask, url: str) -> None:
    @app.websocket("/")
    def view() -> None:
        connection = websocket._get_current_object()  # type: ignore[attr-defined]

        def talk(name: str) -> None:
            connection.send(name)
            connection.send(connection.receive())

        threads = [threading.Thread(target=talk, args=name) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with connect(f"{url}/") as client:
        assert sorted(str(client.recv(PATIENCE)) for _ in range(4)) == list("abcd")
        for number in range(4):
            client.send(str(number))
        assert sorted(str(client.recv(PATIENCE)) for _ in range(4)) == list("0123")


# The handshake -------------------------------------------------------------------------


def test_what_a_view_knows_of_its_connection(app: Flask, url: str) -> None:
    bp = Blueprint("bp", __name__)

    @bp.websocket("/rooms/<int:room>")
    def view(room: int) -> None:
        websocket.send_json(
            args=websocket.args,
            view_args=websocket.view_args,
            header=websocket.headers["X-A"],
            cookie=websocket.cookies["c"],
            path=websocket.path,
            url=websocket.url,
            scheme=websocket.scheme,
            subprotocols=websocket.requested_subprotocols,
            endpoint=websocket.endpoint,
            blueprint=websocket.blueprint,
            origin=websocket.origin,
            remote_addr=websocket.remote_addr,
            same=[request.path == websocket.path, websocket.host == request.host],
            app=current_app.name,
            here=url_for(".view", room=2),
            http=url_for("ready"),
        )

    app.register_blueprint(bp, url_prefix="/bp")
    with connect(
        f"{url}/bp/rooms/1?b=2",
        additional_headers={"X-A": "a", "Cookie": "c=d"},
        subprotocols=["x", "y"],  # type: ignore[list-item]
    ) as client:
        assert json.loads(client.recv(PATIENCE)) == {
            "args": {"b": "2"},
            "view_args": {"room": 1},
            "header": "a",
            "cookie": "d",
            "path": "/bp/rooms/1",
            "url": f"{url}/bp/rooms/1?b=2",
            "scheme": "ws",
            "subprotocols": ["x", "y"],
            "endpoint": "bp.view",
            "blueprint": "bp",
            "origin": None,
            "remote_addr": "127.0.0.1",
            "same": [True, True],
            "app": "tests",
            "here": f"{url}/bp/rooms/2",
            "http": "/",
        }


def test_a_connection_is_accepted_with_a_subprotocol_and_headers(app: Flask, url: str) -> None:
    @app.websocket("/")
    async def view() -> None:
        with pytest.raises(ValueError, match="not offered"):
            await websocket.accept("z")
        with pytest.raises(ValueError, match="Upgrade"):
            await websocket.accept(headers={"Upgrade": "h2c"})
        with pytest.raises(ValueError, match=r"newline|line"):
            await websocket.accept(headers={"X-A": "1\r\nX-B: 2"})
        await websocket.accept("y", {"X-A": "1"})
        with pytest.raises(RuntimeError, match="accepted before"):
            await websocket.accept()
        await websocket.send(f"{websocket.accepted} {websocket.subprotocol}")

    with connect(f"{url}/", subprotocols=["x", "y"]) as client:  # type: ignore[list-item]
        assert client.recv(PATIENCE) == "True y"
        assert client.subprotocol == "y"
        assert client.response is not None and client.response.headers["X-A"] == "1"


def test_a_session_that_changed_before_the_connection_was_accepted_is_saved(
    app: Flask, url: str
) -> None:
    @app.websocket("/")
    def view() -> None:
        session["seen"] = session.get("seen", 0) + 1
        websocket.send(str(session["seen"]))

    with connect(f"{url}/") as client:
        assert client.recv(PATIENCE) == "1"
        assert client.response is not None
        cookie = client.response.headers["Set-Cookie"].partition(";")[0]
    with connect(f"{url}/", additional_headers={"Cookie": cookie}) as client:
        assert client.recv(PATIENCE) == "2"


@pytest.mark.parametrize(
    ("origin", "allowed", "opens"),
    [
        (None, [], True),
        ("http://{host}", [], True),
        ("https://{host}", [], True),
        ("http://evil.example", [], False),
        ("null", [], False),
        ("http://evil.example", ["*"], True),
        ("http://evil.example", "*", True),
        ("https://Friend.example", ["https://friend.example/"], True),
        ("https://friend.example.evil.example", ["https://friend.example"], False),
        ("http://[", [], False),
    ],
)
def test_pages_of_other_origins_open_no_websocket(
    app: Flask, url: str, origin: str | None, allowed: Any, opens: bool
) -> None:
    @app.websocket("/")
    def view() -> None:
        websocket.send("open")

    app.config["WEBSOCKET_ALLOWED_ORIGINS"] = allowed
    sent: Any = origin and origin.format(host=url.removeprefix("ws://"))
    if opens:
        with connect(f"{url}/", origin=sent) as client:
            assert client.recv(PATIENCE) == "open"
    else:
        status, text = refused(f"{url}/", origin=sent)
        assert status == 403
        assert "WEBSOCKET_ALLOWED_ORIGINS" in text


# Refusing ------------------------------------------------------------------------------


def test_before_accept_every_answer_is_an_http_response(app: Flask, url: str, noted: Noted) -> None:
    @app.websocket("/abort")
    async def aborts() -> None:
        abort(401)

    @app.websocket("/returns")
    def returns() -> Any:
        return {"why": "full"}, 503

    @app.websocket("/nothing")
    def nothing() -> None:
        return

    @app.websocket("/closes")
    async def closes() -> None:
        await websocket.close(4000)

    @app.websocket("/fails")
    def fails() -> None:
        raise KeyError("lost")

    @app.errorhandler(401)
    def unauthorized(error: Any) -> Any:
        return "who are you?", 401

    assert refused(f"{url}/abort") == (401, "who are you?")
    assert refused(f"{url}/returns") == (503, '{"why":"full"}\n')
    assert refused(f"{url}/nothing")[0] == 403
    assert refused(f"{url}/closes")[0] == 403
    assert refused(f"{url}/fails")[0] == 500
    statuses = [value for name, value in noted.wait_for(10) if name == "after"]
    assert statuses == [401, 503, 403, 403, 500]
    assert noted[-1] == ("teardown", KeyError)


def test_what_a_before_function_returns_refuses(app: Flask, url: str, noted: Noted) -> None:
    bp = Blueprint("bp", __name__)

    @bp.websocket("/")
    def view() -> None:
        websocket.send(g.order)

    @app.before_websocket
    def of_app() -> None:
        g.order = "app"

    @bp.before_websocket
    async def of_blueprint() -> Any:
        g.order += " blueprint"
        return ("no", 402) if "no" in websocket.args else None

    @app.before_request
    def of_requests() -> None:
        g.order = "request"

    app.register_blueprint(bp, url_prefix="/bp")
    assert refused(f"{url}/bp/?no=1") == (402, "no")
    assert noted.wait_for(2) == [("after", 402), ("teardown", None)]
    with connect(f"{url}/bp/") as client:
        assert client.recv(PATIENCE) == "app blueprint"


def test_a_websocket_and_a_request_each_have_their_rules(app: Flask, url: str) -> None:
    @app.websocket("/ws")
    def view() -> None:
        websocket.send("open")

    assert refused(f"{url}/")[0] == 400
    assert refused(f"{url}/missing")[0] == 404
    with pytest.raises(OSError, match="400"):
        urlopen(f"{url.replace('ws', 'http', 1)}/ws", timeout=PATIENCE)


# Errors and ends -----------------------------------------------------------------------


def test_an_error_after_accept_is_logged_and_closes_with_1011(
    app: Flask, url: str, noted: Noted, caplog: pytest.LogCaptureFixture
) -> None:
    @app.websocket("/sync")
    def on_thread() -> None:
        websocket.accept()
        raise KeyError("lost")

    @app.websocket("/async")
    async def on_loop() -> None:
        await websocket.accept()
        raise KeyError("lost")

    for path in ("sync", "async"):
        with connect(f"{url}/{path}") as client:
            assert close_of(client) == (1011, "")
    assert noted.wait_for(4) == [("after", None), ("teardown", KeyError)] * 2
    records = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert [r.exc_info and r.exc_info[0] for r in records] == [KeyError, KeyError]


def test_handlers_are_called_after_accept_and_may_choose_the_close(app: Flask, url: str) -> None:
    @app.websocket("/")
    def view() -> None:
        websocket.accept()
        raise LookupError("room")

    @app.errorhandler(LookupError)
    def handle(error: LookupError) -> str:
        websocket.close(4004, f"no {error}")
        return ""

    with connect(f"{url}/") as client:
        assert close_of(client) == (4004, "no room")


def test_what_is_returned_or_aborted_too_late_is_told(
    app: Flask, url: str, caplog: pytest.LogCaptureFixture, noted: Noted
) -> None:
    @app.websocket("/returns")
    def returns() -> str:
        websocket.accept()
        return "late"

    @app.websocket("/aborts")
    def aborts() -> None:
        websocket.accept()
        abort(404)

    for path in ("returns", "aborts"):
        with connect(f"{url}/{path}") as client:
            assert close_of(client) == (1011, "")
    noted.wait_for(4)
    assert "after its WebSocket was accepted" in caplog.text
    assert "404 Not Found: " in caplog.text


def test_a_view_closes_with_its_own_code(app: Flask, url: str) -> None:
    @app.websocket("/")
    async def view() -> None:
        await websocket.send("last")
        await websocket.close(4321, "bye")
        await websocket.close(4322, "no effect")
        assert websocket.closed is not None
        with pytest.raises(WebsocketClosed, match="4321 bye"):
            await websocket.send("more")
        with pytest.raises(WebsocketClosed, match="4321 bye"):
            await websocket.receive()

    with connect(f"{url}/") as client:
        assert client.recv(PATIENCE) == "last"
        assert close_of(client) == (4321, "bye")


@pytest.mark.parametrize(("code", "reason"), [(1005, ""), (999, ""), (5000, ""), (1000, "ä" * 62)])
def test_closes_that_may_not_be_sent(app: Flask, url: str, code: int, reason: str) -> None:
    @app.websocket("/")
    def view() -> None:
        websocket.accept()
        with pytest.raises(ValueError, match=r"close code|reason of a close"):
            websocket.close(code, reason)
        websocket.send("still open")

    with connect(f"{url}/") as client:
        assert client.recv(PATIENCE) == "still open"


def test_the_clients_code_and_reason_reach_the_view(app: Flask, url: str) -> None:
    noted = Noted()

    @app.websocket("/")
    def view() -> None:
        try:
            websocket.receive()
        except WebsocketClosed as closed:
            noted.append((closed.code, closed.reason))
            raise

    client = connect(f"{url}/", legacy=True)
    client.close(4001, "enough")
    assert noted.wait_for(1) == [(4001, "enough")]


def test_hooks_run_however_clients_leave(
    app: Flask, url: str, noted: Noted, caplog: pytest.LogCaptureFixture
) -> None:
    @app.websocket("/sync")
    def on_thread() -> None:
        websocket.send("here")
        websocket.receive()

    @app.websocket("/async")
    async def on_loop() -> None:
        await websocket.send("here")
        await websocket.receive()

    for number in range(20):
        client = connect(f"{url}/{'sync' if number % 2 else 'async'}", legacy=True)
        assert client.recv(PATIENCE) == "here"
        if number % 4 < 2:
            client.close()
        else:
            client.socket.shutdown(socket.SHUT_RDWR)
            client.close()
    ended = noted.wait_for(40)
    assert (ended.count(("after", None)), ended.count(("teardown", None))) == (20, 20)
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


def test_a_coroutine_that_waits_for_something_else_ends_when_its_client_leaves(
    app: Flask, url: str, noted: Noted
) -> None:
    @app.websocket("/")
    async def view() -> None:
        await websocket.send("here")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            noted.append("cancelled")
            raise

    client = connect(f"{url}/", legacy=True)
    assert client.recv(PATIENCE) == "here"
    client.send("not asked for")
    client.close()
    assert noted.wait_for(3) == ["cancelled", *ENDED]


def test_a_coroutine_whose_client_is_heard_by_another_task_ends_when_that_leaves(
    app: Flask, url: str, noted: Noted
) -> None:
    @app.websocket("/")
    async def view() -> None:
        await websocket.send("here")

        async def listen() -> None:
            async for _ in websocket:
                pass

        listener = asyncio.create_task(listen())
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await listener
            noted.append("cancelled")
            raise

    client = connect(f"{url}/", legacy=True)
    assert client.recv(PATIENCE) == "here"
    client.close()
    assert noted.wait_for(3) == ["cancelled", *ENDED]


def test_what_comes_while_a_view_does_something_else_is_kept_for_it(app: Flask, url: str) -> None:
    gate = threading.Event()

    @app.websocket("/")
    async def view() -> None:
        await websocket.accept()
        # Longer than it takes until messages are read ahead.
        while not gate.is_set():
            await asyncio.sleep(0.05)
        await websocket.send_json([await websocket.receive() for _ in range(3)])

    with connect(f"{url}/") as client:
        client.send("1")
        client.send("2")
        gate_after = threading.Timer(1.3, gate.set)
        gate_after.start()
        client.send("3")
        assert json.loads(client.recv(PATIENCE)) == ["1", "2", "3"]
        gate_after.join()


def test_a_sync_view_that_only_sends_ends_when_its_client_leaves(
    app: Flask, url: str, noted: Noted
) -> None:
    @app.websocket("/")
    def view() -> None:
        while True:
            websocket.send("x" * 1000)

    client = connect(f"{url}/", legacy=True)
    client.recv(PATIENCE)
    client.socket.shutdown(socket.SHUT_RDWR)
    client.close()
    assert noted.wait_for(2) == ENDED


def test_contexts_of_concurrent_connections_are_apart(app: Flask, url: str) -> None:
    assert leaks(app, url, 40) == []


def leaks(app: Flask, url: str, connections: int) -> list[Any]:
    """Hold that many connections at once; what any of them saw of another's context."""

    async def on_loop(name: str) -> None:
        g.name = name
        async for _ in websocket:
            await asyncio.sleep(0)
            await websocket.send(f"{g.name} {request.path} {websocket.args['n']}")

    def on_thread(name: str) -> None:
        g.name = name
        for _ in websocket:
            websocket.send(f"{g.name} {request.path} {websocket.args['n']}")

    app.websocket("/async/<name>")(on_loop)
    app.websocket("/sync/<name>")(on_thread)
    clients = [
        (
            f"{n} /{'sync' if n % 2 else 'async'}/{n} {n}",
            connect(f"{url}/{'sync' if n % 2 else 'async'}/{n}?n={n}", legacy=True),
        )
        for n in range(connections)
    ]
    wrong: list[Any] = []
    for _ in range(3):
        for _, client in clients:
            client.send("who?")
        for expected, client in clients:
            answer = client.recv(PATIENCE)
            if answer != expected:
                wrong.append((expected, answer))
    for _, client in clients:
        client.close()
    return wrong


def test_no_message_is_lost_when_the_wait_for_it_is_given_up(app: Flask, url: str) -> None:
    @app.websocket("/")
    async def view() -> None:
        while True:
            try:
                message = await asyncio.wait_for(websocket.receive(), 0.01)
            except TimeoutError:
                await websocket.send("timeout")
                continue
            await websocket.send(message)
            return

    with connect(f"{url}/") as client:
        assert client.recv(PATIENCE) == "timeout"
        client.send("kept")
        while (answer := client.recv(PATIENCE)) == "timeout":
            pass
        assert answer == "kept"


def test_a_plain_request_has_no_websocket(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(RuntimeError, match=r"@app\.websocket"):
        websocket.send("")


def test_an_endpoint_serves_requests_or_websockets(app: Flask) -> None:
    app.add_url_rule("/a", "a", lambda: "")
    with pytest.raises(AssertionError, match="can't serve WebSockets and HTTP both"):
        app.add_websocket("/b", "a", lambda: None)


def test_a_view_that_takes_the_servers_socket_itself_is_left_alone(app: Flask) -> None:
    """As those of Flask-Sock, whose rules say ``websocket=True`` and no more."""

    @app.route("/", websocket=True)
    def view() -> str:
        request.environ["werkzeug.socket"].sendall(b"HTTP/1.1 299 Mine\r\n\r\n")
        raise ConnectionResetError

    with over_wsgi(app) as address:
        answer = handshake(address, "GET / HTTP/1.1", "Host: localhost", "Upgrade: websocket")
    assert answer == b"HTTP/1.1 299 Mine\r\n\r\n"


def test_overridden_steps_of_requests_are_not_for_websockets(url: str, app: Flask) -> None:
    noted = Noted()

    @app.websocket("/")
    def view() -> None:
        websocket.send("open")

    def process_response(response: Any) -> Any:
        noted.append(response)
        return response

    app.process_response = process_response  # type: ignore[method-assign, assignment]
    with connect(f"{url}/") as client:
        assert client.recv(PATIENCE) == "open"
    assert noted == []


# Only over ASGI ------------------------------------------------------------------------


def test_wsgi_middleware_sees_the_handshake(app: Flask) -> None:
    @app.websocket("/")
    def view() -> None:
        websocket.send(f"{websocket.url} {websocket.remote_addr}")

    def gate(environ: Any, start_response: Any) -> Any:
        if "closed" in environ["QUERY_STRING"]:
            start_response("410 Gone", [("Content-Type", "text/plain")])
            return [b"gone"]
        return proxied(environ, start_response)

    proxied = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)
    app.wsgi_app = gate  # type: ignore[method-assign]
    forwarded = {
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Host": "example.com",
        "X-Forwarded-Proto": "https",
    }
    with over_asgi(app) as address:
        with connect(
            f"ws://{address}/",
            additional_headers=forwarded,
            origin="https://example.com",  # type: ignore[arg-type]
        ) as client:
            assert client.recv(PATIENCE) == "wss://example.com/ 10.0.0.1"
        assert refused(f"ws://{address}/?closed") == (410, "gone")


def test_sync_views_have_threads_of_their_own_and_not_without_end(app: Flask) -> None:
    app.config["WEBSOCKET_MAX_THREADS"] = 2

    @app.websocket("/")
    def view() -> None:
        websocket.send(str(threading.get_ident()))
        websocket.receive()

    with over_asgi(app) as address:
        url = f"ws://{address}/"
        with connect(url) as first, connect(url) as second:
            assert first.recv(PATIENCE) != second.recv(PATIENCE)
            status, text = refused(url)
            assert (status, "WEBSOCKET_MAX_THREADS" in text) == (503, True)


@pytest.mark.parametrize(
    "server",
    [
        ["gunicorn", "conformance.autobahn.echo:app", "--threads", "4", "--bind", "127.0.0.1:{}"],
        ["granian", "conformance.autobahn.echo:app", "--interface", "asgi", "--port", "{}"],
    ],
    ids=lambda server: server[0],
)
def test_on_servers_of_their_own(server: list[str], tmp_path: Path) -> None:
    port = free_port()
    command = [str(Path(sys.executable).parent / server[0]), *server[1:]]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [part.format(port) for part in command],
            cwd=Path(__file__).resolve().parent.parent.parent,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        assert first_answer(port, process) == (200, "ready")
        for view in ("sync", "async"):
            with connect(f"ws://127.0.0.1:{port}/{view}") as client:
                client.send("hello")
                assert client.recv(PATIENCE) == "hello"
            assert client.close_code == 1000
    finally:
        end_group(process)
    text = (tmp_path / "log").read_text()
    assert "Traceback" not in text


# Only over a WSGI server's socket -------------------------------------------------------


def handshake(address: str, *lines: str) -> bytes:
    """What is answered to an opening handshake that is written out, up to its end."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as raw:
        raw.sendall("\r\n".join([*lines, "Connection: Upgrade", "", ""]).encode())
        return raw.recv(65536)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["Sec-WebSocket-Version: 8", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="], b"426"),
        (["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: short"], b"400"),
        (["Sec-WebSocket-Version: 13"], b"400"),
        (["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="], b"101"),
    ],
)
def test_a_handshake_that_is_none_is_refused(app: Flask, lines: list[str], status: bytes) -> None:
    @app.websocket("/")
    def view() -> None:
        websocket.accept()

    with over_wsgi(app) as address:
        answer = handshake(
            address, "GET / HTTP/1.1", "Host: localhost", "Upgrade: websocket", *lines
        )
    assert answer.split()[1] == status
    assert status != b"426" or b"Sec-WebSocket-Version: 13\r\n" in answer


@pytest.mark.parametrize("view", ["sync", "async"])
def test_a_client_that_answers_no_ping_is_gone(app: Flask, noted: Noted, view: str) -> None:
    app.config.update(WEBSOCKET_PING_INTERVAL=0.1, WEBSOCKET_PING_TIMEOUT=0.1)

    @app.websocket("/sync")
    def on_thread() -> None:
        websocket.receive()

    @app.websocket("/async")
    async def on_loop() -> None:
        await websocket.receive()

    with over_wsgi(app) as address:
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), PATIENCE) as raw:
            raw.sendall(
                f"GET /{view} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            assert noted.wait_for(2) == ENDED


def test_a_client_that_answers_pings_stays(app: Flask) -> None:
    app.config.update(WEBSOCKET_PING_INTERVAL=0.05, WEBSOCKET_PING_TIMEOUT=PATIENCE)

    @app.websocket("/")
    def view() -> None:
        websocket.ping(b"own")
        websocket.send(websocket.receive())

    with over_wsgi(app) as address, connect(f"ws://{address}/") as client:
        with pytest.raises(TimeoutError):
            client.recv(0.3)
        client.send("still here")
        assert client.recv(PATIENCE) == "still here"


@pytest.mark.parametrize("view", ["sync", "async"])
def test_over_tls(app: Flask, view: str) -> None:
    import ssl

    @app.websocket("/sync")
    def on_thread() -> None:
        for message in websocket:
            websocket.send(f"{websocket.scheme} {message!r}")

    @app.websocket("/async")
    async def on_loop() -> None:
        async for message in websocket:
            await websocket.send(f"{websocket.scheme} {message!r}")

    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE

    async def converse(address: str) -> None:
        async with connect_async(f"wss://{address}/{view}", ssl=trusting) as client:
            for message in ("a", "b" * 200_000):
                await client.send(message)
                assert await asyncio.wait_for(client.recv(), PATIENCE) == f"wss {message!r}"

    # Not the client with threads: two of them would use one TLS connection at a time, which
    # OpenSSL doesn't allow, and one time in thousands its handshake hangs.
    with over_wsgi(app, ssl_context="adhoc") as address:
        asyncio.run(converse(address))


@pytest.mark.parametrize(
    ("environ", "fix"),
    [({}, "hands out no socket"), ({"gunicorn.socket": None}, "one request at a time")],
)
def test_a_server_that_cannot_is_told_what_can(
    app: Flask, environ: dict[str, Any], fix: str, caplog: pytest.LogCaptureFixture
) -> None:
    from brim.doors import upgrade

    upgrade._told.clear()

    @app.websocket("/")
    def view() -> None:
        websocket.accept()

    given = {"wsgi.multithread": False, **environ}
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    for _ in range(2):
        handed = {**create_environ("/", headers=headers), **given}
        body, status, _headers = run_wsgi_app(app.wsgi_app, handed)
        text = b"".join(body).decode()
        assert (status[:3], fix in text, "gunicorn --threads" in text) == ("501", True, True)
    assert [r.levelname for r in caplog.records] == ["ERROR"]


def test_a_connection_that_breaks_off_has_code_1006(app: Flask) -> None:
    noted = Noted()

    @app.websocket("/")
    def view() -> None:
        websocket.send("here")
        try:
            websocket.receive()
        except WebsocketClosed as closed:
            noted.append(closed.code)

    with over_wsgi(app) as address:
        client = connect(f"ws://{address}/", legacy=True)
        client.recv(PATIENCE)
        client.socket.shutdown(socket.SHUT_RDWR)
        with pytest.raises(ConnectionClosedError):
            client.recv(PATIENCE)
        assert noted.wait_for(1) == [1006]


# By hand -------------------------------------------------------------------------------


class Talk:
    """The server's side of one connection under ASGI, in this test's own loop."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[Any] = asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})
        self.outgoing: asyncio.Queue[Any] = asyncio.Queue()

    def say(self, text: str) -> None:
        self.incoming.put_nowait({"type": "websocket.receive", "text": text, "bytes": None})

    def leave(self) -> None:
        self.incoming.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def next(self) -> Any:
        return await asyncio.wait_for(self.outgoing.get(), PATIENCE)

    async def serve(self, app: Flask) -> None:
        scope = {"type": "websocket", "path": "/", "headers": [(b"host", b"localhost")]}
        await app(scope, self.incoming.get, self.outgoing.put)


def talk(app: Flask, test: Any) -> None:
    async def main() -> None:
        with_server = Talk()
        serving = asyncio.create_task(with_server.serve(app))
        await test(with_server)
        await asyncio.wait_for(serving, PATIENCE)

    asyncio.run(main())


def test_a_view_that_waits_for_its_client_has_no_timer(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brim.doors.connection.LOOK_INTERVAL", 0.005)
    after: list[Any] = []

    @app.websocket("/")
    async def view() -> None:
        await websocket.send(await websocket.receive())
        try:
            await asyncio.Event().wait()
        finally:
            after.append(websocket.closed)

    async def test(server: Talk) -> None:
        loop: Any = asyncio.get_running_loop()
        await server.next()
        # Two looks' time: the second one would be planned by now.
        await asyncio.sleep(0.02)
        assert [timer for timer in loop._scheduled if not timer.cancelled()] == []
        server.say("a")
        assert (await server.next())["text"] == "a"
        # It does something else now, and is told all the same.
        server.leave()

    talk(app, test)
    assert after[0].code == 1001


def test_of_two_that_wait_each_has_a_message(app: Flask) -> None:
    @app.websocket("/")
    async def view() -> None:
        await websocket.accept()
        both = await asyncio.gather(websocket.receive(), websocket.receive_text())
        await websocket.send_json(sorted(both))

    async def test(server: Talk) -> None:
        await server.next()
        server.say("a")
        server.say("b")
        assert json.loads((await server.next())["text"]) == ["a", "b"]

    talk(app, test)


def test_threads_of_an_async_view_wait_for_what_they_ask(app: Flask) -> None:
    """There is no loop on them, so there is nothing to await."""

    def echo() -> None:
        websocket.send(websocket.receive())

    @app.websocket("/")
    async def view() -> None:
        await websocket.accept()
        await asyncio.to_thread(echo)

    async def test(server: Talk) -> None:
        await server.next()
        server.say("a")
        assert (await server.next())["text"] == "a"

    talk(app, test)


def test_the_proxy_stands_for_its_own_connection_in_contexts_that_a_view_pushes(
    app: Flask,
) -> None:
    @app.websocket("/")
    async def view() -> None:
        with app.app_context():
            await websocket.send("app")
        with app.test_request_context(), pytest.raises(RuntimeError, match="WebSocket"):
            await websocket.send("request")
        await websocket.send("own")

    async def test(server: Talk) -> None:
        await server.next()
        assert [(await server.next())["text"] for _ in range(2)] == ["app", "own"]

    talk(app, test)


@pytest.mark.parametrize(
    ("text", "closed"), [("a" * 10, False), ("a" * 11, True), ("ä" * 5, False), ("ä" * 6, True)]
)
def test_the_limit_is_bytes_whatever_the_characters(app: Flask, text: str, closed: bool) -> None:
    app.config["WEBSOCKET_MAX_MESSAGE_SIZE"] = 10
    app.websocket("/")(_echo)

    async def test(server: Talk) -> None:
        server.say(text)
        assert (await server.next())["type"] == "websocket.accept"
        answer = await server.next()
        assert answer.get("code" if closed else "text") == (1009 if closed else text)
        server.leave()

    talk(app, test)


async def _echo() -> None:
    async for message in websocket:
        await websocket.send(message)
