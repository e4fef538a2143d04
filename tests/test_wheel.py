"""What is published works where nothing but Python was before: the wheel, on every Python found."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts import pythons
from tests.processes import first_answer, free_port

pytestmark = pytest.mark.wheel

CHECKOUT = Path(__file__).resolve().parent.parent

# As a Flask user has it: the command makes `flask` mean Brim.
HELLO = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello():
    return "Hello from " + Flask.__module__
"""


def clean_environment() -> dict[str, str]:
    """This process's environment without what would let the checkout or coverage in."""
    outer = ("PYTHON", "COV", "PYTEST", "VIRTUAL_ENV", "FLASK", "BRIM", "MAKE")
    return {name: value for name, value in os.environ.items() if not name.startswith(outer)}


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation"]
    run(*pip, "--wheel-dir", folder, CHECKOUT, cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


@contextmanager
def served(command: list[str | Path], port: int, cwd: Path) -> Iterator[str]:
    """Run a server; hand out what it answers at ``/`` as soon as it answers, then end it."""
    log = cwd / "server.txt"
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=clean_environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            answer = first_answer(port, process)
            assert answer is not None, log.read_text(encoding="utf-8")
            yield answer[1]
        finally:
            process.terminate()


def test_the_wheel_is_pure_python_and_typed(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "brim/py.typed" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"brim"}
    in_source = {
        path.relative_to(CHECKOUT / "src").as_posix()
        for path in (CHECKOUT / "src").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert in_source <= set(names)


@pytest.mark.parametrize("version", pythons.SUPPORTED)
def test_an_unmodified_flask_app_runs_from_an_installed_wheel(
    version: str, wheel: Path, tmp_path: Path
) -> None:
    if (python := pythons.find(version)) is None:
        pytest.skip(f"no Python {version} on this machine")
    venv = tmp_path / "venv"
    run(python, "-m", "venv", venv, cwd=tmp_path)
    pip = [venv / "bin/python", "-m", "pip", "--disable-pip-version-check", "-qq"]
    lock = CHECKOUT / "requirements" / "run.txt"
    run(*pip, "install", "--require-hashes", "--requirement", lock, cwd=tmp_path)
    run(*pip, "install", "--no-deps", wheel, cwd=tmp_path)
    # What the wheel says that it needs is what the lock holds.
    run(*pip[:3], "check", cwd=tmp_path)

    (tmp_path / "hello.py").write_text(HELLO, encoding="utf-8")
    port = free_port()
    command = [venv / "bin/brim", "--app", "hello", "run", "--port", str(port)]
    with served(command, port, tmp_path) as text:
        assert text == "Hello from brim.app"
