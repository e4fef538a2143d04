"""Functions called in a row, under WSGI, come to what the steps come to.

So does a session that is saved as soon as a lone view has answered, by either door.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from itertools import product
from typing import Any

import pytest

from brim import (
    Blueprint,
    Flask,
    Response,
    abort,
    after_this_request,
    request,
    request_finished,
    request_started,
    session,
)
from brim.dispatch import run_sync
from brim.sessions import SecureCookieSessionInterface

only_wsgi = pytest.mark.wsgi("under ASGI the steps are taken")

Log = list[Any]
Change = Callable[[Flask, Log], None]


class Unstoppable(BaseException):
    """What no handler may have."""


class FlaskInSteps(Flask):
    """Takes every step there is on the way to a response."""

    def full_dispatch_request(self, *args: Any) -> Any:
        return super().full_dispatch_request(*args)


def fail_badly() -> Any:
    raise Unstoppable("out")


def fail() -> Any:
    raise ValueError("wrong")


def conflict() -> Any:
    abort(409)


def use_session() -> Any:
    session["seen"] = session.get("seen", 0) + 1


def break_session() -> Any:
    session["odd"] = object()


def note_after_this(log: Log) -> None:
    @after_this_request
    def noted(response: Response) -> Response:
        log.append("after this")
        return response


def outcome_of(app: Flask, log: Log, method: str, path: str = "/area/") -> Log:
    """What a request comes to, and what was called for it."""
    log.clear()
    try:
        response = app.test_client().open(path, method=method)
    except BaseException as error:
        frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        log.append((repr(error), [name for name in frames if name in USERS]))
    else:
        # Not when the session was signed.
        headers = [(name, value.partition(".")[0]) for name, value in response.headers]
        log.append((response.status, headers, response.data))
    return [*log]


BEFORE: dict[str, Callable[[], Any]] = {
    "goes on": lambda: None,
    "answers": lambda: "before",
    "fails": fail,
    "conflict": conflict,
    "out": fail_badly,
    "session": use_session,
}
VIEWS: dict[str, Callable[[], Any]] = {
    "text": lambda: "view",
    "tuple": lambda: ("made", 201, {"X-Made": "yes"}),
    "nothing": lambda: None,
    "path": lambda: request.path,
    "fails": fail,
    "conflict": conflict,
    "out": fail_badly,
    "broken session": lambda: break_session() or "view",
}
AFTER: dict[str, Callable[[Response], Any]] = {
    "same": lambda response: response,
    "other": lambda response: Response("other", 202),
    "fails": lambda response: fail(),
    "conflict": lambda response: conflict(),
    "out": lambda response: fail_badly(),
}
USERS = ("fail", "fail_badly", "conflict", "view", "before", "after")


def make_app(
    kind: type[Flask], log: Log, before: str | None, view: str, after: str | None, handled: bool
) -> Flask:
    app = kind("straight")
    app.secret_key = "secret"
    area = Blueprint("area", __name__, url_prefix="/area")
    for number, target in enumerate((app, area)):
        if before is not None:

            @target.before_request
            def do_before(number: int = number) -> Any:
                log.append(f"before {number}")
                return BEFORE[before]()

        if after is not None:

            @target.after_request
            def do_after(response: Response, number: int = number) -> Any:
                log.append(f"after {number} {sys.exc_info()[1]!r}")
                return AFTER[after](response)

        @target.teardown_request
        def end(error: BaseException | None, number: int = number) -> None:
            log.append(f"end {number} {error!r}")

    if handled:

        @app.errorhandler(Exception)
        def handler(error: Exception) -> Any:
            log.append(f"handled {error!r} {sys.exc_info()[1]!r}")
            return "handled", 418

    @area.route("/", methods=["GET", "POST"])
    def do() -> Any:
        log.append("view")
        return VIEWS[view]()

    app.register_blueprint(area)
    return app


@only_wsgi
@pytest.mark.parametrize("before", [None, *BEFORE])
@pytest.mark.parametrize("view", VIEWS)
def test_what_comes_of_a_request_is_what_the_steps_come_to(before: str | None, view: str) -> None:
    log: Log = []
    for after, handled, propagates in product([None, *AFTER], [True, False], [True, False]):
        seen: list[Any] = []
        for kind in (Flask, FlaskInSteps):
            app = make_app(kind, log, before, view, after, handled)
            app.config["PROPAGATE_EXCEPTIONS"] = propagates
            app.logger.disabled = True
            seen.append([outcome_of(app, log, method) for method in ("GET", "HEAD", "OPTIONS")])
        assert seen[0] == seen[1]


def change_hooks(app: Flask, log: Log) -> None:
    @app.after_request
    def late(response: Response) -> Response:
        log.append("late")
        return response


def replace_step(app: Flask, log: Log) -> None:
    original = app.process_response

    def process_response(response: Response) -> Response:
        log.append("replaced")
        return original(response)

    app.process_response = process_response  # type: ignore[method-assign,assignment]


def add_coroutine_function(app: Flask, log: Log) -> None:
    @app.after_request
    async def late(response: Response) -> Response:
        await asyncio.sleep(0)
        log.append("late")
        return response


@only_wsgi
@pytest.mark.parametrize(
    ("change", "where"),
    [
        (change_hooks, "before"),
        (change_hooks, "view"),
        (add_coroutine_function, "before"),
        (add_coroutine_function, "view"),
        (replace_step, "before"),
    ],
)
@pytest.mark.parametrize("has_after", [True, False])
def test_a_change_of_the_application_counts_at_once(
    change: Change, where: str, has_after: bool
) -> None:
    # It is allowed where the application has not seen its first request; here it is made so.
    seen: list[Log] = []
    for told in (False, True):
        app = Flask("straight")
        log: Log = []

        def act(place: str, app: Flask = app, log: Log = log, change: Change = change) -> None:
            log.append(place)
            if place == where:
                app._got_first_request = False
                change(app, log)

        app.before_request(lambda act=act: act("before"))
        if has_after:
            app.after_request(lambda response: response)
        app.add_url_rule("/", "view", lambda act=act: act("view") or "view")
        with ExitStack() as stack:
            if told:
                stack.enter_context(request_started.connected_to(lambda sender: None, app))
            seen.append(outcome_of(app, log, "GET", "/"))
    assert seen[0] == seen[1]
    assert {"late", "replaced"} & {*map(str, seen[0])}


@only_wsgi
@pytest.mark.parametrize("where", ["before", "view", "after"])
def test_functions_of_one_request_are_called(where: str) -> None:
    seen: list[Log] = []
    for kind in (Flask, FlaskInSteps):
        app, log = kind("straight"), []
        at: dict[str, Callable[[], None]] = {where: lambda log=log: note_after_this(log)}
        app.before_request(lambda at=at: at.get("before", list)() or None)
        app.after_request(lambda response, at=at: at.get("after", list)() or response)
        app.add_url_rule("/", "view", lambda at=at: at.get("view", list)() or "view")
        seen.append(outcome_of(app, log, "GET", "/"))
    assert seen[0] == seen[1]
    assert ("after this" in seen[0]) is (where != "after")


def test_request_finished_is_sent_after_the_session_is_saved() -> None:
    app = Flask("straight")
    app.secret_key = "secret"
    told: Log = []

    def finished(sender: Flask, response: Response) -> None:
        told.append("Set-Cookie" in response.headers)

    @app.after_request
    def after(response: Response) -> Response:
        session["seen"] = 1
        return response

    app.add_url_rule("/", "view", lambda: "view")
    with request_finished.connected_to(finished, app):
        app.test_client().get("/")
    assert told == [True]


@only_wsgi
def test_an_override_takes_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests compare are two ways indeed."""
    walked: Log = []
    original = run_sync.respond

    def respond(*args: Any) -> Any:
        walked.append(args)
        return original(*args)

    monkeypatch.setattr(run_sync, "respond", respond)
    log: Log = []
    for kind, count in ((Flask, 0), (FlaskInSteps, 1)):
        walked.clear()
        outcome_of(make_app(kind, log, "goes on", "text", "same", True), log, "GET")
        assert len(walked) == count


