from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import werkzeug.serving

from brim import Flask, devserver
from brim.devserver.debugger import LocalDebugger
from brim.discovery import NoAppException
from tests.devserver.conftest import Start
from tests.devserver.conftest import start as start  # a fixture

pytestmark = pytest.mark.wsgi("the development server's own tests; its requests are WSGI's")

HELLO = """\
from flask import Flask
app = Flask(__name__)

@app.get("/")
def index():
    return "hello"
"""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """What Werkzeug's server is called with, in place of a server."""
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(werkzeug.serving, "run_simple", lambda *a, **k: calls.append((a, k)))
    # app.run() would read the files of whoever runs the tests.
    monkeypatch.setenv("FLASK_SKIP_DOTENV", "1")
    return calls


# A process of its own


def test_brim_run_serves_an_unmodified_flask_app(tmp_path: Path, start: Start) -> None:
    (tmp_path / "hello.py").write_text(HELLO)
    server = start("-m", "brim", "--app", "hello", "run", "--port", "0")
    assert server.get() == (200, "hello")
    assert server.output.startswith(
        " * Serving Brim app 'hello'\n"
        " * Debug mode: off (--debug turns it on)\n"
        "   App       hello.py\n"
    )
    # The debugger is off, and so no request reaches it.
    assert server.get("/?__debugger__=yes&cmd=resource&f=debugger.js") == (200, "hello")


def test_the_reloader_outlives_a_broken_file_and_shows_the_error(
    tmp_path: Path, start: Start
) -> None:
    file = tmp_path / "hello.py"
    file.write_text("app = (")
    server = start("-m", "brim", "--app", "hello", "run", "--debug", "--port", "0")
    assert server.until("SyntaxError") == 500
    assert server.after(file, HELLO.replace("hello", "works"), "works") == 200
    assert server.after(file, "import not_installed", "No module named") == 500
    assert server.after(file, "", "Found no application") == 500
    assert server.after(file, HELLO.replace("hello", "once more"), "once more") == 200
    assert server.stop() == 0
    assert server.output.count(" * Debug mode: on\n") == 1
    assert server.output.count("SyntaxError: '(' was never closed") == 1
    # Without the frames that led to it.
    assert "discovery.py" not in server.output


def test_a_script_that_calls_app_run_serves_itself(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "hello.py"
    file.write_text("import brim.as_flask\n" + HELLO + "app.run(port=0)\n")
    (tmp_path / ".flaskenv").write_text("FLASK_DEBUG=0")
    server = start(str(file))
    assert server.get() == (200, "hello")
    assert " * Serving Brim app 'hello'" in server.output
    assert "Debug mode: off (app.run(debug=True) turns it on)" in server.output


def test_files_beside_the_app_are_served_under_the_reloader(tmp_path: Path, start: Start) -> None:
    (tmp_path / "hello.py").write_text(
        "import brim.as_flask\n" + HELLO + "app.run(port=0, debug=True, static_files={'/s': '.'})"
    )
    server = start("hello.py")
    assert server.get("/s/hello.py")[0] == 200


# app.run()


@pytest.mark.parametrize(
    ("server_name", "given", "expected"),
    [
        (None, (None, None), ("127.0.0.1", 5000)),
        ("example.org:8080", (None, None), ("example.org", 8080)),
        ("example.org", (None, None), ("example.org", 5000)),
        ("[::1]:80", (None, None), ("::1", 80)),
        ("localhost:0", (None, None), ("localhost", 0)),
        ("example.org:8080", ("0.0.0.0", 0), ("0.0.0.0", 0)),
        (None, ("", "81"), ("127.0.0.1", 81)),
    ],
)
def test_host_and_port_come_from_the_call_then_from_server_name(
    app: Flask, calls: Any, server_name: str | None, given: Any, expected: tuple[str, int]
) -> None:
    app.config["SERVER_NAME"] = server_name
    app.run(*given)
    assert calls == [
        ((*expected, app), {"use_reloader": False, "use_debugger": False, "threaded": True})
    ]


def test_a_server_name_without_a_port_number_is_refused(app: Flask, calls: Any) -> None:
    app.config["SERVER_NAME"] = "localhost:http"
    with pytest.raises(ValueError, match="SERVER_NAME is 'localhost:http'"):
        app.run()


@pytest.mark.parametrize(
    ("variable", "own", "given", "expected"),
    [
        (None, False, None, False),
        (None, True, None, True),
        ("1", False, None, True),
        ("0", True, None, False),
        ("1", True, False, False),
        ("0", False, True, True),
    ],
)
def test_debug_mode_comes_from_the_call_then_the_environment_then_the_app(
    app: Flask,
    calls: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str | None,
    own: bool,
    given: bool | None,
    expected: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLASK_SKIP_DOTENV")
    if variable is not None:
        monkeypatch.setenv("FLASK_DEBUG", variable)
    app.debug = own
    app.run(debug=given)
    assert app.debug is expected
    assert calls[0][1]["use_reloader"] is expected
    # The debugger is around the app, so that it can be kept from visitors.
    assert calls[0][1]["use_debugger"] is False
    assert isinstance(calls[0][0][2], LocalDebugger) is expected


def test_where_dotenv_files_are_skipped_the_environment_does_not_decide(
    app: Flask, calls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app.run()
    app.run(load_dotenv=False)
    assert app.debug is False


def test_options_go_to_the_server(app: Flask, calls: Any) -> None:
    app.run(debug=True, use_reloader=False, threaded=False, ssl_context="adhoc")
    assert calls[0][1] == {
        "use_reloader": False,
        "use_debugger": False,
        "threaded": False,
        "ssl_context": "adhoc",
    }


def test_an_app_that_was_served_can_be_set_up_further(app: Flask, calls: Any) -> None:
    app.test_client().get("/")
    app.run()
    app.add_url_rule("/late", "late", lambda: "late")


def test_within_a_command_app_run_is_skipped_and_says_so_once(
    app: Flask,
    calls: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
    app.run()
    assert "Skipped a call of 'app.run()'" in capsys.readouterr().err
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    app.run()
    assert capsys.readouterr().err == ""
    assert calls == []


# Errors while loading


def fail(error: Exception) -> Callable[[], Any]:
    def load() -> Any:
        raise error

    return load


def test_without_the_reloader_an_error_is_passed_on(calls: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        devserver.serve(fail(ZeroDivisionError()), "hello")
    assert calls == []


def test_no_application_ends_the_start_but_not_a_restart(
    calls: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NoAppException):
        devserver.serve(fail(NoAppException("none here")), "hello", use_reloader=True)
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    devserver.serve(fail(NoAppException("none here")), "hello", use_reloader=True)
    assert capsys.readouterr().err == "Error: none here\n"
    [((_, _, failed), options)] = calls
    assert options == {"use_reloader": True, "use_debugger": False}
    assert isinstance(failed, devserver.FailedApp)


def test_the_banner_names_the_app_where_there_is_a_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    devserver.show_server_banner(True, None)
    assert capsys.readouterr().out == " * Debug mode: on\n"
    devserver.show_server_banner(False, "shop")
    assert capsys.readouterr().out == " * Serving Brim app 'shop'\n * Debug mode: off\n"
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    devserver.show_server_banner(False, "shop")
    assert capsys.readouterr().out == ""
