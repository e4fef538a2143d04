"""Coroutines under a sync server: one loop for the process, and nothing lost on the way."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import traceback
import weakref
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from brim import (
    Flask,
    Response,
    bridge,
    current_app,
    g,
    has_request_context,
    request,
    session,
    stream_with_context,
)
from brim.bridge import Synced, is_async, run
from brim.testing import FlaskClient
from brim.views import MethodView
from tests.support import knock, on_thread

variable: ContextVar[str] = ContextVar("variable")


async def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


async def _add(a: int, b: int = 1) -> int:
    await asyncio.sleep(0)
    return a + b


# The loop ------------------------------------------------------------------------------


def test_each_kind_of_function_may_be_a_coroutine_function(app: Flask, client: FlaskClient) -> None:
    """All of them run on one loop, which is that of all requests."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def note() -> None:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        assert threading.current_thread() is not threading.main_thread()
        assert current_app == app

    @app.before_request
    async def before() -> None:
        await note()
        g.order = ["before"]

    @app.get("/")
    async def view() -> str:
        await note()
        g.order.append("view")
        raise LookupError

    @app.errorhandler(LookupError)
    async def handle(error: LookupError) -> list[str]:
        await note()
        assert has_request_context()
        return [*g.order, "handled"]

    @app.after_request
    async def after(response: Response) -> Response:
        await note()
        response.headers["X-After"] = request.path
        return response

    @app.teardown_request
    async def teardown_request(error: BaseException | None) -> None:
        await note()
        assert request.path == "/"

    @app.teardown_appcontext
    async def teardown_appcontext(error: BaseException | None) -> None:
        await note()

    for _ in range(2):
        response = client.get("/")
        assert response.json == ["before", "view", "handled"]
        assert response.headers["X-After"] == "/"
    assert len(loops) == 12
    assert set(loops) == {run(_loop())}


def test_methods_of_views_may_be_coroutine_functions(app: Flask, client: FlaskClient) -> None:
    class Counter(MethodView):
        async def get(self, number: int) -> str:
            return str(await _add(number))

    app.add_url_rule("/<int:number>", view_func=Counter.as_view("counter"))
    assert client.get("/1").text == "2"


def test_what_is_bound_to_the_loop_lasts_from_request_to_request(
    app: Flask, client: FlaskClient
) -> None:
    queue: asyncio.Queue[str] = asyncio.Queue()

    @app.get("/put/<word>")
    async def put(word: str) -> str:
        await queue.put(word)
        return ""

    @app.get("/get")
    async def get() -> str:
        return await asyncio.wait_for(queue.get(), 10)

    answers: list[str] = []
    waiting = threading.Thread(target=lambda: answers.append(app.test_client().get("/get").text))
    waiting.start()
    client.get("/put/word")
    waiting.join()
    assert answers == ["word"]


