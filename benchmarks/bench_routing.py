"""What does it cost to find a rule, among ten of them or ten thousand, beside Werkzeug?

Half of the rules are literal text, half end in an integer. Werkzeug's adapter is bound
beforehand; a Flask application pays for the binding too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from werkzeug.routing import Rule

from brim.routing import Map, Matcher

from . import measure, program
from .measure import Figure

SIZES = (10, 100, 1_000, 10_000)
PATHS = 10


def map_of(size: int) -> Map:
    """Make a map of so many rules."""
    url_map = Map()
    for number in range(size // 2):
        url_map.add(Rule(f"/page/{number}/about", endpoint=f"p{number}", methods=["GET"]))
        url_map.add(Rule(f"/item/{number}/<int:id>", endpoint=f"i{number}", methods=["GET"]))
    return url_map


def paths_of(size: int) -> dict[str, list[str]]:
    """Make paths that hit rules from the first to the last, by the kind of rule."""
    numbers = [index * (size // 2 - 1) // (PATHS - 1) for index in range(PATHS)]
    return {
        "literal": [f"/page/{number}/about" for number in numbers],
        "int": [f"/item/{number}/12345" for number in numbers],
    }


def match_all(match: Callable[[str, str], object], paths: list[str]) -> None:
    for path in paths:
        match(path, "GET")


def run() -> list[Figure]:
    calls: dict[str, Callable[[], object]] = {}
    for size in SIZES:
        url_map = map_of(size)
        brim = Matcher(url_map, subdomain_matching=False).match
        werkzeug = url_map.bind("localhost").match
        for kind, paths in paths_of(size).items():
            assert all(brim(path, "GET") for path in paths)
            calls[f"{kind}, {size}, Brim"] = partial(match_all, brim, paths)
            calls[f"{kind}, {size}, Werkzeug"] = partial(match_all, werkzeug, paths)
    race = measure.interleaved(calls)
    few, many = SIZES[0], SIZES[-1]
    figures = []
    for kind in paths_of(few):
        case = f"matching, {kind}"
        for size in SIZES:
            for name in ("Brim", "Werkzeug"):
                spread = race.time(f"{kind}, {size}, {name}", parts=PATHS)
                figures.append(Figure.of(case, f"{name}, {size:,} rules", spread, "µs"))
        ratio = race.ratio(f"{kind}, {few}, Brim", f"{kind}, {few}, Werkzeug")
        figures.append(Figure.of(case, f"Brim / Werkzeug, {few} rules", ratio, "", 1.0))
        ratio = race.ratio(f"{kind}, {many}, Brim", f"{kind}, {few}, Brim")
        figures.append(Figure.of(case, f"Brim, {many:,} rules / {few}", ratio, "", 1.5))
    return figures


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
