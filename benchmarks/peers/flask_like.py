"""What Flask and Brim share: the same programs, given one module or the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

from ..answers import CHUNK, CHUNKS, EVENT, EVENTS, STATIC, TEXT, USER, Counted, created

Apps = dict[str, Callable[[], Any]]


def apps(module: ModuleType) -> Apps:
    """All programs, written for ``module``."""
    makers = {
        "basic": basic,
        "text": text,
        "upload": basic,
        "hooks": hooks,
        "hooks using g": hooks_using_g,
        "errors": errors,
        "session": session,
        "static": static,
        "sse": sse if module.__name__ == "brim" else sse_by_hand,
    }
    return {name: partial(make, module) for name, make in makers.items()}


def text(flask: Any) -> Any:
    app = flask.Flask("benchmark")

    @app.get("/")
    def hello() -> str:
        return TEXT

    return app


def basic(flask: Any) -> Any:
    app = flask.Flask("benchmark")
    request = flask.request

    @app.get("/")
    def hello() -> str:
        return TEXT

    @app.get("/users/<int:user_id>")
    def user(user_id: int) -> dict[str, Any]:
        return {**USER, "id": user_id}

    @app.post("/users")
    def create() -> dict[str, Any]:
        return created(request.get_json())

    @app.post("/form")
    def form() -> str:
        return f"{request.form['name']}, {request.form['city']}"

    @app.post("/upload")
    def upload() -> str:
        file = request.files["file"]
        return f"{request.form['name']}: {file.filename}, {len(file.read())}"

    @app.get("/stream")
    def stream() -> Any:
        def chunks() -> Iterator[bytes]:
            for _ in range(CHUNKS):
                yield CHUNK

        return flask.Response(chunks(), mimetype="application/octet-stream")

    return app


def hooks(flask: Any) -> Any:
    """Three functions of the application and two of the blueprint, before and after."""
    app = flask.Flask("benchmark")
    area = flask.Blueprint("area", "benchmark", url_prefix="/area")
    counted = Counted()

    def before() -> None:
        counted.count += 1

    def after(response: Any) -> Any:
        counted.count -= 1
        return response

    def teardown(error: BaseException | None) -> None:
        counted.ended += 1

    for place, times in ((app, 3), (area, 2)):
        for _ in range(times):
            place.before_request(lambda: before())
            place.after_request(lambda response: after(response))
    app.teardown_request(teardown)

    @area.get("/hooked")
    def hooked() -> str:
        return counted.text()

    app.register_blueprint(area)
    return app


def hooks_using_g(flask: Any) -> Any:
    """What such functions are there for: who asks, and how long it took."""
    app = flask.Flask("benchmark")
    g, request = flask.g, flask.request

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.before_request
    def who() -> None:
        g.user = request.headers.get("X-User", "nobody")

    @app.after_request
    def mark(response: Any) -> Any:
        response.headers["X-Took"] = f"{time.perf_counter() - g.began:.6f}"
        return response

    @app.teardown_request
    def end(error: BaseException | None) -> None:
        g.pop("user")

    @app.get("/area/hooked")
    def hooked() -> str:
        return f"{g.user} at {request.path}"

    return app


def errors(flask: Any) -> Any:
    app = flask.Flask("benchmark")

    @app.get("/broken")
    def broken() -> str:
        raise LookupError("no such thing")

    @app.errorhandler(LookupError)
    def handle(error: LookupError) -> tuple[str, int]:
        return str(error), 409

    return app


def session(flask: Any) -> Any:
    app = flask.Flask("benchmark")
    app.secret_key = "a key for the benchmark"
    session = flask.session

    @app.get("/login")
    def login() -> str:
        session["user"] = 7
        session["name"] = "ada"
        return TEXT

    @app.get("/idle")
    def idle() -> str:
        return TEXT

    @app.get("/me")
    def me() -> str:
        return f"{session['name']}, {session['user']}"

    return app


def static(flask: Any) -> Any:
    return flask.Flask("benchmark", static_folder=STATIC, static_url_path="/static")


def sse(brim: Any) -> Any:
    app = brim.Flask("benchmark")

    @app.get("/events")
    def events() -> Any:
        return brim.EventStream(EVENT for _ in range(EVENTS))

    return app


def sse_by_hand(flask: Any) -> Any:
    app = flask.Flask("benchmark")

    @app.get("/events")
    def events() -> Any:
        texts = (f"data: {EVENT}\n\n" for _ in range(EVENTS))
        return flask.Response(texts, mimetype="text/event-stream")

    return app
