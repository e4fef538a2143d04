"""Serve one application on every server, on either interface, and ask the same of each.

    python -m scripts.servers [--list] [SERVER ...]

Each server is given `app:app` of tests/servers, once as it is and once with ProxyFix around its
`wsgi_app`, and gets the forty checks of tests/servers/checks.py each time. Prints a line for each
server, and what failed. The status is 1 where a check fails, and where a server logs an error or
doesn't end on SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.processes import free_port
from tests.servers.checks import CHECKS, behind_a_proxy
from tests.servers.wire import Wire

FOLDER = Path(__file__).resolve().parent.parent / "tests/servers"

#: Seconds that a server may take to its first answer, and to its end.
START, END = 30, 15

#: What tells of an error in a server's log, but for the crash that a check asks for.
WRONG = re.compile(
    r"^(?!.*on purpose).*(Traceback|\w(Error|Exception|Exit)\b|never (awaited|retrieved)|Lifespan)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Server:
    """How a server is started, and what it can't do."""

    interface: str
    #: ``{port}`` is filled in. One process each: the application remembers what it is asked for.
    command: str
    #: Checks that it can't pass, with the reason.
    without: dict[str, str] = field(default_factory=dict)

    @property
    def checks(self) -> int:
        """The number of checks that it is to pass."""
        return len(CHECKS) - len(self.without)

    def start(self, port: int, log: Path, behind_proxy: bool) -> subprocess.Popen[bytes]:
        program, *words = self.command.format(port=port).split()
        inner = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV"))}
        inner |= {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(FOLDER)}
        if behind_proxy:
            inner["BEHIND_PROXY"] = "1"
        with log.open("wb") as output:
            return subprocess.Popen(
                [str(Path(sys.executable).parent / program), *words],
                cwd=FOLDER,
                env=inner,
                stdout=output,
                stderr=subprocess.STDOUT,
            )


_GUNICORN = "gunicorn --bind 127.0.0.1:{port} --no-control-socket"

SERVERS = {
    "brim run": Server(
        "WSGI",
        "brim --app app run --port {port}",
        {"keep-alive": "it closes every connection, as Flask's development server does"},
    ),
    "gunicorn gthread": Server("WSGI", f"{_GUNICORN} --threads 20 app:app"),
    "gunicorn gevent": Server("WSGI", f"{_GUNICORN} --worker-class gevent app:app"),
    "gunicorn asgi": Server("ASGI", f"{_GUNICORN} --worker-class asgi app:app"),
    "uvicorn": Server("ASGI", "uvicorn --port {port} app:app"),
    "hypercorn": Server("ASGI", "hypercorn --bind 127.0.0.1:{port} app:app"),
    "daphne": Server("ASGI", "daphne --port {port} app:app"),
    "granian asgi": Server("ASGI", "granian --interface asgi --port {port} app:app"),
    "granian wsgi": Server(
        "WSGI", "granian --interface wsgi --blocking-threads 20 --port {port} app:app"
    ),
    "waitress": Server(
        "WSGI",
        # It takes X-Forwarded headers out unless it is told not to.
        "waitress-serve --listen=127.0.0.1:{port} --threads=20"
        " --no-clear-untrusted-proxy-headers app:app",
    ),
}


@dataclass
class Result:
    """What came of one server and the application."""

    passed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def try_server(name: str, behind_proxy: bool = False) -> Result:
    """Start a server, make the checks, end it."""
    server = SERVERS[name]
    result = Result()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brim-servers-") as folder:
        log = Path(folder) / "log"
        try:
            with _served(server, log, behind_proxy) as port:
                _make_checks(Wire(port), server, behind_proxy, result)
        except RuntimeError as error:
            result.failed["server"] = str(error)
        said = log.read_text(errors="replace")
    # A traceback that ends with the crash that was asked for is no error.
    said = re.sub(r"^Traceback(.*\n)+?RuntimeError: on purpose$", "", said, flags=re.MULTILINE)
    if wrong := [found.string[found.start() :].splitlines()[0] for found in WRONG.finditer(said)]:
        result.failed["log"] = "; ".join(wrong[:3])
    result.seconds = time.monotonic() - began
    return result


def _make_checks(wire: Wire, server: Server, behind_proxy: bool, result: Result) -> None:
    checks = {name: check for name, check in CHECKS.items() if name not in server.without}
    if behind_proxy:
        checks["what the proxy says"] = behind_a_proxy
    for name, check in checks.items():
        try:
            check(wire)
        except Exception as error:
            result.failed[name] = f"{type(error).__name__}: {error}"
        else:
            result.passed += name in CHECKS


@contextmanager
def _served(server: Server, log: Path, behind_proxy: bool) -> Iterator[int]:
    """The port on which the server answers.

    Raises ``RuntimeError`` if it never answers, or has to be killed.
    """
    port = free_port()
    with server.start(port, log, behind_proxy) as process:
        try:
            _wait(port, process, log)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(END)
            except subprocess.TimeoutExpired:
                process.kill()
                raise RuntimeError(f"it had not ended {END} s after SIGTERM") from None


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return
        except HTTPError:
            return  # the checks will say more
        except OSError:
            time.sleep(0.05)
    said = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise RuntimeError("it never answered: " + " / ".join(said))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("servers", nargs="*", metavar="SERVER", help="these only, by name")
    parser.add_argument("--list", action="store_true", help="list the command lines")
    options = parser.parse_args()
    if unknown := set(options.servers) - set(SERVERS):
        parser.error(f"no such server: {', '.join(sorted(unknown))}; --list names them")
    names = options.servers or list(SERVERS)
    if options.list:
        for name in names:
            print(f"{name:18}{SERVERS[name].command.format(port=8000)}")
        return 0
    print(f"{'server':18}{'interface':11}{'as it is':>10}{'ProxyFix':>10}{'seconds':>9}")
    # Each to its end, so that one failure does not hide the next.
    return int(not all([_try_both(name) for name in names]))


def _try_both(name: str) -> bool:
    server = SERVERS[name]
    results = {"as it is": try_server(name), "ProxyFix": try_server(name, behind_proxy=True)}
    counts = "".join(f"{f'{one.passed}/{server.checks}':>10}" for one in results.values())
    seconds = sum(one.seconds for one in results.values())
    print(f"{name:18}{server.interface:11}{counts}{seconds:9.1f}", flush=True)
    for check, reason in server.without.items():
        print(f"    without {check}: {reason}")
    for what, one in results.items():
        for check, why in one.failed.items():
            print(f"    FAILED {what}, {check}: {why}")
    return not any(one.failed for one in results.values())


if __name__ == "__main__":
    sys.exit(main())
