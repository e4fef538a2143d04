"""Serve one application on every server, on either interface, and ask the same of each.

    python -m scripts.servers [--list] [SERVER ...]

Each server is started twice, with `app:app` of tests/servers/app.py and with `app:proxied`, and
gets the forty checks of tests/servers/checks.py. Prints a line for each server and what failed.
The status is 1 where a check fails, or where a server logs an error or doesn't end on SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.processes import free_port
from tests.servers.checks import CHECKS, behind_a_proxy
from tests.servers.wire import Wire

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests/servers"

#: Seconds that a server may take to its first answer, and to its end.
START, END = 30, 15

#: Lines of a server's log that tell of an error, but for the crash that a check asks for.
WRONG = re.compile(
    r"^(?!.*on purpose).*(\w(Error|Exception|Exit)\b: |never (awaited|retrieved)|CRITICAL|WARNING)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Server:
    """How a server is started: ``{app}`` and ``{port}`` are filled in."""

    interface: str
    command: str

    def words(self, app: str, port: int) -> list[str]:
        program, *rest = self.command.format(app=app, port=port).split()
        return [str(Path(sys.executable).parent / program), *rest]


_GUNICORN = "gunicorn --bind 127.0.0.1:{port} --no-control-socket"

#: Each with one process: the application keeps in memory what the checks ask for later.
SERVERS = {
    "brim run": Server("WSGI", "brim --app {app} run --port {port}"),
    "gunicorn gthread": Server("WSGI", f"{_GUNICORN} --threads 20 {{app}}"),
    "gunicorn gevent": Server("WSGI", f"{_GUNICORN} --worker-class gevent {{app}}"),
    "gunicorn asgi": Server("ASGI", f"{_GUNICORN} --worker-class asgi {{app}}"),
    "uvicorn": Server("ASGI", "uvicorn --port {port} {app}"),
    "hypercorn": Server("ASGI", "hypercorn --bind 127.0.0.1:{port} {app}"),
    "hypercorn wsgi:": Server("WSGI", "hypercorn --bind 127.0.0.1:{port} wsgi:{app}"),
    "daphne": Server("ASGI", "daphne --port {port} {app}"),
    "granian asgi": Server("ASGI", "granian --interface asgi --port {port} {app}"),
    "granian wsgi": Server(
        "WSGI", "granian --interface wsgi --blocking-threads 20 --port {port} {app}"
    ),
    "waitress": Server("WSGI", "waitress-serve --listen=127.0.0.1:{port} --threads=20 {app}"),
}


@dataclass
class Result:
    """What came of one server and one application."""

    passed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def try_server(name: str, app: str = "app:app") -> Result:
    """Start a server, make the checks, end it."""
    result = Result()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brim-servers-") as folder:
        log = Path(folder) / "log"
        try:
            with _served(SERVERS[name], app, log) as port:
                _make_checks(Wire(port), app, result)
        except RuntimeError as error:
            result.failed["server"] = str(error)
        said = log.read_text(errors="replace")
    if wrong := [found[0] for found in WRONG.finditer(said)]:
        result.failed["log"] = "; ".join(wrong[:3])
    result.seconds = time.monotonic() - began
    return result


def _make_checks(wire: Wire, app: str, result: Result) -> None:
    checks = dict(CHECKS)
    if app.endswith(":proxied"):
        checks["behind a proxy"] = behind_a_proxy
    for name, check in checks.items():
        try:
            check(wire)
        except Exception as error:
            result.failed[name] = f"{type(error).__name__}: {error}"
        else:
            result.passed += name in CHECKS


@contextmanager
def _served(server: Server, app: str, log: Path) -> Iterator[int]:
    """The port on which the server answers.

    Raises ``RuntimeError`` if it never answers, or has to be killed.
    """
    port = free_port()
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            server.words(app, port),
            cwd=FOLDER,
            env=environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(FOLDER)},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
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
        except (URLError, OSError):
            time.sleep(0.05)
    said = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise RuntimeError("it never answered: " + " / ".join(said))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("servers", nargs="*", metavar="SERVER", help="these only, by name")
    parser.add_argument("--list", action="store_true", help="list the servers' command lines")
    options = parser.parse_args()
    if unknown := set(options.servers) - set(SERVERS):
        parser.error(f"no such server: {', '.join(sorted(unknown))}; --list names them")
    names = options.servers or list(SERVERS)
    if options.list:
        for name in names:
            print(f"{name:18}{SERVERS[name].command.format(app='module:app', port=8000)}")
        return 0
    worst = 0
    print(f"{'server':18}{'interface':11}{'app':>7}{'ProxyFix':>10}{'seconds':>9}  failed")
    for name in names:
        plain, proxied = try_server(name), try_server(name, "app:proxied")
        failed = {f"ProxyFix, {k}": v for k, v in proxied.failed.items()}
        failed = plain.failed | failed
        counts = "".join(
            f"{f'{one.passed}/{len(CHECKS)}':>{width}}"
            for one, width in ((plain, 7), (proxied, 10))
        )
        seconds = plain.seconds + proxied.seconds
        print(f"{name:18}{SERVERS[name].interface:11}{counts}{seconds:9.1f}  {', '.join(failed)}")
        for what, why in failed.items():
            print(f"    {what}: {why}"[: shutil.get_terminal_size((300, 1)).columns])
        worst = max(worst, bool(failed))
    return worst


if __name__ == "__main__":
    sys.exit(main())
