"""Server-sent events under real servers: clients that leave, and a browser that comes back."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.devserver.server import until
from tests.examples.browser import CHROMIUM, PATIENCE, chromium
from tests.processes import end_group, first_answer, free_port

# Read while collecting: a test's environment has no such variable.
BROWSER_REQUIRED = "BRIM_REQUIRE_BROWSER" in os.environ

APP = '''
import asyncio, threading, time
from brim import EventStream, Flask, ServerSentEvent, request

app = Flask(__name__)

def note(*words):
    with open("log", "a") as log:
        print(*words, file=log)

@app.teardown_request
def end(error):
    if request.endpoint == "events":
        note("teardown", request.path)

@app.get("/")
def index():
    return """<!doctype html><link rel=icon href=data:,><ol></ol><script>
        const source = new EventSource("/again");
        source.addEventListener("count", (event) => {
            const item = document.createElement("li");
            item.textContent = `${event.lastEventId}: ${JSON.parse(event.data).text}`;
            document.querySelector("ol").append(item);
        });
    </script>"""

def letters():
    try:
        yield "begin"
        while True:
            time.sleep(0.02)
            yield "go on"
    finally:
        note("closed", request.path)

async def letters_async():
    try:
        yield "begin"
        while True:
            await asyncio.sleep(0.02)
            yield "go on"
    finally:
        note("closed", request.path)

async def silence():
    try:
        yield "begin"
        await asyncio.Event().wait()
    finally:
        note("closed", request.path)

KINDS = {"sync": letters, "async": letters_async, "silent": silence}

@app.get("/events/<kind>")
def events(kind):
    return EventStream(KINDS[kind](), keep_alive=0.05)

@app.get("/again")
def again():
    last = int((request.last_event_id or "é0").removeprefix("é"))
    def two():
        for number in (last + 1, last + 2):
            text = f"{number}\\n<after {last}>"
            yield ServerSentEvent({"text": text}, event="count", id=f"é{number}", retry=10)
    if last >= 4:
        return "", 204
    return EventStream(two())

@app.get("/threads")
def threads():
    return [thread.name for thread in threading.enumerate()]
'''

SERVERS = {
    "brim run": ["brim", "--app", "events", "run", "--port", "{port}"],
    "gunicorn": ["gunicorn", "events:app", "--bind", "127.0.0.1:{port}", "--threads", "24"]
    + ["--no-control-socket"],
    "gunicorn with gevent": ["gunicorn", "events:app", "--bind", "127.0.0.1:{port}"]
    + ["--worker-class", "gevent", "--no-control-socket"],
    "uvicorn": ["uvicorn", "events:app", "--port", "{port}", "--log-level", "warning"],
    "granian": ["granian", "--interface", "asgi", "--port", "{port}", "events:app"],
}


@contextmanager
def served(server: str, folder: Path) -> Iterator[int]:
    """The port at which a server serves APP. It must end without an error said."""
    (folder / "events.py").write_text(APP)
    (folder / "log").touch()
    port = free_port()
    command = [sys.executable, "-m", *(word.format(port=port) for word in SERVERS[server])]
    said = folder / "said"
    with (
        said.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            assert first_answer(port, process), said.read_text()
            yield port
        finally:
            end_group(process)
    assert "Traceback" not in said.read_text(), said.read_text()
    assert "Warning" not in said.read_text(), said.read_text()


def connect(port: int, path: str) -> socket.socket:
    """Ask for a stream, and read the beginning of it."""
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    received = b""
    while b"data: begin\n\n" not in received:
        chunk = client.recv(4096)
        assert chunk, received
        received += chunk
    return client


@pytest.mark.parametrize("server", SERVERS)
def test_of_20_clients_that_leave_20_streams_are_closed(server: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with served(server, tmp_path) as port:
        for kind in ("sync", "async", "silent"):
            for client in [connect(port, f"/events/{kind}") for _ in range(20)]:
                client.close()
            ends = [f"{end} /events/{kind}" for end in ("closed", "teardown")]

            def counts(ends: list[str] = ends) -> list[int]:
                lines = log.read_text().splitlines()
                return [lines.count(end) for end in ends]

            until(lambda counts=counts: counts() == [20, 20], log.read_text)  # type: ignore[misc]

        def all_gone() -> bool:
            with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                client.sendall(b"GET /threads HTTP/1.0\r\n\r\n")
                return b"brim-events" not in client.makefile("rb").read()

        until(all_gone)
    assert len(log.read_text().splitlines()) == 120


@pytest.mark.once
def test_a_browser_takes_up_where_it_left_off(tmp_path: Path) -> None:
    if CHROMIUM is None:
        reason = "No Chromium on PATH; BRIM_CHROMIUM can name one."
        pytest.fail(reason) if BROWSER_REQUIRED else pytest.skip(reason)
    with chromium() as browser:
        for server in ("brim run", "uvicorn"):
            with served(server, tmp_path) as port:
                page = browser.new_page()
                page.goto(f"http://127.0.0.1:{port}/")
                # The server's 204 says that there is nothing to connect for any more.
                closed = "source.readyState == EventSource.CLOSED"
                page.wait_for_function(closed, timeout=PATIENCE)
                assert page.locator("li").all_text_contents() == [
                    *("é1: 1\n<after 0>", "é2: 2\n<after 0>"),
                    *("é3: 3\n<after 2>", "é4: 4\n<after 2>"),
                ], server
