"""The life of a process: what runs before its first request, what after its last, and where."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

import brim
from brim import Flask, current_app, g, has_request_context
from tests.devserver.server import Server, save, until
from tests.processes import end_group, first_answer, free_port
from tests.support import knock

variable: ContextVar[str] = ContextVar("variable", default="unset")


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)

    @app.get("/")
    def index() -> str:
        return "answer"

    return app


@pytest.fixture
def seen() -> list[Any]:
    """What functions note."""
    return []


def fill(app: Flask, seen: list[Any]) -> None:
    """Register one function of each kind."""

    @app.before_serving
    def first() -> None:
        seen.append("first")

    @app.while_serving
    def connection() -> Iterator[None]:
        seen.append("open")
        yield
        seen.append("closed")

    @app.after_serving
    async def last() -> None:
        await asyncio.sleep(0)
        seen.append("last")

    @app.while_serving
    async def pool() -> AsyncIterator[None]:
        await asyncio.sleep(0)
        seen.append("async open")
        yield
        await asyncio.sleep(0)
        seen.append("async closed")

    @app.before_serving
    async def second() -> None:
        await asyncio.sleep(0)
        seen.append("second")


STARTED = ["first", "open", "async open", "second"]
ENDED = ["async closed", "last", "closed"]


class LifespanServer:
    """An ASGI server's side of the lifespan protocol."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def begin(self, app: Flask) -> asyncio.Task[None]:
        """Announce the start; return once it is answered."""
        await self.messages.put({"type": "lifespan.startup"})
        scope: Any = {"type": "lifespan", "asgi": {"version": "3.0"}}
        serving = asyncio.ensure_future(app(scope, self.messages.get, self.send))
        while not self.sent:
            await asyncio.sleep(0.001)
        return serving

    async def end(self, serving: asyncio.Task[None]) -> None:
        """Announce the end."""
        await self.messages.put({"type": "lifespan.shutdown"})
        await serving


async def get(app: Flask, path: str = "/") -> int:
    """Send one request by ASGI; return the status."""
    sent: list[dict[str, Any]] = []
    requests: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return requests.pop() if requests else await asyncio.Future()

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    status: int = sent[0]["status"]
    return status


# Under WSGI ---------------------------------------------------------------------------


def test_the_first_request_starts_it_once_and_the_end_goes_backwards(
    app: Flask, seen: list[Any]
) -> None:
    fill(app, seen)
    assert seen == []
    for _ in range(2):
        assert app.test_client().get("/").text == "answer"
        assert seen == STARTED
    for _ in range(2):
        app.lifespan.stop()
        assert seen == STARTED + ENDED
    app.test_client().get("/")
    assert seen == STARTED + ENDED


def test_tests_start_and_end_it_with_a_with_block(app: Flask, seen: list[Any]) -> None:
    fill(app, seen)
    for _ in range(2):
        with app.lifespan:
            assert seen == STARTED
            app.test_client().get("/")
            assert seen == STARTED
        assert seen == STARTED + ENDED
        seen.clear()


def test_the_functions_have_an_application_context_and_no_request(
    app: Flask, seen: list[Any]
) -> None:
    @app.teardown_appcontext
    def teardown(error: BaseException | None) -> None:
        seen.append("teardown")

    @app.before_serving
    def first() -> None:
        g.value = 1
        seen.append((current_app.name, has_request_context()))

    @app.before_serving
    async def second() -> None:
        seen.append((g.value, has_request_context()))

    @app.after_serving
    def last() -> None:
        seen.append((current_app.name, "value" in g))

    app.test_client().get("/")
    assert seen == [(__name__, False), (1, False), "teardown", "teardown"]
    seen.clear()
    app.lifespan.stop()
    assert seen == [(__name__, False), "teardown"]


def test_context_variables_last_from_the_start_to_the_end(app: Flask, seen: list[Any]) -> None:
    @app.while_serving
    def connection() -> Iterator[None]:
        token = variable.set("set")
        yield
        seen.append(variable.get())
        variable.reset(token)
        seen.append(variable.get())

    with app.lifespan:
        assert variable.get() == "unset"
    assert seen == ["set", "unset"]


def test_threads_wait_for_the_one_that_starts_it(app: Flask, seen: list[Any]) -> None:
    goes_on = threading.Event()

    @app.before_serving
    def slow() -> None:
        assert goes_on.wait(10)
        seen.append("started")

    @app.get("/seen")
    def count() -> str:
        return str(len(seen))

    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(app.test_client().get, "/seen") for _ in range(8)]
        time.sleep(0.05)  # all of them are there
        goes_on.set()
        assert {answer.result(10).text for answer in answers} == {"1"}
    assert seen == ["started"]


