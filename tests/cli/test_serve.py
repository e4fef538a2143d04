from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from brim import serving
from brim.cli import cli
from brim.serving import Settings
from tests.cli.support import HELLO, run


@pytest.fixture
def calls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, Settings]]:
    """What the command hands on; what becomes of it is tested with the server."""
    calls: list[tuple[str | None, Settings]] = []

    def serve(load: Any, name: str | None, settings: Settings) -> int:
        calls.append((name, settings))
        return 0

    monkeypatch.setattr(serving, "serve", serve)
    (folder / "app.py").write_text(HELLO)
    return calls


def project(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.brim.serve]\n{text}\n")


def test_a_flag_wins_over_the_environment_that_over_the_file_and_that_over_the_default(
    calls: list[tuple[str | None, Settings]], folder: Path
) -> None:
    run(cli, "serve")
    project(folder, "port = 1\nworkers = 1\nthreads = 1\ngraceful-timeout = 1.5")
    run(cli, "serve")
    run(cli, "serve", BRIM_SERVE_PORT="2", FLASK_SERVE_WORKERS="2")
    run(cli, "serve", "--port", "3", BRIM_SERVE_PORT="2")
    found = [(s.port, s.workers, s.threads, s.graceful_timeout) for _, s in calls]
    assert found == [(8000, None, 128, 30.0), (1, 1, 1, 1.5), (2, 2, 1, 1.5), (3, 1, 1, 1.5)]


def test_the_variable_that_says_how_many_threads_there_are_elsewhere_counts_here_too(
    calls: list[tuple[str | None, Settings]],
) -> None:
    run(cli, "serve", BRIM_THREADS="3")
    run(cli, "serve", BRIM_THREADS="3", BRIM_SERVE_THREADS="2")
    assert [s.threads for _, s in calls] == [3, 2]


def test_the_application_is_the_argument_or_else_the_option_or_else_the_files(
    calls: list[tuple[str | None, Settings]], folder: Path
) -> None:
    run(cli, "serve")
    project(folder, "app = 'shop:make()'")
    run(cli, "serve")
    run(cli, "--app", "app", "serve")
    run(cli, "--app", "app", "serve", "app:app")
    assert [name for name, _ in calls] == [None, "shop:make()", "app", "app:app"]


def test_the_variable_of_the_argument_stands_between_flags_and_what_is_set_for_all_commands(
    calls: list[tuple[str | None, Settings]], folder: Path
) -> None:
    project(folder, "app = 'e'")
    run(cli, "serve", BRIM_APP="d")
    run(cli, "serve", BRIM_APP="d", FLASK_SERVE_APP="c")
    run(cli, "serve", BRIM_APP="d", BRIM_SERVE_APP="c")
    run(cli, "--app", "b", "serve", BRIM_APP="d", BRIM_SERVE_APP="c")
    run(cli, "--app", "b", "serve", "a", BRIM_APP="d", BRIM_SERVE_APP="c")
    assert [name for name, _ in calls] == ["d", "c", "c", "b", "a"]


def test_folders_of_static_files_are_given_by_flag_or_by_table(
    calls: list[tuple[str | None, Settings]], folder: Path
) -> None:
    (folder / "a").mkdir()
    run(cli, "serve", "--static", "/static/=a", "--static", "/=a")
    project(folder, 'static = { "/s" = "a" }')
    run(cli, "serve")
    found = [s.static for _, s in calls]
    assert found == [(("/static", folder / "a"), ("/", folder / "a")), (("/s", folder / "a"),)]


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("--port", "70000"), "70000 is not in the range"),
        (("--workers", "0"), "0 is not in the range"),
        (("--cert", "missing.pem"), "'missing.pem' does not exist"),
        (("--static", "static"), "isn't of the form /route=folder"),
        (("--static", "/s=missing"), "There is no folder 'missing'."),
        (("--unix-socket-mode", "9"), "'9' is no file mode"),
        (("--interface", "rsgi"), "'rsgi' is not one of"),
    ],
)
def test_a_bad_value_is_an_error_that_names_it(
    calls: list[tuple[str | None, Settings]], args: tuple[str, ...], text: str
) -> None:
    assert text in run(cli, "serve", *args, code=2).stderr
    assert calls == []


