"""The application: what it is made of, how it routes, and what happens around a view.

Expected results in tables are those of Flask 3.1.3.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import weakref
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from werkzeug.exceptions import Aborter, HTTPException
from werkzeug.routing import BaseConverter, Rule, ValidationError
from werkzeug.test import create_environ, run_wsgi_app

import brim
from brim import (
    Blueprint,
    Flask,
    Request,
    Response,
    abort,
    after_this_request,
    current_app,
    flash,
    g,
    has_app_context,
    redirect,
    render_template,
    render_template_string,
    request,
    session,
    url_for,
)
from brim.json.provider import DefaultJSONProvider
from brim.sessions import SessionInterface, SessionMixin
from brim.testing import FlaskClient, FlaskCliRunner


def add(app: Flask, **views: Callable[..., Any]) -> None:
    """Add each view at the path of its name."""
    for name, view in views.items():
        app.add_url_rule(f"/{name}", name, view)


# What it is made of --------------------------------------------------------------------


def test_an_application_says_who_it_is(app: Flask) -> None:
    assert repr(app) == "<Flask 'tests'>"
    assert app.logger.name == app.name == app.import_name == "tests"


def test_settings_are_attributes_too(app: Flask) -> None:
    app.config.update(SECRET_KEY="a", TESTING=False, PERMANENT_SESSION_LIFETIME=60)
    assert (app.secret_key, app.testing) == ("a", False)
    assert app.permanent_session_lifetime == timedelta(seconds=60)
    app.secret_key, app.testing, app.permanent_session_lifetime = "b", True, timedelta(hours=1)
    assert (app.config["SECRET_KEY"], app.config["TESTING"]) == ("b", True)
    assert app.permanent_session_lifetime == timedelta(hours=1)


@pytest.mark.parametrize(("setting", "reloads"), [(None, True), (False, False)])
def test_debug_mode_reloads_templates_unless_a_setting_says_otherwise(
    app: Flask, setting: bool | None, reloads: bool
) -> None:
    app.config["TEMPLATES_AUTO_RELOAD"] = setting
    assert not app.jinja_env.auto_reload
    app.debug = True
    assert app.config["DEBUG"] is True
    assert app.jinja_env.auto_reload is reloads


@pytest.mark.parametrize("name", ["FLASK_DEBUG", "BRIM_DEBUG"])
def test_the_environment_may_ask_for_debug_mode(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert not Flask(__name__).debug
    monkeypatch.setenv(name, "1")
    assert Flask(__name__).debug


def test_settings_may_be_kept_in_the_instance_folder(tmp_path: Path) -> None:
    app = Flask(__name__, instance_path=str(tmp_path), instance_relative_config=True)
    (tmp_path / "settings.cfg").write_text("ANSWER = 42\n")
    app.config.from_pyfile("settings.cfg")
    assert app.config["ANSWER"] == 42
    with app.open_instance_resource("notes.txt", "w") as file:
        file.write("written")
    with app.open_instance_resource("notes.txt") as file:
        assert file.read() == b"written"


def test_the_instance_path_is_absolute() -> None:
    with pytest.raises(ValueError, match="'instance' is relative"):
        Flask(__name__, instance_path="instance")


@pytest.mark.parametrize(
    "options", [{"host_matching": True}, {"static_host": "example.com"}], ids=str
)
def test_a_host_for_static_files_goes_with_matching_of_hosts(options: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="'static_host' and 'host_matching'"):
        Flask(__name__, **options)
    assert not Flask(__name__, host_matching=True, static_folder=None).has_static_folder


def test_static_files_are_served(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("static")
    app = Flask(__name__, root_path=str(tmp_path), static_folder="files")
    client = app.test_client()
    with client.get("/files/a.txt") as answer:
        assert answer.text == "static"
    assert client.get("/files/../a.txt").status_code == 404
    with app.test_request_context("/"):
        assert url_for("static", filename="a.txt") == "/files/a.txt"


def test_classes_that_a_subclass_replaces() -> None:
    class OwnRequest(Request):
        greeting = "Hello"

    class OwnResponse(Response):
        default_mimetype = "text/plain"

    class OwnAborter(Aborter):
        pass

    class OwnProvider(DefaultJSONProvider):
        sort_keys = False

    class OwnClient(FlaskClient):
        pass

    class OwnRunner(FlaskCliRunner):
        pass

    class Own(Flask):
        request_class = OwnRequest
        response_class = OwnResponse
        aborter_class = OwnAborter
        json_provider_class = OwnProvider
        test_client_class = OwnClient
        test_cli_runner_class = OwnRunner

    app = Own(__name__)
    add(app, text=lambda: request.greeting, json=lambda: {"b": 1, "a": 2})
    client = app.test_client()
    assert type(client) is OwnClient
    assert type(app.test_cli_runner()) is OwnRunner
    assert type(app.aborter) is OwnAborter
    assert client.get("/text").content_type == "text/plain; charset=utf-8"
    assert client.get("/text").text == "Hello"
    assert client.get("/json").text == '{"b":1,"a":2}\n'


def test_dropping_an_application_frees_it_at_once() -> None:
    app = Flask(__name__)
    app.get("/")(lambda: "Hello")
    assert app.test_client().get("/").text == "Hello"
    gc.collect()
    gc.disable()
    try:
        gone = weakref.ref(app)
        del app
        assert gone() is None
    finally:
        gc.enable()


def test_run_does_nothing_within_the_command(
    app: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
    app.run()
    assert "Skipped a call of 'app.run()'" in capsys.readouterr().err


def test_names_for_the_shell(app: Flask) -> None:
    app.shell_context_processor(lambda: {"answer": 42})
    with app.app_context():
        names = app.make_shell_context()
        assert names == {"app": app, "g": g, "answer": 42}


def test_an_application_can_be_wrapped(app: Flask, client: FlaskClient) -> None:
    inner = app.wsgi_app

    def middleware(environ: Any, start_response: Any) -> Any:
        environ["HTTP_X_SEEN"] = "yes"
        return inner(environ, start_response)

    app.get("/")(lambda: request.headers["X-Seen"])
    app.wsgi_app = middleware  # type: ignore[method-assign]
    assert client.get("/").text == "yes"


# Templates -----------------------------------------------------------------------------


def test_filters_tests_and_globals_in_each_form(app: Flask) -> None:
    @app.template_filter
    def bare(value: str) -> str:
        return value[::-1]

    @app.template_filter()
    def called(value: str) -> str:
        return value * 2

    @app.template_filter("renamed")
    def filter_function(value: str) -> str:
        return value.upper()

    @app.template_test
    def even(value: int) -> bool:
        return value % 2 == 0

    @app.template_test(name="unlucky")
    def test_function(value: int) -> bool:
        return value == 13

    @app.template_global
    def one() -> int:
        return 1

    @app.template_global("two")
    def global_function() -> int:
        return 2

    app.add_template_filter(len)
    assert bare("ab") == "ba"
    source = "{{ 'ab'|bare|called|renamed }} {{ 'ab'|len }} {{ 2 is even }} {{ 13 is unlucky }}"
    with app.app_context():
        assert render_template_string(source) == "BABA 2 True True"
        assert render_template_string("{{ one() + two() }}") == "3"


def test_what_templates_are_given(app: Flask) -> None:
    app.context_processor(lambda: {"name": "processor", "more": "kept"})

    class Context:
        """Stands for the context that Flask 3.2 passes first."""

    with app.app_context():
        values = {"name": "caller"}
        app.update_template_context(values)
        assert (values["name"], values["more"]) == ("caller", "kept")
        values = {"name": "caller"}
        app.update_template_context(Context(), values)
        assert values["more"] == "kept"
        values = {"name": "caller"}
        app.update_template_context(context=values)
        assert values["more"] == "kept"


def test_templates_are_found_and_escaped(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    for name in ("page.html", "mail.txt"):
        (tmp_path / "templates" / name).write_text("{{ name }}")
    app = Flask(__name__, root_path=str(tmp_path))
    app.jinja_options = {"finalize": lambda value: value or "nothing"}
    with app.app_context():
        assert render_template("page.html", name="<b>") == "&lt;b&gt;"
        assert render_template("mail.txt", name="<b>") == "<b>"
        assert render_template("mail.txt") == "nothing"
    assert app.select_jinja_autoescape("page.svg")


# Registration --------------------------------------------------------------------------


def test_one_endpoint_has_one_view(app: Flask) -> None:
    def view() -> str:
        return "view"

    app.add_url_rule("/one", view_func=view)
    app.add_url_rule("/two", view_func=view)
    with pytest.raises(AssertionError, match="overwriting an existing endpoint function: view"):
        app.add_url_rule("/three", "view", lambda: "")
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/one", "/two", "/three")] == [200, 200, 404]


def test_a_rule_whose_view_comes_later(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/x", endpoint="later")
    app.endpoint("later")(lambda: "Hello")
    assert client.get("/x").text == "Hello"


def test_a_rule_without_a_view(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/x", endpoint="never")
    assert client.options("/x").status_code == 200
    with pytest.raises(KeyError, match="never"):
        client.get("/x")


@pytest.mark.parametrize(
    "call",
    [
        lambda app: app.route("/y"),
        lambda app: app.add_url_rule("/y", "y"),
        lambda app: app.endpoint("y"),
        lambda app: app.before_request(print),
        lambda app: app.errorhandler(404),
        lambda app: app.register_blueprint(Blueprint("y", __name__)),
        lambda app: app.template_filter(),
        lambda app: app.template_test(print),
        lambda app: app.add_template_global(print),
        lambda app: app.context_processor(dict),
        lambda app: app.teardown_appcontext(print),
        lambda app: app.shell_context_processor(dict),
        lambda app: app.url_defaults(print),
    ],
)
def test_setup_ends_with_the_first_request(
    app: Flask, client: FlaskClient, call: Callable[[Flask], object]
) -> None:
    app.get("/")(lambda: "Hello")
    client.get("/")
    with pytest.raises(AssertionError, match=r"can no longer be called.*application"):
        call(app)


def test_tables_stay_open_for_those_who_fill_them_directly(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/x", "x", lambda: "before")
    assert client.get("/x").text == "before"
    app.view_functions["x"] = lambda: g.late
    app.before_request_funcs.setdefault(None, []).append(lambda: setattr(g, "late", "after"))
    app.url_map.add(Rule("/y", endpoint="x"))
    assert [client.get(path).text for path in ("/x", "/y")] == ["after", "after"]
    app.before_request_funcs = {}
    app.view_functions = {"x": lambda: "replaced"}
    assert client.get("/y").text == "replaced"


def test_a_step_may_be_replaced_on_one_application_and_back(
    app: Flask, client: FlaskClient
) -> None:
    app.get("/")(lambda: "Hello")
    assert client.get("/").text == "Hello"
    app.dispatch_request = lambda: "replaced"  # type: ignore[method-assign]
    assert client.get("/").text == "replaced"
    del app.dispatch_request
    app.anything = 1  # type: ignore[attr-defined]
    del app.anything  # type: ignore[attr-defined]
    assert client.get("/").text == "Hello"


# Routing -------------------------------------------------------------------------------


class ListConverter(BaseConverter):
    def to_python(self, value: str) -> list[str]:
        return value.split("+")


class Even(BaseConverter):
    regex = r"\d+"
    weight = 10

    def to_python(self, value: str) -> int:
        if int(value) % 2:
            raise ValidationError
        return int(value)


RULES: list[tuple[str, str, dict[str, Any]]] = [
    ("root", "/", {}),
    ("leaf", "/leaf", {}),
    ("branch", "/branch/", {}),
    ("text", "/s/<x>", {}),
    ("two", "/len/<string(length=2):x>", {}),
    ("int", "/i/<int:x>", {}),
    ("signed", "/signed/<int(signed=True):x>", {}),
    ("range", "/range/<int(min=2,max=5):x>", {}),
    ("float", "/f/<float:x>", {}),
    ("path", "/p/<path:x>", {}),
    ("uuid", "/u/<uuid:x>", {}),
    ("any", "/a/<any(b,c):x>", {}),
    ("list", "/l/<list:x>", {}),
    ("even", "/e/<even:x>", {}),
    ("mixed", "/m/<x>-<int:y>.<z>", {}),
    ("page", "/d/", {"defaults": {"page": 1}}),
    ("page", "/d/<int:page>", {}),
    ("old", "/old/<x>", {"redirect_to": "s/<x>"}),
    ("lax", "/lax/", {"strict_slashes": False}),
    ("double", "/double//x", {"merge_slashes": False}),
    ("socket", "/socket", {"websocket": True}),
    ("named", "/built", {"build_only": True}),
    ("alias", "/alias", {"alias": True}),
    ("alias", "/real", {}),
    ("post", "/post", {"methods": ["POST"]}),
]

# The path, the status, and the endpoint with its arguments or where the redirect leads.
ROUTED: list[tuple[str, int, str | None]] = [
    ("/", 200, "('root', [])"),
    ("/leaf", 200, "('leaf', [])"),
    ("/leaf/", 404, None),
    ("/branch", 308, "http://localhost/branch/"),
    ("/branch?a=b&c=%C3%A9", 308, "http://localhost/branch/?a=b&c=%C3%A9"),
    ("/branch/", 200, "('branch', [])"),
    ("/s/a", 200, "('text', [('x', 'a')])"),
    ("/s/", 404, None),
    ("/s/a/", 404, None),
    ("/s/%C3%A9", 200, "('text', [('x', 'é')])"),
    ("/s/%2F", 404, None),
    ("/s/%ff", 200, "('text', [('x', '\ufffd')])"),
    ("/s/a%20b", 200, "('text', [('x', 'a b')])"),
    ("/s/a+b", 200, "('text', [('x', 'a+b')])"),
    ("/s//a", 308, "http://localhost/s/a"),
    ("/len/ab", 200, "('two', [('x', 'ab')])"),
    ("/len/abc", 404, None),
    ("/i/01", 200, "('int', [('x', 1)])"),
    ("/i/-1", 404, None),
    ("/i/x", 404, None),
    ("/signed/-4", 200, "('signed', [('x', -4)])"),
    ("/range/1", 404, None),
    ("/range/3", 200, "('range', [('x', 3)])"),
    ("/f/1.5", 200, "('float', [('x', 1.5)])"),
    ("/f/1", 404, None),
    ("/p/a//b", 200, "('path', [('x', 'a//b')])"),
    ("/p/", 404, None),
    (
        "/u/00000000-0000-0000-0000-00000000000a",
        200,
        "('uuid', [('x', UUID('00000000-0000-0000-0000-00000000000a'))])",
    ),
    ("/u/x", 404, None),
    ("/a/b", 200, "('any', [('x', 'b')])"),
    ("/a/d", 404, None),
    ("/l/a+b", 200, "('list', [('x', ['a', 'b'])])"),
    ("/e/2", 200, "('even', [('x', 2)])"),
    ("/e/3", 404, None),
    ("/m/a-b-2.c.d", 200, "('mixed', [('x', 'a-b'), ('y', 2), ('z', 'c.d')])"),
    ("/d/", 200, "('page', [('page', 1)])"),
    ("/d/1", 308, "http://localhost/d/"),
    ("/d/2", 200, "('page', [('page', 2)])"),
    ("/old/x", 308, "http://localhost/s/x"),
    ("/lax", 200, "('lax', [])"),
    ("/double//x", 200, "('double', [])"),
    ("/double/x", 404, None),
    ("/socket", 400, None),
    ("/built", 404, None),
    ("/alias", 308, "http://localhost/real"),
    ("/real", 200, "('alias', [])"),
    ("/post", 405, None),
    ("/nope", 404, None),
]


def routed_app() -> Flask:
    app = Flask(__name__, static_folder=None)
    app.url_map.converters.update(list=ListConverter, even=Even)

    def view(**arguments: Any) -> str:
        return repr((request.endpoint, sorted(arguments.items())))

    for endpoint, rule, options in RULES:
        app.add_url_rule(rule, endpoint, view, **options)
    return app


@pytest.mark.parametrize(("path", "status", "where"), ROUTED)
def test_where_a_path_leads(path: str, status: int, where: str | None) -> None:
    answer = routed_app().test_client().get(path)
    assert answer.status_code == status
    found = answer.text if status == 200 else answer.headers.get("Location")
    assert found == where


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("HEAD", "/leaf", 200, ""),
        ("HEAD", "/post", 405, "OPTIONS POST"),
        ("POST", "/leaf", 405, "GET HEAD OPTIONS"),
        ("POST", "/post", 200, ""),
        ("POST", "/branch", 404, ""),
        ("OPTIONS", "/leaf", 200, "GET HEAD OPTIONS"),
        ("OPTIONS", "/post", 200, "OPTIONS POST"),
        ("OPTIONS", "/nope", 404, ""),
        ("OPTIONS", "/branch", 308, ""),
        ("FOO", "/post", 405, "OPTIONS POST"),
    ],
)
def test_which_methods_a_path_has(method: str, path: str, status: int, allowed: str) -> None:
    answer = routed_app().test_client().open(path, method=method)
    assert answer.status_code == status
    assert sorted(answer.headers.get("Allow", "").split(", ")) == (allowed.split() or [""])
    assert method != "HEAD" or answer.data == b""


def test_rules_for_websockets_answer_no_other_request() -> None:
    client = routed_app().test_client()
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    assert client.get("/socket", headers=upgrade).text == "('socket', [])"
    assert client.get("/leaf", headers=upgrade).status_code == 400


def test_a_converter_may_use_the_application(app: Flask, client: FlaskClient) -> None:
    class Named(BaseConverter):
        def to_python(self, value: str) -> str:
            return f"{value} of {current_app.name} {request.method}"

    app.url_map.converters["named"] = Named
    app.get("/<named:x>")(lambda x: x)
    assert client.get("/ada").text == "ada of tests GET"


def test_slashes_as_the_map_says(app: Flask, client: FlaskClient) -> None:
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.get("/a/branch/")(lambda: "branch")
    assert client.get("/a/branch").text == "branch"
    assert client.get("/a//branch").status_code == 404


def test_debug_mode_explains_a_redirect_that_loses_data(app: Flask, client: FlaskClient) -> None:
    app.debug = True
    app.add_url_rule("/old", "old", redirect_to="/branch/", methods=["GET", "POST"])
    app.add_url_rule("/branch/", "branch", lambda: "branch", methods=["GET", "POST"])

    def moved(request: Request) -> None:
        error = request.routing_exception
        if error is not None:
            error.code = 301

    app.url_value_preprocessor(lambda endpoint, values: moved(request))
    with pytest.raises(AssertionError, match=r"(?s)POST request was sent to.*slash"):
        client.post("/branch", data={"a": "b"})
    with pytest.raises(AssertionError, match="canonical URL"):
        client.post("/old")
    assert client.get("/branch").status_code == 301
    app.debug = False
    assert client.post("/branch").status_code == 301


def test_a_hook_may_change_where_a_request_goes(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/v/<x>", "v", lambda x: f"v {x}")
    app.add_url_rule("/other/<x>", "other", lambda x: f"other {x}")

    @app.before_request
    def change() -> None:
        what = request.args.get("change")
        if what == "arguments" and request.view_args is not None:
            request.view_args["x"] = "changed"
        elif what == "rule":
            (request.url_rule,) = app.url_map.iter_rules("other")
        elif what == "error":
            request.routing_exception = HTTPException(response=Response("refused", 403))

    assert client.get("/v/1?change=arguments").text == "v changed"
    assert client.get("/v/1?change=rule").text == "other 1"
    assert client.get("/v/1?change=error").text == "refused"


# Around a view -------------------------------------------------------------------------


SIGNALS = (
    *("appcontext_pushed", "request_started", "before_render_template", "template_rendered"),
    *("message_flashed", "got_request_exception", "request_finished", "request_tearing_down"),
    *("appcontext_tearing_down", "appcontext_popped"),
)


@pytest.fixture
def seen(app: Flask) -> Iterator[list[str]]:
    """What an application sends and calls, in order."""
    seen: list[str] = []
    receivers: list[Any] = []
    for name in SIGNALS:

        def receive(sender: Flask, name: str = name, **values: Any) -> None:
            assert sender is app
            shown = {key: type(value).__name__ for key, value in values.items()}
            seen.append(f"{name} {shown}" if shown else name)

        getattr(brim, name).connect(receive, app)
        receivers.append(receive)
    app.before_request(lambda: seen.append("before"))
    app.after_request(lambda response: seen.append("after") or response)
    app.teardown_request(lambda error: seen.append("teardown request"))
    app.teardown_appcontext(lambda error: seen.append("teardown application"))
    yield seen
    for name, receive in zip(SIGNALS, receivers, strict=True):
        getattr(brim, name).disconnect(receive, app)


END = [
    *("teardown request", "request_tearing_down {'exc': '%s'}"),
    *("teardown application", "appcontext_tearing_down {'exc': '%s'}", "appcontext_popped"),
]


def end(error: str = "NoneType") -> list[str]:
    return [line % error if "%" in line else line for line in END]


def test_signals_and_functions_in_order(app: Flask, client: FlaskClient, seen: list[str]) -> None:
    @app.get("/")
    def view() -> str:
        seen.append("view")
        flash("message")
        return render_template_string("template")

    assert client.get("/").text == "template"
    rendering = [f"{name} {{'template': 'Template', 'context': 'dict'}}" for name in SIGNALS[2:4]]
    assert seen == [
        *("appcontext_pushed", "request_started", "before", "view"),
        "message_flashed {'message': 'str', 'category': 'str'}",
        *rendering,
        *("after", "request_finished {'response': 'Response'}"),
        *end(),
    ]


def test_signals_of_a_request_that_fails(app: Flask, client: FlaskClient, seen: list[str]) -> None:
    app.testing = False
    app.get("/")(lambda: 1 / 0)
    start = ["appcontext_pushed", "request_started", "before"]
    got = "got_request_exception {'exception': 'ZeroDivisionError'}"
    answer = ["after", "request_finished {'response': 'Response'}"]
    assert client.get("/").status_code == 500
    assert seen == [*start, got, *answer, *end("ZeroDivisionError")]
    seen.clear()
    app.testing = True
    with pytest.raises(ZeroDivisionError):
        client.get("/")
    assert seen == [*start, got, *end("ZeroDivisionError")]
    seen.clear()
    assert client.get("/nope").status_code == 404
    assert seen == [*start, *answer, *end()]


def test_the_context_of_an_application_alone(app: Flask, seen: list[str]) -> None:
    with app.app_context():
        seen.append("work")
    assert seen == ["appcontext_pushed", "work", *end()[2:]]
    assert not has_app_context()


def test_coroutines_everywhere(app: Flask, client: FlaskClient) -> None:
    called: list[str] = []

    @app.before_request
    async def before() -> None:
        called.append("before")

    @app.after_request
    async def after(response: Response) -> Response:
        called.append("after")
        return response

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        called.append("teardown")

    @app.errorhandler(ZeroDivisionError)
    async def handle(error: Exception) -> str:
        return "handled"

    @app.get("/")
    async def view() -> str:
        @after_this_request
        async def once(response: Response) -> Response:
            called.append("once")
            return response

        return f"{request.path} {1 / 0}"

    assert client.get("/").text == "handled"
    assert called == ["before", "once", "after", "teardown"]

    async def double(x: int) -> int:
        return 2 * x

    synced = app.ensure_sync(double)
    assert synced(2) == 4
    assert app.ensure_sync(synced) is synced
    assert app.ensure_sync(len) is len


@pytest.mark.parametrize(
    ("settings", "raised", "status"),
    [
        ({}, (), {"/error": 500, "/missing": 404, "/key": 400, "/bad": 400}),
        ({"TESTING": True}, ("/error",), {"/missing": 404, "/key": 400}),
        ({"DEBUG": True}, ("/error", "/key"), {"/missing": 404, "/bad": 400}),
        ({"PROPAGATE_EXCEPTIONS": True}, ("/error",), {"/key": 400}),
        ({"PROPAGATE_EXCEPTIONS": False, "TESTING": True}, (), {"/error": 500}),
        ({"TRAP_HTTP_EXCEPTIONS": True}, (), dict.fromkeys(("/missing", "/key", "/bad"), 500)),
        ({"TRAP_HTTP_EXCEPTIONS": True, "TESTING": True}, ("/missing", "/key", "/bad"), {}),
        ({"TRAP_BAD_REQUEST_ERRORS": True, "TESTING": True}, ("/key", "/bad"), {"/missing": 404}),
        ({"TRAP_BAD_REQUEST_ERRORS": False, "DEBUG": True}, ("/error",), {"/key": 400}),
    ],
    ids=str,
)
def test_which_errors_are_raised_and_which_answered(
    settings: dict[str, Any], raised: tuple[str, ...], status: dict[str, int]
) -> None:
    app = Flask(__name__)
    app.config.update(settings)
    app.logger.setLevel(logging.CRITICAL)
    add(app, error=lambda: 1 / 0, key=lambda: request.args["q"])
    add(app, missing=lambda: abort(404), bad=lambda: abort(400))
    client = app.test_client()
    assert {path: client.get(path).status_code for path in status} == status
    for path in raised:
        with pytest.raises((ZeroDivisionError, HTTPException)):
            client.get(path)


def test_an_override_tells_which_errors_teardown_functions_are_spared(client: FlaskClient) -> None:
    class Own(Flask):
        def should_ignore_error(self, error: BaseException | None) -> bool:
            return isinstance(error, ZeroDivisionError)

    app = Own(__name__)
    app.logger.setLevel(logging.CRITICAL)
    told: list[BaseException | None] = []
    app.teardown_request(told.append)
    add(app, ignored=lambda: 1 / 0, other=lambda: {}["key"])
    for path in ("/ignored", "/other"):
        app.test_client().get(path)
    assert [type(error) for error in told] == [type(None), KeyError]


def test_what_the_server_is_handed(app: Flask) -> None:
    """Without a detour for what is plain, by Werkzeug for what isn't."""
    add(app, plain=lambda: ("x", 299, {"X-A": "1"}), stream=lambda: (part for part in "ab"))
    body, status, headers = run_wsgi_app(app, create_environ("/plain"))
    assert (list(body), status, headers["X-A"]) == ([b"x"], "299 UNKNOWN", "1")
    body, status, headers = run_wsgi_app(app, create_environ("/stream"))
    assert (list(body), "Content-Length" in headers) == ([b"a", b"b"], False)