def test_an_error_is_the_first_requests_and_the_next_one_tries_again(
    app: Flask, seen: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    fails = True

    @app.while_serving
    def connection() -> Iterator[None]:
        seen.append("open")
        yield
        seen.append("closed")

    @app.after_serving
    def last() -> None:
        seen.append("last")

    @app.while_serving
    async def unsure() -> AsyncIterator[None]:
        if fails:
            raise LookupError("no database")
        yield

    client = app.test_client()
    assert client.get("/").status_code == 500
    assert "no database" in caplog.text
    assert seen == ["open", "closed"]
    fails = False
    assert client.get("/").status_code == 200
    assert seen == ["open", "closed", "open"]
    app.lifespan.stop()
    assert seen == ["open", "closed", "open", "last", "closed"]


def test_requests_that_waited_for_a_start_that_failed_are_told(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    goes_on = threading.Event()
    begun = threading.Event()

    @app.before_serving
    def fails() -> None:
        begun.set()
        assert goes_on.wait(10)
        raise LookupError("no database")

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(app.test_client().get, "/")
        assert begun.wait(10)
        second = threads.submit(app.test_client().get, "/")
        time.sleep(0.05)  # it waits
        goes_on.set()
        assert [first.result(10).status_code, second.result(10).status_code] == [500, 500]


def test_an_error_at_the_end_is_logged_and_keeps_nothing_from_ending(
    app: Flask, seen: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    fill(app, seen)

    @app.after_serving
    def fails() -> None:
        raise LookupError("gone already")

    @app.while_serving
    def twice() -> Iterator[None]:
        yield
        yield

    with app.lifespan:
        pass
    assert seen == STARTED + ENDED
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert twice.__qualname__ in messages[0]
    assert fails.__qualname__ in messages[1]


def test_tasks_end_before_what_they_use(app: Flask, seen: list[Any]) -> None:
    fill(app, seen)
    goes_on = threading.Event()

    def task() -> None:
        goes_on.wait(0.1)
        seen.append("task")

    @app.after_serving
    def flush() -> None:
        app.add_background_task(seen.append, "flushed")

    with app.lifespan:
        app.add_background_task(task)
    assert sorted(seen) == sorted([*STARTED, *ENDED, "task", "flushed"])
    assert seen.index("task") < seen.index("async closed")


@pytest.mark.parametrize("is_async", [False, True])
def test_a_start_up_function_may_send_requests(app: Flask, seen: list[Any], is_async: bool) -> None:
    def warm_up() -> None:
        seen.append(app.test_client().get("/").text)

    async def warm_up_async() -> None:
        warm_up()

    app.before_serving(warm_up_async if is_async else warm_up)
    app.test_client().get("/")
    assert seen == ["answer"]


def test_what_is_no_generator_function_is_refused(app: Flask) -> None:
    app.testing = True

    @app.while_serving
    async def forgot_to_yield() -> None: ...

    with pytest.raises(TypeError, match="forgot_to_yield' must be a generator function"):
        app.test_client().get("/")


def test_a_generator_without_a_yield_is_refused(app: Flask) -> None:
    @app.while_serving
    def ended() -> Iterator[None]:
        yield from ()

    with pytest.raises(RuntimeError, match="ended' ended without a 'yield'"):
        app.lifespan.start()


def test_functions_are_registered_before_the_first_request(app: Flask, seen: list[Any]) -> None:
    with app.lifespan, pytest.raises(AssertionError, match="'before_serving' can no longer"):
        app.before_serving(lambda: None)
    app.test_client().get("/")
    with pytest.raises(AssertionError, match="'after_serving' can no longer"):
        app.after_serving(lambda: None)


def test_an_application_that_has_nothing_to_start_does_nothing(app: Flask) -> None:
    knock(app).close()
    assert "lifespan" not in vars(app)
    assert app._to_start is None


@pytest.mark.wsgi("the test runner's thread alone is forked")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_process_starts_on_its_own_and_ends_nothing_of_its_parents(
    app: Flask, seen: list[Any]
) -> None:
    fill(app, seen)
    with app.lifespan:
        child = os.fork()
        if not child:
            app.lifespan.stop()
            ends_nothing = seen == STARTED
            seen.clear()
            app.test_client().get("/")
            starts = seen == STARTED
            app.lifespan.stop()
            ends = seen == STARTED + ENDED
            os._exit(0 if ends_nothing and starts and ends else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert seen == STARTED


# Under ASGI ---------------------------------------------------------------------------


def test_an_asgi_server_announces_start_and_end(app: Flask, seen: list[Any]) -> None:
    loops: set[Any] = set()

    @app.before_serving
    async def loop() -> None:
        loops.add(asyncio.get_running_loop())

    fill(app, seen)

    async def serve() -> None:
        server = LifespanServer()
        serving = await server.begin(app)
        assert server.sent == [{"type": "lifespan.startup.complete"}]
        assert seen == STARTED
        assert await get(app) == 200
        assert seen == STARTED
        await server.end(serving)
        assert server.sent[1:] == [{"type": "lifespan.shutdown.complete"}]
        assert seen == STARTED + ENDED
        assert loops == {asyncio.get_running_loop()}

    asyncio.run(serve())


def test_an_asgi_server_is_told_of_an_error(
    app: Flask, seen: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    fill(app, seen)

    @app.before_serving
    def fails() -> None:
        raise LookupError("no database")

    async def serve() -> None:
        server = LifespanServer()
        await (await server.begin(app))
        assert server.sent == [
            {"type": "lifespan.startup.failed", "message": "LookupError: no database"}
        ]

    asyncio.run(serve())
    assert seen == [*STARTED, "async closed", "closed"]
    assert "Traceback" in caplog.text


def test_without_lifespan_the_first_asgi_request_starts_it(app: Flask, seen: list[Any]) -> None:
    fill(app, seen)

    async def serve() -> None:
        assert await asyncio.gather(*(get(app) for _ in range(5))) == [200] * 5
        assert seen == STARTED

    asyncio.run(serve())
    # The loop's end is the server's.
    assert seen == STARTED + ENDED


def test_without_lifespan_an_error_is_the_first_asgi_requests(app: Flask) -> None:
    fails = True
    app.logger.disabled = True

    @app.before_serving
    async def unsure() -> None:
        await asyncio.sleep(0.01)
        if fails:
            raise LookupError

    async def serve() -> None:
        nonlocal fails
        assert await asyncio.gather(get(app), get(app)) == [500, 500]
        fails = False
        assert await get(app) == 200

    try:
        asyncio.run(serve())
    finally:
        app.logger.disabled = False


def test_a_start_up_function_may_send_asgi_requests(app: Flask, seen: list[Any]) -> None:
    @app.before_serving
    async def warm_up() -> None:
        seen.append(await get(app))

    async def serve() -> None:
        assert await get(app) == 200

    asyncio.run(asyncio.wait_for(serve(), 10))
    assert seen == [200]


def test_tasks_run_on_the_servers_loop_and_have_their_time_at_its_end(
    app: Flask, seen: list[Any]
) -> None:
    async def task() -> None:
        await asyncio.sleep(0.05)
        seen.append(asyncio.get_running_loop())

    @app.get("/sync")
    def sync_view() -> str:
        brim.after_response(task)
        return ""

    @app.get("/async")
    async def async_view() -> str:
        brim.after_response(task)
        return ""

    async def serve() -> None:
        server = LifespanServer()
        serving = await server.begin(app)
        await get(app, "/sync")
        await get(app, "/async")
        await server.end(serving)
        assert seen == [asyncio.get_running_loop()] * 2

    asyncio.run(serve())


# Under servers ------------------------------------------------------------------------

APP = """\
import asyncio
import os
import time

from brim import Flask, after_response, current_app, request

app = Flask(__name__)


def note(what):
    with open("noted", "a") as file:
        file.write(f"{os.getpid()} {what}\\n")


@app.before_serving
def before():
    time.sleep(0.05)
    note("before")


@app.while_serving
async def while_serving():
    note("open")
    try:
        yield
    finally:
        await asyncio.sleep(0.01)
        note("closed")


@app.after_serving
def after():
    note("after")


def task():
    time.sleep(0.3)
    note(f"task of {request.path}")


async def async_task():
    await asyncio.sleep(0.3)
    note(f"async task of {request.path}")


@app.get("/")
def index():
    return str(os.getpid())


@app.get("/tasks")
def tasks():
    after_response(task)
    after_response(async_task)
    return "one"
"""
WHOLE_LIFE = ["before", "open", "after", "closed"]
TASKS = {"task of /tasks", "async task of /tasks"}


def noted(folder: Path) -> dict[str, list[str]]:
    """What each process has noted."""
    found: dict[str, list[str]] = {}
    with suppress(FileNotFoundError):
        for line in (folder / "noted").read_text().splitlines():
            process, _, what = line.partition(" ")
            found.setdefault(process, []).append(what)
    return found


SERVERS = {
    "gunicorn": ["gunicorn", "-w2", "--threads=2", "--preload", "-b127.0.0.1:{}"],
    "granian": ["granian", "--interface=wsgi", "--port={}"],
    "uvicorn": ["uvicorn", "--port={}"],
    "waitress": ["waitress", "--listen=127.0.0.1:{}"],
    "brim": ["brim", "--app=app", "run", "--port={}"],
}


@pytest.mark.wsgi("what it asks is a process of its own")
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("name", list(SERVERS))
def test_each_process_of_a_server_has_one_life(name: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    port = free_port()
    argv = [argument.format(port) for argument in SERVERS[name]]
    if name != "brim":
        argv.append("app:app")
    server = subprocess.Popen(
        [sys.executable, "-m", *argv],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(brim.__file__).parents[1])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        answer = first_answer(port, server)
        assert answer is not None
        processes = {answer[1]}
        workers = 2 if name == "gunicorn" else 1

        def all_have_answered() -> bool:
            processes.add(_read(port, "/"))
            return len(processes) == workers

        until(all_have_answered)
        with ThreadPoolExecutor(4) as threads:
            assert set(threads.map(lambda path: _read(port, path), ["/tasks"] * 4)) == {"one"}
    except BaseException:
        end_group(server, signal.SIGKILL)
        raise
    # Waitress has no handler of SIGTERM.
    said = end_group(server, signal.SIGINT if name == "waitress" else signal.SIGTERM)
    lives = noted(tmp_path)
    assert set(lives) == processes
    tasks: list[str] = []
    for life in lives.values():
        assert [what for what in life if what not in TASKS] == WHOLE_LIFE, said
        ended = life.index("after")
        tasks += life[2:ended]
    assert sorted(tasks) == sorted([*TASKS] * 4), said


def _read(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.wsgi("what it asks is a process of its own")
@pytest.mark.skipif(os.name != "posix", reason="the supervisor needs POSIX")
def test_a_restart_of_the_development_server_ends_one_life_before_the_next(
    tmp_path: Path,
) -> None:
    file = tmp_path / "app.py"
    file.write_text(APP)
    server = Server("-m", "brim", "--app=app", "run", "--debug", "--port=0", cwd=tmp_path)
    try:
        first = server.get()[1]
        assert server.get("/tasks") == (200, "one")
        save(file, APP.replace("str(os.getpid())", "'again ' + str(os.getpid())"))
        server.until("again")
        second = server.get()[1].removeprefix("again ")
    finally:
        server.stop()
    lives = noted(tmp_path)
    assert [what for what in lives[first] if what not in TASKS] == WHOLE_LIFE
    assert set(lives[first][2:4]) == TASKS
    assert lives[second] == WHOLE_LIFE
    assert list(lives) == [first, second]
    lines = (tmp_path / "noted").read_text().splitlines()
    assert lines.index(f"{first} closed") < lines.index(f"{second} before")


@pytest.mark.wsgi("what it asks is a process of its own")
@pytest.mark.skipif(os.name != "posix", reason="the supervisor needs POSIX")
def test_the_development_server_shows_why_an_application_cannot_start(tmp_path: Path) -> None:
    text = (
        "from brim import Flask\napp = Flask(__name__)\n"
        "@app.get('/')\ndef index(): return 'it serves'\n"
    )
    fails = "@app.before_serving\ndef connect(): raise LookupError('no database')\n"
    file = tmp_path / "app.py"
    file.write_text(text + fails)
    server = Server("-m", "brim", "--app=app", "run", "--debug", "--port=0", cwd=tmp_path)
    try:
        status, page = server.get()
        assert status == 500
        assert "no database" in page
        server.says("LookupError: no database", 2)
        assert server.after(file, text, "it serves") == 200
    finally:
        server.stop()


@pytest.mark.wsgi("what it asks is a process of its own")
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_asgi_server_does_not_serve_what_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "from brim import Flask\napp = Flask(__name__)\n"
        "@app.before_serving\nasync def connect(): raise LookupError('no database')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "uvicorn", f"--port={free_port()}", "app:app"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(brim.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0
    assert "LookupError: no database" in done.stderr


PROCESS = """\
import sys
from brim import Flask

app = Flask(__name__)

@app.before_serving
def before(): sys.stdout.write("before\\n")

@app.after_serving
def after(): print("after")

@app.get("/")
def index():
    {view}
    return ""

app.test_client().get("/")
sys.stdout.write(f"{{'asyncio' in sys.modules}}\\n")
"""


@pytest.mark.wsgi("what it asks is a process of its own")
@pytest.mark.parametrize("view", ["pass", "app.add_background_task(sys.stdout.write, 'task\\n')"])
def test_sync_functions_load_no_event_loop_and_exit_ends_the_life(view: str) -> None:
    done = subprocess.run(
        [sys.executable, "-Werror", "-c", PROCESS.format(view=view)],
        env={**os.environ, "PYTHONPATH": str(Path(brim.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=30,
    )
    said = done.stdout.split()
    assert done.stderr == ""
    assert [what for what in said if what != "task"] == ["before", "False", "after"]
    assert ("task" in said) == ("task" in view)
