"""The programs with Falcon, under WSGI."""

from __future__ import annotations

from typing import Any

import falcon

from ..answers import CHUNK, CHUNKS, HTML, STATIC, TEXT, USER, Counted, created


class Hello:
    def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = HTML
        resp.text = TEXT


class User:
    def on_get(self, req: Any, resp: Any, user_id: int) -> None:
        resp.media = {**USER, "id": user_id}


class Users:
    def on_post(self, req: Any, resp: Any) -> None:
        resp.media = created(req.get_media())


class Form:
    def on_post(self, req: Any, resp: Any) -> None:
        form = req.get_media()
        resp.content_type = HTML
        resp.text = f"{form['name']}, {form['city']}"


class Upload:
    def on_post(self, req: Any, resp: Any) -> None:
        for part in req.get_media():
            if part.name == "name":
                name = part.text
            elif part.name == "file":
                filename, size = part.filename, len(part.stream.read())
        resp.content_type = HTML
        resp.text = f"{name}: {filename}, {size}"


class Stream:
    def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = "application/octet-stream"
        resp.stream = (CHUNK for _ in range(CHUNKS))


def basic() -> Any:
    app = falcon.App()
    app.add_route("/", Hello())
    app.add_route("/users/{user_id:int}", User())
    app.add_route("/users", Users())
    app.add_route("/form", Form())
    app.add_route("/upload", Upload())
    app.add_route("/stream", Stream())
    return app


class Counting:
    """One of five."""

    def __init__(self, counted: Counted) -> None:
        self.counted = counted

    def process_request(self, req: Any, resp: Any) -> None:
        self.counted.count += 1

    def process_response(self, req: Any, resp: Any, resource: Any, succeeded: bool) -> None:
        self.counted.count -= 1


class Hooked:
    def __init__(self, counted: Counted) -> None:
        self.counted = counted

    def on_get(self, req: Any, resp: Any) -> None:
        resp.content_type = HTML
        resp.text = self.counted.text()


def hooks() -> Any:
    counted = Counted()
    app = falcon.App(middleware=[Counting(counted) for _ in range(5)])
    app.add_route("/area/hooked", Hooked(counted))
    return app


class Broken:
    def on_get(self, req: Any, resp: Any) -> None:
        raise LookupError("no such thing")


def handle(req: Any, resp: Any, error: LookupError, params: Any) -> None:
    resp.status = 409
    resp.content_type = HTML
    resp.text = str(error)


def errors() -> Any:
    app = falcon.App()
    app.add_route("/broken", Broken())
    app.add_error_handler(LookupError, handle)
    return app


def static() -> Any:
    app = falcon.App()
    app.add_static_route("/static", STATIC)
    return app


APPS = {"basic": basic, "upload": basic, "hooks": hooks, "errors": errors, "static": static}