def test_an_error_in_the_file_names_the_file(
    calls: list[tuple[str | None, Settings]], folder: Path
) -> None:
    project(folder, "worker = 2")
    error = run(cli, "serve", code=2).stderr
    assert "Unknown setting 'worker' in [tool.brim.serve]" in error
    assert "Did you mean 'workers'?" in error
    project(folder, "port = 'x'")
    error = run(cli, "serve", code=2).stderr
    assert "It stands in [tool.brim.serve] of pyproject.toml." in error
    assert "It stands" not in run(cli, "serve", "--port", "x", code=2).stderr
    project(folder, "zzz = 1")
    assert "There is access-log, " in run(cli, "serve", code=2).stderr
    (folder / "pyproject.toml").write_text("x")
    assert "pyproject.toml can't be read" in run(cli, "serve", code=2).stderr
    (folder / "pyproject.toml").write_text("[tool.brim]\nserve = 1")
    assert "is not a table" in run(cli, "serve", code=2).stderr
    assert calls == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("workers = [2]", "'workers' in [tool.brim.serve]"),
        ("port = { a = 1 }", "It has to be a string, a number, true or false."),
        ("host = 2026-01-01", "It has to be a string, a number, true or false."),
        ("app = ['wsgi:app']", "'app' in [tool.brim.serve]"),
        ("workers = true", "'True' is not a valid integer"),
        ("threads = 2.5", "'2.5' is not a valid integer"),
        ("access-log = 'perhaps'", "is not a valid boolean"),
        ("static = 1", "It has to be a table, as {"),
        ("static = [1]", "It has to be a table, as {"),
        ("static = { '/a' = 1 }", "It has to be a table, as {"),
        ("static = 'a'", "'a' isn't of the form /route=folder"),
    ],
)
def test_a_value_of_the_wrong_kind_in_the_file_is_an_error(
    calls: list[tuple[str | None, Settings]], folder: Path, text: str, said: str
) -> None:
    project(folder, text)
    error = " ".join(run(cli, "serve", code=2).stderr.split())
    assert said in error and "[tool.brim.serve]" in error
    assert calls == []


def test_values_in_the_file_are_of_toml_s_kinds_or_text(
    calls: list[tuple[str | None, Settings]], folder: Path
) -> None:
    (folder / "a").mkdir()
    project(folder, "access-log = true\nunix-socket-mode = 660\nstatic = '/a=a'")
    run(cli, "serve")
    project(folder, "access-log = false\nport = '1'\nstatic = ['/a=a', '/b=a']")
    run(cli, "serve")
    found = [(s.access_log, s.port, s.unix_socket_mode, [r for r, _ in s.static]) for _, s in calls]
    assert found == [(True, 8000, 0o660, ["/a"]), (False, 1, None, ["/a", "/b"])]


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (("serve", "--debug"), {}),
        (("--debug", "serve"), {}),
        (("serve",), {"BRIM_DEBUG": "1"}),
        (("serve",), {"FLASK_DEBUG": "1"}),
    ],
)
def test_debug_mode_is_refused(
    calls: list[tuple[str | None, Settings]], args: tuple[str, ...], env: dict[str, str]
) -> None:
    error = run(cli, *args, code=1, **env).stderr
    assert "Debug mode is on" in error and "FLASK_DEBUG and BRIM_DEBUG unset" in error
    assert calls == []


def test_debug_mode_that_is_turned_off_by_a_flag_is_off(
    calls: list[tuple[str | None, Settings]],
) -> None:
    run(cli, "serve", "--no-debug", BRIM_DEBUG="1")
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (None, 'which is not installed. Install it: pip install "brim[serve]"'),
        ("2.7.4", "Granian 2.7.4 is installed, and 'brim serve' needs 2.8 or newer"),
        ("3.0.0", "Granian 3.0.0 is installed, and 'brim serve' needs 2.8 or newer, below 3."),
    ],
)
def test_without_a_granian_that_is_known_the_error_says_how_to_get_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, found: str | None, text: str
) -> None:
    def version(name: str) -> str:
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(serving, "version", version)
    (folder / "app.py").write_text(HELLO)
    assert text in run(cli, "serve", code=1).stderr


def test_on_windows_the_error_names_another_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "app.py").write_text(HELLO)
    monkeypatch.setattr("brim.serving.is_posix", lambda: False)
    assert "waitress-serve" in run(cli, "serve", code=2).stderr


def test_the_help_teaches_and_the_list_of_commands_has_a_line() -> None:
    assert "Serve the application in production." in run(cli, "--help").output
    text = run(cli, "serve", "--help").output
    assert "brim serve shop.web:site" in text and "BRIM_SERVE_WORKERS=4" in text


def test_other_commands_load_nothing_of_the_server() -> None:
    program = "import sys, brim.cli; print(sorted(sys.modules))"
    # Measuring what lines are run loads some of these.
    variables = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("granian", "multiprocessing", "asyncio", "tomllib", "brim.serving.supervisor"):
        assert f"'{name}'" not in done.stdout
