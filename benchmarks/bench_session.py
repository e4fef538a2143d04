"""What does it cost to read a session and to write one, beside the peers that have signed cookies?

The client has the cookie that the application gave it at a login. Reading it takes checking a
signature; writing it takes making one. A view that does neither is asked too, with the cookie: most
views of an application are like that.
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


def with_cookie(door: Any, app: Any, case: Case) -> Request:
    """Log in, and make a request that has the cookie."""
    answer = door.ask(app, answers.LOGIN.request)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    return case.request.with_header("cookie", cookie)


def logged_in(name: str, door: WSGIDoor | ASGIDoor, asked: Case, *targets: Target) -> list[Figure]:
    """Ask a case of a client that has logged in."""
    apps = peers.programs(name, asked.program)
    calls = {}
    for peer, app in apps.items():
        door.start(app)
        request = with_cookie(door, app, asked)
        case: Case = dataclasses.replace(asked, request=request)
        case.check(peer, door.ask(app, request))
        calls[peer] = door.caller(app, request)
    title = f"{asked.title}, {name}"
    return versus.figures_of(title, measure.interleaved(calls), targets)


def run() -> list[Figure]:
    with ASGIDoor() as door:
        return [
            *logged_in("WSGI", WSGIDoor(), answers.IDLE),
            *logged_in("WSGI", WSGIDoor(), answers.ME, at_least("Flask", 4)),
            *versus.wsgi(answers.LOGIN, at_least("Flask", 4)),
            *logged_in("ASGI", door, answers.IDLE),
            *logged_in("ASGI", door, answers.ME),
            *versus.asgi(answers.LOGIN),
        ]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
