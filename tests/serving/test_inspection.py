from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from brim import Blueprint, Flask
from brim.serving.inspection import choose, ending, examine
from brim.views import MethodView


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)

    @app.get("/")
    def index() -> str:
        return ""

    return app


async def coroutine(*args: Any) -> Any:
    return None


def function(*args: Any) -> Any:
    return None


def test_an_application_of_sync_functions_that_takes_no_body_is_served_by_wsgi(app: Flask) -> None:
    app.before_request(function)
    app.register_error_handler(404, function)
    assert choose(app)[0] == "wsgi"


class Counter(MethodView):
    async def get(self) -> str:
        return ""


@pytest.mark.parametrize(
    ("add", "reason"),
    [
        (lambda app: app.add_url_rule("/x", "x", coroutine), "'x' is a coroutine function"),
        (lambda app: app.add_url_rule("/x", "x", partial(coroutine)), "'x' is a coroutine"),
        (lambda app: app.add_url_rule("/x", "x", Counter.as_view("x")), "'x' is a coroutine"),
        (lambda app: app.before_request(coroutine), "in before_request_funcs"),
        (lambda app: app.after_request(app.ensure_sync(coroutine)), "in after_request_funcs"),
        (lambda app: app.teardown_appcontext(coroutine), "in teardown_appcontext_funcs"),
        (lambda app: app.context_processor(coroutine), "in template_context_processors"),
        (lambda app: app.register_error_handler(KeyError, coroutine), "in error_handler_spec"),
        (lambda app: app.add_websocket("/x", "x", function), "'/x' is a WebSocket"),
        (lambda app: app.before_websocket(coroutine), "in before_websocket_funcs"),
        (lambda app: app.before_serving(function), "'function' is a before_serving function"),
        (lambda app: app.add_url_rule("/x", "x", function, methods=["PUT"]), "'x' takes PUT"),
    ],
)
def test_one_that_has_more_is_served_by_asgi_and_the_reason_is_told(
    app: Flask, add: Any, reason: str
) -> None:
    add(app)
    interface, why = choose(app)
    assert interface == "asgi"
    assert reason in why


def test_what_a_blueprint_brings_counts(app: Flask) -> None:
    blueprint = Blueprint("shop", __name__)
    blueprint.before_request(coroutine)
    app.register_blueprint(blueprint)
    assert choose(app) == (
        "asgi",
        "'coroutine' in before_request_funcs is a coroutine function",
    )


def test_what_is_asked_for_is_done_with_a_note_where_it_costs(app: Flask) -> None:
    found = examine(app, "wsgi", "127.0.0.1", 8000)
    assert (found.interface, found.reason) == ("wsgi", "as asked for")
    app.add_url_rule("/x", "x", coroutine)
    assert "note that the view 'x'" in examine(app, "wsgi", "127.0.0.1", 8000).reason
    assert examine(app, "asgi", "127.0.0.1", 8000).reason == "as asked for"


def test_one_that_gevent_has_patched_is_served_by_wsgi_alone(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.add_url_rule("/x", "x", coroutine)
    monkeypatch.setattr("brim.serving.inspection.threads_are_greenlets", lambda: True)
    found = examine(app, "auto", "127.0.0.1", 8000)
    assert found.interface == "wsgi"
    assert "gevent has patched" in found.reason
    assert "--interface wsgi" in examine(app, "asgi", "127.0.0.1", 8000).error
    assert examine(app, "wsgi", "127.0.0.1", 8000).interface == "wsgi"


def test_an_application_in_debug_mode_is_refused(app: Flask) -> None:
    app.debug = True
    assert "Debug mode is on" in examine(app, "auto", "127.0.0.1", 8000).error


def test_what_is_wrong_with_its_settings_is_found(app: Flask) -> None:
    app.config["SESSION_COOKIE_SAMSITE"] = "Lax"
    assert "SESSION_COOKIE_SAMSITE" in examine(app, "auto", "127.0.0.1", 8000).problems[0]


@pytest.mark.parametrize(
    ("code", "text"), [(-9, "SIGKILL"), (-64, "SIGRTMAX"), (-99, "signal 99"), (1, "status 1")]
)
def test_how_a_process_ended_is_said_by_the_signals_name(code: int, text: str) -> None:
    assert ending(code) == text
