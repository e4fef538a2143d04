"""What a client sees is the same on every server, on either interface.

`make servers` tries each in more ways and prints a table.
"""

from __future__ import annotations

import pytest

from scripts.servers import SERVERS, try_server

from .checks import CHECKS


def test_there_are_forty_checks() -> None:
    """The table in the documentation says so."""
    assert len(CHECKS) == 40


def test_what_a_server_can_not_do_is_a_check() -> None:
    """Or leaving it out would mean nothing."""
    assert all(set(server.without) <= set(CHECKS) for server in SERVERS.values())


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_passes_every_check(name: str) -> None:
    result = try_server(name)
    assert result.failed == {}
    assert result.passed == SERVERS[name].checks