def test_coroutines_of_many_threads_run_side_by_side() -> None:
    meet = asyncio.Barrier(8)

    async def work(number: int) -> int:
        await asyncio.wait_for(meet.wait(), 10)
        return number

    results: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(run(work(n))))  # type: ignore[misc]
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(8))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork_there_is_a_new_loop() -> None:
    """As in a server that loads the application, and serves from forked workers."""
    program = """
        import asyncio, os, sys, warnings
        from brim import Flask

        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        app = Flask("forked")

        @app.get("/")
        async def view():
            await asyncio.sleep(0)
            return f"{os.getpid()} {id(asyncio.get_running_loop())}"

        def get():
            return app.test_client().get("/").text.split()

        mine, loop = get()
        assert mine == str(os.getpid())
        pids = []
        for _ in range(2):
            pid = os.fork()
            if not pid:
                answers = [get(), get()]
                right = answers[0] == answers[1] and answers[0][0] == str(os.getpid())
                os._exit(0 if right and answers[0][1] != loop else 1)
            pids.append(pid)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        assert get() == [mine, loop]
        print(codes)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[0, 0]\n", "")


def test_under_gevent_the_loop_is_on_a_thread_of_its_own() -> None:
    """A greenlet shares its thread with sync views, which would see the loop as running."""
    program = """
        from gevent import monkey

        monkey.patch_all()

        import asyncio

        import gevent

        from brim import Flask, render_template_string, request

        app = Flask(__name__)


        @app.context_processor
        async def shop():
            await asyncio.sleep(0)
            return {"shop": request.path}


        @app.get("/async/<int:number>")
        async def view(number):
            await asyncio.sleep(0.001)
            return render_template_string("{{ shop }}")


        @app.get("/sync/<int:number>")
        def sync(number):
            gevent.sleep(0.001)
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                return request.path


        def ask(path):
            assert app.test_client().get(path).text == path
            return path


        asked = [gevent.spawn(ask, f"/{kind}/{n}") for n in range(20) for kind in ("async", "sync")]
        print(len(gevent.joinall(asked, timeout=20, raise_error=True)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("40\n", "")


def test_the_loop_does_not_keep_the_request_that_started_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bridge, "_kept", None)
    app = Flask("short-lived")

    @app.get("/")
    async def view() -> str:
        return ""

    assert knock(app).status == "200 OK"
    gone = weakref.ref(app)
    del app, view
    gc.collect()
    assert gone() is None
    assert bridge._kept is not None
    bridge._kept.loop.call_soon_threadsafe(bridge._kept.loop.stop)


def test_the_loop_outlives_its_being_stopped() -> None:
    loop = run(_loop())
    loop.call_soon_threadsafe(loop.stop)
    assert run(_loop()) is loop


# From the loop's own thread --------------------------------------------------------------


def test_a_coroutine_may_call_sync_code_that_calls_a_coroutine_function(
    app: Flask, client: FlaskClient
) -> None:
    """Waiting for the loop on the loop would never end."""

    @app.get("/inner")
    async def inner() -> str:
        return f"{request.path} {variable.get()} {id(asyncio.get_running_loop())}"

    @app.get("/outer")
    async def outer() -> list[Any]:
        variable.set("from outside")
        text = app.test_client().get("/inner").text
        here = id(asyncio.get_running_loop())
        return [text.rsplit(" ", 1)[0], text.endswith(f" {here}"), request.path]

    assert client.get("/outer").json == ["/inner from outside", False, "/outer"]


def test_errors_come_back_from_there_too() -> None:
    async def fail() -> None:
        variable.set("failed")
        raise LookupError("inner")

    async def outer() -> str:
        with pytest.raises(LookupError, match="inner"):
            Synced(fail)()
        return variable.get()

    assert run(outer()) == "failed"


# Context variables ---------------------------------------------------------------------


def test_context_variables_go_in_and_come_out() -> None:
    async def change() -> str:
        before = variable.get()
        variable.set(before + " and back")
        await asyncio.sleep(0)
        return before

    def check() -> None:
        variable.set("there")
        assert run(change()) == "there"
        assert variable.get() == "there and back"

    on_thread(check)


def test_a_variable_that_was_not_set_is_afterwards() -> None:
    async def change() -> None:
        variable.set("new")

    def check() -> None:
        assert variable.get(None) is None
        run(change())
        assert variable.get() == "new"

    on_thread(check)


def test_variables_come_out_of_a_coroutine_that_fails() -> None:
    async def change() -> None:
        variable.set("new")
        raise LookupError

    def check() -> None:
        with pytest.raises(LookupError):
            run(change())
        assert variable.get() == "new"

    on_thread(check)


def test_what_a_coroutine_sees_is_its_own_requests(app: Flask) -> None:
    @app.get("/<int:number>")
    async def view(number: int) -> list[Any]:
        g.number = session["number"] = number
        await asyncio.sleep(0.001)
        return [request.path, g.number, session["number"], number]

    answers: dict[int, Any] = {}

    def work(number: int) -> None:
        answers[number] = app.test_client().get(f"/{number}").json

    threads = [threading.Thread(target=work, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: [f"/{n}", n, n, n] for n in range(20)}


def test_a_stream_made_in_a_coroutine_has_its_request(app: Flask, client: FlaskClient) -> None:
    @app.get("/")
    async def view() -> Response:
        @stream_with_context
        def generate() -> Iterator[str]:
            yield request.path
            yield g.mark

        g.mark = "mark"
        return Response(generate())

    assert client.get("/").text == "/mark"


# Errors and interruptions --------------------------------------------------------------


def test_an_error_says_where_it_was_raised() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("here")

    with pytest.raises(LookupError, match="here") as raised:
        run(fail())
    assert traceback.extract_tb(raised.tb)[-1].name == "fail"


def test_the_error_that_is_being_handled_is_known_in_a_coroutine() -> None:
    async def report() -> str:
        await asyncio.sleep(0)
        return traceback.format_exc()

    error = LookupError("outer")
    try:
        raise error
    except LookupError:
        before = error.__traceback__
        text = run(report())
        assert error.__traceback__ is before
    assert text.endswith("LookupError: outer\n")
    assert run(report()) == "NoneType: None\n"


def test_a_coroutine_may_raise_again_what_is_being_handled() -> None:
    async def again() -> None:
        raise  # noqa: PLE0704

    error = LookupError("outer")
    with pytest.raises(LookupError) as raised:
        try:
            raise error
        except LookupError:
            run(again())
    assert raised.value is error
    assert error.__context__ is None


def test_errors_are_freed_without_the_garbage_collector() -> None:
    class OwnError(Exception):
        pass

    async def fail() -> None:
        raise OwnError

    def work() -> weakref.ref[Exception]:
        try:
            run(fail())
        except OwnError as error:
            return weakref.ref(error)
        raise AssertionError

    gc.disable()
    try:
        assert work()() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_ends_programs_is_raised_to_the_caller_and_spares_the_loop(
    kind: type[BaseException],
) -> None:
    async def leave() -> None:
        await asyncio.sleep(0)
        raise kind("from a coroutine")

    loop = run(_loop())
    for _ in range(2):
        with pytest.raises(kind, match="from a coroutine"):
            run(leave())
        assert run(_loop()) is loop


def test_a_coroutine_that_is_cancelled_is_so_for_its_caller() -> None:
    async def give_up() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(10)

    with pytest.raises(asyncio.CancelledError):
        run(give_up())


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals don't go to threads here")
@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals go to the main one"
)
def test_an_interrupted_wait_cancels_the_coroutine() -> None:
    """As Ctrl-C does, while a view is awaited."""
    cancelled = threading.Event()

    async def wait() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(wait())
    finally:
        signal.signal(signal.SIGINT, before)
    assert cancelled.wait(10)


# Functions -----------------------------------------------------------------------------


def test_a_synced_function_is_called_like_any_other(app: Flask) -> None:
    synced = app.ensure_sync(_add)
    assert isinstance(synced, Synced)
    assert (synced(1), synced(1, b=3), synced(a=2)) == (2, 4, 3)
    assert synced.func is _add
    assert (synced.__name__, synced.__wrapped__) == ("_add", _add)  # type: ignore[attr-defined]
    assert app.ensure_sync(synced) is synced
    assert app.ensure_sync(print) is print


def test_a_synced_method_is_bound() -> None:
    class Own:
        factor = 3

        @Synced
        async def times(self, number: int) -> int:
            return self.factor * number

    assert Own().times(2) == 6
    assert isinstance(Own.times, Synced)


async def _generate() -> AsyncIterator[int]:
    yield 1


class Called:
    async def __call__(self) -> None: ...


class Plain:
    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (_add, True),
        (functools.partial(_add, 1), True),
        (functools.partial(functools.partial(_add, 1), 2), True),
        (functools.partial(print), False),
        (Called(), True),
        (Plain(), False),
        (Plain, False),
        (_generate, False),
        (print, False),
        (None, False),
    ],
)
def test_which_functions_give_coroutines(function: Any, expected: bool) -> None:
    assert is_async(function) is expected
