"""examples/hello.py, as a reader runs it."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

import brim

ROOT = Path(__file__).parents[2]
HELLO = ROOT / "examples/hello.py"


def test_it_is_an_unchanged_flask_app() -> None:
    assert HELLO.read_text().startswith("from flask import Flask\n")
    assert "brim" not in HELLO.read_text().partition("# ")[0]


def test_it_greets(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the alias does, for as long as this test.
    monkeypatch.setitem(sys.modules, "flask", brim)
    app = runpy.run_path(str(HELLO))["app"]
    assert isinstance(app, brim.Flask)
    client = app.test_client()
    assert client.get("/").text == "Hello, World!"
    assert client.get("/<b>Ada").text == "Hello, &lt;b&gt;Ada!"
    assert client.get("/a/b").status_code == 404


@pytest.fixture
def server() -> Iterator[str]:
    """The URL at which `brim run` serves the example, on a port that was free."""
    command = [sys.executable, "-u", "-m", "brim", "--app", "examples/hello", "run", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        else:
            pytest.fail(said)
        yield found[0]
        process.terminate()


def test_the_brim_command_serves_it(server: str) -> None:
    with urlopen(f"{server}/Ada", timeout=10) as answer:
        assert answer.status == 200
        assert answer.read() == b"Hello, Ada!"
