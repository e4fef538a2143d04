from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
import werkzeug.serving
from click.testing import CliRunner, Result

import brim
from brim import Blueprint, Flask, current_app
from brim import cli as cli_module
from brim.cli import AppGroup, BrimGroup, FlaskGroup, ScriptInfo, cli, with_appcontext

Write = Callable[[str, str], Path]

HELLO = """\
from brim import Flask
app = Flask(__name__)

@app.cli.command()
def greet():
    "Says hello."
    print("hello from", app.name)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, from which no module stays imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield tmp_path
    for name in sys.modules.keys() - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def separating_runner() -> CliRunner:
    """A runner whose results have stderr by itself, with any version of Click."""
    try:
        return CliRunner(mix_stderr=False)  # type: ignore[call-arg, unused-ignore]
    except TypeError:
        return CliRunner()


def run(group: click.Command, *args: str, code: int = 0, **env: str) -> Result:
    result = separating_runner().invoke(group, args, env=env)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def brim_program(*args: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    source = str(Path(brim.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-m", "brim", *args],
        env={**os.environ, "PYTHONPATH": source, **env},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# The program


def test_the_program_runs_an_unmodified_flask_app(folder: Path) -> None:
    (folder / "app.py").write_text(HELLO.replace("from brim", "from flask"))
    done = brim_program("greet")
    assert (done.returncode, done.stdout) == (0, "hello from app\n")


def test_the_program_shows_a_users_error_without_what_led_to_it(folder: Path) -> None:
    (folder / "app.py").write_text("1 / 0")
    done = brim_program("routes")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "app.py" in lines[1]
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "click" not in done.stderr


def test_the_program_says_so_where_another_flask_was_first() -> None:
    start = "import sys, types; sys.modules['flask'] = types.ModuleType('flask');"
    done = subprocess.run(
        [sys.executable, "-c", f"{start} from brim.cli import main; main()"],
        env={**os.environ, "PYTHONPATH": str(Path(brim.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Another Flask")
    assert "Traceback" not in done.stderr


def test_the_shell_has_the_apps_names_and_runs_the_startup_file(folder: Path) -> None:
    (folder / "app.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\n"
        "app.shell_context_processor(lambda: {'added': 'by the app'})\n"
    )
    (folder / "startup.py").write_text("started = 'by the file'")
    done = brim_program(
        "shell",
        stdin="print(app.name, g is not None, added, started)\n",
        PYTHONSTARTUP="startup.py",
    )
    assert "app True by the app by the file" in done.stdout
    assert f"App: app\nInstance: {folder / 'instance'}" in done.stderr


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


# Versions and help


def test_version_tells_of_all_that_matters() -> None:
    output = run(cli, "--version").output
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}." in output
    assert f"Brim {brim.__brim_version__}" in output
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


# The environment


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


# run


def test_run_hands_its_options_to_the_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(werkzeug.serving, "run_simple", lambda *a, **k: calls.append((*a, k)))
    (folder / "app.py").write_text(HELLO)
    options = {
        "use_reloader": False,
        "use_debugger": False,
        "threaded": True,
        "ssl_context": None,
        "extra_files": None,
        "exclude_patterns": None,
    }
    assert "Serving Brim app 'app'" in run(cli, "run").output
    run(cli, "run", "--debug", FLASK_RUN_PORT="1", BRIM_RUN_PORT="2")
    run(cli, "--debug", "run", "--no-reload", "--without-threads", "-h", "::1")
    run(cli, "run", "--reload", "--debugger")
    assert [(host, port, given) for host, port, _, given in calls] == [
        ("127.0.0.1", 5000, options),
        ("127.0.0.1", 2, {**options, "use_reloader": True, "use_debugger": True}),
        ("::1", 5000, {**options, "use_debugger": True, "threaded": False}),
        ("127.0.0.1", 5000, {**options, "use_reloader": True, "use_debugger": True}),
    ]


# shell


def test_the_shell_works_without_line_editing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    group = FlaskGroup(create_app=lambda: app)
    set_up: list[bool] = []
    monkeypatch.setattr(sys, "__interactivehook__", lambda: set_up.append(True), raising=False)
    monkeypatch.setitem(sys.modules, "readline", None)
    run(group, "shell")
    assert set_up == [True]
    monkeypatch.delattr(sys, "__interactivehook__")
    run(group, "shell")
    assert set_up == [True]


# routes


@pytest.fixture
def routes() -> Callable[..., list[str]]:
    def routes(app: Flask, *args: str) -> list[str]:
        return run(FlaskGroup(create_app=lambda: app), "routes", *args).output.splitlines()

    return routes


def test_routes_are_a_table(routes: Callable[..., list[str]]) -> None:
    app = Flask("a", static_folder=None)
    app.add_url_rule("/things/<int:id>", "thing", methods=["GET", "PUT"])
    app.add_url_rule("/", "index")
    assert routes(app) == [
        "Endpoint  Methods   Rule",
        "--------  --------  ----------------",
        "index     GET       /",
        "thing     GET, PUT  /things/<int:id>",
    ]
    assert "GET, HEAD, OPTIONS, PUT" in routes(app, "--all-methods")[-1]
    assert routes(Flask("a", static_folder=None)) == ["No routes were registered."]


@pytest.mark.parametrize(
    ("key", "order"),
    [("endpoint", "abc"), ("methods", "bca"), ("rule", "cab"), ("match", "bca")],
)
def test_routes_are_sorted(routes: Callable[..., list[str]], key: str, order: str) -> None:
    app = Flask("a", static_folder=None)
    app.add_url_rule("/2/<x>", "a", methods=["POST"])
    app.add_url_rule("/3", "b", methods=["DELETE"])
    app.add_url_rule("/1/<x>", "c", methods=["GET"])
    rows = routes(app, "--sort", key)[2:]
    if key == "match":
        assert [row[0] for row in rows] == [r.endpoint for r in app.url_map.iter_rules()]
    else:
        assert "".join(row[0] for row in rows) == order


def test_routes_show_subdomains_or_hosts_where_there_are_any(
    routes: Callable[..., list[str]],
) -> None:
    app = Flask("a", static_folder=None, subdomain_matching=True)
    app.add_url_rule("/", "a", subdomain="shop")
    app.add_url_rule("/", "b")
    assert routes(app)[0].split() == ["Endpoint", "Methods", "Subdomain", "Rule"]
    assert [row[0] for row in routes(app, "-s", "domain")[2:]] == ["b", "a"]
    app = Flask("a", static_folder=None, host_matching=True)
    app.add_url_rule("/", "a", host="example.org")
    assert routes(app)[2].split() == ["a", "GET", "example.org", "/"]


# Names


def test_all_that_flask_cli_offers_by_name_is_here() -> None:
    names = (
        "AppGroup CertParamType FlaskGroup NoAppException ScriptInfo SeparatedPathType cli"
        " find_app_by_string find_best_app get_debug_flag get_load_dotenv get_version"
        " load_dotenv locate_app main pass_script_info prepare_import routes_command"
        " run_command shell_command show_server_banner with_appcontext"
    )
    assert not [name for name in names.split() if not hasattr(cli_module, name)]
    assert issubclass(FlaskGroup, AppGroup)
    assert with_appcontext is cli_module.with_appcontext