# Redirects and aborting ----------------------------------------------------------------


def test_redirects_are_made_by_the_application(client: FlaskClient) -> None:
    class Own(Flask):
        def redirect(self, location: str, code: int | None = None) -> Any:
            return super().redirect(f"/below{location}", code)

    app = Own(__name__)
    add(app, default=lambda: redirect("/x"), moved=lambda: redirect("/x", 301))
    client = app.test_client()
    answer = client.get("/default")
    assert (answer.status_code, answer.location) == (302, "/below/x")
    assert client.get("/moved").status_code == 301
    app.config["REDIRECT_CODE"] = 303
    assert client.get("/default").status_code == 303


def test_an_aborter_with_more_codes(app: Flask, client: FlaskClient) -> None:
    class Brewing(HTTPException):
        code = 299
        description = "Brewing"

    app.aborter.mapping[299] = Brewing
    app.get("/")(lambda: abort(299))
    assert client.get("/").status_code == 299


# Sessions ------------------------------------------------------------------------------


class Dict(dict[str, Any], SessionMixin):
    """A session of a store."""


class Store(SessionInterface):
    def __init__(self) -> None:
        self.calls: list[str] = []

    def open_session(self, app: Flask, request: Request) -> Any:
        self.calls.append("open")
        return Dict(user="ada")

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        self.calls.append("save" if session.accessed else "save, not accessed")


