"""Real servers: what becomes of requests and of processes, and what is said of it.

The measurements with their targets are those of `make serving`, with less load.
"""

from __future__ import annotations

import re
import signal
import socket
import ssl
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from brim.serving.supervisor import SAME_WORD
from scripts import serving
from scripts.serving import APP, ask_until, get, served
from tests.serving.support import certificate

BOTH = pytest.mark.parametrize("interface", ["wsgi", "asgi"])


def gone(process: int) -> bool:
    """Whether a process is no more, or waits only for a parent to look at it."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@BOTH
def test_sigterm_has_slow_requests_answered_and_ends_with_0(interface: str) -> None:
    assert serving.drain(interface, seconds=0.6) == (8, 0)


def test_sigterm_while_workers_start_is_not_missed() -> None:
    assert serving.end_while_starting("asgi", times=2) == 2


def test_a_worker_that_is_killed_is_replaced_and_only_its_requests_fail() -> None:
    found = serving.kill("wsgi", load_seconds=0.3)
    assert found.back == 2
    assert found.failed <= found.in_flight
    assert found.answered > 0


@pytest.mark.parametrize(("interface", "keep_alive"), [("wsgi", True), ("asgi", False)])
def test_a_reload_fails_no_request(interface: str, keep_alive: bool) -> None:
    failed, answered = serving.reload(interface, keep_alive, times=1)
    assert failed == {}
    assert answered > 0


def test_an_upload_that_was_cut_is_never_taken_for_whole() -> None:
    assert set(serving.cut_uploads("auto", times=1).values()) == {0}


def test_slow_clients_keep_nobody_else_waiting() -> None:
    sent, answered, _ = serving.slow_clients("asgi", seconds=0.5)
    assert answered == sent > 0


def test_a_stream_whose_client_leaves_is_closed() -> None:
    assert serving.disconnects("asgi", 3) == (3, 3)


def test_an_upload_to_a_full_disk_is_refused_and_leaves_nothing() -> None:
    found = serving.full_disk("auto")
    if found is None:
        pytest.skip("mounting a small file system is not allowed here")
    assert found == (507, 200, [])


def test_what_is_served_is_told_in_a_few_lines_and_each_request_if_asked_for() -> None:
    options = ["--access-log", "--access-log-format", "%(method)s %(path)s %(status)d"]
    with served(APP, *options, "--workers", "1") as server:
        assert get(server.port, "/") == str(server.workers()[0])
        server.until("GET / 200")
        lines = server.output.splitlines()
    assert lines[:5] == [
        " * Serving Brim app 'app'",
        "   App       app.py",
        "   Interface wsgi: all functions are sync, and no route takes a body",
        "   Workers   1 process, up to 128 threads each",
        "   TLS       off (HTTP/1.1 and HTTP/2)",
    ]
    assert re.match(r" \* Running on http://127\.0\.0\.1:\d+ \(process \d+; Ctrl-C", lines[5])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import missing_module", "No module named 'missing_module'"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "(SIGKILL)"),
        ("import sys; sys.exit(3)", "called sys.exit(3)"),
        ("from brim import Flask; app = Flask(__name__); app.debug = True", "Debug mode is on"),
    ],
)
def test_an_application_that_cant_be_served_is_said_once(text: str, said: str) -> None:
    with served(text, "app", "--workers", "2") as server:
        assert server.ended() == 1
        assert server.output.count(said) == 1
        assert "Running" not in server.output


#: Fails wherever it is loaded but in the process that looks at it first.
WORKS_ONCE = """
import multiprocessing
assert multiprocessing.current_process().name == "brim-inspection"
"""


def test_a_folder_with_the_applications_module_is_refused_wherever_it_is(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("from brim import Flask; app = Flask(__name__)")
    option = f"/static={tmp_path}"
    with served("from shop import app", "--static", option, PYTHONPATH=str(tmp_path)) as server:
        assert server.ended() == 1
        assert server.output.count(f"Error: --static {option} would show everybody") == 1
        assert "the application's module" in server.output


def test_workers_that_cant_start_end_the_server_rather_than_go_round() -> None:
    with served(APP + WORKS_ONCE, "--workers", "1") as server:
        assert server.ended() == 1
        assert server.output.count("AssertionError") == 1
        assert "Worker 1 could not start" in server.output


def test_a_reload_takes_what_is_there_and_keeps_what_works() -> None:
    with served(APP.replace("str(os.getpid())", "'first'"), "--workers", "1") as server:
        port = server.port
        file = Path(f"/proc/{server.process.pid}/cwd").resolve() / "app.py"
        for broken, said in (
            ("import missing_module", "No module named"),
            (APP + WORKS_ONCE, "1 could not start"),
        ):
            file.write_text(broken)
            server.send(signal.SIGHUP)
            server.until(said)
            assert get(port, "/") == "first"
        # Of the same length as the first: what is cached of it must not be taken.
        file.write_text(APP.replace("str(os.getpid())", "'other'"))
        server.send(signal.SIGHUP)
        server.until("Reloaded;")
        ask_until(lambda: get(port, "/") == "other")


def test_the_alias_is_on_in_every_worker() -> None:
    text = (
        "import flask; app = flask.Flask(__name__)\n@app.get('/')\ndef _(): return app.__module__"
    )
    with served(text + "\nimport brim; assert flask.Flask is brim.Flask", "app:app") as server:
        server.until(" * Running on ")


def test_a_worker_that_stays_busy_is_killed_and_the_status_tells() -> None:
    with served(APP, "--workers", "1", "--graceful-timeout", "0.3") as server:
        port = server.port
        wait = serving.in_parallel(1, lambda: get(port, "/slow?seconds=30"))
        time.sleep(0.3)
        server.send(signal.SIGTERM)
        assert server.ended() == 1
        assert "is still busy 0.3 s after it was told to end" in server.output
        assert "slept" not in wait()


ECHO = """
from brim import websocket

