"""What Flask and Brim share: the same programs, given one module or the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

from ..answers import CHUNK, CHUNKS, TEXT, USER, created

Apps = dict[str, Callable[[], Any]]


def apps(module: ModuleType) -> Apps:
    """All programs, written for ``module``."""
    makers = {"basic": basic}
    return {name: partial(make, module) for name, make in makers.items()}


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
