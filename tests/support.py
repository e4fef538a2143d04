"""Helpers that tests of several parts share: knocking as a server does, how requests end.

Unlike the test client, nothing here reads a body or closes it unless it is told to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.test import create_environ

from brim import Flask
from brim.testing import FlaskClient
from brim.testing.asgi import as_wsgi

T = TypeVar("T")

#: What the fixture ``log`` notes: which teardown, the error's class, whether a request is current.
Log = list[Any]

#: A request that ended well.
ENDED: Log = [("request", None, True), ("app", None, False)]


def ended(error: type[BaseException]) -> Log:
    """A request that ended with ``error``."""
    return [("request", error, True), ("app", error, False)]


@dataclass
class Answer:
    """What an application handed to its server."""

    body: Iterable[bytes] = ()
    status: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)

    def read(self) -> bytes:
        """Read the body to its end."""
        return b"".join(self.body)

    def close(self) -> None:
        """Close the body, as a server does whatever has happened."""
        if hasattr(self.body, "close"):
            self.body.close()


def knock(app: Flask, path: str = "/", **environ: Any) -> Answer:
    """Send one request through the test's door; further arguments are ``EnvironBuilder``'s."""
    answer = Answer()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        answer.status, answer.headers = status, headers

    door = app if FlaskClient.door == "wsgi" else as_wsgi(app)
    answer.body = door(create_environ(path, **environ), start_response)
    return answer


def handed_over(status: str, headers: list[tuple[str, str]]) -> tuple[str, list[tuple[str, str]]]:
    """What arrives of these through the test's door: by ASGI no phrase, and names in lower case."""
    if FlaskClient.door == "wsgi":
        return status, headers
    code = int(status.split()[0])
    phrase = HTTP_STATUS_CODES.get(code, "Unknown").upper()
    return f"{code} {phrase}", [(name.lower(), value) for name, value in headers]


def on_thread(function: Callable[[], T]) -> T:
    """Run a function on another thread; return its result or raise its error."""
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
