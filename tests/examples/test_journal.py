"""examples/journal: its own tests, its commands, and how servers answer for it.

The journal's tests run in a process of their own, with its own settings of pytest. What needs a
real process is tried here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from .servers import JOURNAL, SERVERS, command, fill, run, served


@pytest.mark.once
def test_its_tests_pass(tmp_path: Path) -> None:
    """From the repository's folder, where the journal's own settings have to win."""
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "examples/journal"]
    said = run(*words, data=tmp_path, cwd=JOURNAL.parents[1])
    found = re.search(r"^(\d+) passed in", said, re.MULTILINE)
    assert found and int(found[1]) > 100, said


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the sample."""
    folder = tmp_path_factory.mktemp("journal")
    said = fill(folder)
    assert "Running upgrade  -> 0001" in said
    assert "14 entries" in said
    return folder


def test_its_routes_are_listed(data: Path) -> None:
    said = command("routes", data=data)
    for endpoint in "entries.index", "entries.cover", "accounts.login", "api.create", "static":
        assert re.search(rf"^{re.escape(endpoint)} ", said, re.MULTILINE)


def test_production_does_not_start_without_a_key(data: Path) -> None:
    said = command("routes", data=data, status=1, JOURNAL_CONFIG="production")
    assert "JOURNAL_SECRET_KEY must hold a secret of at least 32 characters" in said


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, data: Path) -> Iterator[str]:
    """The URL at which a server answers for the journal, on a port that was free."""
    with served(request.param, data) as url:
        yield url


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
