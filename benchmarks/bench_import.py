"""What does importing cost, in time and memory, beside Flask?

Each import runs in a process of its own; the two take turns, and the median counts.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from . import measure
from .measure import Figure

PROCESSES = 15

_CHILD = """
import sys, time
def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096
memory = rss()
began = time.perf_counter()
import {package}
from {package} import Flask
took = time.perf_counter() - began
assert Flask.__module__.partition(".")[0] == "{package}", Flask
print(took * 1e3, (rss() - memory) / 2**20)
"""


def fresh_import(package: str) -> tuple[float, float]:
    """Import a package in a new process; return milliseconds and MiB."""
    command = [sys.executable, "-c", _CHILD.format(package=package)]
    # pip compiled Flask when it installed it. Brim runs from the tree, so its bytecode must be
    # kept for a fair race, whatever the shell says.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    milliseconds, mebibytes = map(float, done.stdout.split())
    return milliseconds, mebibytes


def run() -> list[Figure]:
    packages = ("brim", "flask")
    for package in packages:
        fresh_import(package)  # Compiles bytecode and fills the file cache; not counted.
    taken: dict[str, list[tuple[float, float]]] = {package: [] for package in packages}
    for _ in range(PROCESSES):
        for package in packages:
            taken[package].append(fresh_import(package))
    figures = []
    for index, (what, unit) in enumerate((("time", "ms"), ("memory", "MiB"))):
        brim, flask = (
            statistics.median(sample[index] for sample in taken[package]) for package in packages
        )
        note = f"{brim / flask:.3f} of Flask"
        figures.append(Figure(f"import, {what}: Brim", brim, unit, round(flask, 3), note))
        figures.append(Figure(f"import, {what}: Flask", flask, unit))
    return figures


if __name__ == "__main__":
    sys.exit(measure.main(run, __doc__))
