"""A run of the benchmarks as Markdown, for the documentation.

Nothing here loads a peer: the documentation is built without them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .chart import by_case
from .measure import Figure
from .peers import PEERS
from .program import number
from .results import Run

HERE = Path(__file__).resolve().parent


def questions() -> Iterator[str]:
    """Yield each benchmark's file and its question, the first line of its docstring."""
    for path in sorted(HERE.glob("bench_*.py")):
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        yield f"`{path.name}`\n: {doc.partition(chr(10))[0]}\n"


def times(run: Run, door: str) -> Iterator[str]:
    """Yield a table of the cases that several frameworks have: the median in µs of each."""
    rows: dict[str, dict[str, Figure]] = {}
    for case, figures in by_case(run.figures).items():
        title, _, end = case.rpartition(", ")
        found = {
            who: one for who, one in figures.items() if who in PEERS[door] and one.unit == "µs"
        }
        if end.partition(" ")[0] == door and len(found) > 2:
            rows[f"{title}, {end}" if end != door else title] = found
    peers = [name for name in PEERS[door] if any(name in found for found in rows.values())]
    yield "| | " + " | ".join(peers) + " |"
    yield "|---|" + "--:|" * len(peers)
    for title, found in rows.items():
        cells = [number(found[name].value) if name in found else "" for name in peers]
        yield f"| {title} | " + " | ".join(cells) + " |"


def targets(run: Run) -> Iterator[str]:
    """Yield a table of every figure that has a target, the quartiles beside it."""
    yield "| | | figure | quartiles | target | |"
    yield "|---|---|--:|--:|---|---|"
    for figure in run.figures:
        if figure.target is None:
            continue
        spread = ""
        if figure.low is not None and figure.high is not None:
            spread = f"{number(figure.low)} … {number(figure.high)}"
        value = f"{number(figure.value)} {figure.unit}".strip()
        target = f"{figure.bound} {number(figure.target)}"
        cells = (figure.case, figure.who, value, spread, target, figure.verdict)
        yield "| " + " | ".join(cells) + " |"


def summary(run: Run) -> str:
    """Say when and where a run took place, and how many targets it met."""
    met, missed = (run.verdicts()[verdict] for verdict in ("met", "MISSED"))
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    return f"{run.heading()}: {met} of {met + missed} targets met. Versions: {versions}."
