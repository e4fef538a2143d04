"""Serve one application on every server, on either interface, and ask the same of each.

    python -m scripts.servers [--list] [SERVER ...]

Each server is given `app:app` of tests/servers, once as it is and once with ProxyFix around its
`wsgi_app`, and gets the forty checks of tests/servers/checks.py each time. A third time it is
told that the application is mounted at /shop, if it can be told. Prints a line for each server,
and what failed. The status is 1 where a check fails, and where a server logs an error or doesn't
end on SIGTERM.
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
from tests.servers.checks import (
    CHECKS,
    Check,
    behind_a_proxy,
    mounted,
    mounted_keeping,
    refused_websockets,
    websockets,
)
from tests.servers.wire import Wire

FOLDER = Path(__file__).resolve().parent.parent / "tests/servers"

#: Seconds that a server may take to its first answer, and to its end.
START, END = 30, 15

#: Failures that are printed for each server and way.
SHOWN = 8

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
    #: What tells it that the application is at ``/shop``: words, or a variable.
    mount: str = ""
    #: Whether it is then asked for ``/shop/seen``, or for ``/seen`` by a proxy that removes this.
    keeps_prefix: bool = True
    #: Whether an application can open WebSockets there.
    websockets: bool = True
    #: Checks that it can't pass, with the reason.
    without: dict[str, str] = field(default_factory=dict)

    @property
    def checks(self) -> int:
        """The number of checks that it is to pass."""
        return len(CHECKS) - len(self.without)

    def start(self, port: int, log: Path, way: str) -> subprocess.Popen[bytes]:
        words = self.command.format(port=port).split()
        inner = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV"))}
        inner |= {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(FOLDER)}
        if way == PROXIED:
            inner["BEHIND_PROXY"] = "1"
        if way == MOUNTED:
            if self.mount.startswith("-"):
                words[1:1] = self.mount.split()
            else:
                name, _, value = self.mount.partition("=")
                inner[name] = value
        words[0] = str(Path(sys.executable).parent / words[0])
        with log.open("wb") as output:
            return subprocess.Popen(
                words, cwd=FOLDER, env=inner, stdout=output, stderr=subprocess.STDOUT
            )


_GUNICORN = "gunicorn --bind 127.0.0.1:{port} --no-control-socket"

SERVERS = {
    "brim serve asgi": Server(
        "ASGI", "brim serve app:app --interface asgi --workers 1 --port {port}"
    ),
    "brim serve wsgi": Server(
        "WSGI", "brim serve app:app --interface wsgi --workers 1 --port {port}", websockets=False
    ),
    "brim run": Server(
        "WSGI",
        "brim --app app run --port {port}",
        without={
            "keep-alive": "it closes every connection, as Flask's development server does",
        },
    ),
    "gunicorn gthread": Server(
        "WSGI", f"{_GUNICORN} --threads 20 app:app", mount="SCRIPT_NAME=/shop"
    ),
    "gunicorn gevent": Server(
        "WSGI",
        f"{_GUNICORN} --worker-class gevent app:app",
        mount="SCRIPT_NAME=/shop",
    ),
    "gunicorn asgi": Server(
        "ASGI", f"{_GUNICORN} --worker-class asgi app:app", mount="--root-path /shop"
    ),
    "uvicorn": Server(
        "ASGI", "uvicorn --port {port} app:app", mount="--root-path /shop", keeps_prefix=False
    ),
    "hypercorn": Server(
        "ASGI", "hypercorn --bind 127.0.0.1:{port} app:app", mount="--root-path /shop"
    ),
    "daphne": Server("ASGI", "daphne --port {port} app:app", mount="--root-path /shop"),
    "granian asgi": Server(
        "ASGI",
        "granian --interface asgi --port {port} app:app",
        mount="--url-path-prefix /shop",
    ),
    "granian wsgi": Server(
        "WSGI",
        "granian --interface wsgi --blocking-threads 20 --port {port} app:app",
        mount="--url-path-prefix /shop",
        websockets=False,
    ),
    "waitress": Server(
        "WSGI",
        # It takes X-Forwarded headers out unless it is told not to.
        "waitress-serve --listen=127.0.0.1:{port} --threads=20"
        " --no-clear-untrusted-proxy-headers app:app",
        mount="--url-prefix=/shop",
        websockets=False,
    ),
}

#: The ways in which each is started.
PLAIN, PROXIED, MOUNTED = WAYS = ("as it is", "ProxyFix", "mounted")


@dataclass
class Result:
    """What came of one server and the application."""

    passed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def try_server(name: str, way: str = PLAIN) -> Result:
    """Start a server, make the checks, end it."""
    server = SERVERS[name]
    result = Result()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brim-servers-") as folder:
        log = Path(folder) / "log"
        try:
            with _served(server, log, way) as port:
                _make_checks(Wire(port), _checks(server, way), result)
        except RuntimeError as error:
            result.failed["server"] = str(error)
        said = log.read_text(errors="replace")
    # A traceback that ends with the crash that was asked for is no error.
    said = re.sub(r"^Traceback(.*\n)+?RuntimeError: on purpose$", "", said, flags=re.MULTILINE)
    if wrong := [found.string[found.start() :].splitlines()[0] for found in WRONG.finditer(said)]:
        result.failed["log"] = "; ".join(wrong[:3])
    result.seconds = time.monotonic() - began
    return result


def _checks(server: Server, way: str) -> dict[str, Check]:
    if way == MOUNTED:
        return {"mounted": mounted_keeping if server.keeps_prefix else mounted}
    checks = {name: check for name, check in CHECKS.items() if name not in server.without}
    checks["WebSockets"] = websockets if server.websockets else refused_websockets
    if way == PROXIED:
        checks["what the proxy says"] = behind_a_proxy
    return checks


def _make_checks(wire: Wire, checks: dict[str, Check], result: Result) -> None:
    for name, check in checks.items():
        try:
            check(wire)
        except Exception as error:
            result.failed[name] = f"{type(error).__name__}: {error}"
        else:
            result.passed += name in CHECKS


@contextmanager
def _served(server: Server, log: Path, way: str) -> Iterator[int]:
    """The port on which the server answers.

    Raises ``RuntimeError`` if it never answers, or has to be killed.
    """
    port = free_port()
    with server.start(port, log, way) as process:
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
            return  # it answers: what is wrong is for the checks to say
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
    print(
        f"{'server':18}{'interface':11}{'as it is':>10}{'ProxyFix':>10}{'mounted':>9}{'sockets':>9}"
        f"{'seconds':>9}"
    )
    # Each to its end, so that one failure does not hide the next.
    return int(not all([_try_ways(name) for name in names]))


def _try_ways(name: str) -> bool:
    """Try a server in each way; print what came of it, and tell whether all is well."""
    server = SERVERS[name]
    results = {way: try_server(name, way) for way in WAYS if way != MOUNTED or server.mount}
    counts = [f"{results[way].passed}/{server.checks}" for way in (PLAIN, PROXIED)]
    mounted = "-" if not server.mount else "FAILED" if results[MOUNTED].failed else "yes"
    seconds = sum(one.seconds for one in results.values())
    sockets = "yes" if server.websockets else "-"
    if any("WebSockets" in one.failed for one in results.values()):
        sockets = "FAILED"
    columns = f"{counts[0]:>10}{counts[1]:>10}{mounted:>9}{sockets:>9}{seconds:9.1f}"
    print(f"{name:18}{server.interface:11}{columns}", flush=True)
    for check, reason in server.without.items():
        print(f"    without {check}: {reason}")
    for way, one in results.items():
        failed = list(one.failed.items())
        for check, why in failed[:SHOWN]:
            print(f"    FAILED {way}, {check}: {why}"[:300])
        if len(failed) > SHOWN:
            print(f"    FAILED {way}, {len(failed) - SHOWN} more")
    return not any(one.failed for one in results.values())


if __name__ == "__main__":
    sys.exit(main())
