"""Changes that are easily missed, and states that a server is not to be left in."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from brim.devserver.supervisor import how_ended
from tests.devserver.conftest import Start
from tests.devserver.server import Server, save, until
from tests.devserver.test_supervisor import APP, RUN


def test_an_installed_module_that_imports_the_apps_is_never_behind(
    tmp_path: Path, start: Start
) -> None:
    installed = tmp_path / "first" / "site-packages"
    installed.mkdir(parents=True)
    (installed / "library.py").write_text("from settings import value\n")
    settings = tmp_path / "settings.py"
    settings.write_text("value = 'one'")
    app = "from library import value\n" + APP.replace('"{}"', "value")
    (tmp_path / "hello.py").write_text(app)
    server = start(*RUN, PYTHONPATH=str(installed))
    assert server.get() == (200, "one")
    for word in ("two", "three", "four"):
        assert server.after(settings, f"value = '{word}'", word) == 200
        assert server.get() == (200, word)


def served_shop(folder: Path, start: Start) -> tuple[Path, Path, Server]:
    """Serve an application that imports a package; return its file, the package and the server."""
    file = folder / "hello.py"
    shop = folder / "shop"
    shop.mkdir()
    (shop / "__init__.py").touch()
    file.write_text("import shop\n" + APP.format("one"))
    server = start(*RUN)
    assert server.get() == (200, "one")
    return file, shop, server


def test_what_an_app_waits_for_is_noticed(tmp_path: Path, start: Start) -> None:
    file, shop, server = served_shop(tmp_path, start)
    # A file of any kind that could not be opened.
    assert server.after(file, "open('schema.sql')\n" + APP.format("two"), "schema.sql") == 500
    (tmp_path / "schema.sql").touch()
    assert server.until("two") == 200
    # A folder that comes back, with files as old as they were.
    shop.rename(tmp_path / "elsewhere")
    assert server.after(file, "import shop\n" + APP.format("three"), "No module named") == 500
    (tmp_path / "elsewhere").rename(shop)
    assert server.until("three") == 200


def test_what_comes_while_its_want_is_not_known_yet_is_noticed(
    tmp_path: Path, start: Start
) -> None:
    file, shop, server = served_shop(tmp_path, start)
    # It comes at the last moment of the load, and is heard of before that has failed.
    late = "except {0}:\n    {1}\n    import time\n    time.sleep(0.3)\n    raise\n"
    text = "try:\n    open('schema.sql')\n" + late.format("OSError", "open('schema.sql', 'w')")
    assert server.after(file, text + APP.format("two"), "two") == 200
    shop.rename(tmp_path / "elsewhere")
    text = "import os\ntry:\n    import shop\n"
    text += late.format("ImportError", "os.rename('elsewhere', 'shop')")
    assert server.after(file, text + APP.format("three"), "three") == 200


@pytest.mark.parametrize(
    "text", ["import os\nopen(f'run-{os.getpid()}.lock')\n", "import os\nos.mkdir('data/x')\n"]
)
def test_a_load_that_fails_is_not_tried_again_by_itself(
    tmp_path: Path, start: Start, text: str
) -> None:
    file = tmp_path / "hello.py"
    file.write_text(text)
    server = start(*RUN)
    assert server.until("Error") == 500
    # Time for what should not happen.
    time.sleep(2)
    assert server.restarts == [], server.output
    assert server.after(file, APP.format("two"), "two") == 200


def test_a_load_that_never_ends_is_ended_by_its_mend(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "hello.py"
    file.write_text(APP.format("one"))
    server = start(*RUN)
    save(file, "print('loading', flush=True)\nwhile True: pass\n")
    server.says("loading")
    assert server.after(file, APP.format("two"), "two") == 200


def test_a_named_file_of_variables_counts(tmp_path: Path, start: Start) -> None:
    variables = tmp_path / "shop.env"
    variables.write_text("SHOP=one")
    app = "import os\n" + APP.replace('"{}"', "os.environ['SHOP']")
    (tmp_path / "hello.py").write_text(app)
    server = start("-m", "brim", "-e", "shop.env", *RUN[2:])
    assert server.get() == (200, "one")
    for word in ("two", "three"):
        assert server.after(variables, f"SHOP={word}", word) == 200


def test_a_process_that_dies_at_its_start_is_told_of(tmp_path: Path, start: Start) -> None:
    (tmp_path / "hello.py").write_text("import os\nos.kill(os.getpid(), 11)")
    server = start(*RUN)
    assert server.process.wait() == 128 + signal.SIGSEGV
    assert "The application's process ended by SIGSEGV at its start." in server.output


def test_how_a_process_ended_can_be_said_of_any_status() -> None:
    assert how_ended(3) == "with status 3"
    assert how_ended(-9) == "by SIGKILL"
    assert how_ended(-35) == "by signal 35"


def test_a_prompt_that_is_cut_off_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "hello.py"
    file.write_text(APP.replace("return", "breakpoint()\n    return").format("one"))
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [sys.executable, *RUN],
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    said: list[str] = []

    def read() -> None:
        while True:
            try:
                said.append(os.read(ours, 4096).decode(errors="replace"))
            except OSError:
                return

    def ask(url: str) -> None:
        try:
            urllib.request.urlopen(url, timeout=20).close()
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()

    def shown(text: str, times: int = 1) -> bool:
        return "".join(said).count(text) >= times

    reader = threading.Thread(target=read)
    reader.start()
    try:
        until(lambda: shown("Press CTRL+C"), lambda: "".join(said))
        url = "".join(said).partition("Running on ")[2].split()[0]
        visitor = threading.Thread(target=ask, args=(url,))
        visitor.start()
        # Line editing, which Python's prompt turns on, turns echo off.
        until(lambda: shown("(Pdb)"), lambda: "".join(said))
        until(lambda: termios.tcgetattr(theirs) != before)
        save(file, APP.format("two"))
        until(lambda: termios.tcgetattr(theirs) == before, lambda: "".join(said))
        visitor.join()
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
        os.close(theirs)
        reader.join()
        os.close(ours)
