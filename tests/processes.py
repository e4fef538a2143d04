"""Servers that tests start as processes of their own: where they listen, and their first answer."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import Any
from urllib.request import urlopen


def free_port() -> int:
    """A port of this machine that nothing listens on, for a server that can't choose one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def first_answer(port: int, server: subprocess.Popen[Any]) -> tuple[int, str] | None:
    """The status and the text of ``/``, once a starting server answers; None if it never does.

    An answer of 400 or more counts as none.
    """
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except OSError:
            time.sleep(0.05)
    return None
