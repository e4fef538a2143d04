"""What is published works where only Python was before: the wheels, on every Python found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from conformance.workshop import build_wheel
from scripts import compile as compiling
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


# Not called by name, which would have the tests of this file run twice (conftest.py).
BOTH_DOORS = """
import brim.as_flask
from hello import app

import brim.ctx
import brim.doors.wsgi

client_of = app.test_client
for door in ("wsgi", "asgi"):
    print(f"{door}:", client_of(door=door).get("/").text)
for module in (brim.ctx, brim.doors.wsgi):
    print(module.__file__.rpartition("/")[2])
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


COMPILED = {".so", ".pyd"}
UV = str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(UV, tmp_path_factory.mktemp("wheel") / "pure")


@pytest.fixture(scope="session")
def compiled_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if (lacking := compiling.missing()) is not None:
        pytest.skip(f"nothing compiles here: {lacking} is missing")
    pure = shutil.copy(wheel, folder := tmp_path_factory.mktemp("compiled"))
    # What `make test-compiled` has made is kept, if it is of the same sources.
    for made in (CHECKOUT / "build" / "wheels").glob("*-cp*.whl"):
        shutil.copy(made, folder)
    program = CHECKOUT / "scripts" / "compile.py"
    said = run(sys.executable, program, "--wheel", pure, cwd=wheel.parent)
    return Path(said.splitlines()[-1])


def environment_with(python: Path, wheel: Path, folder: Path) -> Path:
    """Make a virtual environment with a wheel in it, and what that needs; return its programs."""
    venv = folder / "venv"
    run(python, "-m", "venv", venv, cwd=folder)
    pip = [venv / "bin/python", "-m", "pip", "--disable-pip-version-check", "-qq"]
    lock = CHECKOUT / "requirements" / "run.txt"
    run(*pip, "install", "--require-hashes", "--requirement", lock, cwd=folder)
    run(*pip, "install", "--no-deps", wheel, cwd=folder)
    # What the wheel says that it needs is what the lock holds.
    run(*pip[:3], "check", cwd=folder)
    return venv / "bin"


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


def hello_from(programs: Path, folder: Path) -> str:
    """What the application answers under ``brim run``."""
    (folder / "hello.py").write_text(HELLO, encoding="utf-8")
    port = free_port()
    command: list[str | Path] = [programs / "brim", "--app", "hello", "run", "--port", str(port)]
    with served(command, port, folder) as text:
        return text


def test_the_wheel_is_pure_python_and_typed(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "brim/py.typed" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"brim"}
    in_source = {
        path.relative_to(CHECKOUT / "src").as_posix()
        for path in (CHECKOUT / "src").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in COMPILED
    }
    assert in_source <= set(names)
    assert not COMPILED & {Path(name).suffix for name in names}


def test_what_a_checkout_has_compiled_is_not_in_the_wheel_of_its_sources(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, checkout)
    shutil.copytree(CHECKOUT / "src", checkout / "src")
    for name in ("ctx", "doors/wsgi"):
        (checkout / "src/brim" / f"{name}{EXTENSION_SUFFIXES[0]}").touch()
    with zipfile.ZipFile(build_wheel(UV, tmp_path / "dist", checkout)) as archive:
        names = archive.namelist()
    assert "brim/ctx.py" in names
    assert not COMPILED & {Path(name).suffix for name in names}


def test_the_compiled_wheel_is_the_other_one_and_the_compiled_modules(
    wheel: Path, compiled_wheel: Path
) -> None:
    name, version, *tags = compiled_wheel.stem.split("-")
    assert [name, version] == wheel.stem.split("-")[:2]
    assert tags[0] == "cp{}{}".format(*sys.version_info[:2])
    assert "none" not in tags and "any" not in tags
    with zipfile.ZipFile(wheel) as archive:
        expected = set(archive.namelist())
    expected |= {f"brim/{module}{EXTENSION_SUFFIXES[0]}" for module in compiling.MODULES}
    with zipfile.ZipFile(compiled_wheel) as archive:
        assert set(archive.namelist()) == expected
        (about,) = [name for name in expected if name.endswith("/WHEEL")]
        assert f"Tag: {'-'.join(tags)}\n" in (text := archive.read(about).decode())
        assert "Root-Is-Purelib: false\n" in text


def test_a_compiled_wheel_is_kept_for_the_same_sources_and_no_others(
    wheel: Path, compiled_wheel: Path, tmp_path: Path
) -> None:
    pure = Path(shutil.copy(wheel, tmp_path))
    made = Path(shutil.copy2(compiled_wheel, tmp_path))
    began = made.stat().st_mtime_ns
    assert compiling.compiled_wheel(pure) == made
    assert made.stat().st_mtime_ns == began

    run(sys.executable, "-m", "wheel", "unpack", wheel, cwd=tmp_path)
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    with (unpacked / "brim/ctx.pxd").open("a", encoding="utf-8") as types:
        types.write("# edited\n")
    run(sys.executable, "-m", "wheel", "pack", unpacked, cwd=tmp_path)
    assert compiling.sources_of(made) != compiling.sources_of(pure)


@pytest.mark.parametrize("version", pythons.SUPPORTED)
def test_an_unmodified_flask_app_runs_from_an_installed_wheel(
    version: str, wheel: Path, tmp_path: Path
) -> None:
    if (python := pythons.find(version)) is None:
        pytest.skip(f"no Python {version} on this machine")
    programs = environment_with(python, wheel, tmp_path)
    assert hello_from(programs, tmp_path) == "Hello from brim.app"


def test_an_unmodified_flask_app_runs_from_an_installed_compiled_wheel(
    compiled_wheel: Path, tmp_path: Path
) -> None:
    python = pythons.find("{}.{}".format(*sys.version_info[:2]))
    assert python is not None
    programs = environment_with(python, compiled_wheel, tmp_path)
    assert "(compiled)" in run(programs / "brim", "--version", cwd=tmp_path)
    assert hello_from(programs, tmp_path) == "Hello from brim.app"
    (tmp_path / "both.py").write_text(BOTH_DOORS, encoding="utf-8")
    assert run(programs / "python", "both.py", cwd=tmp_path).splitlines() == [
        "wsgi: Hello from brim.app",
        "asgi: Hello from brim.app",
        f"ctx{EXTENSION_SUFFIXES[0]}",
        f"wsgi{EXTENSION_SUFFIXES[0]}",
    ]
