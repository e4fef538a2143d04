"""The documentation is true: its code runs, its commands print what it shows, it is complete."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import brim
from scripts import links
from tests.processes import first_answer, free_port

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

FENCED = re.compile(
    r"^( *)```(?:\{code-block\} )?(\w+)\n(?: *:caption: ([^\n]+)\n\n)?(.*?)^\1```$",
    re.MULTILINE | re.DOTALL,
)
#: Commands that a test leaves to the reader: they install, they ask, or they run for minutes.
LEFT_OUT = re.compile(
    r"(python -m )?(pip install|venv)\b|\. \.venv/|make |(brim|python -m brim)\b.* shell\b"
)
#: Commands that serve until they are stopped.
SERVERS = re.compile(
    r"(brim|python -m brim)( .*)? (run|serve)\b"
    r"|(gunicorn|granian|waitress-serve|uvicorn|hypercorn|daphne) "
)
#: All others that a page may show.
RUN = re.compile(r"([A-Z]+=\S+ )*(brim|pytest|python|sed) ")


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
        code = textwrap.dedent(found[4])
        yield Block(found[2], found[3], code, text.count("\n", 0, found.start(4)))


PAGES = {
    page.relative_to(ROOT).as_posix(): list(blocks_of(page))
    for page in sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
    if "_build" not in page.parts
}


def environ(folder: Path, **variables: str) -> dict[str, str]:
    """The environment of a command that a page shows."""
    return {
        **os.environ,
        "HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        # The tests of the examples have a run of their own.
        "PYTEST_ADDOPTS": "-p no:cacheprovider --ignore=examples",
        **variables,
    }


def run(folder: Path, command: str) -> str:
    """What a command prints in a folder; a warning of Python's is an error."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environ(folder, PYTHONWARNINGS="error"),
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
    ignored = shutil.ignore_patterns("__pycache__", "instance", ".*_cache")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=ignored)
    for block in PAGES[page]:
        if block.caption:
            file = tmp_path / block.caption
            file.parent.mkdir(parents=True, exist_ok=True)
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
    run(folder, "python page.py")


def commands() -> Iterator[tuple[str, str, str]]:
    """Each command that a page shows, with what it prints there."""
    for page, blocks in PAGES.items():
        for block in blocks:
            if block.language == "console":
                for shown in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                    command, _, output = shown.partition("\n")
                    yield page, command, output


COMMANDS = [c for c in commands() if not LEFT_OUT.match(c[1])]


def test_every_command_that_a_page_shows_is_of_a_kind_that_is_run() -> None:
    """One of another kind is a mistake, or wants a word in the patterns above."""
    unknown = [(page, c) for page, c, _ in COMMANDS if not (SERVERS.match(c) or RUN.match(c))]
    assert unknown == []


@pytest.mark.parametrize(
    ("page", "command", "output"), [c for c in COMMANDS if not SERVERS.match(c[1])]
)
def test_a_command_prints_what_a_page_shows(
    page: str, command: str, output: str, folder: Path
) -> None:
    """What pytest prints has times in it, so pages don't show it."""
    printed = run(folder, command)
    if command.startswith("pytest"):
        assert " passed" in printed
    else:
        assert printed == output


@pytest.mark.parametrize(("page", "command"), [c[:2] for c in COMMANDS if SERVERS.match(c[1])])
def test_a_server_that_a_page_starts_answers(page: str, command: str, folder: Path) -> None:
    port = free_port()
    # What is said last counts, over what a page says and over Gunicorn's file.
    where = f"--port {port}"
    if command.startswith("gunicorn"):
        where = f"--bind 127.0.0.1:{port}"
    elif command.startswith(("waitress", "hypercorn")):
        # They listen at each place that is named.
        command, where = re.sub(r"(127\.0\.0\.1):\d+", rf"\1:{port}", command), ""
    log = folder / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            ["bash", "-c", f"exec {command} {where}"],
            cwd=folder,
            env=environ(folder),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        answer = first_answer(port, server)
        assert answer is not None, log.read_text()
        assert answer[0] == 200
    finally:
        server.terminate()
        # Granian doesn't hear of it while its other workers start.
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=3)
        # Workers, and the program that a reloader starts, are of its group.
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


#: Pages that show a file of tests without the command that runs it.
TESTED = [
    page
    for page, blocks in PAGES.items()
    if any((block.caption or "").startswith("test_") for block in blocks)
    and not any(page == shown and "pytest" in command for shown, command, _ in COMMANDS)
]


@pytest.mark.parametrize("page", TESTED)
def test_the_tests_that_a_page_shows_pass(page: str, folder: Path) -> None:
    assert " passed" in run(folder, "python -m pytest -q")


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


@pytest.mark.once
def test_the_pages_build_without_a_warning_and_their_links_lead_somewhere(tmp_path: Path) -> None:
    """Warned of are links and tests that aren't there, and public names on no page."""
    pytest.importorskip("sphinx", reason="`make test` installs it")
    command = ["-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(tmp_path)]
    variables = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, *command], env=variables, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert list(links.broken(tmp_path)) == []
    # What the search box looks in.
    index = (tmp_path / "searchindex.js").read_text(encoding="utf-8")
    terms = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))["terms"]
    assert terms.keys() >= {"proxyfix", "gunicorn", "upload"}
