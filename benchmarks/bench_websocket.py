"""What does a message over a WebSocket cost, there and back, beside every peer?

The view sends back what it received. Thousands of messages go over one connection, one after the
other; the handshake is a part of their time that is too small to be seen.
"""

from __future__ import annotations

import sys

from . import measure, peers, program, versus
from .doors import ASGIDoor
from .measure import Figure
from .versus import at_most

TEXT = "a message of some length, as a chat might have it"


def run() -> list[Figure]:
    apps = peers.programs("ASGI", "websocket")
    with ASGIDoor() as door:
        for app in apps.values():
            door.start(app)
        # Each checks every answer.
        echoes = {name: door.echoer(app, "/echo", TEXT) for name, app in apps.items()}
        race = measure.interleaved(echoes)
    return versus.figures_of("WebSocket echo, ASGI", race, (at_most("Starlette"),))


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
