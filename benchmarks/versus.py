"""One case asked of every framework: checked, raced, and held against its targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import measure, peers
from .answers import Case
from .doors import ASGIDoor, WSGIDoor
from .measure import Bound, Figure, Race

#: The name by which a target names whoever is quickest, the limit apart.
QUICKEST = "the quickest peer"


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
        peer = self.peer
        if peer == QUICKEST:
            peer = min(race.keys() - {"Brim", "raw callable"}, key=race.__getitem__)
        if self.bound == "at most":
            who, spread = f"Brim / {peer}", race.ratio("Brim", peer, base)
        else:
            who, spread = f"{peer} / Brim", race.ratio(peer, "Brim", base)
        return Figure.of(case, who, spread, "", self.number, self.bound)


def at_most(peer: str, number: float = 1.0) -> Target:
    """Brim takes at most that many times the peer's time."""
    return Target(peer, number)


def at_least(peer: str, number: float) -> Target:
    """The peer takes at least that many times Brim's time."""
    return Target(peer, number, "at least")


def wsgi(case: Case, *targets: Target, parts: int = 1) -> list[Figure]:
    """Ask a case of every WSGI framework that has the feature."""
    door = WSGIDoor()
    apps = peers.programs("WSGI", case.program)
    race = race_of(case, door, apps)
    return figures_of(f"{case.title}, WSGI", race, targets, parts=parts)


def asgi(
    case: Case, *targets: Target, spec: str = "2.4", title: str = "", parts: int = 1
) -> list[Figure]:
    """Ask a case of every ASGI framework that has the feature; views are async."""
    apps = peers.programs("ASGI", case.program)
    with ASGIDoor(spec) as door:
        race = race_of(case, door, apps)
    return figures_of(title or f"{case.title}, ASGI", race, targets, parts=parts)


def race_of(case: Case, door: WSGIDoor | ASGIDoor, apps: dict[str, Any]) -> Race:
    """Check the answers, twice, as a first one may differ; then let the apps race."""
    for app in apps.values():
        door.start(app)
    for name, app in [*apps.items(), *apps.items()]:
        case.check(name, door.ask(app, case.request))
    return measure.interleaved({name: door.caller(app, case.request) for name, app in apps.items()})


def figures_of(
    title: str, race: Race, targets: tuple[Target, ...] = (), parts: int = 1
) -> list[Figure]:
    """The times of a race, each with its ratio to Brim's; then the targets."""
    figures = []
    for name in race:
        note = "" if name == "Brim" else f"{race.ratio(name, 'Brim').median:.2f} × Brim"
        figures.append(Figure.of(title, name, race.time(name, parts=parts), "µs", note=note))
    return figures + [target.figure(title, race) for target in targets]
