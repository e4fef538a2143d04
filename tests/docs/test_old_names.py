"""Each row of the tables of old names: what is on the left is gone, what is on the right works."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "howto" / "old-names.md"

TABLE = re.compile(r"^```\{list-table\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\* - (.+)\n  - (.+)\n  - (.+)$", re.MULTILINE)
#: Between backquotes and no Python: an option, a filter of templates.
NO_PYTHON = ("-", "|")

Row = tuple[list[str], list[str], bool]


def code_in(cell: str) -> list[str]:
    return [code for code in re.findall(r"`([^`]+)`", cell) if not code.startswith(NO_PYTHON)]


def rows() -> list[Row]:
    """For each row: the code of its first two cells, and whether the first is ignored."""
    found = []
    for table in TABLE.findall(PAGE.read_text(encoding="utf-8")):
        for old, new, _ in ROW.findall(table)[1:]:
            found.append((code_in(old), code_in(new), "ignored" in table.split("\n")[1]))
    return found


def test_every_row_says_what_is_gone() -> None:
    lines = PAGE.read_text(encoding="utf-8").count("\n* - ")
    tables = len(TABLE.findall(PAGE.read_text(encoding="utf-8")))
    assert len(rows()) == lines - tables > 50
    assert all(old for old, _, _ in rows())


def test_the_old_names_are_gone_and_the_new_ones_work(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "config.json").write_text('{"A": 1}')
    done = subprocess.run(
        [sys.executable, str(HERE / "rows_of_names.py")],
        input=json.dumps(rows()),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")
