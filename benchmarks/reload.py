"""How soon is a saved file served, and a broken one shown and mended?

Real servers: ``brim run --debug``, for ten lines and for an application with extensions. The
clock starts when the file has been replaced, as editors do it, and stops when the first answer
with the new content has been read; requests follow each other without a pause of note. Run it in
the development environment, which has watchfiles and the extensions:

    python -m benchmarks.reload
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
JOURNAL = ROOT / "examples" / "journal"

#: The most that nine of ten may take, and what is given up at, in seconds.
TARGET = 0.5
GIVEN_UP = 10.0

LIGHT = """\
from flask import Flask

app = Flask(__name__)

@app.get("/benchmark")
def index():
    return "served"
"""

HEAVY = """\
from flask import Flask
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect, FlaskForm
from wtforms import StringField

app = Flask(__name__)
app.config.update(SECRET_KEY="for the benchmark", SQLALCHEMY_DATABASE_URI="sqlite://")
db = SQLAlchemy(app)
Migrate(app, db)
LoginManager(app)
CSRFProtect(app)

class Form(FlaskForm):
    name = StringField()

@app.get("/benchmark")
def index():
    return "served"
"""

#: Put at the end of a file of the journal, to tell one version of it from the next.
VIEW = """

@blueprint.get("/benchmark")
def benchmark() -> str:
    return "served"
"""


@dataclass
class App:
    """An application to edit: its folder, and the file in it whose ``served`` is replaced."""

    name: str
    folder: Path
    file: Path
    arguments: list[str]

    def __post_init__(self) -> None:
        self.text = self.file.read_text("utf-8")


@dataclass
class Times:
    """Seconds, one a try; a try that was given up is not among them."""

    what: str
    tries: int = 0
    seconds: list[float] = field(default_factory=list)

    def row(self) -> str:
        done = sorted(self.seconds)
        if not done:
            return f"{self.what:<38} {'':>31} {f'0/{self.tries}':>7}  MISSED"
        figures = (done[0], statistics.median(done), self.p90, done[-1])
        cells = "".join(f"{seconds:8.3f}" for seconds in figures)
        verdict = "met" if self.is_met else "MISSED"
        return f"{self.what:<38} {cells} {f'{len(done)}/{self.tries}':>7}  {verdict}"

    @property
    def p90(self) -> float:
        return sorted(self.seconds)[-(-len(self.seconds) * 9 // 10) - 1]

    @property
    def is_met(self) -> bool:
        return len(self.seconds) == self.tries and self.p90 <= TARGET


class Server:
    """``brim run --debug`` on an application."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.process = subprocess.Popen(
            [sys.executable, "-m", "brim", *app.arguments, "run", "--debug", "--port", "0"],
            cwd=app.folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output: list[str] = []
        self.url = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)
            if found := re.search(r"Running on (http://\S+)", line):
                self.url = found[1] + "/benchmark"
                break
        else:
            raise SystemExit("".join(self.output))
        threading.Thread(target=self.output.extend, args=(self.process.stdout,)).start()

    def get(self) -> str:
        try:
            with urllib.request.urlopen(self.url, timeout=GIVEN_UP) as answer:
                return str(answer.read(), "utf-8")
        except urllib.error.HTTPError as error:
            with error:
                return str(error.read(), "utf-8")

    def save(self, text: str, found: str, times: Times) -> None:
        """Replace the file; note how long it takes until ``found`` is answered."""
        times.tries += 1
        temporary = self.app.file.with_suffix(".tmp")
        temporary.write_text(text, "utf-8")
        os.replace(temporary, self.app.file)
        begun = time.perf_counter()
        while (passed := time.perf_counter() - begun) < GIVEN_UP:
            try:
                if found in self.get():
                    times.seconds.append(time.perf_counter() - begun)
                    return
            except (OSError, http.client.HTTPException):
                pass  # cut off as the worker ended
            time.sleep(0.005)
        print(f"given up after {passed:.0f} s:", "".join(self.output)[-2000:], file=sys.stderr)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(GIVEN_UP)


def measure(app: App, tries: int, pause: float) -> list[Times]:
    """Edit, break and mend an application; a person pauses between two saves."""
    edits = Times(f"{app.name}: save to served")
    broken = Times(f"{app.name}: syntax error to shown")
    mended = Times(f"{app.name}: mended to served")
    server = Server(app)
    try:
        server.get()
        for count in range(tries):
            time.sleep(pause)
            text = f"edit {count} of {tries}"
            server.save(app.text.replace('"served"', f'"{text}"'), text, edits)
        for count in range(tries):
            time.sleep(pause)
            server.save(app.text + f"\nbroken_{count} = (\n", f"broken_{count}", broken)
            time.sleep(pause)
            text = f"mend {count} of {tries}"
            server.save(app.text.replace('"served"', f'"{text}"'), text, mended)
    finally:
        server.stop()
    return [edits, broken, mended]


def apps(folder: Path) -> list[App]:
    """Write the applications into ``folder``; the journal is copied there, if it is there."""
    found: list[App] = []
    texts = {"ten lines": LIGHT, "four extensions": HEAVY}
    for name, text in texts.items():
        place = folder / name.replace(" ", "_")
        place.mkdir()
        (place / "app.py").write_text(text, "utf-8")
        found.append(App(name, place, place / "app.py", []))
    if (JOURNAL / "journal" / "entries.py").exists():
        place = folder / "journal"
        shutil.copytree(JOURNAL, place, ignore=shutil.ignore_patterns("instance", "__pycache__"))
        file = place / "journal" / "entries.py"
        blueprint = re.search(r"^(\w+) = Blueprint\(", file.read_text("utf-8"), re.MULTILINE)
        if blueprint is not None:
            with file.open("a", encoding="utf-8") as end:
                end.write(VIEW.replace("blueprint", blueprint[1]))
            found.append(App("the journal", place, file, ["--app", "journal"]))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--pause", type=float, default=0.8, help="seconds between two saves")
    given = parser.parse_args()
    rows: list[Times] = []
    with tempfile.TemporaryDirectory() as folder:
        for app in apps(Path(folder).resolve()):
            print(f"{app.name} ...", file=sys.stderr, flush=True)
            rows += measure(app, given.tries, given.pause)
    print(
        f"{'seconds':<38} {'min':>8}{'median':>8}{'p90':>8}{'max':>8} {'done':>7}  p90 <= {TARGET}"
    )
    for times in rows:
        print(times.row())
    return int(not all(times.is_met for times in rows))


if __name__ == "__main__":
    sys.exit(main())
