"""Tasks beside the requests: when they start, what they see, how they end."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from io import BytesIO
from typing import Any

import pytest

from brim import (
    Flask,
    after_response,
    copy_current_request_context,
    current_app,
    g,
    has_request_context,
    request,
    session,
    stream_with_context,
    websocket,
)
from brim.background import THREADS
from tests.support import knock, on_thread

Task = Callable[..., Any]

variable: ContextVar[str] = ContextVar("variable", default="unset")


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.secret_key = "secret"
    return app


@pytest.fixture
def seen() -> list[Any]:
    """What tasks note."""
    return []


def in_both_forms(note: Callable[[Any], None]) -> list[Task]:
    """A task that notes what it is given, as a function and as a coroutine function."""

    async def noted(value: Any) -> None:
        await asyncio.sleep(0)
        note(value)

    return [note, noted]


@pytest.fixture(params=["sync", "async"])
def task_of(request: pytest.FixtureRequest) -> Callable[[Callable[[Any], None]], Task]:
    return lambda note: in_both_forms(note)[request.param == "async"]


@pytest.mark.wsgi("by ASGI the client has the answer when the application has ended")
def test_a_task_starts_when_the_answer_is_sent(
    app: Flask, seen: list[Any], task_of: Callable[[Any], Task]
) -> None:
    @app.get("/")
    def index() -> str:
        after_response(task_of(seen.append), "task")
        return "answer"

    answer = knock(app)
    assert seen == []
    assert answer.read() == b"answer"
    answer.close()
    assert app.background.join(10)
    assert seen == ["task"]


def test_a_client_that_leaves_keeps_no_task_from_running(app: Flask, seen: list[Any]) -> None:
    @app.get("/")
    def index() -> Iterator[str]:
        after_response(seen.append, "task")
        yield "never read"

    app.view_functions["index"] = stream_with_context(index)  # type: ignore[type-var]
    answer = knock(app)
    next(iter(answer.body))
    answer.close()
    assert app.background.join(10)
    assert seen == ["task"]


def test_a_streamed_answer_starts_its_tasks_at_its_end(app: Flask, seen: list[Any]) -> None:
    @app.get("/")
    def index() -> Any:
        after_response(seen.append, "from the view")

        def stream() -> Iterator[str]:
            yield "first"
            after_response(seen.append, "from the stream")
            yield "second"

        return stream_with_context(stream())

    answer = knock(app)
    chunks = iter(answer.body)
    assert [next(chunks), next(chunks)] == [b"first", b"second"]
    assert not seen
    assert list(chunks) == []
    answer.close()
    assert app.background.join(10)
    assert sorted(seen) == ["from the stream", "from the view"]


def test_an_error_page_is_an_answer_too(app: Flask, seen: list[Any]) -> None:
    @app.get("/")
    def index() -> str:
        after_response(seen.append, "task")
        raise ValueError

    app.logger.disabled = True
    try:
        assert app.test_client().get("/").status_code == 500
    finally:
        app.logger.disabled = False
    assert app.background.join(10)
    assert seen == ["task"]


def test_tasks_of_an_answer_that_the_test_client_holds_are_started_by_join(
    app: Flask, seen: list[Any]
) -> None:
    @app.get("/")
    def index() -> str:
        after_response(seen.append, "task")
        return "answer"

    response = app.test_client().get("/")
    assert app.background.join(10)
    assert seen == ["task"]
    response.close()
    assert app.background.join(10)
    assert seen == ["task"]  # once


def test_a_task_sees_its_request(
    app: Flask, seen: list[Any], task_of: Callable[[Any], Task]
) -> None:
    def note(value: str) -> None:
        seen.append((value, request.path, session["user"], g.user, current_app.name))
        seen.append(variable.get())

    @app.post("/path")
    def index() -> str:
        session["user"] = "ada"
        g.user = "grace"
        variable.set("set")
        after_response(task_of(note), value="given")
        return ""

    app.test_client().post("/path", data={"a": "b"})
    assert app.background.join(10)
    assert seen == [("given", "/path", "ada", "grace", __name__), "set"]


def test_g_is_a_copy_of_what_the_teardown_functions_have_left(app: Flask, seen: list[Any]) -> None:
    class Connection:
        closed = False

    @app.teardown_appcontext
    def close(error: BaseException | None) -> None:
        if "connection" in g:
            g.pop("connection").closed = True

    def connect() -> Connection:
        return g.setdefault("connection", Connection())  # type: ignore[no-any-return]

    @app.get("/after")
    def after() -> str:
        seen.append(connect())
        after_response(lambda: seen.append(connect()))
        return ""

    @app.get("/now")
    def now() -> str:
        mine = connect()
        app.add_background_task(lambda: seen.append(connect()))
        assert app.background.join(10)
        assert not mine.closed
        return ""

    client = app.test_client()
    client.get("/after")
    assert app.background.join(10)
    of_request, of_task = seen
    assert of_request is not of_task
    assert of_request.closed
    assert of_task.closed
    assert client.get("/now").status_code == 200


def test_a_task_has_its_own_teardown(app: Flask, task_of: Callable[[Any], Task]) -> None:
    torn_down: list[Any] = []

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        torn_down.append(type(error))

    def fail(value: Any) -> None:
        raise LookupError(value)

    @app.get("/")
    def index() -> str:
        after_response(task_of(fail), 1)
        return ""

    app.logger.disabled = True
    try:
        app.test_client().get("/")
        assert app.background.join(10)
    finally:
        app.logger.disabled = False
    assert torn_down == [type(None), LookupError]


def test_async_teardown_functions_run_for_tasks(
    app: Flask, seen: list[Any], task_of: Callable[[Any], Task]
) -> None:
    @app.teardown_appcontext
    async def teardown(error: BaseException | None) -> None:
        await asyncio.sleep(0)
        seen.append("teardown")

    app.add_background_task(task_of(seen.append), "task")
    assert app.background.join(10)
    assert seen == ["task", "teardown"]


def test_files_and_body_stay_the_requests_own(app: Flask, seen: list[Any]) -> None:
    def note_body() -> None:
        try:
            request.get_data()
        except RuntimeError as error:
            seen.append(str(error))

    @app.post("/")
    def index() -> bytes:
        app.add_background_task(note_body)
        assert app.background.join(10)
        upload = request.files["upload"]
        app.add_background_task(seen.append, 1)
        assert app.background.join(10)
        return upload.read()  # no task has closed it

    client = app.test_client()
    assert client.post("/", data={"upload": (BytesIO(b"file"), "name")}).data == b"file"
    assert "Read it in the view" in seen[0]


def test_a_request_without_a_body_has_an_empty_one_in_a_task(app: Flask, seen: list[Any]) -> None:
    @app.get("/")
    def index() -> str:
        after_response(lambda: seen.append(request.get_data()))
        return ""

    app.test_client().get("/")
    assert app.background.join(10)
    assert seen == [b""]


def test_a_body_that_was_read_is_there(app: Flask, seen: list[Any]) -> None:
    @app.post("/")
    def index() -> str:
        after_response(lambda: seen.append((request.get_json(), request.is_json)))
        return str(request.get_json())

    app.test_client().post("/", json={"a": 1})
    assert app.background.join(10)
    assert seen == [({"a": 1}, True)]


def test_errors_are_logged_by_name_and_reach_nobody(
    app: Flask, seen: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise LookupError("sync")

    async def exits() -> None:
        raise SystemExit("async")

    @app.get("/")
    def index() -> str:
        for task in (fails, exits, partial(seen.append, 1)):
            after_response(task)
        return "answer"

    assert app.test_client().get("/").text == "answer"
    assert app.background.join(10)
    app.add_background_task(in_both_forms(seen.append)[1], 2)
    assert app.background.join(10)
    assert seen == [1, 2]
    named = {record.getMessage(): record.exc_info for record in caplog.records}
    of_sync = named[f"Background task {__name__}.{fails.__qualname__} failed."]
    of_async = named[f"Background task {__name__}.{exits.__qualname__} failed."]
    assert of_sync is not None
    assert of_sync[0] is LookupError
    assert of_async is not None
    assert of_async[0] is SystemExit


def test_add_background_task_starts_at_once(app: Flask, task_of: Callable[[Any], Task]) -> None:
    started = threading.Event()

    @app.get("/")
    def index() -> str:
        app.add_background_task(task_of(lambda value: started.set()), 1)
        assert started.wait(10)
        return "answer"

    assert app.test_client().get("/").text == "answer"
    assert app.background.join(10)


def test_tasks_outside_a_request_have_an_application_context(
    app: Flask, seen: list[Any], task_of: Callable[[Any], Task]
) -> None:
    app.add_background_task(
        task_of(lambda _: seen.append((current_app.name, has_request_context()))), 1
    )

    @app.cli.command()
    def command() -> None:
        app.add_background_task(task_of(lambda _: seen.append(current_app.name)), 1)

    app.test_cli_runner().invoke(args=["command"])
    assert app.background.join(10)
    assert sorted(seen, key=str) == [(__name__, False), __name__]


def test_a_task_of_another_application_has_that_ones_context(app: Flask, seen: list[Any]) -> None:
    other = Flask("other")

    @app.get("/")
    def index() -> str:
        other.add_background_task(lambda: seen.append((current_app.name, has_request_context())))
        return ""

    app.test_client().get("/")
    assert other.background.join(10)
    assert seen == [("other", False)]


def test_a_task_may_start_others(app: Flask, seen: list[Any]) -> None:
    def second() -> None:
        seen.append(request.path)

    def first() -> None:
        after_response(second)
        current_app.add_background_task(second)

    @app.get("/path")
    def index() -> str:
        after_response(first)
        return ""

    app.test_client().get("/path")
    assert app.background.join(10)
    assert seen == ["/path", "/path"]


@pytest.mark.wsgi("by ASGI the client has the answer when the application has ended")
def test_a_thread_with_a_copy_of_the_context_leaves_tasks_for_the_answer(
    app: Flask, seen: list[Any]
) -> None:
    @app.get("/")
    def index() -> str:
        on_thread(copy_current_request_context(lambda: after_response(seen.append, "task")))
        return "answer"

    answer = knock(app)
    assert not seen
    answer.close()
    assert app.background.join(10)
    assert seen == ["task"]


def test_outside_a_request_there_is_no_answer_to_wait_for(app: Flask) -> None:
    with app.app_context(), pytest.raises(RuntimeError, match="'after_response'"):
        after_response(print)


def test_what_is_no_function_is_refused(app: Flask) -> None:
    async def work() -> None: ...

    with pytest.raises(TypeError, match=r"Write add_background_task\(work, \.\.\.\)"):
        app.add_background_task(work())  # type: ignore[arg-type]
    with app.test_request_context(), pytest.raises(TypeError, match="not 'work'"):
        after_response("work")  # type: ignore[arg-type]


def test_join_has_a_limit(app: Flask) -> None:
    goes_on = threading.Event()
    app.add_background_task(goes_on.wait, 10)
    assert not app.background.join(0.01)
    goes_on.set()
    assert app.background.join(10)


def test_join_refuses_the_loop_that_has_to_run_the_tasks(app: Flask, seen: list[Any]) -> None:
    @app.get("/")
    async def index() -> str:
        app.add_background_task(in_both_forms(seen.append)[1], "task")
        with pytest.raises(RuntimeError, match="await app.background.wait"):
            app.background.join()
        assert await app.background.wait(10)
        return ""

    app.testing = True
    app.test_client().get("/")
    assert seen == ["task"]


def test_the_end_gives_tasks_their_time(app: Flask, seen: list[Any]) -> None:
    async def soon(value: Any) -> None:
        await asyncio.sleep(0.05)
        seen.append(value)

    app.add_background_task(soon, "task")
    app.background.end()
    assert seen == ["task"]


def test_what_does_not_end_in_time_is_given_up_by_name(
    app: Flask, seen: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = 0.05
    goes_on = threading.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            seen.append("cleaned up")

    app.add_background_task(long)
    for _ in range(THREADS):
        app.add_background_task(goes_on.wait, 10)
    app.add_background_task(seen.append, "never begun")
    app.background.end()
    assert seen == ["cleaned up"]
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == THREADS + 2
    assert any(f"{long.__qualname__} was given up: it had not ended 0.05 s" in m for m in messages)
    goes_on.set()
    assert app.background.join(10)
    assert seen == ["cleaned up"]


def test_a_loop_that_has_ended_is_not_waited_for(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    from brim import bridge

    async def long() -> None:
        await asyncio.sleep(100)

    loop = asyncio.new_event_loop()

    async def begin() -> None:
        bridge.home_loop.set(loop)
        app.add_background_task(long)
        await asyncio.sleep(0)

    loop.run_until_complete(begin())
    app.background.end()
    assert "ended its event loop" in caplog.text
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_process_has_tasks_of_its_own(app: Flask, seen: list[Any]) -> None:
    goes_on = threading.Event()
    app.add_background_task(goes_on.wait, 10)
    child = os.fork()
    if not child:
        ended_at_once = app.background.join(0)
        app.add_background_task(seen.append, "task")
        os._exit(0 if ended_at_once and app.background.join(10) and seen == ["task"] else 1)
    goes_on.set()
    assert os.waitpid(child, 0)[1] == 0
    assert app.background.join(10)


def test_many_tasks_keep_their_contexts_apart(app: Flask) -> None:
    wrong: list[Any] = []

    def check(number: int) -> None:
        if (request.path, g.number, variable.get()) != (f"/{number}", number, str(number)):
            wrong.append(number)
        variable.set("changed")
        g.number = None

    @app.get("/<int:number>")
    def index(number: int) -> str:
        g.number = number
        variable.set(str(number))
        for task in in_both_forms(check):
            after_response(task, number)
        return ""

    client = app.test_client()
    for number in range(500):
        client.get(f"/{number}")
    assert app.background.join(30)
    assert not wrong


def test_applications_without_tasks_load_nothing_for_them(app: Flask) -> None:
    @app.get("/")
    def index() -> str:
        return ""

    app.test_client().get("/")
    assert "background" not in vars(app)


def test_a_task_that_cannot_be_started_is_logged(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)

    class Unsure:
        """A ``g`` that can't be copied."""

        def __copy__(self) -> Any:
            raise LookupError("no copy")

    app.app_ctx_globals_class = Unsure

    @app.get("/")
    def index() -> str:
        after_response(print)
        return "answer"

    assert app.test_client().get("/").text == "answer"
    assert app.background.join(10)
    assert "Background task builtins.print could not be started." in caplog.text


def test_a_websocket_starts_its_tasks_at_its_end(app: Flask, seen: list[Any]) -> None:
    @app.websocket("/socket")
    def socket() -> None:
        after_response(lambda: seen.append(request.path))
        app.add_background_task(seen.append, "beside")
        assert app.background.join(10)
        websocket.send(str(seen))
        websocket.receive()

    with app.test_client().websocket_connect("/socket") as ws:
        assert ws.receive() == "['beside']"
        ws.send("end")
    assert app.background.join(10)
    assert seen == ["beside", "/socket"]
