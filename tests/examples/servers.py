"""The journal in real processes: its commands, and the servers that serve it.

Each has a folder of its own for data. What looks at the pages is in browser.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

JOURNAL = Path(__file__).parents[2] / "examples/journal"
#: Of ada and grace, the people of the journal's sample.
PASSWORD = "correct horse"

#: The programs that serve the journal: each picks a free port and says which.
SERVERS = {
    "brim run": ["brim", "--app", "journal", "run", "--port", "0"],
    "gunicorn": ["gunicorn", "journal:create_app()", "--bind", "127.0.0.1:0", "--workers", "2"]
    + ["--threads", "4", "--no-control-socket"],
    # Flask-Login, Flask-SQLAlchemy and Flask-WTF know nothing of ASGI.
    "brim serve": ["brim", "serve", "journal:create_app()", "--port", "0", "--workers", "2"]
    + ["--interface", "asgi"],
}
_HOST = {"JOURNAL_CONFIG": "production", "JOURNAL_SECRET_KEY": "a key for tests " * 4}
#: How each is set up: the one as a developer does it, the others as a host.
SETTINGS = {
    "brim run": {"JOURNAL_CONFIG": "development"},
    "gunicorn": _HOST,
    "brim serve": _HOST,
}


def environment(data: Path, **settings: str) -> dict[str, str]:
    """The environment of a program that serves or fills the journal in the folder `data`."""
    # Without what would lead it elsewhere.
    outer = {k: v for k, v in os.environ.items() if not k.startswith(("JOURNAL_", "PYTEST_"))}
    return {**outer, "JOURNAL_DATA": str(data), "PYTHONUNBUFFERED": "1", **settings}


def run(*words: str, data: Path, status: int = 0, cwd: Path = JOURNAL, **settings: str) -> str:
    """Run Python with these arguments to its end; return what it said. Warnings are errors."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=environment(data, PYTHONWARNINGS="error", **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == status, f"{' '.join(words)}\n{done.stdout}"
    return done.stdout


def command(*words: str, data: Path, status: int = 0, **settings: str) -> str:
    """Run a command of the journal's; return what it said."""
    brim = ["-m", "brim", "--app", "journal"]
    return run(*brim, *words, data=data, status=status, cwd=JOURNAL, **settings)


def fill(data: Path) -> str:
    """Make the tables in the folder and fill them with the sample; return what was said."""
    return command("db", "upgrade", data=data) + command("sample", data=data)


@contextmanager
def served(server: str, data: Path) -> Iterator[str]:
    """The URL at which one of SERVERS serves the folder. It must end without an error logged."""
    log = data / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", *SERVERS[server]],
            cwd=JOURNAL,
            env=environment(data, **SETTINGS[server]),
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    said = log.read_text()
    assert "Traceback" not in said, said


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The URL that the server says it listens at."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"The server has not started:\n{log.read_text()}")
