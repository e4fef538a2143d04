"""examples/visits.py, under the command: an application of Flask's as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import brim.as_flask
from visits import app

client = app.test_client()
assert [client.get("/").json["visits"] for _ in range(3)] == [1, 2, 3]
about = client.get("/about")
assert about.text == "<h1>About</h1>"
assert "Cookie" not in about.headers.get("Vary", "")
"""


def test_it_counts_visits_and_opens_no_session_where_none_is_used() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT / "examples", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
