"""The tutorial leads where it says: who does what its pages show ends with examples/journal.

The pages are followed in one folder, from the first to the last, as the first of them explains:

- a block with a caption is saved under that name: a whole file, or a part that is added to one;
- commands, in blocks of ``shell-session``, are run, and what they print is what is shown;
- a server answers what ``curl`` asks on its page;
- what is typed into a shell, in blocks of ``pycon``, is run as well;
- at the end of each page, every link of the application leads somewhere.

(``tests/test_docs.py`` runs ``python`` and ``console``, whose blocks stand by themselves.)
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.processes import free_port

pytestmark = pytest.mark.wsgi("the tutorial's commands, in processes of their own")

code = pytest.importorskip("sphinx.directives.code", reason="`make test` installs it")

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs/tutorial"
JOURNAL = ROOT / "examples/journal"
FENCED = re.compile(
    r"^```(?:\{(?P<directive>[\w-]+)\} )?(?P<argument>\S+)\n"
    r"(?P<options>(?::[\w-]+:[^\n]*\n)*)\n?(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
OPTION = re.compile(r"^:([\w-]+): ?(.*)$", re.MULTILINE)
#: Left to the reader: commands that install, that ask, or that are about a server elsewhere.
LEFT_OUT = re.compile(r"python -m (venv|pip)\b|\. |brim \S+ \S+ shell$|export |gunicorn ")
SERVER = re.compile(r"brim --app journal run\b")
#: Functions that an early page shows shorter than they will be.
GROWING = {"create_app", "show", "new"}

#: Follows all links, as a visitor and as somebody who has logged in.
CRAWLER = """
import re
from journal import create_app

client = create_app().test_client()
links = re.compile(r'(?:href|src)="(/[^"]*)"')

def crawl():
    seen, ahead = set(), {"/"}
    while ahead:
        link = ahead.pop()
        seen.add(link)
        answer = client.get(link, follow_redirects=True, buffered=True)
        assert answer.status_code == 200, (link, answer.status)
        if answer.mimetype == "text/html":
            ahead |= set(links.findall(answer.text)) - seen
    return len(seen)

crawl()
login = client.get("/accounts/login")
if login.status_code == 200:
    token = re.search('name="csrf_token".*?value="(.*?)"', login.text)[1]
    sent = {"name": "ada", "password": "correct horse", "csrf_token": token}
    assert client.post("/accounts/login", data=sent).status_code == 302
    assert crawl() > 20
"""

#: Runs what is typed into a shell; doctest prints what came out otherwise.
TYPED = """
import doctest, sys
from journal import create_app

app = create_app()
with app.app_context():
    test = doctest.DocTestParser().get_doctest(
        sys.stdin.read(), app.make_shell_context(), "shell", None, None
    )
    assert test.examples
    sys.exit(doctest.DocTestRunner().run(test).failed)
"""


@dataclass(frozen=True)
class Block:
    """A block of a page. A caption is the name of the file that its text belongs to."""

    language: str
    text: str
    caption: str | None
    #: What it shows of a file of the example: all of it, or None for what is typed on the page.
    source: Path | None
    whole: bool


def pages() -> list[str]:
    toctree = re.search(r"```\{toctree\}\n(?::.*\n)*\n(.*?)```", read("index"), re.DOTALL)
    assert toctree
    return toctree[1].split()


def read(page: str) -> str:
    return (TUTORIAL / f"{page}.md").read_text(encoding="utf-8")


def blocks_of(page: str) -> Iterator[Block]:
    for found in FENCED.finditer(read(page)):
        options = dict(OPTION.findall(found["options"]))
        language = options.pop("language", found["argument"])
        # Underscores would be emphasis, so the page escapes them.
        caption = options.pop("caption", "").replace("\\", "") or None
        if found["directive"] == "literalinclude":
            source = (TUTORIAL / found["argument"]).resolve()
            text = shown_of(source, options)
            yield Block(source.suffix, text, caption, source, whole=not options)
        else:
            whole = language != "python" or found["text"].startswith('"""')
            yield Block(language, found["text"], caption, None, whole)


def shown_of(source: Path, options: dict[str, str]) -> str:
    """What Sphinx includes for these options."""
    chosen = {k: ast.literal_eval(v) if v[:1] == '"' else v for k, v in options.items()}
    chosen = {k: v or None for k, v in chosen.items()}
    config = SimpleNamespace(source_encoding="utf-8")
    text: str = code.LiteralIncludeReader(str(source), chosen, config).read()[0]
    return text


def save(block: Block, folder: Path) -> None:
    """Do with a captioned block what a reader does."""
    assert block.caption
    file = folder / block.caption
    file.parent.mkdir(parents=True, exist_ok=True)
    text = block.text
    if not block.whole and file.exists():
        before = file.read_text(encoding="utf-8")
        text = merged(before, text) if file.suffix == ".py" else before + text
    file.write_text(text, encoding="utf-8")