@app.websocket("/echo")
def echo():
    for message in websocket:
        websocket.send(message)

@app.teardown_websocket
def hung_up(error):
    seen.write("hung up\\n")

@app.after_serving
def closing_time():
    seen.write("closing time\\n")
"""


def test_a_websocket_is_closed_with_a_word_and_its_hooks_run_before_the_end() -> None:
    with served(APP + ECHO, "--workers", "1") as server:
        with connect(f"ws://127.0.0.1:{server.port}/echo") as client:
            client.send("hello")
            assert client.recv() == "hello"
            seen = serving.server_seen(server)
            server.send(signal.SIGTERM)
            with pytest.raises(ConnectionClosed):
                client.recv()
            assert client.protocol.close_code == 1012
        ask_until(lambda: seen() == "hung up\nclosing time\n", seen)
        assert server.ended() == 0


LIFE = """
@app.before_serving
def opening():
    seen.write("opening\\n")

@app.after_serving
def closing():
    seen.write("closing\\n")
"""


def test_under_wsgi_too_an_applications_life_begins_and_ends_with_its_workers() -> None:
    with served(APP + LIFE, "--workers", "1", "--interface", "wsgi") as server:
        assert server.port
        seen = serving.server_seen(server)
        assert seen() == "opening\n"
        server.send(signal.SIGTERM)
        ask_until(lambda: seen() == "opening\nclosing\n", seen)
        assert server.ended() == 0


STREAM_WITHOUT_END = """
import asyncio
@app.get("/endless")
async def endless():
    async def parts():
        try:
            while True:
                await asyncio.sleep(0.01)
                yield b"part"
        finally:
            seen.write("closed\\n")
    return parts()
"""


def test_a_stream_without_an_end_is_closed_when_its_time_is_over() -> None:
    options = ["--workers", "1", "--graceful-timeout", "0.3"]
    with served(APP + STREAM_WITHOUT_END, *options) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /endless HTTP/1.1\r\nHost: shop\r\n\r\n")
            assert client.recv(10)
            seen = serving.server_seen(server)
            server.send(signal.SIGTERM)
            while client.recv(10_000):
                pass
            ask_until(lambda: seen() == "closed\n")
        assert server.ended() == 1


def test_told_twice_it_ends_at_once_unless_the_second_comes_with_the_first() -> None:
    with served(APP, "--workers", "1") as server:
        port = server.port
        wait = serving.in_parallel(1, lambda: get(port, "/slow?seconds=30"))
        time.sleep(0.3)
        server.send(signal.SIGTERM)
        server.send(signal.SIGINT)
        server.until("Ending;")
        time.sleep(SAME_WORD + 0.2)
        assert server.process.poll() is None and "Told again" not in server.output
        server.send(signal.SIGINT)
        server.ended()
        assert "Told again" in server.output
        assert "slept" not in wait()


def test_workers_dont_outlive_a_supervisor_that_was_killed() -> None:
    with served(APP, "--workers", "2") as server:
        assert server.port
        workers = server.workers()
        server.process.kill()
        ask_until(lambda: all(gone(worker) for worker in workers))


def test_tls_offers_http_2_and_a_folder_is_served(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    (tmp_path / "style.css").write_text("a {}")
    options = ["--cert", str(cert), "--key", str(key), "--workers", "1"]
    with served(APP, *options, "--static", f"/static={tmp_path}") as server:
        context = ssl.create_default_context(cafile=str(cert))
        context.check_hostname = False
        for offered, taken in (["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"):
            context.set_alpn_protocols(offered)
            with (
                socket.create_connection(("127.0.0.1", server.port)) as plain,
                context.wrap_socket(plain) as secure,
            ):
                assert secure.selected_alpn_protocol() == taken
                if taken == "http/1.1":
                    secure.sendall(b"GET /static/style.css HTTP/1.0\r\n\r\n")
                    assert b"a {}" in b"".join(iter(lambda: secure.recv(1000), b""))


def test_on_a_unix_socket() -> None:
    with served(APP, "--unix-socket", "shop.sock", "--workers", "1") as server:
        server.until(" * Running on unix:shop.sock")
        path = Path(f"/proc/{server.process.pid}/cwd").resolve() / "shop.sock"
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(1000), b""))
        assert answer.startswith(b"HTTP/1.1 200")
        server.send(signal.SIGTERM)
        assert server.ended() == 0
        assert not path.exists()


def test_what_is_registered_for_the_end_of_a_process_runs_in_a_worker(tmp_path: Path) -> None:
    text = (
        "\nimport atexit, os\natexit.register(lambda: open(os.environ['SEEN'], 'a').write('end'))"
    )
    seen = tmp_path / "seen"
    with served(APP + text, "--workers", "1", SEEN=str(seen)) as server:
        assert server.port
        server.send(signal.SIGTERM)
        assert server.ended() == 0
    assert seen.read_text() == "end"


def test_the_port_is_taken_before_anything_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with served("import missing_module", "app", "--port", port) as server:
            assert server.ended() == 2
            assert f"Port {port} is in use by another program." in server.output
            assert "missing_module" not in server.output
