"""What every program of peers/ is asked, and what it has to answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from .doors import Answer, Request

TEXT = "Hello, World!"
USER = {"id": 7, "name": "Ada Lovelace", "admin": True, "tags": ["math", "engine"]}
NEW_USER = {"name": "Grace Hopper", "admin": False, "tags": ["compiler", "navy"], "age": 36}
CHUNK = b"x" * 16384
CHUNKS = 64
HTML = "text/html; charset=utf-8"
EVENTS = 100
#: The event that a client of ``/events`` sees, a hundred times.
EVENT = "tick"


#: A folder with one file.
STATIC = Path(__file__).resolve().parent / "static"


class Counted:
    """How many functions before the view have run, less those after it."""

    count = 0
    ended = 0

    def text(self) -> str:
        return f"{self.count} before"


def created(given: dict[str, object]) -> dict[str, object]:
    """What ``POST /users`` answers."""
    return {"id": 8, "name": given["name"], "tags": given["tags"]}


@dataclass(frozen=True)
class Case:
    """A request and the answer it should get."""

    title: str
    program: str
    request: Request
    fits: Callable[[bytes], bool]
    status: int = 200
    kind: str = HTML

    def check(self, name: str, answer: Answer) -> None:
        """Raise AssertionError, with the answer, where it is another one."""
        kind = answer.headers.get("content-type", "").replace(" ", "").lower()
        right = answer.status == self.status and self.fits(answer.body)
        # A charset says nothing of JSON, and some say it all the same.
        bare = self.kind.replace(" ", "")
        if not right or (self.kind and kind not in {bare, f"{bare};charset=utf-8"}):
            body = answer.body[:200]
            raise AssertionError(f"{self.title}: {name} answered {answer.status} {kind} {body!r}")


def is_json(expected: object) -> Callable[[bytes], bool]:
    """Tell whether a body is that value in JSON; blanks and the order of keys are free."""
    return lambda body: bool(json.loads(body) == expected)


def is_text(expected: str) -> Callable[[bytes], bool]:
    return lambda body: body == expected.encode()


def multipart(size: int) -> Request:
    """A form with a name and a file of ``size`` bytes, as a browser sends it."""
    boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    # Not one letter over and over: line ends occur in files, and parsers look for them.
    line = bytes(range(32, 127)) + b"\r\n"
    content = (line * (size // len(line) + 1))[:size]
    disposition = "Content-Disposition: form-data; name="
    body = (
        f'--{boundary}\r\n{disposition}"name"\r\n\r\nGrace Hopper\r\n'
        f'--{boundary}\r\n{disposition}"file"; filename="notes.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode() + content
    body += f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    return Request("/upload", "POST", (("content-type", kind),), body)


PLAIN = Case("plain text", "basic", Request("/"), is_text(TEXT))
JSON = Case(
    "JSON, integer in the path",
    "basic",
    Request("/users/7"),
    is_json(USER),
    kind="application/json",
)
POST_JSON = Case(
    "POST JSON",
    "basic",
    Request(
        "/users",
        "POST",
        (("content-type", "application/json"),),
        json.dumps(NEW_USER).encode(),
    ),
    is_json(created(NEW_USER)),
    kind="application/json",
)
FORM = Case(
    "form POST",
    "basic",
    Request(
        "/form",
        "POST",
        (("content-type", "application/x-www-form-urlencoded"),),
        urlencode({"name": "Grace Hopper", "city": "New York", "note": "by the foot"}).encode(),
    ),
    is_text("Grace Hopper, New York"),
)


def upload(title: str, size: int) -> Case:
    return Case(title, "upload", multipart(size), is_text(f"Grace Hopper: notes.bin, {size}"))


MISSING = Case("404", "basic", Request("/missing/page"), lambda body: True, 404, kind="")
ERROR = Case("error handler", "errors", Request("/broken"), is_text("no such thing"), 409)
HOOKS = Case("five hooks each side", "hooks", Request("/area/hooked"), is_text("5 before"))
HOOKS_USING_G = Case(
    "hooks that use g",
    "hooks using g",
    Request("/area/hooked"),
    is_text("nobody at /area/hooked"),
)
LOGIN = Case("session write", "session", Request("/login"), is_text(TEXT))
ME = Case("session read", "session", Request("/me"), is_text("ada, 7"))
IDLE = Case("session not read", "session", Request("/idle"), is_text(TEXT))
FILE = Case(
    "static file",
    "static",
    Request("/static/site.css"),
    lambda body: body == (STATIC / "site.css").read_bytes(),
    kind="text/css",
)
STREAM = Case(
    "a piece of 16 KB of a stream",
    "basic",
    Request("/stream"),
    lambda body: body == CHUNK * CHUNKS,
    kind="application/octet-stream",
)
SSE = Case(
    "a server-sent event",
    "sse",
    Request("/events"),
    lambda body: body.count(f"data: {EVENT}".encode()) == EVENTS,
    kind="text/event-stream",
)
