from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from brim import Blueprint, Flask, current_app
from brim.cli import BrimGroup, FlaskGroup, ScriptInfo, cli
from tests.cli.support import HELLO, SOURCE, brim_program, run

# Help


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (["--app", "hello", "--help"], {}),
        (["--help", "--app", "hello"], {}),
        (["--help"], {"FLASK_APP": "hello"}),
        (["--help"], {"BRIM_APP": "hello", "FLASK_APP": "other"}),
        (["--env-file", "env", "--help"], {}),
    ],
)
def test_help_lists_the_commands_of_the_app_however_it_is_named(
    folder: Path, args: list[str], env: dict[str, str]
) -> None:
    (folder / "hello.py").write_text(HELLO)
    (folder / "env").write_text("FLASK_APP=hello")
    output = run(cli, *args, **env).output
    assert "greet" in output and "Says hello." in output
    assert "brim --app hello run" in output
    for name in ("run", "shell", "routes"):
        assert f"\n  {name} " in output


def test_without_arguments_the_help_is_shown_with_the_apps_commands(folder: Path) -> None:
    (folder / "app.py").write_text(HELLO)
    assert "Says hello." in CliRunner().invoke(cli, []).output


def test_help_comes_where_the_app_cannot_be_loaded(folder: Path) -> None:
    result = run(cli, "--help")
    assert "FLASK_APP" in result.stderr and "Usage:" in result.stdout
    (folder / "app.py").write_text("raise RuntimeError('oh no')")
    result = run(cli, "--help")
    assert "RuntimeError: oh no" in result.stderr and "Usage:" in result.stdout


def test_help_says_how_to_begin_where_there_is_nothing_yet(folder: Path) -> None:
    result = run(cli, "--help")
    assert result.stderr.startswith("Could not find an application.")
    begin = result.stdout.partition("save this as app.py")[2]
    code = "\n".join(line[2:] for line in begin.splitlines() if line.startswith("  "))
    (folder / "app.py").write_text(code)
    done = brim_program("--help")
    assert (done.stderr, "save this" in done.stdout) == ("", False)
    assert "index" in brim_program("routes").stdout


@pytest.mark.parametrize("args", [("--app", "missing"), ()])
def test_help_does_not_say_how_to_begin_where_there_is_something(
    folder: Path, args: tuple[str, ...]
) -> None:
    (folder / "hello.py").write_text(HELLO)
    result = run(cli, *args, "--help")
    assert result.stderr.startswith("Error: Could not")
    assert "save this" not in result.stdout
    assert ("try '--app hello'" in result.stderr) is not bool(args)


def test_no_colour_is_had_by_the_environment(folder: Path) -> None:
    (folder / "hello.py").write_text(HELLO)
    seen: list[bool | None] = []
    group = BrimGroup(create_app=lambda: Flask("a"))
    group.add_command(
        click.Command("show", callback=lambda: seen.append(click.get_current_context().color))
    )
    run(group, "show")
    run(group, "show", NO_COLOR="1")
    group.context_settings["color"] = True
    run(group, "show", NO_COLOR="1")
    assert seen == [None, False, True]


@pytest.mark.parametrize(
    ("words", "proposed"),
    [
        ("brim ro", ["plain,routes"]),
        ("brim --app he", ["plain,hello", "file,he"]),
        ("brim --app hello g", ["plain,greet"]),
        ("brim --app broken ru", ["plain,run"]),
        ("brim routes --sort en", ["plain,endpoint"]),
    ],
)
def test_a_shell_completes_commands_options_and_applications(
    folder: Path, words: str, proposed: list[str]
) -> None:
    (folder / "hello.py").write_text(HELLO)
    (folder / "broken.py").write_text("1 / 0")
    env = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'brim'; from brim.cli import *; main()"],
        env={**os.environ, "PYTHONPATH": SOURCE, "_BRIM_COMPLETE": "bash_complete", **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout.splitlines(), done.stderr) == (proposed, "")


def test_help_of_a_command_loads_no_app(folder: Path) -> None:
    (folder / "app.py").write_text("raise RuntimeError('oh no')")
    assert "--all-methods" in run(cli, "routes", "--help").output


# Which command is meant


def test_a_command_that_is_not_there_suggests_one_that_is(folder: Path) -> None:
    (folder / "app.py").write_text(HELLO)
    assert "Did you mean 'greet'?" in run(cli, "gret", code=2).stderr
    assert "Did you mean 'routes'?" in run(cli, "route", code=2).stderr
    assert "Did you mean" not in run(cli, "qqq", code=2).stderr


