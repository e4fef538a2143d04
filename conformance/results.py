"""What the suites came to on Brim: results/, which the documentation tells. No processes here.

One file for each Python, one entry for each suite. Only the command writes them, after a run on a
Python with a baseline of its own and with every program that the suite asks for. Nothing in them
depends on the machine or the time, so a run that comes out alike leaves them as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from .outcomes import Difference, Run
from .suites import HERE, Suite

RESULTS = HERE / "results"
#: The Pythons that the documentation tells of.
TOLD = ("3.11", "3.13")


@dataclass(frozen=True)
class Result:
    """One suite: its release, Brim's, how many tests pass on Flask, and which differ here."""

    version: str
    brim: str
    flask: int
    lost: tuple[str, ...]
    won: tuple[str, ...]

    @property
    def here(self) -> int:
        """How many of the tests that pass on Flask pass on Brim."""
        return self.flask - len(self.lost)


def result_of(flask: Run, difference: Difference, brim: str) -> Result:
    """Put a comparison into the form that is kept."""
    lost, won = (tuple(test for test, _, _ in tests) for tests in (difference.lost, difference.won))
    return Result(flask.version, brim, flask.passed, lost, won)


def file_of(python: str, folder: Path = RESULTS) -> Path:
    return folder / f"{python}.json"


def load(python: str, folder: Path = RESULTS) -> dict[str, Result]:
    """Return each suite's result on a Python; empty where none was kept."""
    file = file_of(python, folder)
    if not file.exists():
        return {}
    data = json.loads(file.read_text(encoding="utf-8"))
    return {
        name: Result(**{**entry, "lost": tuple(entry["lost"]), "won": tuple(entry["won"])})
        for name, entry in data.items()
    }


def keep(
    python: str,
    fresh: Mapping[str, Result],
    known: list[Suite],
    folder: Path = RESULTS,
) -> None:
    """Write results beside those of suites that were not run, in the order of the known suites.

    A suite that is no longer known, or is at another release, loses its entry.
    """
    kept = {**load(python, folder), **fresh}
    data = {
        suite.name: asdict(kept[suite.name])
        for suite in known
        if suite.name in kept and kept[suite.name].version == suite.version
    }
    folder.mkdir(exist_ok=True)
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    file_of(python, folder).write_text(text, encoding="utf-8")


def sums(python: str) -> tuple[int, int]:
    """Return how many tests pass on Flask, and how many of them on Brim, over all suites."""
    results = load(python).values()
    return sum(result.flask for result in results), sum(result.here for result in results)
