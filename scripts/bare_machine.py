"""Try the README's two commands as on a machine that has Python and make, and nothing of ours.

    python scripts/bare_machine.py [--python PATH] [--keep]

Clones the last commit into an empty folder, with an empty home and empty caches, and runs there
`make demo`, which has to answer within 90 seconds, and `make test`, which has to pass. Prints one
line for each. The status is 1 where one of them fails.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
#: Seconds from `make demo` on nothing to the first page.
TARGET = 90.0
#: Seconds after which a demo that doesn't answer is given up.
PATIENCE = 600.0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default="", help="the Python that make is to use")
    parser.add_argument("--keep", action="store_true", help="keep the folder, and name it")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="brim-bare-"))
    try:
        return _try_in(folder, [f"PYTHON={options.python}"] if options.python else [])
    finally:
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _try_in(folder: Path, settings: list[str]) -> int:
    clone = folder / "brim"
    subprocess.run(
        ["git", "clone", "--quiet", "--no-hardlinks", str(CHECKOUT), str(clone)], check=True
    )
    environ = _bare_environ(folder / "home")
    failed = False

    took = _demo(clone, environ, settings)
    if took is None:
        failed = True
        print("make demo   FAILED: it never answered")
    else:
        failed = took > TARGET
        verdict = "MISSED" if failed else "met"
        print(f"make demo   answered after {took:.1f} s (target {TARGET:.0f} s: {verdict})")

    began = time.monotonic()
    tests = subprocess.run(
        ["make", "test", *settings],
        cwd=clone,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.monotonic() - began
    last = tests.stdout.strip().rpartition("\n")[2]
    if tests.returncode:
        failed = True
        print("\n".join((tests.stdout + tests.stderr).splitlines()[-40:]))
        print(f"make test   FAILED after {took:.1f} s")
    else:
        print(f"make test   passed in {took:.1f} s: {last.strip('= ')}")
    return int(failed)


def _bare_environ(home: Path) -> dict[str, str]:
    """Return an environment without caches and settings, save where packages come from."""
    home.mkdir(parents=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE"}
        or name.lower().endswith("_proxy")
        or (name.startswith("PIP_") and name != "PIP_CACHE_DIR")
    }
    environ = kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    # Which index a machine uses is its own affair and may stand in its user's home.
    for file in ("~/.config/pip/pip.conf", "~/.pip/pip.conf"):
        if (path := Path(file).expanduser()).exists():
            environ.setdefault("PIP_CONFIG_FILE", str(path))
    return environ


def _demo(clone: Path, environ: dict[str, str], settings: list[str]) -> float | None:
    """Return the seconds until the demo's first page, or None if there was none."""
    port = _free_port()
    began = time.monotonic()
    with _started(["make", "demo", f"ARGS=--port {port}", *settings], clone, environ) as make:
        while make.poll() is None and time.monotonic() - began < PATIENCE:
            if _answers(port):
                return time.monotonic() - began
            time.sleep(0.1)
    return None


@contextmanager
def _started(
    command: list[str], folder: Path, environ: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command, and end it with all that it started as Ctrl-C in a terminal does."""
    process = subprocess.Popen(command, cwd=folder, env=environ, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
