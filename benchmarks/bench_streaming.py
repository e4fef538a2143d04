"""What does a message of a stream cost, beside every peer?

One megabyte in 64 pieces, and a hundred server-sent events, from a generator (WSGI) or an async
generator (ASGI). The answer is read to its end: the time is that of one piece or one event, with
its part of the request's. Servers of ASGI 2.4 tell an application by an error that the client has
left; under 2.3, which Uvicorn and Granian speak, it has to listen for that while it sends.
"""

from __future__ import annotations

import sys

from . import program, versus
from .answers import CHUNKS, EVENTS, SSE, STREAM
from .measure import Figure
from .versus import at_most


def run() -> list[Figure]:
    figures = versus.wsgi(STREAM, parts=CHUNKS)
    for spec in ("2.4", "2.3"):
        for case, parts in ((STREAM, CHUNKS), (SSE, EVENTS)):
            title = f"{case.title}, ASGI {spec}"
            target = at_most("Starlette")
            figures += versus.asgi(case, target, spec=spec, title=title, parts=parts)
    return figures


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
