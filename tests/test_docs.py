"""The documentation is true: its code runs, its commands print what it shows, it is complete."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import brim

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

FENCED = re.compile(
    r"^```(?:\{code-block\} )?(\w+)\n(?::caption: ([^\n]+)\n\n)?(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
#: Commands of Brim's that would not end.
ENDLESS = re.compile(r"\b(run|shell)\b")


@dataclass(frozen=True)
class Block:
    """A block of code on a page; with a caption it is a file of that name."""

    language: str
    caption: str | None
    text: str
    line: int


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in FENCED.finditer(text):
        yield Block(found[1], found[2], found[3], text.count("\n", 0, found.start(3)))


PAGES = {
    page.relative_to(ROOT).as_posix(): list(blocks_of(page))
    for page in sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
    if "_build" not in page.parts
}


def run(folder: Path, *arguments: str) -> str:
    """What Python prints when it is run in a folder; warnings are errors in it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def folder(page: str, tmp_path: Path) -> Path:
    """A folder with the files that a page shows, and the examples."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for block in PAGES[page]:
        if block.caption:
            file = tmp_path / block.caption
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
    return tmp_path


def programs() -> dict[str, str]:
    """The Python of each page, as one program whose lines are numbered as on the page."""
    found: dict[str, str] = {}
    for page, blocks in PAGES.items():
        program = ""
        for block in blocks:
            if block.language == "python" and block.caption is None:
                program += "\n" * (block.line - program.count("\n")) + block.text
        if program:
            found[page] = program
    return found


@pytest.mark.parametrize(("page", "program"), list(programs().items()), ids=list(programs()))
def test_the_python_of_a_page_runs(page: str, program: str, folder: Path) -> None:
    (folder / "page.py").write_text(program, encoding="utf-8")
    run(folder, "page.py")


def commands() -> Iterator[tuple[str, str, str]]:
    """Each command of Brim's that a page shows, with what it prints there."""
    for page, blocks in PAGES.items():
        for block in blocks:
            if block.language == "console":
                for shown in block.text.split("$ ")[1:]:
                    command, _, output = shown.partition("\n")
                    if command.startswith("brim ") and not ENDLESS.search(command):
                        yield page, command, output


@pytest.mark.parametrize(("page", "command", "output"), list(commands()))
def test_a_command_prints_what_a_page_shows(
    page: str, command: str, output: str, folder: Path
) -> None:
    assert run(folder, "-m", *shlex.split(command)) == output


@pytest.mark.parametrize("page", ["docs/quickstart.md", "docs/howto/testing.md"])
def test_the_tests_that_a_page_shows_pass(page: str, folder: Path) -> None:
    assert "1 passed" in run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.parametrize("cls", [brim.Request, brim.Response])
def test_what_werkzeug_gives_is_listed(cls: type) -> None:
    """Public attributes that Brim's classes have from Werkzeug's are in the tables."""
    text = (DOCS / "reference/api/http.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`(\w+)(?:\(\))?`", text))
    for name in dir(cls):
        owner = next(base for base in cls.__mro__ if name in vars(base))
        if not name.startswith("_") and owner.__module__.startswith("werkzeug."):
            assert name in listed


def test_every_type_alias_is_listed() -> None:
    source = (ROOT / "src/brim/typing.py").read_text(encoding="utf-8")
    aliases = set(re.findall(r"^([A-Za-z]\w+) = ", source, re.MULTILINE))
    text = (DOCS / "reference/api/typing.md").read_text(encoding="utf-8")
    assert aliases - set(re.findall(r"`(\w+)`", text)) == set()


def test_the_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    """Warned of are links and tests that aren't there, and public names on no page."""
    pytest.importorskip("sphinx", reason="`make test` installs it")
    command = ["-m", "sphinx", "-q", "-W", "--keep-going", "-b", "dummy", str(DOCS), str(tmp_path)]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, *command], env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
