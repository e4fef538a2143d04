"""What the proxies, clients and helpers are. Checked by mypy and pyright, never run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, assert_type

from werkzeug.datastructures import Headers, MultiDict
from werkzeug.routing import Rule
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response as BaseResponse

from brim import (
    Config,
    Flask,
    Request,
    Response,
    abort,
    current_app,
    flash,
    g,
    get_flashed_messages,
    has_request_context,
    jsonify,
    make_response,
    redirect,
    render_template,
    render_template_string,
    request,
    send_file,
    session,
    stream_template,
    url_for,
)
from brim.sessions import SessionMixin
from brim.testing import (
    AsyncClientWebsocket,
    AsyncFlaskClient,
    ClientWebsocket,
    FlaskClient,
    FlaskCliRunner,
)


def the_request() -> None:
    assert_type(request, Request)
    assert_type(request.method, str)
    assert_type(request.path, str)
    assert_type(request.url, str)
    assert_type(request.query_string, bytes)
    assert_type(request.headers, Headers)
    assert_type(request.args, MultiDict[str, str])
    assert_type(request.args.get("page", 1, type=int), int)
    assert_type(request.form["name"], str)
    assert_type(request.files["photo"].filename, str | None)
    assert_type(request.cookies.get("a"), str | None)
    assert_type(request.remote_addr, str | None)
    assert_type(request.get_data(), bytes)
    assert_type(request.get_data(as_text=True), str)
    assert_type(request.url_rule, Rule | None)
    assert_type(request.view_args, dict[str, Any] | None)
    assert_type(request.endpoint, str | None)
    assert_type(request.blueprints, list[str])
    assert_type(request.max_content_length, int | None)
    request.max_content_length = 1024
    request.max_form_memory_size = None
    request.max_form_parts = 5
    request.max_content_length = "1kB"  # type: ignore[assignment]
    print(request.nothing)  # type: ignore[attr-defined]  # noqa: T201


def the_application() -> None:
    assert_type(current_app, Flask)
    assert_type(current_app.config, Config)
    assert_type(current_app.debug, bool)
    assert_type(current_app.testing, bool)
    assert_type(current_app.secret_key, str | bytes | None)
    assert_type(current_app.permanent_session_lifetime, timedelta)
    assert_type(current_app.name, str)
    assert_type(current_app.static_folder, str | None)
    assert_type(current_app.json.loads("1"), Any)
    assert_type(current_app.redirect("/"), BaseResponse)
    assert_type(current_app.ensure_sync(the_request)(), Any)
    current_app.logger.info("text")
    current_app.debug = True
    current_app.secret_key = b"bytes"


def the_session() -> None:
    assert_type(session, SessionMixin)
    assert_type(session.get("user"), Any | None)
    assert_type(session.permanent, bool)
    session["user"] = 1
    session.permanent = True
    session.setdefault("seen", []).append(1)
    del session["user"]


def the_namespace() -> None:
    assert_type(g.user, Any)
    g.user = "ada"
    assert_type(g.get("user"), Any)
    assert_type("user" in g, bool)
    g.pop("user", None)


def helpers() -> BaseResponse:
    assert_type(url_for("view", page=1, _external=True), str)
    assert_type(render_template("page.html", a=1), str)
    assert_type(render_template_string("text"), str)
    assert_type(next(stream_template(["a.html", "b.html"])), str)
    assert_type(jsonify(a=1), Response)
    assert_type(make_response("x", 201), Response)
    assert_type(send_file("a.txt", last_modified=datetime.now()), Response)
    assert_type(has_request_context(), bool)
    flash("text", "info")
    for message in get_flashed_messages():
        print(message)  # noqa: T201
    if request.args:
        return redirect("/", 303)
    abort(404, "why")


async def async_clients(app: Flask) -> None:
    async with app.async_test_client() as client:
        assert_type(client, AsyncFlaskClient)
        answer = await client.post("/", json={"a": 1}, follow_redirects=True)
        assert_type(answer, TestResponse)
        assert_type(answer.text, str)
        async with client.session_transaction() as opened:
            assert_type(opened, SessionMixin)
        async with client.stream("/") as stream:
            assert_type(stream.response, TestResponse)
            async for chunk in stream:
                assert_type(chunk, bytes)
        async with client.websocket_connect("/ws") as ws:
            assert_type(ws, AsyncClientWebsocket)
            await ws.send_json([1])
            assert_type(await ws.receive(), str | bytes)
            async for message in ws:
                assert_type(message, str | bytes)


def clients(app: Flask) -> None:
    assert_type(app.test_cli_runner(), FlaskCliRunner)
    with app.test_client() as client:
        assert_type(client, FlaskClient)
        answer = client.post("/", json={"a": 1}, follow_redirects=True)
        assert_type(answer, TestResponse)
        assert_type(answer.text, str)
        assert_type(answer.json, Any | None)
        with client.session_transaction() as opened:
            assert_type(opened, SessionMixin)
    assert_type(app.test_client(door="asgi"), FlaskClient)
    with client.websocket_connect("/ws", subprotocols=["a"]) as ws:
        assert_type(ws, ClientWebsocket)
        ws.send("text")
        ws.send(b"bytes")
        assert_type(ws.receive(), str | bytes)
        assert_type(ws.subprotocol, str | None)
        assert_type(ws.close_code, int | None)
    with app.app_context() as ctx:
        assert_type(ctx.app, Flask)
    with app.test_request_context("/", method="POST") as request_context:
        assert_type(request_context.request, Request)
