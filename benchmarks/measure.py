"""What the benchmarks share: a figure with its target, clocks, memory, and WSGI by hand.

Nothing here knows Brim or a peer.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Environ = dict[str, Any]
WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class Figure:
    """One measured number; ``target`` is the most it may be, None where there is no target."""

    question: str
    value: float
    unit: str
    target: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "met" if self.value <= self.target else "MISSED"


def table(figures: Iterable[Figure]) -> str:
    """Lay figures out as text, one a line."""
    line = "{:<52} {:>10} {:<8} {:>10}  {:<6}  {}"
    lines = [line.format("", "figure", "", "at most", "", "").rstrip()]
    for figure in figures:
        target = "" if figure.target is None else f"{figure.target:.3f}"
        cells = (f"{figure.value:.3f}", figure.unit, target, figure.verdict, figure.note)
        lines.append(line.format(figure.question, *cells).rstrip())
    return "\n".join(lines)


def main(measure: Callable[[], list[Figure]], doc: str | None) -> int:
    """Run one benchmark as a program: a table, or JSON for the runner. 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    as_json = parser.parse_args().json
    aliased_or_die()
    figures = measure()
    print(json.dumps([asdict(figure) for figure in figures]) if as_json else table(figures))
    return int(any(figure.verdict == "MISSED" for figure in figures))


def aliased_or_die() -> None:
    """Refuse to measure Brim against itself."""
    if "brim.as_flask" in sys.modules:
        sys.exit("brim.as_flask is on in this process: Flask would be Brim under another name")


def interleaved(
    calls: Mapping[str, Callable[[], object]], *, rounds: int = 25, slice_seconds: float = 0.04
) -> dict[str, float]:
    """Return each call's cost in µs: the median over rounds in which all take turns.

    Turns, so that a machine that slows down slows all alike; the median, so that a
    neighbour's burst counts for nothing.
    """
    repeats = {name: _repeats(call, slice_seconds) for name, call in calls.items()}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name, call in calls.items():
            count = repeats[name]
            began = time.perf_counter()
            for _ in range(count):
                call()
            taken[name].append((time.perf_counter() - began) / count)
    gc.unfreeze()
    return {name: statistics.median(times) * 1e6 for name, times in taken.items()}


def _repeats(call: Callable[[], object], seconds: float) -> int:
    """How often to call for a slice of this length; warms the call up on the way."""
    count = 1
    while True:
        began = time.perf_counter()
        for _ in range(count):
            call()
        took = time.perf_counter() - began
        if took >= seconds:
            return max(1, round(count * seconds / took))
        count *= 2


def environ(path: str, method: str = "GET", **more: Any) -> Environ:
    """What a WSGI server hands to an app, with the headers of a browser."""
    path, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_ACCEPT": "text/html,application/json;q=0.9,*/*;q=0.8",
        "HTTP_ACCEPT_ENCODING": "gzip, br",
        "HTTP_USER_AGENT": "benchmark",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **more,
    }


def ask(app: WSGI, environ: Environ) -> tuple[str, dict[str, str], bytes]:
    """Send one request and return status, headers and body, as a server would read them."""
    started: list[tuple[str, Sequence[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started.append((status, headers))
        return lambda data: None

    body = app(environ, start_response)
    try:
        data = b"".join(body)
    finally:
        if close := getattr(body, "close", None):
            close()
    status, headers = started[-1]
    return status, {name.lower(): value for name, value in headers}, data


def rss() -> int:
    """The memory that this process holds now, in bytes. Linux only."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096
