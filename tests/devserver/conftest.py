from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.devserver.server import Server

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts Python with arguments, in the test's folder; it is stopped after the test."""
    servers: list[Server] = []

    def start(*args: str, **variables: str) -> Server:
        servers.append(Server(*args, cwd=tmp_path, **variables))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
