"""A question as a program, and figures as a table and as JSON."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict

from . import installed, measure
from .measure import Figure


def main(run: Callable[[], list[Figure]], doc: str | None) -> int:
    """Answer one question: a table, or JSON for the runner. 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, wider spread")
    options = parser.parse_args()
    measure.aliased_or_die()
    installed.warn_if_other()
    # What a question has started, it ends on its way out.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if options.quick:
        measure.quick()
    figures = run()
    as_json = options.json
    print(json.dumps([asdict(figure) for figure in figures]) if as_json else table(figures))
    return int(any(figure.verdict == "MISSED" for figure in figures))


def table(figures: Iterable[Figure]) -> str:
    """Lay figures out as text: a heading for each case, then one figure a line."""
    figures = list(figures)
    width = max([len(figure.who) for figure in figures], default=0)
    line = f"  {{:<{width}}} {{:>10}} {{:<3}} {{:>19}}  {{:<14}} {{:<6}}  {{}}"
    lines = [line.format("", "median", "", "quartiles", "target", "", "").rstrip()]
    case = None
    for figure in figures:
        if figure.case != case:
            case = figure.case
            lines.append(case)
        quartiles = target = ""
        if figure.low is not None and figure.high is not None:
            quartiles = f"{number(figure.low)} … {number(figure.high)}"
        if figure.target is not None:
            target = f"{figure.bound} {number(figure.target)}"
        cells = (number(figure.value), figure.unit, quartiles, target, figure.verdict, figure.note)
        lines.append(line.format(figure.who, *cells).rstrip())
    return "\n".join(lines)


def number(value: float) -> str:
    """Three digits that count, and all digits before the point: 0.0123, 1.23, 1,234."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 1:
        return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:.3g}"
