"""How many requests a second does one worker serve, on which server?

Plain text under wrk: 32 connections that are kept open, one worker, each server's defaults
otherwise, a core for the server and one for wrk. All servers run all the time and are asked in
turns; what is compared are rates within a round. The processor time that a request takes in the
server's processes is told as well, and what memory a worker has of its own at the end.

``brim serve`` chooses the interface by what is in the application: WSGI for one of sync views that
take no body, ASGI for one with POST routes, whose sync views then run on threads. Both are asked.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

from . import measure, program, wrk
from .answers import TEXT
from .measure import Figure, Spread

SECONDS, ROUNDS = 2, 7
QUICK_SECONDS, QUICK_ROUNDS = 1, 3

APPS = {
    "Granian, WSGI": ("Brim", "Falcon", "Bottle", "Flask"),
    "Granian, ASGI": ("Brim", "Falcon", "Starlette", "Quart"),
    "Uvicorn": ("Brim", "Falcon", "Starlette"),
    "Gunicorn, 4 threads": ("Brim", "Falcon", "Flask"),
    "brim serve": ("Brim", "Brim, with POST"),
}
#: Brim's rate is at least so many times that of the other.
TARGETS = (
    ("Granian, WSGI: Brim", "Granian, WSGI: Flask", 4.0),
    ("Granian, WSGI: Brim", "Granian, WSGI: Falcon", 1.0),
    ("Granian, ASGI: Brim", "Granian, ASGI: Starlette", 1.0),
    ("brim serve: Brim", "Gunicorn, 4 threads: Flask", 10.0),
)


def command(server: str, app: str) -> list[str]:
    """The server's command line, after ``python -m``."""
    door = "wsgi" if server in {"Granian, WSGI", "Gunicorn, 4 threads", "brim serve"} else "asgi"
    target = f"benchmarks.served:{door}_{app.lower()}"
    if server.startswith("Granian"):
        options = ["--workers", "1", "--port", "{port}", "--log-level", "error"]
        return ["granian", "--interface", door, *options, target]
    if server == "Uvicorn":
        options = ["--workers", "1", "--port", "{port}", "--log-level", "error", "--no-access-log"]
        return ["uvicorn", *options, target]
    if server.startswith("Gunicorn"):
        options = ["--workers", "1", "--threads", "4", "--bind", "127.0.0.1:{port}"]
        return ["gunicorn", *options, "--log-level", "error", target]
    target = f"benchmarks.served:{door}_brim" + ("" if app.endswith("POST") else "_text")
    return ["brim", "serve", target, "--workers", "1", "--port", "{port}"]


class Told:
    """What was found of one server, a value a round."""

    def __init__(self) -> None:
        self.asked: list[wrk.Asked] = []
        self.processor: list[float] = []
        self.memory = 0.0

    def spread(self, value: Callable[[wrk.Asked], float]) -> Spread:
        return Spread.of([value(asked) for asked in self.asked])


def asked() -> dict[str, Told]:
    """Ask all servers in turns."""
    is_quick = measure.ROUNDS == measure.QUICK_ROUNDS
    seconds, rounds = (QUICK_SECONDS, QUICK_ROUNDS) if is_quick else (SECONDS, ROUNDS)
    commands = {
        f"{server}: {app}": command(server, app) for server, apps in APPS.items() for app in apps
    }
    told = {name: Told() for name in commands}
    order = list(commands)
    shuffle = random.Random(0).shuffle
    with wrk.running(commands, TEXT) as servers:
        for name in order:
            wrk.ask(servers[name].url, QUICK_SECONDS)  # Warms the server up.
        for _ in range(rounds):
            shuffle(order)
            for name in order:
                before = servers[name].processor_time()
                found = wrk.ask(servers[name].url, seconds)
                took = servers[name].processor_time() - before
                told[name].asked.append(found)
                told[name].processor.append(took / found.requests * 1e6)
        for name in order:
            told[name].memory = servers[name].memory()
    return told


def figures_of(told: dict[str, Told]) -> list[Figure]:
    figures = []
    for what, unit, spread in (
        ("plain text under wrk, 1 worker: rate", "/s", lambda one: one.spread(lambda a: a.rate)),
        ("the same: half of the answers within", "ms", lambda one: one.spread(lambda a: a.p50)),
        ("the same: 99 % of the answers within", "ms", lambda one: one.spread(lambda a: a.p99)),
        ("the same: processor time a request", "µs", lambda one: Spread.of(one.processor)),
    ):
        figures += [Figure.of(what, name, spread(one), unit) for name, one in told.items()]
        if unit == "/s":
            figures += [target_figure(what, told, *target) for target in TARGETS]
    case = "memory of a worker, its own"
    return figures + [Figure(case, name, one.memory, "MiB") for name, one in told.items()]


def target_figure(case: str, told: dict[str, Told], ours: str, other: str, least: float) -> Figure:
    pairs = zip(told[ours].asked, told[other].asked, strict=True)
    ratio = Spread.of([a.rate / b.rate for a, b in pairs])
    return Figure.of(case, f"{ours} / {other}", ratio, "", least, "at least")


def run() -> list[Figure]:
    if not wrk.is_there():
        print("wrk is not installed: no server is measured", file=sys.stderr)
        return []
    return figures_of(asked())


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
