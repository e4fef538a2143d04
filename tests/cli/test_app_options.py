from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path

import click
import pytest

import brim
from brim import Flask, current_app
from brim import cli as cli_module
from brim.cli import FlaskGroup, cli
from tests.cli.support import HELLO, brim_program, run


def test_version_tells_of_all_that_matters() -> None:
    output = run(cli, "--version").output
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}." in output
    # Of modules that are compiled: tests/test_wheel.py.
    compiled = "" if str(brim.ctx.__file__).endswith(".py") else " (compiled)"
    assert f"Brim {brim.__brim_version__}{compiled}\n" in output
    assert "Flask 3.1.3" in output
    assert f"Werkzeug {importlib.metadata.version('werkzeug')}" in output


def test_get_version_prints_nothing_where_it_is_not_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    param = click.Option(["--version"])
    with click.Context(cli, resilient_parsing=True) as ctx:
        cli_module.get_version(ctx, param, True)
    with click.Context(cli) as ctx:
        cli_module.get_version(ctx, param, False)
    assert capsys.readouterr().out == ""


def test_dotenv_files_name_the_app_and_the_environment_wins(folder: Path) -> None:
    (folder / "one.py").write_text(HELLO)
    (folder / "two.py").write_text(HELLO)
    (folder / ".env").write_text("BRIM_APP=two\n")
    (folder / ".flaskenv").write_text("FLASK_APP=one\n")
    assert brim_program("greet").stdout == "hello from two\n"
    assert brim_program("greet", BRIM_APP="one").stdout == "hello from one\n"
    (folder / "file").write_text("BRIM_APP=one\n")
    assert brim_program("-e", "file", "greet").stdout == "hello from one\n"
    assert brim_program("greet", FLASK_SKIP_DOTENV="1").returncode == 2


@pytest.mark.parametrize(
    ("args", "env", "debug"),
    [
        ([], {}, False),
        (["--debug"], {}, True),
        ([], {"FLASK_DEBUG": "1"}, True),
        ([], {"FLASK_DEBUG": "0", "BRIM_DEBUG": "1"}, True),
        (["--no-debug"], {"FLASK_DEBUG": "1", "BRIM_DEBUG": "1"}, False),
    ],
)
def test_debug_mode_comes_from_the_option_then_the_environment(
    args: list[str], env: dict[str, str], debug: bool
) -> None:
    group = FlaskGroup(create_app=lambda: Flask("a"))

    @group.command()
    def show() -> None:
        click.echo(current_app.debug)

    assert run(group, *args, "show", **env).output == f"{debug}\n"
    assert not any(name.startswith(("FLASK_", "BRIM_")) for name in os.environ)


def test_options_of_any_command_come_from_the_environment(app: Flask) -> None:
    @app.cli.command("say-it")
    @click.option("--loud-word")
    def say_it(loud_word: str) -> None:
        click.echo(loud_word)

    group = FlaskGroup(create_app=lambda: app)
    assert run(group, "say-it", FLASK_SAY_IT_LOUD_WORD="f").output == "f\n"
    both = {"FLASK_SAY_IT_LOUD_WORD": "f", "BRIM_SAY_IT_LOUD_WORD": "b"}
    assert run(group, "say-it", **both).output == "b\n"
    assert run(group, "say-it", "--loud-word", "o", **both).output == "o\n"


def test_an_env_file_needs_python_dotenv(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "env").write_text("X=1")
    monkeypatch.setitem(sys.modules, "dotenv", None)
    assert "pip install python-dotenv" in run(cli, "-e", "env", "routes", code=2).stderr


def test_a_group_may_leave_dotenv_files_alone(folder: Path) -> None:
    (folder / ".env").write_text("FLASK_ROUTES_SORT=nonsense")
    create_app = lambda: Flask("a")  # noqa: E731
    run(FlaskGroup(create_app=create_app, load_dotenv=False), "routes")
    run(FlaskGroup(create_app=create_app), "routes", code=2)
