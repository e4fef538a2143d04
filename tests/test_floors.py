"""The floors hold when the program runs, and the map of them is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def loaded_by(statement: str) -> set[str]:
    """The modules of Brim that a new process holds after a statement."""
    code = f"import sys; {statement}; print(*(m for m in sys.modules if m.startswith('brim')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_ground_loads_nothing_of_what_it_names() -> None:
    assert loaded_by("import brim.typing") == {"brim", "brim.typing"}


def test_the_map_in_contributing_names_every_file() -> None:
    package = CHECKOUT / "src" / "brim"
    files = {path.relative_to(package).as_posix() for path in package.rglob("*.py")}
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^        ([\w/]+\.py) ", text, re.MULTILINE)) == files
