"""The command: run suites on Brim, print a table, and fail where Flask does better.

    python -m conformance [SUITE...] [--python 3.13] [--jobs N] [--list]
    python -m conformance [SUITE...] --door asgi               by Brim's other door
    python -m conformance [SUITE...] --baseline regenerate     on real Flask, anew

What came out is kept: on Brim by the WSGI door in results/, which the documentation shows; on Flask
in baseline/ and locks/.

The status is 0 when every test that passes on Flask passes on Brim, 1 when one does not, 2 when a
suite could not be run.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts import pythons

from . import outcomes, results, suites
from .outcomes import Difference, Run
from .suites import Suite
from .workshop import CHECKOUT, Workshop, WorkshopError, build_wheel, version_of

#: How many tests that differ are named for one suite.
TOLD = 60


@dataclass(frozen=True)
class Row:
    """One line of the table, and what is told below it."""

    suite: Suite
    flask: Run | None = None
    here: Run | None = None
    difference: Difference | None = None
    trouble: str = ""


def main(argv: list[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        chosen = suites.load(options.suites)
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    if options.list:
        for suite in chosen:
            print(f"{suite.name:20} {suite.version}")
        return 0
    try:
        workshop = _workshop(options)
    except WorkshopError as error:
        print(error, file=sys.stderr)
        return 2
    regenerate = workshop.wheel is None
    on = "Flask" if regenerate else "Brim"
    print(f"{len(chosen)} suites on {on}, Python {workshop.version}; logs: {workshop.root}")
    with ThreadPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(lambda suite: _row(suite, workshop), chosen))
    if len(rows) > 1:
        print()
    print(_table(rows))
    if regenerate:
        for row in rows:
            if row.here is not None:
                _keep_baseline(row.suite, row.here, workshop)
    else:
        if workshop.door == "wsgi":
            _keep_results(rows, workshop)
        print(_differences(rows, workshop), end="")
    return _status(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m conformance",
        description="Run the published test suites of Flask and its extensions on Brim.",
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="default: every suite")
    parser.add_argument("--list", action="store_true", help="name the suites and end")
    parser.add_argument(
        "--python",
        default=suites.REFERENCE,
        metavar="VERSION",
        help=f"a version, default {suites.REFERENCE}, or a path",
    )
    parser.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="suites at one time, default 2"
    )
    parser.add_argument(
        "--timeout", type=float, default=900, metavar="S", help="for one suite, default 900"
    )
    parser.add_argument(
        "--door",
        choices=["wsgi", "asgi"],
        default="wsgi",
        help="which of Brim's doors the suites' test clients knock on, default wsgi; what "
        "comes out by the other is shown, not kept",
    )
    parser.add_argument(
        "--baseline",
        choices=["compare", "regenerate"],
        default="compare",
        help="regenerate: run on real Flask instead, and store what it scores (baseline/); on "
        f"Python {suites.REFERENCE} with the newest of what the suites need, which makes the locks",
    )
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="where to work, default in the temporary folder"
    )
    return parser


def _workshop(options: argparse.Namespace) -> Workshop:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise WorkshopError("uv is needed and not here: run `make conformance`, which installs it")
    python = Path(options.python)
    if os.sep not in options.python:
        found = pythons.find(options.python)
        if found is None:
            raise WorkshopError(f"no Python {options.python} on this machine; give --python a path")
        python = found
    root = (options.work or _default_root()).resolve()
    root.mkdir(parents=True, exist_ok=True)
    regenerate = options.baseline == "regenerate"
    wheel = None if regenerate else build_wheel(uv, root / "wheel")
    return Workshop(root, python, version_of(python), uv, wheel, options.timeout, options.door)


def _default_root() -> Path:
    """Outside the checkout, whose pytest settings and dotenv files are none of the suites' own."""
    name = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"brim-conformance-{getpass.getuser()}-{name}"


