"""The WebSocket clients: against ASGI applications that are written out, and Brim's own views."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from brim import Flask, WebsocketClosed, redirect, request, session, websocket
from brim.testing import FlaskClient, WebsocketRejected

pytestmark = pytest.mark.wsgi("WebSockets are ASGI's, whichever door the client's requests take")


class Application(Flask):
    """Flask, with WebSockets that are answered by the coroutine ``talk``."""

    async def talk(self, scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError


@pytest.fixture
def app() -> Application:
    app = Application(__name__)
    app.config.update(TESTING=True, SECRET_KEY="a key for tests")
    http = app.asgi_app

    async def either(scope: Any, receive: Any, send: Any) -> None:
        await (app.talk if scope["type"] == "websocket" else http)(scope, receive, send)

    app.asgi_app = either
    return app


@pytest.fixture
def client(app: Application) -> FlaskClient:
    return app.test_client()


def talks(app: Application, talk: Any) -> None:
    app.talk = talk  # type: ignore[method-assign]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    assert (await receive()) == {"type": "websocket.connect"}
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


# The handshake -------------------------------------------------------------------------


def test_what_the_handshake_says(app: Application, client: FlaskClient) -> None:
    seen: list[Any] = []

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await send({"type": "websocket.accept", "subprotocol": "b", "headers": [(b"x-a", b"1")]})

    talks(app, talk)
    client.set_cookie("a", "1")
    with client.websocket_connect(
        "/é?b=2",
        base_url="https://ex.com/root",
        subprotocols=["a", "b"],
        headers={"Origin": "https://ex.com"},
        environ_overrides={"REMOTE_ADDR": "10.0.0.1"},
    ) as ws:
        assert (ws.subprotocol, ws.headers["X-A"]) == ("b", "1")
    [scope] = seen
    assert (scope["type"], scope["scheme"], scope["http_version"]) == ("websocket", "wss", "1.1")
    assert (scope["path"], scope["root_path"]) == ("/root/é", "/root")
    assert (scope["raw_path"], scope["query_string"]) == (b"/root/%C3%A9", b"b=2")
    assert (scope["client"], scope["server"]) == (("10.0.0.1", 0), ("ex.com", 443))
    assert scope["subprotocols"] == ["a", "b"]
    assert "method" not in scope
    headers = dict(scope["headers"])
    assert headers[b"upgrade"] == b"websocket"
    assert headers[b"sec-websocket-protocol"] == b"a, b"
    assert (headers[b"origin"], headers[b"host"]) == (b"https://ex.com", b"ex.com")


def test_cookies_are_sent_and_kept(app: Application, client: FlaskClient) -> None:
    seen: list[bytes] = []

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        seen.append(dict(scope["headers"]).get(b"cookie"))
        await send({"type": "websocket.accept", "headers": [(b"set-cookie", b"b=2; Path=/")]})

    talks(app, talk)
    app.get("/")(lambda: dict(request.cookies))
    client.set_cookie("a", "1")
    with client.websocket_connect("/ws"):
        pass
    assert seen == [b"a=1"]
    assert client.get("/").json == {"a": "1", "b": "2"}


def test_a_close_before_the_accept_is_a_403(app: Application, client: FlaskClient) -> None:
    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.close"})

    talks(app, talk)
    with pytest.raises(WebsocketRejected, match="403 FORBIDDEN") as raised:
        with client.websocket_connect("/ws"):
            pytest.fail("it was not accepted")
    assert raised.value.response.status_code == 403


def test_a_response_in_place_of_the_accept_is_in_the_error(
    app: Application, client: FlaskClient
) -> None:
    async def talk(scope: Any, receive: Any, send: Any) -> None:
        assert "websocket.http.response" in scope["extensions"]
        headers = [(b"content-type", b"application/json"), (b"set-cookie", b"a=1; Path=/")]
        start = {"type": "websocket.http.response.start", "status": 401, "headers": headers}
        await send(start)
        body = {"type": "websocket.http.response.body"}
        await send({**body, "body": b'{"a":', "more_body": True})
        await send({**body, "body": b"1}"})

    talks(app, talk)
    with pytest.raises(WebsocketRejected) as raised:
        with client.websocket_connect("/ws"):
            pytest.fail("it was not accepted")
    response = raised.value.response
    assert (response.status, response.json) == ("401 UNAUTHORIZED", {"a": 1})
    assert response.request.path == "/ws"
    assert client.get_cookie("a") is not None


def test_an_application_that_answers_nothing(app: Application, client: FlaskClient) -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        pass

    talks(app, silent)
    with pytest.raises(RuntimeError, match="without accepting or closing"):
        with client.websocket_connect("/ws"):
            pytest.fail("it was not accepted")


# Messages ------------------------------------------------------------------------------


def test_text_bytes_and_json(app: Application, client: FlaskClient) -> None:
    talks(app, echo)
    with client.websocket_connect("/ws") as ws:
        ws.send("é")
        assert ws.receive() == "é"
        ws.send(b"\xff")
        assert ws.receive() == b"\xff"
        ws.send_json({"a": [1]})
        assert ws.receive_json() == {"a": [1]}
        ws.send("")
        assert ws.receive() == ""


def test_what_was_sent_before_a_close_arrives_before_it(
    app: Application, client: FlaskClient
) -> None:
    told: list[Any] = []

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for n in range(50):
            await send({"type": "websocket.send", "text": str(n)})
        await send({"type": "websocket.close", "code": 4001, "reason": "enough"})
        told.append(await receive())

    talks(app, talk)
    with client.websocket_connect("/ws") as ws:
        assert [message for message in ws] == [str(n) for n in range(50)]
        assert (ws.close_code, ws.close_reason) == (4001, "enough")
        with pytest.raises(WebsocketClosed, match="4001 enough") as raised:
            ws.receive()
        assert (raised.value.code, raised.value.reason) == (4001, "enough")
        with pytest.raises(WebsocketClosed):
            ws.send("late")
    assert told == [{"type": "websocket.disconnect", "code": 4001, "reason": "enough"}]


def test_the_code_and_reason_of_a_close_arrive(app: Application, client: FlaskClient) -> None:
    told: list[Any] = []

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        told.append(await receive())

    talks(app, talk)
    with client.websocket_connect("/ws") as ws:
        ws.close(3000, "bye")
        ws.close(3001)
        assert (ws.close_code, ws.close_reason) == (3000, "bye")
    assert told == [{"type": "websocket.disconnect", "code": 3000, "reason": "bye"}]


def test_a_connection_that_the_application_leaves_open_is_closed(
    app: Application, client: FlaskClient
) -> None:
    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "a"})

    talks(app, talk)
    with client.websocket_connect("/ws") as ws:
        assert ws.receive() == "a"
        with pytest.raises(WebsocketClosed, match="1000"):
            ws.receive()


def test_an_application_that_never_stops_sending_is_stopped(
    app: Application, client: FlaskClient
) -> None:
    ended: list[str] = []

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "text": "tick"})
        except OSError:
            ended.append("told")
            raise

    talks(app, talk)
    with client.websocket_connect("/ws") as ws:
        assert ws.receive() == "tick"
    assert ended == ["told"]


# Errors --------------------------------------------------------------------------------


async def fail_at_once(scope: Any, receive: Any, send: Any) -> None:
    raise LookupError("at once")


async def fail_later(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "a"})
    raise LookupError("later")


async def fail_at_the_end(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    raise LookupError("at the end")


def test_what_the_application_raises_comes_out(app: Application, client: FlaskClient) -> None:
    talks(app, fail_at_once)
    with pytest.raises(LookupError, match="at once"), client.websocket_connect("/ws"):
        pytest.fail("it was not accepted")
    talks(app, fail_later)
    with client.websocket_connect("/ws") as ws:
        assert ws.receive() == "a"
        with pytest.raises(LookupError, match="later"):
            ws.receive()
    talks(app, fail_at_the_end)
    with pytest.raises(LookupError, match="at the end"), client.websocket_connect("/ws"):
        pass


def test_an_error_of_the_test_is_the_one_that_is_seen(
    app: Application, client: FlaskClient
) -> None:
    talks(app, fail_at_the_end)
    with pytest.raises(ZeroDivisionError), client.websocket_connect("/ws"):
        raise ZeroDivisionError


def test_waiting_for_nothing_ends(app: Application, client: FlaskClient) -> None:
    ended: list[str] = []

    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    talks(app, talk)
    with pytest.raises(TimeoutError, match=r"nothing for 0\.01 seconds"):
        with client.websocket_connect("/ws", timeout=0.01) as ws:
            ws.receive()
    assert ended == ["cancelled"]
    with pytest.raises(TimeoutError), client.websocket_connect("/ws", timeout=0.01):
        pass
    assert ended == ["cancelled"] * 2


# Awaited -------------------------------------------------------------------------------


def test_awaited_it_is_the_same_on_the_running_loop(app: Application) -> None:
    async def test() -> None:
        loops: list[Any] = []

        async def talk(scope: Any, receive: Any, send: Any) -> None:
            loops.append(asyncio.get_running_loop())
            await echo(scope, receive, send)

        talks(app, talk)
        client = app.async_test_client()
        async with client.websocket_connect("/ws") as ws:
            await ws.send("a")
            assert await ws.receive() == "a"
            await ws.send_json([1])
            assert await ws.receive_json() == [1]
            await ws.close(3000, "bye")
            with pytest.raises(WebsocketClosed):
                await ws.receive()
        assert loops == [asyncio.get_running_loop()]
        talks(app, fail_later)
        with pytest.raises(LookupError, match="later"):
            async with client.websocket_connect("/ws") as ws:
                assert [message async for message in ws] == ["a"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(test())


def test_awaited_a_refusal_is_the_same(app: Application) -> None:
    app.get("/")(lambda: redirect("/elsewhere"))

    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.close"})

    async def test() -> None:
        talks(app, refuse)
        client = app.async_test_client()
        with pytest.raises(WebsocketRejected):
            async with client.websocket_connect("/ws"):
                pytest.fail("it was not accepted")
        assert (await client.get("/")).status_code == 302

    asyncio.run(test())


# Views ---------------------------------------------------------------------------------


def test_views_of_both_kinds() -> None:
    app = Flask(__name__)
    app.config.update(TESTING=True, SECRET_KEY="a key for tests")

    @app.websocket("/sync")
    def view() -> None:
        for message in websocket:
            websocket.send(f"{session['user']}: {message}")

    @app.websocket("/async")
    async def view_async() -> None:
        async for message in websocket:
            await websocket.send(f"{session['user']}: {message}")

    client = app.test_client()
    with client.session_transaction() as prepared:
        prepared["user"] = "Ada"
    for path in ("/sync", "/async"):
        with client.websocket_connect(path) as ws:
            ws.send("hello")
            assert ws.receive() == "Ada: hello"
    with pytest.raises(WebsocketRejected) as raised, client.websocket_connect("/nowhere"):
        pytest.fail("it was not accepted")
    assert raised.value.response.status_code == 404
    origin = {"Origin": "https://elsewhere.example"}
    with pytest.raises(WebsocketRejected) as raised:
        with client.websocket_connect("/sync", headers=origin):
            pytest.fail("it was not accepted")
    assert raised.value.response.status_code == 403

    async def test() -> None:
        other = app.async_test_client()
        async with other.session_transaction() as prepared:
            prepared["user"] = "Grace"
        for path in ("/sync", "/async"):
            async with other.websocket_connect(path) as ws:
                await ws.send("hello")
                assert await ws.receive() == "Grace: hello"

    asyncio.run(test())
