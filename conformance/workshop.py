"""Make what a suite needs, outside the checkout, and run it: archive, environment, pytest.

The environment has real Flask in it, so that the alias has to win over an installed Flask. What
was made is kept and used again as long as its requirements, its lock and its Python are the same;
Brim itself is built and installed anew for every run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from .outcomes import Run, read_junit
from .suites import HERE, REFERENCE, Suite

HOOK = HERE / "hook"
DOORS = HERE / "doors"
CHECKOUT = HERE.parent

# Set by the shell, by make, by an outer pytest or by a CI service, and read by the suites' tests or
# their tools: with CI=true, Flask-Caching's wait for a Redis server instead of starting one.
_OUTER = ("FLASK_", "BRIM_", "PYTEST_", "COV_", "COVERAGE_", "MAKE")
_OUTER_NAMES = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS", "MFLAGS", "CI"}


class WorkshopError(Exception):
    """A suite could not be run at all: its archive, its environment or pytest itself failed."""


@dataclass(frozen=True)
class Workshop:
    """Where suites are run, with which Python, on Brim or (``wheel=None``) on real Flask."""

    root: Path
    python: Path
    version: str
    uv: str
    wheel: Path | None
    timeout: float
    #: The door that the suites' test clients knock on, of Brim's two.
    door: str = "wsgi"

    def run(self, suite: Suite) -> Run:
        """Run a suite and return each test's outcome.

        Raises ``WorkshopError`` where the suite could not be run. Everything that was printed is
        in ``log_file(suite)``.
        """
        room = self._room(suite)
        room.mkdir(parents=True, exist_ok=True)
        with self.log_file(suite).open("w", encoding="utf-8") as log:
            tree = self._unpack(suite, room, log)
            venv = self._environment(suite, room, log)
            report = room / "junit.xml"
            report.unlink(missing_ok=True)
            began = time.monotonic()
            self._pytest(suite, tree, venv, report, log)
            seconds = time.monotonic() - began
        outcomes = read_junit(report)
        if not outcomes:
            raise WorkshopError("pytest ended without a report")
        return Run(suite.version, self.version, seconds, outcomes)

    @property
    def makes_locks(self) -> bool:
        """Whether what is newest is installed, for a new baseline of the reference Python.

        Another Python's baseline is taken with the same releases, so that the two can be compared.
        """
        return self.wheel is None and self.version == REFERENCE

    @property
    def brim(self) -> str:
        """Brim's version, out of its wheel's name."""
        return self.wheel.name.split("-")[1] if self.wheel else ""

    def log_file(self, suite: Suite) -> Path:
        return self._room(suite) / "log.txt"

    def freeze(self, suite: Suite) -> str:
        """Return the exact versions that a suite's environment holds, one a line."""
        python = self._room(suite) / "venv/bin/python"
        return _output([self.uv, "pip", "freeze", "--quiet", "--python", str(python)])

    def _room(self, suite: Suite) -> Path:
        return self.root / f"{suite.name}-{self.version}-{'brim' if self.wheel else 'flask'}"

    def _unpack(self, suite: Suite, room: Path, log: TextIO) -> Path:
        """The suite's tests, without the package's own code: they meet the installed one."""
        archive = self._archive(suite, log)
        top = room / "tree"
        shutil.rmtree(top, ignore_errors=True)
        with tarfile.open(archive) as packed:
            packed.extractall(top, filter="data")
        (tree,) = top.iterdir()
        for name in suite.drop:
            shutil.rmtree(tree / name, ignore_errors=True)
        for name, text in suite.write.items():
            (tree / name).write_text(text, encoding="utf-8")
        return tree

    def _archive(self, suite: Suite, log: TextIO) -> Path:
        folder = self.root / "archives" / f"{suite.name}-{suite.version}"
        if (archive := _only_file(folder)) is None:
            download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            download += ["--no-binary", ":all:", "--dest", str(folder)]
            _must([*download, f"{suite.name}=={suite.version}"], log)
            archive = _only_file(folder)
        if archive is None:
            raise WorkshopError(f"no source archive of {suite.name} {suite.version} to be had")
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != suite.sha256:
            archive.unlink()
            raise WorkshopError(f"{archive.name} has sha256 {digest}, suites.toml another")
        return archive

    def _environment(self, suite: Suite, room: Path, log: TextIO) -> Path:
        venv = room / "venv"
        lock: list[str] = []
        text = ""
        if suite.lock_file.exists() and not self.makes_locks:
            lock = ["--constraints", str(suite.lock_file)]
            text = suite.lock_file.read_text(encoding="utf-8")
        recipe = "\n".join([str(self.python), *suite.requirements, text])
        stamp = venv / ".recipe"
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != recipe:
            shutil.rmtree(venv, ignore_errors=True)
            make = [self.uv, "venv", "--quiet", "--no-python-downloads"]
            _must([*make, "--python", str(self.python), str(venv)], log)
            _must([*self._install(venv), *lock, *suite.requirements], log)
            stamp.write_text(recipe, encoding="utf-8")
        if self.wheel is not None:
            again = ["--reinstall-package", "brim", str(self.wheel)]
            _must([*self._install(venv), *lock, *again], log)
        return venv

    def _install(self, venv: Path) -> list[str]:
        return [self.uv, "pip", "install", "--quiet", "--python", str(venv / "bin/python")]

    def _pytest(self, suite: Suite, tree: Path, venv: Path, report: Path, log: TextIO) -> None:
        alias = [] if self.wheel is None else ["-p", "brim.as_flask"]
        command = [str(venv / "bin/python"), "-m", "pytest", *alias]
        if self.door == "asgi":
            command += ["-p", "through_asgi"]
        # One module that can't be imported does not hide what the others have to say.
        command += ["-q", "-ra", "--tb=short", "--continue-on-collection-errors"]
        command += [f"--junitxml={report}", *suite.args]
        env = inner_environment(os.environ)
        env["PATH"] = f"{venv / 'bin'}{os.pathsep}{env['PATH']}"
        env["PYTHONDONTWRITEBYTECODE"] = "1"
        folders: list[str] = []
        if suite.children and self.wheel is not None:
            folders.append(str(HOOK))
        if self.door == "asgi":
            folders.append(str(DOORS))
        if folders:
            env["PYTHONPATH"] = os.pathsep.join(folders)
        # A session of its own, so that what the tests started can be ended with them.
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        with subprocess.Popen(
            command,
            cwd=tree,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                process.wait(self.timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise WorkshopError(f"not done after {self.timeout:.0f} s") from None


def inner_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """Return what a suite sees of the environment that it is run from."""
    return {
        name: value
        for name, value in outer.items()
        if not name.startswith(_OUTER) and name not in _OUTER_NAMES
    }


def version_of(python: Path) -> str:
    """Return an interpreter's version, such as ``"3.11"``."""
    try:
        return _output(
            [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2], end='')"]
        )
    except OSError as error:
        raise WorkshopError(f"{python} could not be started: {error.strerror}") from None


def build_wheel(uv: str, folder: Path, checkout: Path = CHECKOUT) -> Path:
    """Build Brim's wheel of the sources alone from a checkout and return its path.

    By way of the source archive, from which what `make compile` has made is left out.
    """
    shutil.rmtree(folder, ignore_errors=True)
    _output(
        [uv, "build", "--quiet", "--no-build-isolation"]
        + ["--python", sys.executable, "--out-dir", str(folder), str(checkout)]
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def _only_file(folder: Path) -> Path | None:
    found = list(folder.glob("*.tar.gz"))
    return found[0] if found else None


def _call(command: Sequence[str], log: TextIO) -> int:
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False
    ).returncode


def _must(command: Sequence[str], log: TextIO) -> None:
    if _call(command, log) != 0:
        raise WorkshopError(f"failed: {' '.join(command[:3])}")


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise WorkshopError(f"failed: {' '.join(command)}\n{done.stderr.strip()}")
    return done.stdout
