from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from brim.devserver import supervisor
from tests.devserver.conftest import Start
from tests.devserver.server import save, until

APP = """\
from flask import Flask
app = Flask(__name__)

@app.get("/")
def index():
    return "{}"
"""

RUN = ("-m", "brim", "--app", "hello", "run", "--port", "0", "--debug")


def test_only_what_is_the_apps_restarts_it(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "hello.py"
    shop = tmp_path / "shop"
    for folder in (shop, tmp_path / "templates", tmp_path / ".git", tmp_path / "venv"):
        folder.mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    (shop / "__init__.py").touch()
    (shop / "prices.py").write_text("price = 1")
    (shop / "left_out.py").write_text("price = 1")
    (tmp_path / "templates" / "page.html").write_text("one")
    text = (
        "from flask import render_template\nfrom shop import prices, left_out\n"
        + APP
        + '@app.get("/page")\ndef page():\n    return render_template("page.html")\n'
        '@app.get("/rate")\ndef rate():\n    return f"price {{prices.price}}"\n'
    )
    file.write_text(text.format("first"))
    server = start(*RUN, "--exclude-patterns", "*/left_out.py")
    assert server.get() == (200, "first")
    assert "   Reloader  watchfiles: 4 files of the app, .env\n" in server.output

    # From its second process on it is known what was in every file before.
    save(shop / "prices.py", "price = 1.5")
    server.until("price 1.5", "/rate")

    # None of these restarts it. Changes are heard of in their order.
    os.utime(file)
    save(file, file.read_text())
    (tmp_path / "app.db").write_text("x")
    (tmp_path / "app.log").write_text("x")
    (tmp_path / "test_hello.py").write_text("x = 1")
    (tmp_path / "data.json").write_text("{}")
    (tmp_path / ".git" / "index.py").write_text("x")
    (tmp_path / "venv" / "x.py").write_text("x")
    (tmp_path / ".hello.py.swp").write_text("x")
    save(shop / "left_out.py", "price = 2")
    save(tmp_path / "templates" / "page.html", "two")
    save(shop / "prices.py", "price = 2")
    server.until("price 2", "/rate")
    assert server.restarts == ["shop/prices.py", "shop/prices.py"]
    server.until("two", "/page")

    assert server.stop() == 0
    until(server.is_gone)
    assert "KeyboardInterrupt" not in server.output


def test_what_is_the_apps_restarts_it(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "hello.py"
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "__init__.py").touch()
    (shop / "prices.py").write_text("price = 2")
    (shop / "late.py").write_text("price = 1")
    (tmp_path / "rates.csv").write_text("1")
    (tmp_path / ".env").write_text("RATE=1")
    text = (
        "import os\nfrom shop import prices\n"
        + APP
        + '@app.get("/late")\ndef late():\n    from shop.late import price\n'
        "    return f'late {{price}}'\n"
        '@app.get("/rate")\ndef rate():\n    return f"{{os.environ[\'RATE\']}} {{prices.price}}"\n'
    )
    file.write_text(text.format("first"))
    server = start(*RUN, "--extra-files", "rates.csv")
    assert server.get() == (200, "first")
    # A module that is imported later on counts from then on.
    save(shop / "late.py", "price = 2")
    assert server.get("/late") == (200, "late 2")
    save(shop / "late.py", "price = 3")
    server.until("late 3", "/late")
    # As do the files that were named, and the environment's, which is read anew.
    save(tmp_path / "rates.csv", "2")
    server.says("Changed: rates.csv")
    save(tmp_path / ".env", "RATE=2")
    server.until("2 2", "/rate")
    # The same size within the same second.
    server.after(file, text.format("third"), "third")
    server.after(file, text.format("forth"), "forth")
    # Several at once.
    ready = [(shop / "prices.py", "price = 9"), (file, text.format("fifth"))]
    for path, content in ready:
        path.with_suffix(".new").write_text(content)
    for path, _ in ready:
        os.replace(path.with_suffix(".new"), path)
    server.until("2 9", "/rate")
    server.until("fifth")
    *alone, together = server.restarts
    assert alone == ["shop/late.py", "rates.csv", ".env", "hello.py", "hello.py"]
    assert together == "hello.py, shop/prices.py"
    (shop / "prices.py").unlink()
    server.until("cannot import name")
    save(shop / "prices.py", "price = 8")
    server.until("2 8", "/rate")


def test_the_reloader_outlives_what_ends_a_process(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "hello.py"
    crash = '@app.get("/crash")\ndef crash():\n    __import__("os")._exit(3)\n'
    kill = (
        '@app.get("/kill")\ndef kill():\n    __import__("os").kill(__import__("os").getpid(), 9)\n'
    )
    file.write_text(APP.format("one") + crash + kill)
    server = start(*RUN)
    for path, how, text in (("/crash", "with status 3", "two"), ("/kill", "by SIGKILL", "three")):
        with pytest.raises((OSError, http.client.HTTPException)):
            server.get(path)
        assert server.until(f"The application&#x27;s process ended {how}") == 500
        server.says(f"The application's process ended {how}")
        assert server.after(file, APP.format(text) + kill, text) == 200
    assert server.after(file, "raise SystemExit('no key is set')", "no key is set") == 500
    assert server.after(file, "import hello_parts", "hello_parts") == 500
    # A folder that was not there either.
    (tmp_path / "hello_parts").mkdir()
    (tmp_path / "hello_parts" / "__init__.py").touch()
    assert server.until("Found no application") == 500
    assert server.after(file, "__import__('os')._exit(4)", "with status 4") == 500
    assert server.after(file, APP.format("four"), "four") == 200


def test_requests_wait_while_the_app_is_loaded(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "hello.py"
    gate = tmp_path / "gate"
    wait = "import os, time\nprint('loading')\nwhile not os.path.exists('gate'): time.sleep(0.01)\n"
    file.write_text(APP.format("one"))
    server = start(*RUN, BRIM_RELOAD_STANDBY="0")
    save(file, wait + APP.format("two"))
    server.says("loading")
    answers: list[tuple[int, str]] = []
    asking = threading.Thread(target=lambda: answers.append(server.get()))
    asking.start()
    # Saved again meanwhile, it is loaded again.
    save(file, wait + APP.format("three"))
    server.says("loading", 2)
    gate.touch()
    asking.join()
    assert answers == [(200, "three")]
    # Ctrl-C while it is loaded ends it, too.
    gate.unlink()
    save(file, wait + APP.format("four"))
    server.says("loading", 3)
    assert server.stop() == 0
    assert "Traceback" not in server.output


def test_the_supervisor_takes_its_workers_along(tmp_path: Path, start: Start) -> None:
    (tmp_path / "hello.py").write_text(APP.format("one"))
    server = start(*RUN)
    server.get()
    server.process.terminate()
    assert server.process.wait() == 128 + signal.SIGTERM
    until(server.is_gone)
    assert "Traceback" not in server.output

    server = start(*RUN)
    server.get()
    server.process.kill()
    until(server.is_gone)


def test_a_worker_that_takes_no_notice_is_killed(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "hello.py"
    stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    file.write_text(stubborn + APP.format("one"))
    server = start(*RUN)
    assert server.after(file, stubborn + APP.format("two"), "two") == 200
    server.process.kill()
    until(server.is_gone)


def test_an_app_that_is_not_there_ends_the_start(tmp_path: Path, start: Start) -> None:
    server = start(*RUN)
    assert server.process.wait() == 2
    assert "Could not import 'hello'" in server.output


def test_a_script_is_started_again(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "hello.py"
    text = "import brim.as_flask\n" + APP + "if __name__ == '__main__':\n    app.run({})\n"
    options = "debug=True, port=0"
    file.write_text(text.format("one", options))
    server = start("hello.py")
    assert server.get() == (200, "one")
    assert server.after(file, "app = (", "was never closed") == 500
    assert server.after(file, text.format("two", options), "two") == 200
    assert server.after(file, "import not_there", "ended with status 1") == 500
    assert server.after(file, text.format("three", options), "three") == 200
    assert server.output.count(" * Debug mode: on\n") == 1
    # A script that no longer serves has ended.
    save(file, text.format("four", options).replace("__main__", "nothing"))
    assert server.process.wait() == 0


def test_a_package_that_runs_is_started_again(tmp_path: Path, start: Start) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__main__.py").write_text("from .web import main\nmain()")
    file = tmp_path / "shop" / "web.py"
    text = "import brim.as_flask\n" + APP + "def main():\n    app.run(port=0, debug=True)\n"
    file.write_text(text.format("one"))
    server = start("-m", "shop")
    assert server.after(file, text.format("two"), "two") == 200
    assert server.restarts == ["shop/web.py"]


def test_a_program_with_its_own_group_has_no_worker_stand_by(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "hello.py"
    (tmp_path / "manage.py").write_text(
        "import brim.as_flask\nfrom flask.cli import FlaskGroup\nfrom hello import app\n"
        "FlaskGroup(create_app=lambda: app)()\n"
    )
    file.write_text(APP.format("one"))
    server = start("manage.py", "run", "--debug", "--port", "0")
    for text in ("two", "three"):
        assert server.after(file, APP.format(text), text) == 200


def test_a_port_that_is_taken_is_named(tmp_path: Path, start: Start) -> None:
    (tmp_path / "hello.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start(*RUN, "--port", str(port))
        assert server.process.wait() == 1
    assert server.output == (
        f"Error: Port {port} is in use by another program. Stop that one, or take another port:"
        f" --port {port + 1}.\n"
    )
    server = start(*RUN, "--host", "256.1.1.1")
    assert server.process.wait() == 1
    assert "Can't listen on '256.1.1.1'" in server.output


def test_without_watchfiles_werkzeugs_reloader_watches(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "hello.py"
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "watchfiles.py").write_text("raise ImportError")
    file.write_text("app = (")
    server = start(*RUN)
    assert "pip install watchfiles" in server.output
    assert "   Reloader  Werkzeug's" in server.output
    assert server.until("was never closed") == 500
    os.utime(file, (1, 1))
    assert server.after(file, APP.format("works"), "works") == 200
    server.stop()
    assert server.output.count(" * Debug mode: on\n") == 1


def test_a_program_that_something_else_started_is_not_started_again() -> None:
    """Here it is pytest that was started."""
    assert supervisor.command() is None


def test_a_thread_and_a_prompt_have_no_program_to_start_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("__main__.__file__", __file__, raising=False)
    given: list[object] = []
    thread = threading.Thread(target=lambda: given.append(supervisor.command()))
    thread.start()
    thread.join()
    assert given == [None]
    monkeypatch.delattr("__main__.__file__")
    assert supervisor.command() is None


def test_a_unix_socket_is_left_to_werkzeug() -> None:
    assert not supervisor.can_supervise("unix:///run/shop.sock")
    assert supervisor.can_supervise("127.0.0.1")


def test_the_first_syntax_error_is_found(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("a.py", "b.py", "c.py", "d.py")}
    files["a.py"].write_text("fine = True")
    files["b.py"].write_bytes(b"null = '\0'")
    files["d.py"].write_text("bad = (")
    error = supervisor.syntax_error({str(file) for file in files.values()})
    assert error is not None
    assert error.filename == str(files["d.py"])
    assert supervisor.syntax_error({str(files["a.py"]), str(files["c.py"])}) is None


def test_a_worker_that_does_not_answer_is_replaced(tmp_path: Path, start: Start) -> None:
    # The match holds the interpreter's lock for longer than anybody waits.
    hold = (
        "import re\n@app.get('/hold')\ndef hold():\n    print('held')\n"
        "    re.match('(a+)+$', 'a' * 40 + 'b')\n"
    )
    (tmp_path / "hello.py").write_text(APP.format("one") + hold)
    server = start(*RUN)
    asking = threading.Thread(target=lambda: pytest.raises(OSError, server.get, "/hold"))
    asking.start()
    server.says("held")
    # It can't say that this isn't its own.
    save(tmp_path / "other.py", "price = 1")
    server.says("Changed: other.py")
    assert server.until("one") == 200
    asking.join()
