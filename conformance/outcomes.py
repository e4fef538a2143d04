"""What came out of a suite's run, and how it compares with what Flask scores. No processes here.

A test's id is the class and the name that pytest writes in its JUnit report, such as
``tests.test_basic::test_options_work``.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: From best to worst: a test that is reported twice counts with its worst outcome.
ORDER = ("passed", "skipped", "xfailed", "failed", "error")

# An object's address in a parametrized id changes with every run.
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")


@dataclass(frozen=True)
class Run:
    """One run of one suite: each test's outcome."""

    version: str
    python: str
    seconds: float
    outcomes: Mapping[str, str]

    @property
    def passed(self) -> int:
        return sum(outcome == "passed" for outcome in self.outcomes.values())


@dataclass(frozen=True)
class Difference:
    """Tests that do not come out alike: id, outcome on Flask, outcome here."""

    lost: list[tuple[str, str, str]]
    won: list[tuple[str, str, str]]


def read_junit(path: Path) -> dict[str, str]:
    """Return each test's outcome; empty where pytest wrote no report."""
    outcomes: dict[str, str] = {}
    if not path.exists():
        return outcomes
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        test = _ADDRESS.sub("0x", f"{case.get('classname')}::{case.get('name')}")
        outcome = max((_outcome(child) for child in case), key=ORDER.index, default="passed")
        outcomes[test] = max(outcome, outcomes.get(test, "passed"), key=ORDER.index)
    return outcomes


def _outcome(child: ElementTree.Element) -> str:
    if child.tag == "skipped":
        return "xfailed" if child.get("type") == "pytest.xfail" else "skipped"
    return {"failure": "failed", "error": "error"}.get(child.tag, "passed")


def compare(flask: Run, here: Run, *, forgive_skips: bool = False) -> Difference:
    """Hold a run against the baseline, test by test.

    ``lost`` are the tests that pass on Flask and do not pass here, be it that they fail, are
    skipped or never ran; ``won`` the other way round. With ``forgive_skips``, for a machine that
    has not all a suite asks for, a skipped test is not lost.
    """
    lost = []
    won = []
    for test in sorted({*flask.outcomes, *here.outcomes}):
        there, now = (run.outcomes.get(test, "not run") for run in (flask, here))
        if there == "passed" != now and not (forgive_skips and now == "skipped"):
            lost.append((test, there, now))
        elif now == "passed" != there:
            won.append((test, there, now))
    return Difference(lost, won)


def load(path: Path) -> Run:
    """Read a baseline. Raises ``FileNotFoundError`` where none was taken."""
    data = json.loads(path.read_text(encoding="utf-8"))
    outcomes = {
        f"{module}::{name}": outcome
        for outcome, modules in data.pop("outcomes").items()
        for module, names in modules.items()
        for name in names
    }
    return Run(outcomes=outcomes, **data)


def save(run: Run, path: Path) -> None:
    """Write a baseline, one test a line, so that a later one can be read as a diff."""
    grouped: dict[str, dict[str, list[str]]] = {}
    for test, outcome in sorted(run.outcomes.items()):
        module, _, name = test.partition("::")
        grouped.setdefault(outcome, {}).setdefault(module, []).append(name)
    data = {
        "version": run.version,
        "python": run.python,
        "seconds": round(run.seconds, 1),
        "outcomes": grouped,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
