"""Servers as processes, and wrk to ask them: starting, asking, reading what was found, ending.

All servers run on one core, of which only one is asked at a time, and wrk on another. Where the
kernel places them, the same server under the same load gives 25,000 or 60,000 answers a second, by
whether its threads and wrk's happen to share a core, and a ratio is a matter of luck.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONNECTIONS = 32
#: How long a server may take to answer first, and to end, in seconds.
PATIENCE = 20.0

_TICK = os.sysconf("SC_CLK_TCK")
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Asked:
    """What a run of wrk found: requests a second, and the time of half and of 99 % of them."""

    rate: float
    p50: float
    p99: float
    requests: int


@contextlib.contextmanager
def placed(core: int) -> Iterator[None]:
    """Let processes that are started meanwhile run on one core of those that this one may use.

    ``core``: its index among them. Nothing on a machine of one core, or another system than Linux.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    if len(cores) < 2:
        yield
        return
    os.sched_setaffinity(0, {cores[core]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def is_there() -> bool:
    return shutil.which("wrk") is not None


def ask(url: str, seconds: int) -> Asked:
    """Keep 32 connections busy for so long; raise if an answer was no success."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", url]
    with placed(-1):
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + PATIENCE)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return read(done.stdout)


def read(output: str) -> Asked:
    """Read what wrk prints; times in milliseconds."""
    if problem := re.search(r"Socket errors.*|Non-2xx.*", output):
        raise RuntimeError(f"wrk: {problem[0]}")
    times = dict(re.findall(r"^\s+(50|99)%\s+(\S+)", output, re.MULTILINE))
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    requests = re.search(r"(\d+) requests in", output)
    if rate is None or requests is None:
        raise ValueError(f"not what wrk prints: {output!r}")
    return Asked(
        float(rate[1]), _milliseconds(times["50"]), _milliseconds(times["99"]), int(requests[1])
    )


def _milliseconds(text: str) -> float:
    found = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    if found is None:
        raise ValueError(f"not a time of wrk's: {text!r}")
    return float(found[1]) * _UNITS[found[2]]


class Server:
    """A server in a session of its own. ``{port}`` in its command is a port that was free."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        with placed(0):
            self.process = subprocess.Popen(
                [sys.executable, "-m", *(part.replace("{port}", str(port)) for part in command)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def wait(self, expected: str) -> None:
        """Wait until the server answers; raise if it does not, or answers otherwise."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(self.url, timeout=PATIENCE) as answer:
                    text = answer.read().decode()
                if text != expected:
                    raise RuntimeError(f"{self.name} answered {text!r}")
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not serve: {self.process.args!r}")

    def processes(self) -> list[int]:
        """The server and all that it started, directly or not."""
        found = [self.process.pid]
        for pid in found:
            with contextlib.suppress(OSError):
                for children in Path(f"/proc/{pid}/task").glob("*/children"):
                    found += map(int, children.read_text().split())
        return found

    def processor_time(self) -> float:
        """The seconds of processor time that it took so far, all processes together."""
        return sum(map(_processor_time, self.processes()))

    def memory(self) -> float:
        """The memory of its worker in MiB: what that process would give back if it ended.

        The worker is the process that has worked most.
        """
        worker = max(self.processes(), key=_processor_time)
        rollup = Path(f"/proc/{worker}/smaps_rollup").read_text()
        private = re.findall(r"^Private_\w+:\s+(\d+) kB", rollup, re.MULTILINE)
        return sum(map(int, private)) / 1024

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


def _processor_time(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0  # It ended meanwhile.
    return (int(fields[11]) + int(fields[12])) / _TICK


@contextlib.contextmanager
def running(commands: dict[str, list[str]], expected: str) -> Iterator[dict[str, Server]]:
    """Run servers side by side; all of them are ended at the end, whatever happens."""
    servers: dict[str, Server] = {}
    try:
        for name, command in commands.items():
            servers[name] = Server(name, command)
        for server in servers.values():
            server.wait(expected)
        yield servers
    finally:
        for server in servers.values():
            server.stop()
