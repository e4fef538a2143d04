"""The test clients."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import click
import pytest
from werkzeug.test import EnvironBuilder as WerkzeugEnvironBuilder
from werkzeug.test import create_environ

from brim import Flask, Request, g, has_app_context, has_request_context, redirect, request, session
from brim.commands import ScriptInfo
from brim.sessions import SecureCookieSessionInterface, SessionInterface
from brim.testing import EnvironBuilder, FlaskClient


@pytest.fixture
def app(app: Flask) -> Flask:
    @app.route("/", methods=["GET", "POST"])
    def show() -> dict[str, Any]:
        return {
            "url": request.url,
            "method": request.method,
            "form": request.form,
            "cookies": request.cookies,
            "address": request.remote_addr,
            "added": request.environ.get("ADDED"),
            "root": request.root_path,
        }

    @app.get("/down/<int:n>")
    def down(n: int) -> Any:
        return redirect(f"/down/{n - 1}") if n else "down"

    app.add_url_rule("/session", "session", lambda: dict(session))
    app.add_url_rule("/error", "error", lambda: 1 / 0)
    return app


def shown(client: FlaskClient, *args: Any, **kwargs: Any) -> Any:
    return client.open(*args, **kwargs).json


# What is sent --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "path", "options", "url"),
    [
        ({}, "/", {}, "http://localhost/"),
        ({}, "/", {"subdomain": "sub"}, "http://sub.localhost/"),
        ({}, "/", {"url_scheme": "https"}, "https://localhost/"),
        ({}, "/?a=b#c", {}, "http://localhost/?a=b"),
        ({}, "/", {"query_string": {"a": "é"}}, "http://localhost/?a=é"),
        ({}, "https://ex.com:99/?a=b", {}, "https://ex.com:99/?a=b"),
        ({}, "/", {"base_url": "https://ex.com/app"}, "https://ex.com/app/"),
        ({"SERVER_NAME": "ex.com:81"}, "/", {}, "http://ex.com:81/"),
        ({"SERVER_NAME": "ex.com"}, "/", {"subdomain": "sub"}, "http://sub.ex.com/"),
        ({"PREFERRED_URL_SCHEME": "https"}, "/", {}, "https://localhost/"),
        ({"APPLICATION_ROOT": "/app"}, "/", {}, "http://localhost/app/"),
    ],
    ids=str,
)
def test_where_a_request_goes(
    client: FlaskClient, settings: dict[str, str], path: str, options: dict[str, Any], url: str
) -> None:
    client.application.config.update(settings)
    assert shown(client, path, **options)["url"] == url


@pytest.mark.parametrize("option", ["subdomain", "url_scheme"])
def test_a_base_url_says_it_all(client: FlaskClient, option: str) -> None:
    with pytest.raises(AssertionError, match="'base_url' goes neither with"):
        client.get("/", base_url="http://ex.com", **{option: "x"})


def test_what_each_request_of_a_client_brings(client: FlaskClient) -> None:
    client.environ_base["ADDED"] = "client"
    first = shown(client, "/")
    assert (first["address"], first["added"]) == ("127.0.0.1", "client")
    own = {"REMOTE_ADDR": "10.0.0.1", "ADDED": "request"}
    second = shown(client, "/", environ_base=own)
    assert (second["address"], second["added"]) == ("10.0.0.1", "request")
    version = importlib.metadata.version("werkzeug")
    assert client.environ_base["HTTP_USER_AGENT"] == f"Werkzeug/{version}"


def test_requests_made_elsewhere(client: FlaskClient) -> None:
    """Builders, environs and request objects, each sent as it is."""
    app = client.application
    client.environ_base["ADDED"] = "client"
    builder = EnvironBuilder(app, "/?a=1", method="POST", data={"b": "c"})
    answer = shown(client, builder)
    assert (answer["url"], answer["method"]) == ("http://localhost/?a=1", "POST")
    assert (answer["form"], answer["added"]) == ({"b": "c"}, "client")
    plain = WerkzeugEnvironBuilder("/", "http://ex.com/", environ_base={"ADDED": "builder"})
    assert shown(client, plain)["added"] == "builder"
    assert plain.environ_base == {"ADDED": "builder"}
    environ = create_environ("/?a=2")
    assert shown(client, environ)["url"] == "http://localhost/?a=2"
    made = Request(create_environ("/?a=3"))
    answer = shown(client, made)
    assert (answer["url"], answer["added"]) == ("http://localhost/?a=3", "client")
    assert "ADDED" not in made.environ


def test_json_goes_through_the_applications_provider(app: Flask) -> None:
    class Provider(type(app.json)):  # type: ignore[misc]
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return f" {super().dumps(obj, **kwargs)} "

        def loads(self, s: str | bytes, **kwargs: Any) -> Any:
            return {"loaded": super().loads(s, **kwargs)}

    app.json = Provider(app)
    builder = EnvironBuilder(app, "/", json={"a": 1})
    assert builder.get_request().data == b' {"a": 1} '
    builder.close()
    assert app.test_client().get("/down/0").text == "down"
    assert set(app.test_client().get("/session").json) == {"loaded"}


# Cookies and sessions ------------------------------------------------------------------


def test_a_client_keeps_cookies(client: FlaskClient) -> None:
    client.set_cookie("a", "1")
    assert shown(client, "/")["cookies"] == {"a": "1"}
    client.delete_cookie("a")
    assert shown(client, "/")["cookies"] == {}
    forgetful = client.application.test_client(use_cookies=False)
    with pytest.raises(TypeError, match="'use_cookies=True'"), forgetful.session_transaction():
        pass


def test_a_session_can_be_prepared_and_checked(client: FlaskClient) -> None:
    with client.session_transaction() as opened:
        opened["a"] = 1
    assert client.get("/session").json == {"a": 1}
    with client.session_transaction("/elsewhere", headers={"X-A": "1"}) as opened:
        assert dict(opened) == {"a": 1}
        opened.clear()
    assert client.get("/session").json == {}
    with pytest.raises(KeyError), client.session_transaction() as opened:
        opened["b"] = 1
        raise KeyError
    assert client.get("/session").json == {}


def test_a_session_is_opened_and_saved_once(client: FlaskClient) -> None:
    calls: list[str] = []

    class Store(SecureCookieSessionInterface):
        def open_session(self, *args: Any) -> Any:
            calls.append("open")
            return super().open_session(*args)

        def save_session(self, *args: Any) -> Any:
            calls.append("save")
            return super().save_session(*args)

    client.application.session_interface = Store()
    with client.session_transaction() as opened:
        opened["a"] = 1
    assert calls == ["open", "save"]


def test_sessions_that_cannot_be_had(client: FlaskClient) -> None:
    class Never(SessionInterface):
        def open_session(self, *args: Any) -> None:
            return None

    app = client.application
    app.session_interface = Never()
    with pytest.raises(RuntimeError, match="did not open a session"), client.session_transaction():
        pass

    class Null(Never):
        def open_session(self, app: Flask, request: Request) -> Any:
            return self.make_null_session(app)

        def save_session(self, *args: Any) -> None:
            raise AssertionError("null sessions are not saved")

    app.session_interface = Null()
    with client.session_transaction() as opened:
        assert not opened


def test_a_redirect_that_keeps_the_body_sends_it_again(app: Flask, client: FlaskClient) -> None:
    app.post("/new")(lambda: request.form["a"])
    app.add_url_rule("/unread", "unread", lambda: redirect("/new", 308), methods=["POST"])
    answer = client.post("/unread", data={"a": "1"}, follow_redirects=True)
    assert (answer.text, answer.request.path) == ("1", "/new")


# Contexts ------------------------------------------------------------------------------


def test_in_a_with_block_the_last_context_stays(client: FlaskClient) -> None:
    ended: list[str] = []
    client.application.teardown_request(lambda error: ended.append(request.path))
    with client:
        client.get("/?a=1")
        assert request.args["a"] == "1"
        ended.clear()
        client.get("/session")
        assert (request.path, ended) == ("/session", ["/", "/session"])
        g.kept = True
        client.get("/nowhere")
        assert (request.path, request.endpoint, "kept" in g) == ("/nowhere", None, False)
    assert not has_request_context()
    client.get("/")
    assert not has_request_context()


def test_the_context_that_a_kept_request_shares_stays_as_long(client: FlaskClient) -> None:
    """Also after its own block: the request may be looked at, and ends before it does."""
    app = client.application
    ended: list[str] = []
    app.teardown_request(lambda error: ended.append("request"))
    app.teardown_appcontext(lambda error: ended.append("app"))
    with client:
        with app.app_context():
            client.get("/?a=1")
        assert (request.args["a"], has_app_context(), ended) == ("1", True, ["request"])
        ended.clear()
        client.get("/?a=2")
        assert ended[:2] == ["request", "app"]
        assert request.args["a"] == "2"
    assert not has_request_context()
    assert not has_app_context()


def test_of_several_redirects_the_last_context_stays(client: FlaskClient) -> None:
    with client:
        answer = client.get("/down/2", follow_redirects=True)
        assert [step.request.path for step in answer.history] == ["/down/2", "/down/1"]
        assert request.path == "/down/0"
    assert not has_request_context()


def test_a_request_that_fails_leaves_no_context(client: FlaskClient) -> None:
    with client:
        with pytest.raises(ZeroDivisionError):
            client.get("/error")
        assert not has_request_context()
        client.get("/down/0", buffered=True)
        assert request.path == "/down/0"
    assert not has_request_context()


def test_with_blocks_of_one_client_do_not_nest(client: FlaskClient) -> None:
    with client, pytest.raises(RuntimeError, match="can't be entered twice"), client:
        pass
    with client:
        client.get("/")


def test_two_clients_at_once(client: FlaskClient) -> None:
    with client, client.application.test_client() as other:
        client.get("/down/0")
        other.get("/session")
        assert request.path == "/session"
    assert not has_request_context()


# Commands ------------------------------------------------------------------------------


def test_a_runner_invokes_the_applications_commands(app: Flask) -> None:
    @app.cli.command()
    @click.argument("name")
    def hello(name: str) -> None:
        click.echo(f"Hello, {name}!")

    runner = app.test_cli_runner()
    assert runner.invoke(args=["hello", "Ada"]).output == "Hello, Ada!\n"
    assert runner.invoke(hello, ["Ada"]).output == "Hello, Ada!\n"
    assert runner.invoke(args=["nothing"]).exit_code == 2


def test_a_runner_may_be_given_another_application(app: Flask) -> None:
    @click.command()
    @click.pass_obj
    def name(info: ScriptInfo) -> None:
        click.echo(info.load_app().name)

    runner = app.test_cli_runner()
    other = ScriptInfo(create_app=lambda: Flask("other"))
    assert runner.invoke(name).output == "tests\n"
    assert runner.invoke(name, obj=other).output == "other\n"
