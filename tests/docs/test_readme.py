"""What the README says of files beside it is what they hold."""

from __future__ import annotations

import re
from pathlib import Path

from conformance import results

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_application_that_it_shows_is_the_example() -> None:
    found = re.search(r"^```py\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert (ROOT / "examples/visits.py").read_text(encoding="utf-8").endswith('"""\n\n' + found[1])


def test_the_sums_of_the_suites_are_those_that_were_measured() -> None:
    found = re.search(r"Python (3\.\d+) \| ([\d,]+) \| ([\d,]+) \|", README)
    assert found is not None
    told = tuple(int(number.replace(",", "")) for number in found.groups()[1:])
    assert told == results.sums(found[1])
