"""Where Brim answers otherwise than Flask 3.1.3: the tests that docs/differences.md names.

Flask 3.1.3 fails them, where it doesn't warn instead.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from threading import Thread, current_thread
from typing import Any

import click
import pytest
from click.testing import CliRunner
from werkzeug.routing import MapAdapter
from werkzeug.test import create_environ

import brim
from brim import (
    Flask,
    Request,
    Response,
    appcontext_pushed,
    has_request_context,
    redirect,
    request,
    session,
    stream_with_context,
)
from brim.cli import BrimGroup
from brim.globals import app_ctx, request_ctx
from brim.sessions import SecureCookieSessionInterface
from brim.testing import FlaskClient


class Store(SecureCookieSessionInterface):
    """Counts how often it is asked."""

    asked = 0

    def open_session(self, app: Flask, request: Request) -> Any:
        self.asked += 1
        return super().open_session(app, request)


def test_a_session_that_nobody_looks_at_is_not_opened(app: Flask, client: FlaskClient) -> None:
    app.session_interface = store = Store()
    app.get("/")(lambda: "Hello")
    assert client.get("/").text == "Hello"
    assert client.get("/static/nothing").status_code == 404
    assert store.asked == 0


def test_a_store_that_fails_does_so_where_it_is_asked(app: Flask, client: FlaskClient) -> None:
    class Broken(SecureCookieSessionInterface):
        def open_session(self, app: Flask, request: Request) -> Any:
            raise ConnectionError("the store is down")

    app.testing = False
    app.session_interface = Broken()
    app.get("/plain")(lambda: "Hello")

    @app.get("/visits")
    def visits() -> str:
        try:
            return str(session["visits"])
        except ConnectionError:
            return "unknown"

    assert client.get("/plain").text == "Hello"
    assert client.get("/visits").text == "unknown"


def test_every_teardown_function_is_called(app: Flask) -> None:
    called: list[str] = []

    def teardown(name: str, error: type[Exception] | None = None) -> Callable[[Any], None]:
        def function(_: BaseException | None) -> None:
            called.append(name)
            if error is not None:
                raise error(name)

        return function

    app.teardown_request(teardown("first"))
    app.teardown_request(teardown("second", ValueError))
    app.teardown_appcontext(teardown("app", KeyError))
    with pytest.raises(ExceptionGroup) as caught, app.test_request_context():
        pass
    assert called == ["second", "first", "app"]
    assert [type(error) for error in caught.value.exceptions] == [ValueError, KeyError]


@pytest.fixture
def stream(app: Flask) -> tuple[Flask, list[object]]:
    """An app that streams two parts, and what it notes while it does."""
    noted: list[object] = []

    @app.get("/")
    def parts() -> Response:
        def generate() -> Iterator[str]:
            yield "a"
            noted.append(has_request_context())
            yield "b"

        return Response(stream_with_context(generate()))

    @app.teardown_request
    def note(_: BaseException | None) -> None:
        noted.append(current_thread().name)

    return app, noted


def test_a_streams_context_is_current_for_its_steps_only(
    stream: tuple[Flask, list[object]],
) -> None:
    app, noted = stream
    body = iter(app(create_environ("/"), lambda *_: None))
    for part in (b"a", b"b"):
        assert next(body) == part
        assert not has_request_context()
    assert noted == [True]
    assert list(body) == []
    assert noted == [True, current_thread().name]


def test_a_stream_ends_its_request_on_the_thread_that_closes_it(
    stream: tuple[Flask, list[object]],
) -> None:
    app, noted = stream
    body: Any = app(create_environ("/"), lambda *_: None)
    next(iter(body))
    other = Thread(target=body.close, name="other")
    other.start()
    other.join()
    assert noted == ["other"]
    assert not has_request_context()
    # A later request on this thread has its own teardown.
    body = app(create_environ("/"), lambda *_: None)
    body.close()
    assert noted == ["other", current_thread().name]


def test_json_that_nests_too_deep_is_a_bad_request(app: Flask, client: FlaskClient) -> None:
    @app.post("/")
    def take() -> dict[str, bool]:
        return {"list": isinstance(request.json, list)}

    def post(depth: int) -> int:
        data = "[" * depth + "]" * depth
        return client.post("/", data=data, content_type="application/json").status_code

    assert [post(depth) for depth in (1, 512, 513, 100_000)] == [200, 200, 400, 400]


def test_a_command_leaves_the_environment_as_it_was(app: Flask) -> None:
    app.cli.command("nothing")(lambda: None)
    before = dict(os.environ)
    result = CliRunner().invoke(BrimGroup(create_app=lambda: app), ["--debug", "nothing"])
    assert result.exit_code == 0
    assert os.environ == before


def test_a_request_has_one_context(app: Flask) -> None:
    with app.test_request_context() as ctx:
        assert isinstance(ctx, type(app.app_context()))
        assert app_ctx == ctx
        assert request_ctx == ctx


def test_overridden_steps_take_the_context_or_not() -> None:
    class New(Flask):
        def dispatch_request(self, ctx: Any) -> Any:  # type: ignore[override]
            return f"{ctx.request.path}: {super().dispatch_request(ctx)}"

    class Old(Flask):
        def dispatch_request(self) -> Any:  # type: ignore[override]
            return f"old: {super().dispatch_request()}"

    for kind, text in ((New, "/: Hello"), (Old, "old: Hello")):
        app = kind(__name__)
        app.get("/")(lambda: "Hello")
        assert app.test_client().get("/").text == text


def test_decorators_for_templates_go_without_parentheses(app: Flask) -> None:
    @app.template_filter
    def shout(text: str) -> str:
        return text.upper()

    @app.template_test
    def loud(text: str) -> bool:
        return text.isupper()

    @app.template_global
    def word() -> str:
        return "hey"

    template = app.jinja_env.from_string("{{ word()|shout }} {{ word() is loud }}")
    assert template.render() == "HEY False"


def test_a_setting_says_how_to_redirect(app: Flask, client: FlaskClient) -> None:
    app.get("/")(lambda: redirect("/there"))
    assert client.get("/").status_code == 302
    app.config["REDIRECT_CODE"] = 303
    assert client.get("/").status_code == 303


def test_a_route_may_answer_options_where_others_do_not(app: Flask, client: FlaskClient) -> None:
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.get("/")(lambda: "")
    app.get("/options", endpoint="options", provide_automatic_options=True)(lambda: "")
    assert client.options("/").status_code == 405
    assert set(client.options("/options").allow) == {"GET", "HEAD", "OPTIONS"}


def test_async_views_share_one_loop(app: Flask, client: FlaskClient) -> None:
    loops: list[object] = []

    @app.get("/")
    async def view() -> str:
        loops.append(asyncio.get_running_loop())
        return ""

    client.get("/")
    client.get("/")
    assert loops[0] is loops[1]


def test_commands_may_be_coroutines_and_need_no_parentheses(app: Flask) -> None:
    @app.cli.command
    async def greet() -> None:
        await asyncio.sleep(0)
        click.echo("Hello")

    assert app.test_cli_runner().invoke(args=["greet"]).output == "Hello\n"


def test_variables_of_brims_name_win(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_SAY_WORD", "no")
    monkeypatch.setenv("BRIM_SAY_WORD", "yes")

    @app.cli.command("say")
    @click.option("--word")
    def say(word: str) -> None:
        click.echo(word)

    assert CliRunner().invoke(BrimGroup(create_app=lambda: app), ["say"]).output == "yes\n"


def test_the_request_object_is_made_when_it_is_needed(app: Flask, client: FlaskClient) -> None:
    made: list[Request] = []

    class Noting(Request):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made.append(self)

    app.request_class = Noting
    app.get("/")(lambda: "Hello")
    client.get("/")
    assert made == []


def test_the_environ_does_not_hold_the_request(app: Flask) -> None:
    with app.test_request_context() as ctx:
        environ = create_environ("/")
        assert Request(environ).path == "/"
    assert "werkzeug.request" not in environ
    assert isinstance(ctx.request, Request)


def test_a_list_that_is_put_into_a_table_is_copied(app: Flask, client: FlaskClient) -> None:
    hooks: list[Any] = []
    app.before_request_funcs[None] = hooks
    app.get("/")(lambda: "view")
    hooks.append(lambda: "not seen")
    assert client.get("/").text == "view"
    app.before_request_funcs[None].append(lambda: "hook")
    assert client.get("/").text == "hook"


def test_a_step_that_is_replaced_on_the_class_is_seen_before_the_first_request() -> None:
    class Site(Flask):
        pass

    def patched(self: Flask) -> str:
        return "patched"

    def answer(app: Flask) -> str:
        return app.test_client().get("/").text

    early, late = Site(__name__), Site(__name__)
    for app in (early, late):
        app.get("/")(lambda: "Hello")
    assert answer(late) == "Hello"
    Site.dispatch_request = patched  # type: ignore[method-assign,assignment]
    assert answer(early) == "patched"
    assert answer(late) == "Hello"
    late.dispatch_request = lambda: "patched on the instance"  # type: ignore[method-assign]
    assert answer(late) == "patched on the instance"


def test_the_version_is_given_without_a_warning() -> None:
    assert brim.__version__ == "3.1.3"


def test_a_request_has_its_urls_bound_once() -> None:
    log: list[object] = []

    class Site(Flask):
        def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
            log.append(request is not None)
            return super().create_url_adapter(request)

    app = Site(__name__)
    app.get("/")(lambda: "Hello")

    def pushed(sender: Flask) -> None:
        log.append("pushed")

    with appcontext_pushed.connected_to(pushed, app):
        app.test_client().get("/")
    assert log == ["pushed", True]


def test_a_star_import_brings_the_names_of_the_api() -> None:
    names: dict[str, object] = {}
    exec("from brim import *", names)
    assert names.keys() - {"__builtins__"} == set(brim.__all__)
    assert "helpers" not in names


def test_classes_are_of_brims_modules() -> None:
    assert (Flask.__module__, brim.Blueprint.__module__) == ("brim.app", "brim.blueprints")
