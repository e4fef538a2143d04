"""A run of the benchmarks as it is kept: its figures, its machine, its versions, its day."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import installed
from .measure import Figure

#: The run that the documentation shows.
PUBLISHED = Path(__file__).resolve().parent / "published.json"

#: What a run names the versions of: the peers, the servers, and what Brim and Flask stand on.
NAMED = (
    *("brim", "flask", "quart", "falcon", "bottle", "django"),
    *("starlette", "fastapi", "litestar", "blacksheep", "sanic"),
    *("granian", "gunicorn", "uvicorn"),
    *("werkzeug", "jinja2", "msgspec"),
)


@dataclass(frozen=True)
class Run:
    """Figures, and where and when they were taken."""

    figures: list[Figure]
    machine: dict[str, str]
    versions: dict[str, str]
    day: str
    quick: bool = False

    @classmethod
    def now(cls, figures: Iterable[Figure], *, quick: bool) -> Run:
        """Describe this machine and this environment."""
        day = datetime.datetime.now(datetime.UTC).date().isoformat()
        return cls(list(figures), machine(), versions(), day, quick)

    @classmethod
    def read(cls, path: Path) -> Run:
        """Read what ``to_json`` made."""
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        rows = [
            {name: row[name] for name in row if name != "verdict"} for row in content["figures"]
        ]
        content["figures"] = [Figure(**row) for row in rows]
        return cls(**content)

    def to_json(self) -> str:
        """Write the run, one figure a line: a change of one figure is a change of one line."""
        head = {name: value for name, value in asdict(self).items() if name != "figures"}
        rows = [{**asdict(figure), "verdict": figure.verdict} for figure in self.figures]
        lines = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
        start = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
        return f'{start},\n "figures": [\n  {lines}\n ]\n}}\n'

    def heading(self) -> str:
        """One line for the top of a table."""
        named = ", ".join(self.machine.values())
        return f"{self.day}, {named}" + (", a quick run" if self.quick else "")

    def verdicts(self) -> Counter[str]:
        """How many targets were met, how many were missed."""
        return Counter(figure.verdict for figure in self.figures if figure.verdict)


def machine() -> dict[str, str]:
    """The machine as far as it matters: Python, the system, the processor and its cores."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": f"{len(os.sched_getaffinity(0))} cores",
    }


def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "an unknown processor"


def versions() -> dict[str, str]:
    """The versions in this environment of what is named above; Brim's tells if it is compiled."""
    found = {}
    for name in NAMED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    if "brim" in found and installed.is_compiled():
        found["brim"] += " (compiled)"
    return found
