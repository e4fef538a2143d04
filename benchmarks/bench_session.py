"""What does it cost to read a session and to write one, beside the peers that have signed cookies?

The client has the cookie that the application gave it at a login. Reading it takes checking a
signature; writing it takes making one.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from . import answers, measure, peers, program, versus
from .answers import Case
from .doors import ASGIDoor, Request, WSGIDoor
from .measure import Figure
from .versus import Target, at_least


def with_cookie(door: Any, app: Any) -> Request:
    """Log in, and make a request that has the cookie."""
    answer = door.ask(app, answers.LOGIN.request)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    return answers.ME.request.with_header("cookie", cookie)


def reading(name: str, door: WSGIDoor | ASGIDoor, *targets: Target) -> list[Figure]:
    apps = peers.programs(name, answers.ME.program)
    calls = {}
    for peer, app in apps.items():
        door.start(app)
        request = with_cookie(door, app)
        case: Case = dataclasses.replace(answers.ME, request=request)
        case.check(peer, door.ask(app, request))
        calls[peer] = door.caller(app, request)
    title = f"{answers.ME.title}, {name}"
    return versus.figures_of(title, measure.interleaved(calls), targets)


def run() -> list[Figure]:
    with ASGIDoor() as door:
        return [
            *reading("WSGI", WSGIDoor(), at_least("Flask", 4)),
            *versus.wsgi(answers.LOGIN, at_least("Flask", 4)),
            *reading("ASGI", door),
            *versus.asgi(answers.LOGIN),
        ]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
