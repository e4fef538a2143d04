"""Run benchmarks, each in a process of its own, and print one table.

    python -m benchmarks                      all of them
    python -m benchmarks plain hooks          some of them
    python -m benchmarks --quick              fewer rounds: minutes, and a wider spread
    python -m benchmarks --publish            all of them; the documentation shows this run

The figures go to results/latest.json, with the machine and the versions, and to two charts beside
it; ``--publish`` writes published.json too. The status is 1 when a target is missed, 2 when a
benchmark could not be run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import chart, program, results
from .measure import Figure

HERE = Path(__file__).resolve().parent
#: What a reader asks first.
FIRST = ("plain", "json", "post_json", "form", "multipart", "session", "hooks", "errors")


def names() -> list[str]:
    """The names of all benchmarks: the files beside this one, in the order of a table."""
    found = {path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py")}
    return [*(name for name in FIRST if name in found), *sorted(found - set(FIRST))]


def figures_of(name: str, quick: bool) -> list[Figure] | None:
    """Run one benchmark; None if that was not possible."""
    command = [sys.executable, "-m", f"benchmarks.bench_{name}", "--json"]
    command += ["--quick"] if quick else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as child:
        try:
            output, _ = child.communicate()
        except BaseException:
            child.terminate()  # It ends what it started; `with` waits for that.
            raise
    if child.returncode not in (0, 1) or not output:
        print(f"{name} could not be run: status {child.returncode}", file=sys.stderr)
        return None
    return [Figure(**figure) for figure in json.loads(output)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(names())}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, wider spread")
    parser.add_argument("--publish", action="store_true", help="keep them for the documentation")
    options = parser.parse_args()
    if options.publish and (options.names or options.quick):
        parser.error("what is published is a run of all benchmarks, with all rounds")
    if unknown := [name for name in options.names if name not in names()]:
        print(f"no benchmark named {', '.join(unknown)}; there are {', '.join(names())}")
        return 2
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    chosen = options.names or names()
    figures: list[Figure] = []
    failed = False
    for number, name in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {name} ...", end="", file=sys.stderr, flush=True)
        began = time.perf_counter()
        found = figures_of(name, options.quick)
        failed = failed or found is None
        figures += found or []
        print(f" {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    run = results.Run.now(figures, quick=options.quick)
    print(run.heading())
    print(program.table(figures))
    missed = [figure for figure in figures if figure.verdict == "MISSED"]
    for figure in missed:
        print(f"MISSED: {figure.case}: {figure.who}", file=sys.stderr)
    keep(run)
    if options.publish and not failed:
        results.PUBLISHED.write_text(run.to_json(), encoding="utf-8")
    return 2 if failed else int(bool(missed))


def keep(run: results.Run) -> None:
    """Write the latest run, and its charts as far as it has what they show."""
    folder = HERE / "results"
    (folder / "latest.json").write_text(run.to_json(), encoding="utf-8")
    for file in folder.glob("*.svg"):
        file.unlink()
    with contextlib.suppress(KeyError):
        for name, svg in chart.charts(run):
            (folder / f"{name}.svg").write_text(chart.alone(svg), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
