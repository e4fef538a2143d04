"""Run the Autobahn test suite for WebSockets against Brim on real servers.

    python scripts/autobahn.py [SERVER ...] [--cases 1.* 2.*] [--keep]

SERVER: devserver and gunicorn for the socket of a WSGI server, uvicorn, granian and hypercorn for
ASGI, serve for `brim serve`; by default the first four. Each is asked for a sync and an async
view. Prints, by section, how many cases passed, and each one that failed; the target is none. The
status is 1 where one failed.

The suite runs on Python 2.7. Where none is found, by its name or under pyenv, that is said and
nothing is run; otherwise the suite is installed once, in build/autobahn.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

CHECKOUT = Path(__file__).resolve().parent.parent
SUITE = CHECKOUT / "conformance" / "autobahn"
INSTALLED = CHECKOUT / "build" / "autobahn"
APP = "conformance.autobahn.echo:app"
SECTIONS = ("1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*")
DEFAULT_SERVERS = ("devserver", "gunicorn", "uvicorn", "granian")
VIEWS = ("sync", "async")
#: What the suite calls a case that the specification is content with.
PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}
#: Starts the suite, in Python 2.7. Its folder is added as one of packages, for those of one
#: namespace that are spread over several.
START = (
    "import site, sys; site.addsitedir(sys.argv.pop(1));"
    " from autobahntestsuite.wstest import run; run()"
)
#: Seconds that the suite may take for one server.
PATIENCE = 1200.0


def command(server: str, port: int) -> list[str]:
    """Return the command line that serves the application on a port of this machine."""
    address = f"127.0.0.1:{port}"
    bin_ = Path(sys.executable).parent
    lines: dict[str, list[str]] = {
        "devserver": [f"{bin_}/brim", "--app", APP, "run", "--port", str(port)],
        "gunicorn": [f"{bin_}/gunicorn", APP, "--bind", address, "--threads", "8"],
        # By default it takes websockets-sansio, which alone fails case 7.1.5.
        "uvicorn": [f"{bin_}/uvicorn", APP, "--port", str(port), "--ws", "wsproto"],
        "granian": [f"{bin_}/granian", "--interface", "asgi", APP, "--port", str(port)],
        "hypercorn": [f"{bin_}/hypercorn", f"asgi:{APP}", "--bind", address],
        "serve": [f"{bin_}/brim", "serve", APP, "--host", "127.0.0.1", "--port", str(port)],
    }
    return lines[server]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("servers", nargs="*", default=DEFAULT_SERVERS, metavar="SERVER")
    parser.add_argument("--cases", nargs="+", default=SECTIONS, help="of the suite, such as 5.*")
    parser.add_argument("--keep", action="store_true", help="keep the suite's reports, say where")
    options = parser.parse_args()
    for server in options.servers:
        if server not in command_names():
            parser.error(f"{server!r} is none of {', '.join(command_names())}.")
    python = python_2()
    if python is None:
        print("No Python 2.7 was found, which the Autobahn test suite needs: nothing was run.")
        return 0
    install(python)
    failed = 0
    folder = Path(tempfile.mkdtemp(prefix="brim-autobahn-"))
    try:
        for server in options.servers:
            with serving(server, folder) as port:
                results = run_suite(python, folder, server, port, options.cases)
            for agent, cases in sorted(results.items()):
                failed += report(agent, cases)
    finally:
        if options.keep:
            print(f"Reports: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"failed: {failed}, target: 0")
    return 1 if failed else 0


def command_names() -> tuple[str, ...]:
    return ("devserver", "gunicorn", "uvicorn", "granian", "hypercorn", "serve")


def python_2() -> str | None:
    """Return a Python 2.7 that starts, if there is one."""
    candidates = [shutil.which("python2.7") or ""]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += [str(path / "bin" / "python") for path in sorted(versions.glob("2.7*"))]
    for candidate in filter(None, candidates):
        # A name on PATH may be a shim that leads nowhere.
        asked = subprocess.run([candidate, "--version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return candidate
    return None


def install(python: str) -> None:
    """Install the suite for that Python, unless this was done for the same requirements."""
    requirements = SUITE / "requirements.txt"
    stamp = INSTALLED / "requirements.txt"
    if stamp.is_file() and stamp.read_bytes() == requirements.read_bytes():
        return
    shutil.rmtree(INSTALLED, ignore_errors=True)
    INSTALLED.mkdir(parents=True)
    print("Installing the Autobahn test suite, once ...", flush=True)
    subprocess.run(
        [python, "-m", "pip", "install", "-qq", "--no-deps", "--no-warn-script-location"]
        + ["--disable-pip-version-check", "--prefix", str(INSTALLED), "-r", str(requirements)],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    shutil.copy(requirements, stamp)


@contextmanager
def serving(server: str, folder: Path) -> Iterator[int]:
    """Serve the application while the block runs; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    log = folder / f"{server}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(server, port),
            cwd=CHECKOUT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        if not answers(port, process):
            raise SystemExit(f"{server} does not serve the application:\n{log.read_text()}")
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers; tell whether it does."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return True
        except OSError:
            time.sleep(0.05)
    return False


def run_suite(
    python: str, folder: Path, server: str, port: int, cases: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Have the suite talk to a server; return its verdicts by view and case."""
    out = folder / server
    spec = folder / f"{server}.json"
    agents = [
        {"agent": f"{server} {view}", "url": f"ws://127.0.0.1:{port}/{view}"} for view in VIEWS
    ]
    spec.write_text(
        json.dumps(
            {
                "outdir": str(out),
                "servers": agents,
                "cases": list(cases),
                "exclude-cases": [],
                "exclude-agent-cases": {},
            }
        )
    )
    with (folder / f"{server}.wstest.log").open("wb") as log:
        ended = subprocess.run(
            [python, "-c", START, str(INSTALLED / "lib/python2.7/site-packages")]
            + ["-m", "fuzzingclient", "-s", str(spec)],
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
    index = out / "index.json"
    if ended.returncode or not index.is_file():
        tail = (folder / f"{server}.wstest.log").read_text(errors="replace")[-2000:]
        raise SystemExit(f"The suite ended with {ended.returncode}:\n{tail}")
    verdicts: dict[str, dict[str, Any]] = json.loads(index.read_text())
    return verdicts


def report(agent: str, cases: dict[str, Any]) -> int:
    """Print what a server scored; return how many cases it failed."""
    passed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    failures: list[str] = []
    for case, verdict in cases.items():
        section = case.partition(".")[0]
        total[section] += 1
        if verdict["behavior"] in PASSED and verdict["behaviorClose"] in PASSED:
            passed[section] += 1
        else:
            failures.append(f"  {case}: {verdict['behavior']}, close {verdict['behaviorClose']}")
    columns = "  ".join(
        f"{section}: {passed[section]}/{total[section]}" for section in sorted(total, key=int)
    )
    print(f"{agent:<17} failed {len(failures):>3}   {columns}", flush=True)
    for line in sorted(failures):
        print(line)
    return len(failures)


if __name__ == "__main__":
    sys.exit(main())