@pytest.mark.parametrize(
    ("touch", "calls"),
    [
        (lambda: None, []),
        (lambda: session["user"], ["open", "save"]),
        (lambda: [session.get("user") for _ in range(3)], ["open", "save"]),
        (lambda: session.update(user="grace"), ["open", "save"]),
        (lambda: flash("message"), ["open", "save"]),
        (lambda: render_template_string("{{ session.user }}"), ["open", "save"]),
        (lambda: render_template_string("{{ request.path }}"), []),
    ],
)
def test_a_store_is_asked_once_if_at_all(
    app: Flask, client: FlaskClient, touch: Callable[[], object], calls: list[str]
) -> None:
    app.session_interface = store = Store()
    app.get("/")(lambda: str(touch()))
    assert client.get("/").status_code == 200
    assert store.calls == calls


@pytest.mark.parametrize(
    "read",
    [
        lambda: session.get("a"),
        lambda: "a" in session,
        lambda: len(session),
        lambda: bool(session),
        lambda: list(session),
        lambda: session.keys(),
        lambda: session.permanent,
        lambda: session.modified,
        lambda: repr(session),
        lambda: session == {},
        lambda: session.pop("a", None),
        lambda: brim.globals.request_ctx.session,
        lambda: brim.get_flashed_messages(),
    ],
)
@pytest.mark.parametrize("cookie", [True, False])
def test_answers_that_depend_on_the_session_say_so(
    app: Flask, client: FlaskClient, read: Callable[[], object], cookie: bool
) -> None:
    """Whichever way it was looked at, so that no cache gives one's answer to another."""
    add(app, session=lambda: str(read()), plain=lambda: "plain")
    if cookie:
        with client.session_transaction() as opened:
            opened["a"] = 1
    assert client.get("/session").headers.getlist("Vary") == ["Cookie"]
    assert "Vary" not in client.get("/plain").headers


def test_the_environment_of_a_test_is_the_applications(app: Flask) -> None:
    with app.test_request_context("/a?b=c", method="POST", json={"d": 1}, headers={"X-A": "1"}):
        assert (request.path, request.args["b"], request.json) == ("/a", "c", {"d": 1})
        assert request.headers["X-A"] == "1"
    assert os.path.basename(app.root_path) == "tests"


def test_another_flask_that_is_loaded_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flask", ModuleType("flask"))
    with pytest.warns(RuntimeWarning, match="import brim.as_flask` before the first import"):
        Flask(__name__)
    monkeypatch.setitem(sys.modules, "flask", brim)
    Flask(__name__)
