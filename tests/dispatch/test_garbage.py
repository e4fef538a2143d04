"""What a request leaves behind: nothing that the garbage collector would have to find."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from brim import (
    Blueprint,
    Flask,
    Request,
    Response,
    abort,
    after_this_request,
    copy_current_request_context,
    flash,
    g,
    render_template_string,
    request,
    session,
    stream_with_context,
    url_for,
)
from brim.ctx import AppContext
from tests.support import knock


def _after() -> str:
    @after_this_request
    def after(response: Response) -> Response:
        return response

    return ""


def _copied() -> str:
    @copy_current_request_context
    def work() -> str:
        return request.path

    return work()


def _session() -> str:
    session["a"] = g.a = 1
    flash("message")
    return ""


async def _async() -> str:
    return request.path


async def _async_fail() -> str:
    return [][1]


VIEWS: dict[str, Any] = {
    "text": lambda: "text",
    "request": lambda: request.args.get("a", "none"),
    "session": _session,
    "json": lambda: {"a": 1},
    "template": lambda: render_template_string("{{ request.path }}{{ g.a }}"),
    "url_for": lambda: url_for("text"),
    "stream": lambda: Response(stream_with_context(request.path for _ in range(2))),
    "never iterated": lambda: Response(stream_with_context(iter("ab"))),
    "after": _after,
    "copied": _copied,
    "async": _async,
    "response": lambda: (Response("x"), 201, {"X": "1"}),
    "http error": lambda: abort(404),
    "handled": lambda: {}["handled"],
    "handled async": _async_fail,
    "unhandled": lambda: 1 / 0,
}


@pytest.fixture
def app(app: Flask) -> Iterator[Flask]:
    app.testing = False
    app.logger.disabled = True
    for name, view in VIEWS.items():
        app.add_url_rule(f"/{name}", name, view)
    app.register_error_handler(KeyError, lambda error: "handled")

    @app.errorhandler(IndexError)
    async def handle(error: IndexError) -> str:
        return "handled"

    app.before_request(lambda: None)
    app.after_request(lambda response: response)
    app.teardown_request(lambda error: None)
    app.register_blueprint(Blueprint("bp", __name__))
    gc.disable()
    yield app
    gc.enable()


def _use(app: Flask, path: str) -> None:
    for _ in range(5):
        answer = knock(app, path)
        if path != "/never iterated":
            answer.read()
        answer.close()


@pytest.mark.parametrize("path", VIEWS)
def test_no_circles_are_left(app: Flask, path: str) -> None:
    _use(app, f"/{path}")
    gc.collect()
    _use(app, f"/{path}")
    assert gc.collect() == 0


def test_of_a_request_that_nothing_matches_only_werkzeugs_search_is_left(app: Flask) -> None:
    """A function of Werkzeug's calls itself, which is a circle."""
    _use(app, "/nowhere")
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        _use(app, "/nowhere")
        gc.collect()
        kinds = {type(found) for found in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert not any(issubclass(kind, (AppContext, Request, Response, Exception)) for kind in kinds)
