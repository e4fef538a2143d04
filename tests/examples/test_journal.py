"""examples/journal: its own tests, its commands, and how servers answer for it.

The journal's tests run in a process of their own, with its own settings of pytest. What needs a
real process is tried here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

JOURNAL = Path(__file__).parents[2] / "examples/journal"
KEY = "a key of the length that is asked for"

BRIM = ["-m", "brim", "--app", "journal"]
SERVERS = {
    "brim run": [*BRIM, "run", "--port", "0"],
    "gunicorn": ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "--threads", "4"]
    + ["--no-control-socket", "journal:create_app()"],
}


def environment(**variables: str) -> dict[str, str]:
    """The environment without what would lead a journal elsewhere."""
    outer = {k: v for k, v in os.environ.items() if not k.startswith(("JOURNAL_", "PYTEST_"))}
    return {**outer, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error", **variables}


def run(*words: str, cwd: Path = JOURNAL, **variables: str) -> str:
    """Run Python with these arguments to its end; return what it said."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}"
    return done.stdout


def test_its_tests_pass() -> None:
    """From the repository's folder, where the journal's own settings have to win."""
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "examples/journal"]
    said = run(*words, cwd=JOURNAL.parents[1])
    found = re.search(r"^(\d+) passed in", said, re.MULTILINE)
    assert found and int(found[1]) > 100, said


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder that holds the sample."""
    folder = str(tmp_path_factory.mktemp("journal"))
    assert "Running upgrade  -> 0001" in run(*BRIM, "db", "upgrade", JOURNAL_DATA=folder)
    assert "14 entries" in run(*BRIM, "sample", JOURNAL_DATA=folder)
    return folder


def test_its_routes_are_listed(data: str) -> None:
    said = run(*BRIM, "routes", JOURNAL_DATA=data)
    for endpoint in "entries.index", "entries.cover", "accounts.login", "api.create", "static":
        assert re.search(rf"^{re.escape(endpoint)} ", said, re.MULTILINE)


def test_production_does_not_start_without_a_key(data: str) -> None:
    words = [sys.executable, *BRIM, "routes"]
    variables = environment(JOURNAL_DATA=data, JOURNAL_CONFIG="production")
    done = subprocess.run(words, cwd=JOURNAL, env=variables, capture_output=True, text=True)
    assert done.returncode != 0
    assert "JOURNAL_SECRET_KEY must hold a secret of at least 32 characters" in done.stderr


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, data: str) -> Iterator[str]:
    """The URL at which a server answers for the journal, on a port that was free."""
    variables = {"JOURNAL_DATA": data}
    if request.param != "brim run":
        variables |= {"JOURNAL_CONFIG": "production", "JOURNAL_SECRET_KEY": KEY}
    process = subprocess.Popen(
        [sys.executable, *SERVERS[request.param]],
        cwd=JOURNAL,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
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


def ask(url: str, **headers: str) -> Any:
    return urlopen(Request(url, headers=headers), timeout=20)


def test_servers_answer_for_it(server: str) -> None:
    with ask(f"{server}/") as answer:
        page = answer.read().decode()
        assert "The long way round the lake" in page
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")

    # Whatever the page names is there.
    static = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))
    assert "/static/journal.css" in static
    for path in static:
        with ask(server + path) as answer:
            assert int(answer.headers["Content-Length"]) == len(answer.read())

    with ask(f"{server}/api/entries?per_page=50") as answer:
        listed = json.load(answer)
    assert listed["total"] == 13
    item = next(item for item in listed["items"] if item["cover"])
    with ask(server + item["cover"]) as answer:
        cover = answer.read()
        assert (answer.headers["Content-Type"], cover[8:12]) == ("image/webp", b"WEBP")
        assert int(answer.headers["Content-Length"]) == len(cover)
    assert f'src="{item["cover"]}"' in page