SESSION_VIEWS: dict[str, Callable[[], Any]] = {
    "text": lambda: use_session() or "text",
    "dict": lambda: use_session() or {"a": 1},
    "ready": lambda: use_session() or Response("ready", 201),
    "made": lambda: use_session() or ("made", 201),
    "read": lambda: f"{session.get('seen')}",
    "clear": lambda: session.clear() or "cleared",
    "broken": lambda: break_session() or "view",
}


def as_coroutine_function(view: Callable[[], Any]) -> Callable[[], Any]:
    async def call() -> Any:
        return view()

    return call


class TestSessions:
    """The session of a view that comes alone is saved at once, where that is Brim's way."""

    @pytest.fixture(params=product([Flask, FlaskInSteps], [False, True]), ids=str)
    def app(self, request: pytest.FixtureRequest) -> Flask:
        kind, is_async = request.param
        app: Flask = kind("straight")
        app.secret_key = "secret"
        for name, view in SESSION_VIEWS.items():
            app.add_url_rule(f"/{name}", name, as_coroutine_function(view) if is_async else view)
        return app

    @pytest.mark.parametrize("path", ["/text", "/dict", "/ready", "/made"])
    def test_it_is_kept(self, app: Flask, path: str) -> None:
        client = app.test_client()
        response = client.get(path)
        assert response.headers.getlist("Vary") == ["Cookie"]
        assert len(response.headers.getlist("Set-Cookie")) == 1
        assert client.get(path).headers.getlist("Vary") == ["Cookie"]
        response = client.get("/read")
        assert response.text == "2"
        assert response.headers.getlist("Vary") == ["Cookie"]
        assert "Set-Cookie" not in response.headers
        assert "Max-Age=0" in client.get("/clear").headers["Set-Cookie"]
        assert client.get("/read").text == "None"

    def test_what_can_not_be_saved_fails(self, app: Flask) -> None:
        app.logger.disabled = True
        assert app.test_client().get("/broken").status_code == 500

    def test_another_way_of_saving_is_called(self, app: Flask) -> None:
        saved: Log = []

        class Interface(SecureCookieSessionInterface):
            def save_session(self, *args: Any) -> None:
                saved.append(args[2].status_code)

        app.session_interface = Interface()
        app.test_client().get("/ready")
        assert saved == [201]