def test_a_missing_app_is_told_once_beside_the_missing_command() -> None:
    result = run(cli, "missing", code=2)
    assert result.stderr.count("FLASK_APP") == 1
    assert "No such command 'missing'" in result.stderr


def test_an_error_of_the_app_is_what_a_missing_command_ends_with(folder: Path) -> None:
    (folder / "app.py").write_text("1 / 0")
    assert isinstance(run(cli, "missing", code=1).exception, ZeroDivisionError)


def plugin(monkeypatch: pytest.MonkeyPatch, folder: Path, groups: dict[str, str]) -> None:
    """Install a distribution with these entry points."""
    info = folder / "plugins" / "plug-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1\n")
    text = "".join(f"[{group}]\n{lines}\n" for group, lines in groups.items())
    (info / "entry_points.txt").write_text(text)
    (info.parent / "plug.py").write_text(
        "import click\n"
        "@click.command()\ndef one(): click.echo('one')\n"
        "@click.command()\ndef two(): click.echo('two')\n"
    )
    monkeypatch.syspath_prepend(str(info.parent))


def test_plugins_add_commands_and_may_replace_the_three(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(
        monkeypatch,
        folder,
        {
            "flask.commands": "greet = plug:one\nboth = plug:one\nshell = plug:two\nown = plug:one",
            "brim.commands": "both = plug:two",
        },
    )
    group = BrimGroup(create_app=lambda: Flask("a"))
    group.add_command(click.Command("own", callback=lambda: click.echo("own")))
    assert run(group, "greet").output == "one\n"
    assert run(group, "both").output == "two\n"
    assert run(group, "shell").output == "two\n"
    assert run(group, "own").output == "own\n"
    assert "both" in run(group, "--help").output
    assert "greet" not in group.commands
    group._load_plugin_commands()
    assert group.commands["greet"].name == "one"


def test_a_plugin_that_is_broken_is_named_and_left_out_of_the_help(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(monkeypatch, folder, {"flask.commands": "bad = plug_missing:cli"})
    group = BrimGroup(create_app=lambda: Flask("a"))
    result = run(group, "--help")
    assert "'bad'" in result.stderr and "plug_missing" in result.stderr
    assert "bad" not in result.stdout
    assert isinstance(run(group, "bad", code=1).exception, ModuleNotFoundError)
    run(group, "routes")


def test_commands_of_blueprints_come_with_the_app(app: Flask) -> None:
    blueprint = Blueprint("shop", __name__)

    @blueprint.cli.command()
    async def stock() -> None:
        click.echo(current_app.name)

    app.register_blueprint(blueprint)
    group = FlaskGroup(create_app=lambda: app)
    assert run(group, "shop", "stock").output == "tests\n"


def test_the_context_is_there_for_callbacks_of_a_commands_parameters(app: Flask) -> None:
    @app.cli.command()
    @click.argument("name", callback=lambda ctx, param, value: f"{current_app.name} {value}")
    def show(name: str) -> None:
        click.echo(name)

    group = FlaskGroup(create_app=lambda: app)
    assert run(group, "show", "x").output == "tests x\n"
    with app.app_context():
        assert run(group, "show", "x").output == "tests x\n"
    # Another application's context is no substitute.
    with Flask("other").app_context():
        assert run(group, "show", "x").output == "tests x\n"


# Groups of one's own


def test_a_group_takes_what_it_is_told() -> None:
    option = click.Option(["--more"])
    group = BrimGroup(
        add_default_commands=False,
        add_version_option=False,
        params=[option],
        context_settings={"auto_envvar_prefix": "WIKI"},
    )
    assert group.commands == {}
    assert [param.name for param in group.params] == ["more", "env_file", "app", "debug"]
    assert group.context_settings == {"auto_envvar_prefix": "WIKI"}
    assert FlaskGroup is BrimGroup


def test_a_group_can_stand_within_another(app: Flask) -> None:
    outer = click.Group("outer")
    inner = FlaskGroup(name="inner", create_app=lambda: app)
    outer.add_command(inner)

    @inner.command()
    def show() -> None:
        click.echo(current_app.name)

    assert run(outer, "inner", "show").output == "tests\n"


def test_an_object_that_is_given_is_kept(app: Flask) -> None:
    info = ScriptInfo(create_app=lambda: app)
    group = FlaskGroup()
    result = CliRunner().invoke(group, ["routes"], obj=info)
    assert "static" in result.output
