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

from . import measure
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
            calls[f"{kind}, {size} rules: Brim"] = partial(match_all, brim, paths)
            calls[f"{kind}, {size} rules: Werkzeug"] = partial(match_all, werkzeug, paths)
    taken = {name: cost / PATHS for name, cost in measure.interleaved(calls, rounds=11).items()}
    figures = []
    for name, cost in taken.items():
        rule, _, who = name.partition(": ")
        if who != "Brim":
            figures.append(Figure(f"match, {name}", cost, "µs"))
            continue
        # Ten thousand rules may cost half as much again as ten, and never more than Werkzeug.
        first = taken[f"{rule.partition(',')[0]}, {SIZES[0]} rules: Brim"]
        limit = taken[f"{rule}: Werkzeug"] if rule.endswith(f" {SIZES[0]} rules") else first * 1.5
        note = f"{cost / taken[f'{rule}: Werkzeug']:.3f} of Werkzeug"
        figures.append(Figure(f"match, {name}", cost, "µs", round(limit, 3), note))
    return figures


if __name__ == "__main__":
    sys.exit(measure.main(run, __doc__))
