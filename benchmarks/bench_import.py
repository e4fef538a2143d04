"""What does importing cost, in time and memory, beside Flask?

Two ways to ask: `import brim`, which loads what is asked for when it is asked for, and `from brim
import Flask`, after which an application can be made. Most of what the second takes is Werkzeug: to
import any part of it loads its development server, and with that `http.server`, `ssl` and `email`,
which is more than half of `import flask`.

Each import runs in a process of its own, the two in turns. The clock counts processor time: a
process that waits for its turn on a shared machine does not import slower. Memory is what the
process holds at the end less what it held before.
"""

from __future__ import annotations

import os
import subprocess
import sys

from . import measure, program
from .measure import Figure, Spread

PROCESSES = 31

_CHILD = """
import sys, time
def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096
memory = rss()
began = time.process_time()
{statement}
took = time.process_time() - began
held = (rss() - memory) / 2**20
assert sys.modules["{package}"].Flask.__module__.partition(".")[0] == "{package}"
print(took * 1e3, held)
"""


def fresh_import(package: str, statement: str) -> tuple[float, float]:
    """Import a package in a new process; return milliseconds and MiB."""
    child = _CHILD.format(package=package, statement=statement.format(package))
    command = [sys.executable, "-c", child]
    # pip kept the bytecode of what it installed. Where Brim runs from the tree, its bytecode must
    # be kept for a fair race, whatever the shell says.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    milliseconds, mebibytes = map(float, done.stdout.split())
    return milliseconds, mebibytes


def race(statement: str, targets: dict[str, float | None]) -> list[Figure]:
    packages = {"Brim": "brim", "Flask": "flask"}
    for package in packages.values():
        fresh_import(package, statement)  # Compiles bytecode, fills the file cache; not counted.
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in packages}
    for _ in range(min(PROCESSES, measure.ROUNDS)):
        for name, package in packages.items():
            taken[name].append(fresh_import(package, statement))
    figures = []
    for index, (what, unit) in enumerate((("time", "ms"), ("memory", "MiB"))):
        case = f"{statement.format('...')}, {what}"
        values = {name: [sample[index] for sample in taken[name]] for name in packages}
        figures += [Figure.of(case, name, Spread.of(values[name]), unit) for name in packages]
        ratios = [a / b for a, b in zip(values["Brim"], values["Flask"], strict=True)]
        figures.append(Figure.of(case, "Brim / Flask", Spread.of(ratios), "", targets[what]))
    return figures


def run() -> list[Figure]:
    return [
        *race("import {}", {"time": 0.6, "memory": None}),
        *race("from {} import Flask", {"time": None, "memory": 1.0}),
    ]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
