"""Servers that tests start as processes of their own: where they listen, and their first answer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from typing import Any, AnyStr
from urllib.request import urlopen


def free_port() -> int:
    """A port of this machine that nothing listens on, for a server that can't choose one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def end_group(process: subprocess.Popen[AnyStr], number: int = signal.SIGTERM) -> AnyStr:
    """Signal a process that leads its session, and all in it; return what it wrote to stderr.

    What has ended is told in vain, what hasn't is told again: once in a hundred times Granian's
    own worker (2.8) misses a signal, whatever the application. What is still there after 20 s is
    killed, workers too, as a pipe that one of them holds never ends; then it is an error.
    """
    for attempt in range(5):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number if attempt < 4 else signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            said = process.communicate(timeout=5)[1]
            assert attempt < 4, said
            return said
    raise AssertionError("It has been killed, and is there.")


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
