"""One case asked of every framework: checked, raced, and held against its targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import measure, peers
from .answers import Case
from .doors import ASGIDoor, WSGIDoor
from .measure import Bound, Figure, Race


@dataclass(frozen=True)
class Target:
    """How Brim has to stand to another: ``bound`` the ``number``.

    ``Target("Falcon", 1.0)``: Brim takes at most Falcon's time. ``Target("Flask", 12,
    "at least")``: Flask takes at least twelve times as long as Brim.
    """

    peer: str
    number: float
    bound: Bound = "at most"

    def figure(self, case: str, race: Race, base: str | None = None) -> Figure:
        if self.bound == "at most":
            who, spread = f"Brim / {self.peer}", race.ratio("Brim", self.peer, base)
        else:
            who, spread = f"{self.peer} / Brim", race.ratio(self.peer, "Brim", base)
        return Figure.of(case, who, spread, "", self.number, self.bound)


def at_most(peer: str, number: float = 1.0) -> Target:
    """Brim takes at most that many times the peer's time."""
    return Target(peer, number)


def at_least(peer: str, number: float) -> Target:
    """The peer takes at least that many times Brim's time."""
    return Target(peer, number, "at least")


def wsgi(case: Case, *targets: Target) -> list[Figure]:
    """Ask a case of every WSGI framework that has the feature."""
    door = WSGIDoor()
    apps = peers.programs("WSGI", case.program)
    return against(f"{case.title}, WSGI", case, door, apps, targets)


def asgi(case: Case, *targets: Target, spec: str = "2.4", title: str = "") -> list[Figure]:
    """Ask a case of every ASGI framework that has the feature; views are async."""
    door = ASGIDoor(spec)
    apps = peers.programs("ASGI", case.program)
    for app in apps.values():
        door.start(app)
    figures = against(title or f"{case.title}, ASGI", case, door, apps, targets)
    door.close()
    return figures


def against(
    title: str,
    case: Case,
    door: WSGIDoor | ASGIDoor,
    apps: dict[str, Any],
    targets: tuple[Target, ...],
) -> list[Figure]:
    """Check the answers, race the apps, and make figures of both."""
    for name, app in apps.items():
        case.check(name, door.ask(app, case.request))
    race = measure.interleaved({name: door.caller(app, case.request) for name, app in apps.items()})
    return figures_of(title, race, targets)


def figures_of(
    title: str, race: Race, targets: tuple[Target, ...] = (), unit: str = "µs"
) -> list[Figure]:
    """The times of a race, each with its ratio to Brim's; then the targets."""
    figures = []
    for name in race:
        note = "" if name == "Brim" else f"{race.ratio(name, 'Brim').median:.2f} × Brim"
        figures.append(Figure.of(title, name, race.time(name), unit, note=note))
    return figures + [target.figure(title, race) for target in targets]
