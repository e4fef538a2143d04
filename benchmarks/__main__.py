"""Run every benchmark, each in a process of its own, and print one table.

The figures also go to results/latest.json. The status is 1 when a target is missed.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

from .measure import Figure, table

HERE = Path(__file__).resolve().parent


def main(names: list[str]) -> int:
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    if unknown := [name for name in names if name not in known]:
        print(f"no benchmark named {', '.join(unknown)}; there are {', '.join(known)}")
        return 2
    figures: list[Figure] = []
    for name in names or known:
        print(f"{name} ...", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"benchmarks.bench_{name}", "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent)
        if done.returncode not in (0, 1) or not done.stdout:
            print(f"{name} could not be run: status {done.returncode}", file=sys.stderr)
            return 2
        figures += [Figure(**figure) for figure in json.loads(done.stdout)]
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print(table(figures))
    results = HERE / "results" / "latest.json"
    rows = [{**vars(figure), "verdict": figure.verdict} for figure in figures]
    content = {"python": platform.python_version(), "figures": rows}
    results.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(any(figure.verdict == "MISSED" for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
