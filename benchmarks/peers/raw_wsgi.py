"""The limit under WSGI: a callable without a framework, which knows its requests beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from ..answers import CHUNK, CHUNKS, HTML, TEXT, USER, created
from ..doors import WSGI, Environ


def basic() -> WSGI:
    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, kind = environ["PATH_INFO"], HTML
        if path == "/":
            body = TEXT.encode()
        elif path == "/users":
            data = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            body, kind = json.dumps(created(json.loads(data))).encode(), "application/json"
        elif path == "/form":
            data = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            form = parse_qs(data.decode())
            body = f"{form['name'][0]}, {form['city'][0]}".encode()
        elif path == "/stream":
            start_response("200 OK", [("Content-Type", "application/octet-stream")])
            return (CHUNK for _ in range(CHUNKS))
        elif path.startswith("/users/"):
            user = {**USER, "id": int(path[7:])}
            body, kind = json.dumps(user).encode(), "application/json"
        else:
            start_response("404 Not Found", [("Content-Type", HTML), ("Content-Length", "0")])
            return []
        start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    return app


APPS = {"basic": basic}
