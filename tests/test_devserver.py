from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import werkzeug.serving

import brim
from brim import Flask, devserver
from brim.discovery import NoAppException

HELLO = """\
from flask import Flask
app = Flask(__name__)

@app.get("/")
def index():
    return "hello"
"""


class Server:
    """A server as a process of its own; what it prints is kept."""

    def __init__(self, *args: str, cwd: Path, **variables: str) -> None:
        source = str(Path(brim.__file__).parents[1])
        self.process = subprocess.Popen(
            [sys.executable, *args],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": source, "PYTHONUNBUFFERED": "1", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""
        self.url = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if found := re.search(r"Running on (https?://\S+)", line):
                self.url = found[1]
                break
        # The rest is read as it comes, or the pipe would fill up.
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line

    def get(self, path: str = "/") -> tuple[int, str]:
        assert self.url, self.output
        try:
            with urllib.request.urlopen(self.url + path, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def after(self, file: Path, text: str, found: str) -> int:
        """Write ``text``; ask until ``found`` is answered; return the answer's status."""
        file.write_text(text)
        for count in range(1, 300):
            try:
                status, answer = self.get()
                if found in answer:
                    return status
            except (OSError, urllib.error.URLError):
                pass  # between two starts
            if count % 20 == 0:
                # A change that came before the reloader's first look is none to it.
                os.utime(file)
            time.sleep(0.1)
        raise AssertionError(self.output)

    def stop(self) -> None:
        # To the group, as Ctrl-C does it: the reloader has started a second process.
        for stop in (signal.SIGINT, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, stop)
            except ProcessLookupError:
                break
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                continue
            break
        self.reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers: list[Server] = []

    def start(*args: str, **variables: str) -> Server:
        servers.append(Server(*args, cwd=tmp_path, **variables))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


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
    assert " * Serving Brim app 'hello'\n * Debug mode: off\n" in server.output
    # The debugger is off, and so no request reaches it.
    assert server.get("/?__debugger__=yes&cmd=resource&f=debugger.js") == (200, "hello")


def test_the_reloader_outlives_a_broken_file_and_shows_the_error(
    tmp_path: Path, start: Start
) -> None:
    file = tmp_path / "hello.py"
    file.write_text("app = (")
    server = start("-m", "brim", "--app", "hello", "run", "--debug", "--port", "0")
    assert server.after(file, "app = (", "Werkzeug Debugger") == 500
    assert "SyntaxError" in server.get()[1]
    assert server.after(file, HELLO.replace("hello", "works"), "works") == 200
    assert server.after(file, "import not_installed", "No module named") == 500
    assert server.after(file, "", "Found no application") == 500
    server.stop()
    assert server.output.count(" * Debug mode: on\n") == 1
    # Without the frames that led to it.
    assert "discovery.py" not in server.output


def test_a_script_that_calls_app_run_serves_itself(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "hello.py"
    file.write_text("import brim.as_flask\n" + HELLO + "app.run(port=0)\n")
    (tmp_path / ".flaskenv").write_text("FLASK_DEBUG=0")
    server = start(str(file))
    assert server.get() == (200, "hello")
    assert " * Serving Brim app 'hello'" in server.output


def test_a_port_that_is_taken_is_named(tmp_path: Path, start: Start) -> None:
    (tmp_path / "hello.py").write_text(HELLO)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        server = start("-m", "brim", "--app", "hello", "run", "--port", port)
        assert server.process.wait() == 1
    assert f"Port {port} is in use" in server.output


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
    assert calls[0][1]["use_debugger"] is expected


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
        "use_debugger": True,
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
    assert options == {"use_reloader": True}
    with pytest.raises(NoAppException):
        failed({}, lambda *_: None)


def test_a_failed_app_raises_the_same_traceback_each_time() -> None:
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError as error:
        failed = devserver.FailedApp(error)

    def frames() -> int:
        with pytest.raises(ZeroDivisionError) as caught:
            failed({}, lambda *_: None)  # type: ignore[arg-type, return-value]
        return len(caught.traceback)

    assert frames() == frames()


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
