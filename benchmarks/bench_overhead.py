"""What does the framework add to a request, beside Flask and Falcon?

In process: an environ in, a status, headers and a body out, no server and no socket. Two requests:
plain text at a static path, and JSON with an integer in the path. Every app gives the same answer,
which is checked before the clock starts. A bare WSGI callable shows what the loop itself costs; it
is part of every figure.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from . import measure
from .measure import WSGI, Environ, Figure

TEXT = "Hello, World!"
USER = {"id": 7, "name": "Ada Lovelace", "admin": True, "tags": ["math", "engine"]}

#: The most that Brim may cost, in parts of what Flask costs. For JSON there is no target: how much
#: of it is spent in the serialiser depends on the data.
TARGETS = {"plain text": 1 / 8}


def bare(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
    if environ["PATH_INFO"] == "/":
        body, kind = TEXT.encode(), "text/html; charset=utf-8"
    else:
        body, kind = json.dumps(USER).encode(), "application/json"
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]


def flask_like(module: ModuleType) -> WSGI:
    """The same program for Flask and for Brim: only the module differs."""

    def hello() -> str:
        return TEXT

    def user(user_id: int) -> dict[str, Any]:
        return {**USER, "id": user_id}

    app: Any = module.Flask("benchmark")
    app.add_url_rule("/", view_func=hello)
    app.add_url_rule("/users/<int:user_id>", view_func=user)
    return app  # type: ignore[no-any-return]


def falcon_app() -> WSGI:
    import falcon

    class Hello:
        def on_get(self, req: Any, resp: Any) -> None:
            resp.content_type = "text/html; charset=utf-8"
            resp.text = TEXT

    class User:
        def on_get(self, req: Any, resp: Any, user_id: int) -> None:
            resp.media = {**USER, "id": user_id}

    app = falcon.App()
    app.add_route("/", Hello())
    app.add_route("/users/{user_id:int}", User())
    return app  # type: ignore[no-any-return]


def check(name: str, app: WSGI) -> None:
    """Make sure that the answers that will be timed are the right ones."""
    status, headers, body = measure.ask(app, measure.environ("/"))
    problem = f"{name} answered {status} {headers} {body!r}"
    assert status == "200 OK" and body == TEXT.encode(), problem
    assert headers["content-type"] == "text/html; charset=utf-8", problem
    status, headers, body = measure.ask(app, measure.environ("/users/7"))
    problem = f"{name} answered {status} {headers} {body!r}"
    assert status == "200 OK" and json.loads(body) == USER, problem
    assert headers["content-type"] == "application/json", problem


def requester(app: WSGI, path: str) -> Callable[[], object]:
    """Return a call that sends one request. The environ is new each time, as from a server."""
    template = measure.environ(path)

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        return None

    def request() -> None:
        body = app(template.copy(), start_response)
        for _ in body:
            pass
        close = getattr(body, "close", None)
        if close is not None:
            close()

    return request


def run() -> list[Figure]:
    import flask

    import brim

    apps = {"bare": bare, "Brim": flask_like(brim), "Falcon": falcon_app()}
    apps["Flask"] = flask_like(flask)
    for name, app in apps.items():
        check(name, app)
    figures = []
    for what, path in (("plain text", "/"), ("JSON, integer in the path", "/users/7")):
        cost = measure.interleaved({name: requester(app, path) for name, app in apps.items()})
        for name in apps:
            parts = f"{cost[name] / cost['Flask']:.3f} of Flask"
            figures.append(Figure(f"{what}: {name}", cost[name], "µs", note=parts))
        ratio = cost["Brim"] / cost["Flask"]
        times = f"Flask takes {1 / ratio:.1f} times as long"
        figures.append(Figure(f"{what}: Brim / Flask", ratio, "", TARGETS.get(what), times))
    return figures


if __name__ == "__main__":
    sys.exit(measure.main(run, __doc__))
