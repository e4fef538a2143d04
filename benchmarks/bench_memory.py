"""Does the process grow while it serves?

300,000 requests in process, over a mix of what an app meets: text, JSON, templates, forms,
redirects, sessions, unknown paths, wrong methods, and views that fail. Paths, queries and sessions
differ from request to request, so that a cache without a bound shows. The process is warmed up
first; after that it may not grow by more than 1 MiB.
"""

from __future__ import annotations

import gc
import io
import itertools
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import brim

from . import doors, measure, program
from .doors import Environ
from .measure import Figure

REQUESTS = 300_000
WARM_UP = 30_000
#: Requests under tracemalloc, which is slow but sees every block.
TRACED = 30_000
#: In MiB.
TARGET = 1.0


def make_app() -> brim.Flask:
    app = brim.Flask("benchmark")
    app.secret_key = "a key for the benchmark"
    app.logger.disabled = True
    add_views(app)
    add_failures(app)
    return app


def add_views(app: brim.Flask) -> None:
    @app.get("/")
    def text() -> str:
        return "Hello, World!"

    @app.get("/users/<int:user_id>")
    def user(user_id: int) -> dict[str, Any]:
        return {"id": user_id, "q": brim.request.args.get("q")}

    @app.get("/pages/<name>")
    def page(name: str) -> str:
        source = "<h1>{{ name }}</h1>{{ url_for('page', name=name) }}"
        return brim.render_template_string(source, name=name)

    @app.post("/form")
    def form() -> Any:
        return brim.redirect(brim.url_for("user", user_id=int(brim.request.form["id"])))

    @app.get("/session")
    def session() -> str:
        brim.session["count"] = brim.session.get("count", 0) + 1
        return str(brim.session["count"])

    @app.get("/stream")
    def stream() -> Any:
        def chunks() -> Iterator[str]:
            yield "a"
            yield brim.request.args["q"]

        return brim.stream_with_context(chunks())


def add_failures(app: brim.Flask) -> None:
    @app.get("/broken")
    def broken() -> str:
        raise ValueError(brim.request.args["q"])

    @app.get("/handled")
    def handled() -> str:
        raise KeyError(brim.request.args["q"])

    @app.errorhandler(KeyError)
    def on_key_error(error: KeyError) -> tuple[str, int]:
        return f"no {error}", 400


def requests() -> Iterator[tuple[Environ, str]]:
    """Yield requests without end, each with the status that it should get."""
    cookie = ""
    for number in itertools.count():
        data = b"id=%d" % number
        yield doors.environ("/"), "200"
        yield doors.environ(f"/users/{number}?q={number}"), "200"
        yield doors.environ(f"/pages/{number}"), "200"
        yield doors.environ(f"/missing/{number}"), "404"
        yield doors.environ(f"/users/{number}", "POST"), "405"
        yield doors.environ(f"/broken?q={number}"), "500"
        yield doors.environ(f"/handled?q={number}"), "400"
        yield doors.environ(f"/stream?q={number}"), "200"
        form = doors.environ("/form", "POST", CONTENT_LENGTH=str(len(data)))
        form["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
        form["wsgi.input"] = io.BytesIO(data)
        yield form, "302"
        # A visitor with a cookie, and after a hundred requests the next one.
        with_cookie = doors.environ("/session", HTTP_COOKIE=cookie)
        yield with_cookie, "200"
        cookie = with_cookie.get("benchmark.cookie", "") if number % 100 else ""


def serve(app: brim.Flask, mix: Iterator[tuple[Environ, str]], count: int) -> None:
    for environ, expected in itertools.islice(mix, count):
        status, headers, _ = doors.ask(app, environ)
        if not status.startswith(expected):
            sys.exit(f"{environ['PATH_INFO']} answered {status}, not {expected}")
        environ["benchmark.cookie"] = headers.get("set-cookie", "").partition(";")[0]


def run() -> list[Figure]:
    app = make_app()
    mix = requests()
    serve(app, mix, WARM_UP)
    gc.collect()
    before = measure.rss()
    serve(app, mix, REQUESTS)
    gc.collect()
    grown = (measure.rss() - before) / 2**20
    tracemalloc.start()
    serve(app, mix, TRACED // 10)  # Fills what tracemalloc itself keeps.
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    serve(app, mix, TRACED)
    gc.collect()
    traced = (tracemalloc.get_traced_memory()[0] - held) / 2**20
    tracemalloc.stop()
    return [
        Figure(
            "growth while serving", f"the process, over {REQUESTS:,} requests", grown, "MiB", TARGET
        ),
        Figure(
            "growth while serving", f"live objects, over {TRACED:,} requests", traced, "MiB", TARGET
        ),
    ]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
