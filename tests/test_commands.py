from __future__ import annotations

import asyncio
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from brim import Flask, current_app
from brim.commands import AppGroup, ScriptInfo, pass_script_info, with_appcontext
from brim.discovery import NoAppException


@pytest.fixture
def info(app: Flask) -> ScriptInfo:
    return ScriptInfo(create_app=lambda: app)


def output(command: click.Command, *args: str, obj: ScriptInfo | None = None) -> str:
    result = CliRunner().invoke(command, args, obj=obj, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_the_application_is_loaded_once() -> None:
    info = ScriptInfo(create_app=lambda: Flask("a"))
    assert info.load_app() is info.load_app()
    assert info.data == {}


@pytest.mark.parametrize(
    ("variables", "debug"),
    [({"FLASK_DEBUG": "1"}, True), ({"BRIM_DEBUG": "0", "FLASK_DEBUG": "1"}, False), ({}, False)],
)
def test_the_environment_sets_the_debug_mode_unless_told_not_to(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], debug: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def create_app() -> Flask:
        app = Flask("a")
        app.debug = True
        return app

    assert ScriptInfo(create_app=create_app).load_app().debug is debug
    assert ScriptInfo(create_app=create_app, set_debug_flag=False).load_app().debug is True


def test_without_an_application_the_message_says_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["."])
    with pytest.raises(NoAppException) as caught:
        ScriptInfo().load_app()
    for way in ("--app", "FLASK_APP", "BRIM_APP", "app.py", "wsgi.py"):
        assert way in caught.value.message
    (tmp_path / "hello.py").write_text("Flask(__name__)")
    with pytest.raises(NoAppException, match="try '--app hello'"):
        ScriptInfo().load_app()


def test_with_appcontext_pushes_the_context_for_the_command_and_those_below(
    info: ScriptInfo,
) -> None:
    @click.group()
    @with_appcontext
    def group() -> None:
        click.echo(current_app.name)

    @group.command()
    def below() -> None:
        click.echo(current_app.name)

    assert output(group, "below", obj=info) == "tests\ntests"


def test_with_appcontext_keeps_the_application_that_is_current(info: ScriptInfo) -> None:
    @click.command()
    @with_appcontext
    def command() -> None:
        click.echo(current_app.name)

    with Flask("current").app_context():
        assert output(command, obj=info) == "current"


def test_commands_of_a_group_have_the_context_and_subgroups_too(info: ScriptInfo) -> None:
    group = AppGroup("group")

    @group.command("named")
    def _named() -> None:
        click.echo(current_app.name)

    @group.command
    def bare() -> None:
        click.echo(f"bare {current_app.name}")

    @group.command(with_appcontext=False)
    def free() -> None:
        click.echo(bool(current_app))

    @group.group()
    def sub() -> None:
        pass

    @group.group
    def bare_sub() -> None:
        pass

    @sub.command()
    def leaf() -> None:
        click.echo(current_app.name)

    assert output(group, "named", obj=info) == "tests"
    assert output(group, "bare", obj=info) == "bare tests"
    assert output(group, "free", obj=info) == "False"
    assert output(group, "sub", "leaf", obj=info) == "tests"
    assert isinstance(sub, AppGroup) and isinstance(bare_sub, AppGroup)


def test_commands_and_groups_may_be_coroutines(info: ScriptInfo) -> None:
    group = AppGroup("group")

    @group.command()
    @click.argument("name")
    async def within(name: str) -> None:
        await asyncio.sleep(0)
        ctx = click.get_current_context()
        click.echo(f"{current_app.name} {name} {ctx.info_name}")

    @group.command(with_appcontext=False)
    async def without() -> None:
        await asyncio.sleep(0)
        click.echo(bool(current_app))

    @group.group(invoke_without_command=True)
    async def sub() -> None:
        await asyncio.sleep(0)
        click.echo("sub")

    assert output(group, "within", "x", obj=info) == "tests x within"
    assert output(group, "without", obj=info) == "False"
    assert output(group, "sub", obj=info) == "sub"


def test_a_coroutine_command_runs_where_a_loop_runs_already(app: Flask) -> None:
    @app.cli.command()
    async def command() -> None:
        await asyncio.sleep(0)
        click.echo(current_app.name)

    async def main() -> str:
        return app.test_cli_runner().invoke(args=["command"]).output

    assert asyncio.run(main()) == "tests\n"


def test_pass_script_info_hands_over_the_one_of_the_call(info: ScriptInfo) -> None:
    @click.command()
    @pass_script_info
    def command(given: ScriptInfo) -> None:
        click.echo(given is info)

    assert output(command, obj=info) == "True"
    assert output(command) == "False"
