from __future__ import annotations

import socket
import stat
from pathlib import Path

import click
import pytest

from brim.serving import sockets
from brim.serving.settings import Settings
from tests.serving.support import settings


def refused(given: Settings) -> str:
    with pytest.raises(click.UsageError) as caught:
        sockets.bind(given)
    return caught.value.format_message()


def test_who_connects_before_a_worker_is_there_waits() -> None:
    with sockets.bind(settings()) as bound:
        with socket.create_connection(bound.getsockname()[:2]):
            connection, _ = bound.accept()
            connection.close()
        assert sockets.url_of(bound, tls=False) == f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_an_address_of_ipv6_is_written_in_brackets() -> None:
    try:
        bound = sockets.bind(settings(host="::1"))
    except click.UsageError:
        pytest.skip("this machine has no IPv6")
    with bound:
        assert sockets.url_of(bound, tls=True).startswith("https://[::1]:")


def test_a_port_in_use_is_an_error_that_names_another() -> None:
    with sockets.bind(settings()) as bound:
        port = bound.getsockname()[1]
        assert f"Port {port} is in use by another program." in refused(settings(port=port))


def test_a_host_that_isnt_this_machines_is_an_error() -> None:
    assert "is no address of this machine" in refused(settings(host="192.0.2.1"))
    assert "is no address of this machine" in refused(settings(host="a..b"))


def test_a_unix_socket_has_its_mode_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "shop.sock"
    bound = sockets.bind(settings(unix_socket=path, unix_socket_mode=0o600))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sockets.url_of(bound, tls=False) == f"unix:{path}"
    sockets.remove(bound, path)
    assert not path.exists()


def test_a_unix_socket_that_a_killed_server_left_over_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "shop.sock"
    sockets.bind(settings(unix_socket=path)).close()
    assert path.exists()
    sockets.bind(settings(unix_socket=path)).close()


def test_the_unix_socket_of_a_server_that_lives_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.sock"
    with sockets.bind(settings(unix_socket=path)) as first:
        assert "Another program listens" in refused(settings(unix_socket=path))
        # Nor does another server take it away when it ends.
        sockets.remove(socket.socket(socket.AF_UNIX), path)
        assert path.exists()
        assert first.getsockname() == str(path)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.sock"
    path.write_text("precious")
    assert "is no socket" in refused(settings(unix_socket=path))
    assert path.read_text() == "precious"
    assert "Can't listen" in refused(settings(unix_socket=tmp_path / "missing" / "shop.sock"))