def named(module: ast.Module) -> dict[str, ast.stmt]:
    """The functions and classes of a file."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name: node for node in module.body if isinstance(node, kinds)}


def merged(before: str, part: str) -> str:
    """A file after a part was added. A top replaces the top, a function the one of its name."""
    old, new = ast.parse(before), ast.parse(part)
    known, added = named(old), named(new)
    top = [node for node in new.body if node not in added.values()]
    if not top:
        top = [node for node in old.body if node not in known.values()]
    return ast.unparse(ast.Module(top + list({**known, **added}.values()), []))


def same(one: str, other: str) -> bool:
    """Whether two files of Python say the same, in whatever order and layout."""
    first, second = (sorted(map(ast.dump, ast.parse(text).body)) for text in (one, other))
    return first == second


def run(folder: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    outer = {k: v for k, v in os.environ.items() if not k.startswith(("JOURNAL_", "PYTEST_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{outer['PATH']}"
    return subprocess.run(
        words,
        cwd=folder,
        env={**outer, "PATH": path, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )


def commands_of(block: Block) -> Iterator[tuple[str, str]]:
    for shown in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = shown.partition("\n")
        if not LEFT_OUT.match(command):
            yield command, output


def check(page: str, command: str, output: str, folder: Path) -> None:
    """Run a command; three dots stand for lines that are not shown."""
    done = run(folder, "bash", "-c", command)
    where = f"{page}: $ {command}\n{done.stdout}"
    if output:
        pattern = re.escape(output.rstrip()).replace(re.escape("...\n"), "(?:.*\n)*?")
        matches = bool(re.fullmatch(pattern, done.stdout.rstrip()))
        assert matches, where
    else:
        assert done.returncode == 0, where


@contextmanager
def serving(folder: Path, command: str) -> Iterator[str]:
    """A server that a page starts; its address is yielded."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", *command.split(), "--port", str(port)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not listening(port):
            assert server.poll() is None, f"{command} ended"
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        # The program that the reloader starts is of the same group.
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=20)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def follow(page: str, folder: Path) -> None:
    """Do what one page says, from top to bottom."""
    server = ""
    for block in blocks_of(page):
        if block.caption:
            save(block, folder)
        elif block.language == "pycon":
            done = run(folder, sys.executable, "-c", TYPED, typed=block.text)
            assert done.returncode == 0, f"{page}:\n{done.stdout}"
        elif block.language == "shell-session":
            commands = list(commands_of(block))
            server = next((command for command, _ in commands if SERVER.match(command)), server)
            if any(command.startswith("curl ") for command, _ in commands):
                ask(page, server, commands, folder)
            else:
                for command, output in commands:
                    if command != server:
                        check(page, command, output, folder)
    if server:
        done = run(folder, sys.executable, "-c", CRAWLER)
        assert done.returncode == 0, f"{page}: a link leads nowhere.\n{done.stdout}"


def ask(page: str, server: str, commands: list[tuple[str, str]], folder: Path) -> None:
    """Ask the server that the page has started."""
    if shutil.which("curl"):
        with serving(folder, server) as address:
            for command, output in commands:
                asked = command.replace("curl", "curl -sS", 1)
                check(page, asked.replace("127.0.0.1:5000", address), output, folder)


@pytest.mark.once
def test_a_reader_who_follows_it_ends_with_the_example(tmp_path: Path) -> None:
    (tmp_path / "brim").symlink_to(ROOT)
    folder = tmp_path / "my-journal"
    folder.mkdir()
    for page in pages():
        follow(page, folder)

    for part in "journal", "migrations":
        for file in sorted((JOURNAL / part).rglob("*")):
            name = file.relative_to(JOURNAL)
            if file.is_file() and "__pycache__" not in name.parts and "versions" not in name.parts:
                assert (folder / name).is_file(), f"No page has {name}."
                made, final = (path.read_text(encoding="utf-8") for path in (folder / name, file))
                equal = same(made, final) if file.suffix == ".py" else made == final
                assert equal, f"{name} ends otherwise than in examples/journal."


def test_what_it_shows_early_of_a_file_stays_true() -> None:
    """Functions that are typed on a page are those of the example, but for some that grow."""
    typed = [b for page in pages() for b in blocks_of(page) if b.caption and b.source is None]
    compared = 0
    for block in typed:
        if block.language == "python" and block.caption:
            final = named(ast.parse((JOURNAL / block.caption).read_text(encoding="utf-8")))
            for name, node in named(ast.parse(block.text)).items():
                if name not in GROWING:
                    assert ast.dump(node) == ast.dump(final[name]), (block.caption, name)
                    compared += 1
    assert compared


def test_every_file_of_the_application_is_shown() -> None:
    shown = {block.source for page in pages() for block in blocks_of(page)}
    programs = {file for file in (JOURNAL / "journal").rglob("*.py") if len(named(parsed(file)))}
    assert programs <= shown


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def test_every_page_of_the_tutorial_is_in_its_order_and_leads_to_the_next() -> None:
    order = pages()
    assert {file.stem for file in TUTORIAL.glob("*.md")} == {"index", *order}
    for page, following in zip(order, order[1:], strict=False):
        assert re.search(rf"Next:\s+\{{doc\}}`{following}`\.\n$", read(page)), page
