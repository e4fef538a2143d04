"""What the README says of files beside it is what they hold."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_application_that_it_shows_is_the_example() -> None:
    found = re.search(r"^```py\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert (ROOT / "examples/visits.py").read_text(encoding="utf-8").endswith('"""\n\n' + found[1])
