from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from brim import Flask
from brim.cli import FlaskGroup
from tests.cli.support import SOURCE, brim_program, on_terminal, run

APP = """\
from flask import Flask
app = Flask(__name__)
app.shell_context_processor(lambda: {"added": "by the app"})
"""

DATABASE = """\
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
db = SQLAlchemy(app)

def model(name, table):
    columns = {"__tablename__": table, "id": db.mapped_column(db.Integer, primary_key=True)}
    return type(name, (db.Model,), {**columns, "__qualname__": f"{table}.{name}"})

models = [model("Note", "notes"), model("Tag", "one"), model("Tag", "two"), model("User", "users")]
app.shell_context_processor(lambda: {"User": "the app's own", "Tag": models[2]})
"""


@pytest.fixture
def plain(folder: Path) -> dict[str, str]:
    """The environment of a process in which IPython can't be imported."""
    (folder / "hidden" / "IPython").mkdir(parents=True)
    (folder / "hidden" / "IPython" / "__init__.py").write_text("raise ImportError")
    return {"PYTHONPATH": f"{folder / 'hidden'}{os.pathsep}{SOURCE}"}


@pytest.fixture
def ipython(folder: Path) -> dict[str, str]:
    """The environment of a process whose IPython keeps its files in the test's folder."""
    return {"IPYTHONDIR": str(folder / "ipython"), "NO_COLOR": "1", "TERM": "dumb"}


# A script ----------------------------------------------------------------------------


def test_a_script_runs_within_the_application(folder: Path) -> None:
    (folder / "app.py").write_text(APP)
    script = (
        "def name():\n    return app.name\nprint(name(), g is not None, added, __name__)\n1 + 1"
    )
    done = brim_program("shell", stdin=script)
    assert (done.returncode, done.stdout) == (0, "app True by the app __main__\n"), done.stderr
    assert done.stderr == ""


def test_an_error_ends_a_script_with_its_own_frames_and_1(folder: Path) -> None:
    (folder / "app.py").write_text(APP)
    done = brim_program("shell", stdin="print(1)\ndef f():\n    1 / 0\nf()\nprint(2)\n")
    assert (done.returncode, done.stdout) == (1, "1\n")
    lines = done.stderr.splitlines()
    assert lines[:3] == [
        "Traceback (most recent call last):",
        '  File "<stdin>", line 4, in <module>',
        "    f()",
    ]
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert brim_program("shell", stdin="import sys; sys.exit(3)").returncode == 3
    wrong = brim_program("shell", stdin="x = = 1")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith('  File "<stdin>", line 1\n')


# Python's own prompt -----------------------------------------------------------------


def test_the_prompt_has_the_apps_names_and_runs_the_startup_file(folder: Path) -> None:
    (folder / "app.py").write_text(APP)
    (folder / "startup.py").write_text("started, added = 'by the file', 'never'")
    code = "print(app.name, g is not None, added, started)\n'shown'\n"
    done = brim_program("shell", "--plain", stdin=code, PYTHONSTARTUP="startup.py")
    assert "app True by the app by the file" in done.stdout
    assert "'shown'" in done.stdout
    banner = f"App: app\nInstance: {folder / 'instance'}\nNames: added, app, g\n"
    assert banner in done.stderr


def test_an_error_in_the_startup_file_is_shown_and_the_prompt_opens(folder: Path) -> None:
    (folder / "app.py").write_text(APP)
    (folder / "startup.py").write_text("1 / 0")
    done = brim_program("shell", "--plain", stdin="print(added)", PYTHONSTARTUP="startup.py")
    assert done.stderr.startswith('Traceback (most recent call last):\n  File "startup.py"')
    assert "by the app" in done.stdout
    assert done.returncode == 0


def test_the_prompt_works_without_line_editing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    group = FlaskGroup(create_app=lambda: app)
    set_up: list[bool] = []
    monkeypatch.setattr(sys, "__interactivehook__", lambda: set_up.append(True), raising=False)
    monkeypatch.setitem(sys.modules, "readline", None)
    run(group, "shell", "--plain")
    assert set_up == [True]
    monkeypatch.delattr(sys, "__interactivehook__")
    run(group, "shell", "--plain")
    assert set_up == [True]


def test_the_prompt_is_pythons_own_where_there_is_no_ipython(
    folder: Path, plain: dict[str, str]
) -> None:
    (folder / "app.py").write_text(APP)
    lines = on_terminal("shell", send="print(added)\nexit()\n", columns=80, **plain)
    assert "by the app" in lines
    assert "IPython" not in "".join(lines)


# IPython -----------------------------------------------------------------------------


def test_ipython_has_the_apps_names_and_runs_the_startup_file(
    folder: Path, ipython: dict[str, str]
) -> None:
    (folder / "app.py").write_text(APP)
    (folder / "startup.py").write_text("started, added = 'by the file', 'never'")
    code = (
        "print(app.name, g is not None, added, started)\n"
        "import asyncio\n"
        "from flask import current_app\n"
        "await asyncio.sleep(0, f'awaited in {current_app.name}')\n"
    )
    done = brim_program("shell", "--ipython", stdin=code, PYTHONSTARTUP="startup.py", **ipython)
    assert done.returncode == 0
    assert "IPython" in done.stdout
    assert f"App: app\nInstance: {folder / 'instance'}\nNames: added, app, g\n" in done.stdout
    assert "app True by the app by the file" in done.stdout
    assert "'awaited in app'" in done.stdout


def test_ipython_opens_on_a_terminal(folder: Path, ipython: dict[str, str]) -> None:
    (folder / "app.py").write_text(APP)
    lines = on_terminal("shell", send="exit()\n", columns=80, **ipython)
    assert any(line.startswith("IPython ") for line in lines)
    assert "App: app" in lines


def test_ipython_that_is_asked_for_and_missing_is_told(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)
    result = run(FlaskGroup(create_app=lambda: app), "shell", "--ipython", code=2)
    assert "pip install ipython" in result.stderr


# Models ------------------------------------------------------------------------------


def test_models_are_there_and_none_of_two_with_one_name_is_lost(folder: Path) -> None:
    (folder / "app.py").write_text(DATABASE)
    done = brim_program("shell", "--plain", stdin="print(db, Note.__tablename__, User, added)\n")
    assert "Names: User, app, db, g\nModels: Note, Tag\n" in done.stderr
    warning = "'Tag' is app.two.Tag. There is app.one.Tag too: import it if that is the one"
    assert warning in done.stderr
    done = brim_program("shell", stdin="print(db, Note.__tablename__, User, Tag.__tablename__)")
    assert done.stdout == "<SQLAlchemy sqlite://> notes the app's own two\n"
    assert warning in done.stderr
