"""What does a static file cost, sent and not modified, beside every peer?

A file of 2 KB, by each framework's own means. The second request has the ETag of the first answer
in If-None-Match and is answered 304; a framework that gives no ETag is left out there. Under ASGI
some read files on threads: the clock is the wall's.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from . import answers, measure, peers, program, versus
from .doors import ASGIDoor, WSGIDoor
from .measure import Figure


def serving(name: str, door: Any) -> list[Figure]:
    apps = peers.programs(name, answers.FILE.program)
    clock = time.process_time if name == "WSGI" else time.perf_counter
    full: dict[str, Any] = {}
    conditional: dict[str, Any] = {}
    for peer, app in apps.items():
        door.start(app)
        answer = door.ask(app, answers.FILE.request)
        answers.FILE.check(peer, answer)
        full[peer] = door.caller(app, answers.FILE.request)
        if etag := answer.headers.get("etag"):
            request = answers.FILE.request.with_header("if-none-match", etag)
            again = door.ask(app, request)
            if again.status == 304:
                assert again.body == b"", f"{peer} sent {again.body!r} with a 304"
                conditional[peer] = door.caller(app, request)
    races = {"static file": full, "static file, not modified": conditional}
    return [
        figure
        for title, calls in races.items()
        for figure in versus.figures_of(f"{title}, {name}", measure.interleaved(calls, clock=clock))
    ]


def run() -> list[Figure]:
    with ASGIDoor() as door:
        return [*serving("WSGI", WSGIDoor()), *serving("ASGI", door)]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
