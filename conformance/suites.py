"""Which suites there are: the data of suites.toml, checked and typed. No I/O beyond that file."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SUITES_FILE = HERE / "suites.toml"
#: The Python that the locks are made on, and whose baseline stands for one that has none.
REFERENCE = "3.11"


@dataclass(frozen=True)
class Suite:
    """One package's tests, as published. suites.toml explains each field."""

    name: str
    version: str
    sha256: str
    base: tuple[str, ...]
    needs: tuple[str, ...] = ()
    args: tuple[str, ...] = ("tests",)
    drop: tuple[str, ...] = ("src",)
    children: bool = False
    programs: tuple[str, ...] = ()
    write: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def requirements(self) -> list[str]:
        """What is installed to run it, Brim aside."""
        return [*self.base, *self.needs, f"{self.name}=={self.version}"]

    @property
    def missing(self) -> list[str]:
        """The programs that some of its tests need, and that this machine doesn't have."""
        return [program for program in self.programs if shutil.which(program) is None]

    @property
    def lock_file(self) -> Path:
        """The exact versions that the baselines were taken with."""
        return HERE / "locks" / f"{self.name}.txt"

    def baseline_file(self, python: str) -> Path:
        """What real Flask scores on a Python."""
        return HERE / "baseline" / python / f"{self.name}.json"

    def judged_on(self, python: str) -> str:
        """The Python whose baseline a run is held against: its own, where there is one."""
        return python if self.baseline_file(python).exists() else REFERENCE


def load(names: Iterable[str] = ()) -> list[Suite]:
    """Return the named suites, or all of them, in the file's order.

    Raises ``LookupError`` for a name that the file doesn't have.
    """
    data = tomllib.loads(SUITES_FILE.read_text(encoding="utf-8"))
    suites = {
        name: _suite(name, {"base": data["base"], **table})
        for name, table in data["suites"].items()
    }
    wanted = list(names) or list(suites)
    if unknown := [name for name in wanted if name not in suites]:
        raise LookupError(
            f"no suite named {', '.join(unknown)}; {SUITES_FILE.name} has {', '.join(suites)}"
        )
    return [suites[name] for name in wanted]


def _suite(name: str, table: dict[str, Any]) -> Suite:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    return Suite(name=name, **{**table, **lists})