def _row(suite: Suite, workshop: Workshop) -> Row:
    try:
        here = workshop.run(suite)
    except WorkshopError as error:
        row = Row(suite, trouble=f"{error}; see {workshop.log_file(suite)}")
    else:
        if workshop.wheel is None:
            row = Row(suite, here=here)
        elif not (baseline := suite.baseline_file(suite.judged_on(workshop.version))).exists():
            row = Row(suite, here=here, trouble="no baseline: --baseline regenerate takes one")
        else:
            flask = outcomes.load(baseline)
            difference = outcomes.compare(flask, here, forgive_skips=bool(suite.missing))
            row = Row(suite, flask, here, difference)
    print(f"  {suite.name}: {_verdict(row)}", flush=True)
    return row


def _verdict(row: Row) -> str:
    if row.trouble:
        return row.trouble
    if row.difference is None:
        return "done"
    verdict = f"{len(row.difference.lost)} lost" if row.difference.lost else "as on Flask"
    if row.suite.missing:
        verdict += f" (without {' and '.join(row.suite.missing)}, which some tests skip for)"
    return verdict


def _table(rows: list[Row]) -> str:
    line = "{:<20} {:<9} {:>7} {:>7} {:>7} {:>6}"
    lines = [line.format("suite", "version", "Flask", "Brim", "differ", "s")]
    regenerated = all(row.flask is None for row in rows)
    totals = [0, 0, 0]
    for row in rows:
        flask, here = (row.here, None) if regenerated else (row.flask, row.here)
        differ = None
        if row.difference is not None:
            differ = len(row.difference.lost) + len(row.difference.won)
        figures = [run.passed if run else None for run in (flask, here)] + [differ]
        totals = [total + (figure or 0) for total, figure in zip(totals, figures, strict=True)]
        cells = ["-" if figure is None else str(figure) for figure in figures]
        seconds = f"{row.here.seconds:.0f}" if row.here else "-"
        lines.append(line.format(row.suite.name, row.suite.version, *cells, seconds))
    lines.append(line.format("all", "", *map(str, totals), "").rstrip())
    return "\n".join(lines)


def _differences(rows: list[Row], workshop: Workshop) -> str:
    lines = []
    for row in rows:
        if row.trouble:
            lines.append(f"{row.suite.name}: {row.trouble}")
        if row.difference is None:
            continue
        told = [
            f"{row.suite.name}: {here} here, {there} on Flask{better}: {test}"
            for better, tests in (("", row.difference.lost), (" (better)", row.difference.won))
            for test, there, here in tests
        ]
        lines += told[:TOLD]
        if len(told) > TOLD:
            lines.append(f"{row.suite.name}: and {len(told) - TOLD} more")
        if told:
            lines.append(f"{row.suite.name}: what pytest said is in {workshop.log_file(row.suite)}")
    return "".join(f"{line}\n" for line in lines)


def _keep_baseline(suite: Suite, run: Run, workshop: Workshop) -> None:
    outcomes.save(run, suite.baseline_file(workshop.version))
    if workshop.makes_locks:
        suite.lock_file.parent.mkdir(exist_ok=True)
        suite.lock_file.write_text(workshop.freeze(suite), encoding="utf-8")


def _keep_results(rows: list[Row], workshop: Workshop) -> None:
    """Keep what may be told: not the outcomes of a machine that lacks what a suite asks for."""
    fresh = {
        row.suite.name: results.result_of(row.flask, row.difference, workshop.brim)
        for row in rows
        if row.flask and row.difference and not row.suite.missing
        if row.flask.python == workshop.version
    }
    if fresh:
        results.keep(workshop.version, fresh, suites.load())
        print(f"kept: {results.file_of(workshop.version).relative_to(CHECKOUT)}")


def _status(rows: list[Row]) -> int:
    if any(row.trouble for row in rows):
        return 2
    return int(any(row.difference and row.difference.lost for row in rows))


if __name__ == "__main__":
    sys.exit(main())
