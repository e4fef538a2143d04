"""Contexts: what is current, for how long, and what becomes of it at the end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.exceptions import BadRequest, HTTPException

from brim import (
    Flask,
    Request,
    Response,
    after_this_request,
    appcontext_popped,
    appcontext_pushed,
    copy_current_request_context,
    current_app,
    g,
    has_app_context,
    has_request_context,
    request,
    session,
    stream_with_context,
    url_for,
)
from brim.ctx import (
    AppContext,
    RequestContext,
    _AppCtxGlobals,
    _cv_ctx,
    current_ctx,
    current_request_ctx,
)
from brim.globals import app_ctx, request_ctx
from brim.sessions import NullSession, SecureCookieSession, SessionInterface
from brim.testing import FlaskClient
from tests.support import ENDED, Log, ended, knock, on_thread


class TestG:
    def test_it_holds_whatever_is_set(self, app: Flask) -> None:
        with app.app_context():
            g.a = 1
            assert (g.a, g.get("a"), g.get("b"), g.get("b", 2)) == (1, 1, None, 2)
            assert "a" in g
            assert list(g) == ["a"]
            assert g.setdefault("a", 9) == 1
            assert g.setdefault("c") is None
            del g.a
            assert "a" not in g
            with pytest.raises(AttributeError):
                g.a  # noqa: B018

    def test_a_value_can_be_taken_out(self, app: Flask) -> None:
        with app.app_context():
            g.a = 1
            assert g.pop("a") == 1
            assert g.pop("a", 2) == 2
            assert g.pop("a", None) is None
            with pytest.raises(KeyError, match="'a'"):
                g.pop("a")

    def test_it_says_whose_it_is(self, app: Flask) -> None:
        with app.app_context():
            assert repr(g) == "<flask.g of 'tests'>"
        assert repr(_AppCtxGlobals()).startswith("<brim.ctx._AppCtxGlobals object at")

    def test_its_class_can_be_chosen(self, app: Flask) -> None:
        class Namespace:
            pass

        app.app_ctx_globals_class = Namespace
        with app.app_context() as ctx:
            assert type(ctx.g) is Namespace
            assert not hasattr(g, "get")

    def test_it_can_be_replaced(self, app: Flask) -> None:
        for ctx in (app.app_context(), app.test_request_context()):
            with ctx:
                ctx.g = replaced = _AppCtxGlobals()
                g.a = 1
                assert replaced.a == 1


class TestAppContext:
    def test_it_is_current_in_the_block(self, app: Flask) -> None:
        assert not has_app_context()
        with app.app_context() as ctx:
            assert has_app_context()
            assert not has_request_context()
            assert current_ctx() is ctx is app_ctx._get_current_object()  # type: ignore[attr-defined]
            assert current_app == app
        assert not has_app_context()

    def test_its_end_is_told_with_the_error(self, app: Flask, log: Log) -> None:
        with app.app_context():
            assert log == []
        assert log == [("app", None, False)]
        with pytest.raises(ValueError, match="x"), app.app_context():
            raise ValueError("x")
        assert log[1:] == [("app", ValueError, False)]

    def test_popped_by_hand_it_is_told_what_is_being_handled(self, app: Flask, log: Log) -> None:
        ctx = app.app_context()
        ctx.push()
        try:
            raise ValueError
        except ValueError:
            ctx.pop()
        ctx.push()
        ctx.pop(KeyError())
        ctx.push()
        ctx.pop(None)
        assert [error for _, error, _ in log] == [ValueError, KeyError, None]

    def test_pushed_several_times_it_ends_with_the_last_pop(self, app: Flask, log: Log) -> None:
        ctx = app.app_context()
        ctx.push()
        g.a = 1
        ctx.push()
        assert g.a == 1
        ctx.pop()
        assert (log, has_app_context()) == ([], True)
        ctx.pop()
        assert (len(log), has_app_context()) == (1, False)

    def test_it_has_a_g_of_its_own_even_inside_another(self, app: Flask) -> None:
        with app.app_context():
            g.a = 1
            with app.app_context():
                assert "a" not in g
            assert g.a == 1

    def test_it_builds_urls_for_the_configured_host(self, app: Flask) -> None:
        app.add_url_rule("/a", "a", lambda: "")
        with app.app_context() as ctx:
            assert ctx.url_adapter is None
        app.config["SERVER_NAME"] = "example.com"
        with app.app_context() as ctx:
            assert ctx.url_adapter is not None
            assert url_for("a") == "http://example.com/a"

    def test_it_says_what_it_is(self, app: Flask) -> None:
        assert repr(app.app_context()).startswith("<AppContext 0x")
        assert repr(app.app_context()).endswith(" of tests>")


class TestRequestContext:
    def test_it_is_both_contexts(self, app: Flask) -> None:
        with app.test_request_context("/a?b=c") as ctx:
            assert isinstance(ctx, AppContext)
            assert has_request_context()
            assert has_app_context()
            assert current_request_ctx() is ctx.request_ctx is ctx.app_ctx is ctx
            assert request.args["b"] == "c"
        assert not has_request_context()
        assert not has_app_context()

    def test_its_parts_are_made_when_they_are_needed(self, app: Flask) -> None:
        app.add_url_rule("/", "index", lambda: "")
        with app.test_request_context() as ctx:
            assert not {"request", "_g", "url_adapter"} & set(vars(ctx))
            assert ctx._opened is None
            assert ctx.request is request._get_current_object()  # type: ignore[attr-defined]
            assert request.endpoint == "index"

    def test_it_takes_a_request_that_was_made_already(self, app: Flask) -> None:
        app.add_url_rule("/<a>", "a", lambda a: "")
        with app.test_request_context("/x") as first:
            made = first.request
        ctx = RequestContext(app, {}, request=made)
        assert ctx.environ is made.environ
        with ctx:
            assert request._get_current_object() is made  # type: ignore[attr-defined]
            assert request.view_args == {"a": "x"}

    def test_it_takes_a_session_that_was_opened_already(self, app: Flask) -> None:
        opened = SecureCookieSession({"a": 1})
        environ = app.test_request_context().environ
        with RequestContext(app, environ, session=opened):
            assert session["a"] == 1
            assert opened.accessed

    def test_its_end_is_told_once_with_the_error(self, app: Flask, log: Log) -> None:
        with pytest.raises(ValueError, match="x"), app.test_request_context():
            raise ValueError("x")
        assert log == ended(ValueError)

    def test_pushed_several_times_it_ends_with_the_last_pop(self, app: Flask, log: Log) -> None:
        ctx = app.test_request_context()
        ctx.push()
        ctx.push()
        ctx.pop()
        assert (log, has_request_context()) == ([], True)
        try:
            raise ValueError
        except ValueError:
            ctx.pop()
        assert (log, has_request_context()) == (ended(ValueError), False)

    def test_it_can_be_entered_again(self, app: Flask, log: Log) -> None:
        ctx = app.test_request_context("/a")
        for _ in range(2):
            with ctx:
                assert request.path == "/a"
        assert log == ENDED * 2

    def test_uploaded_files_are_closed_at_the_end(self, app: Flask) -> None:
        with app.test_request_context(method="POST", data={"f": (open(__file__, "rb"), "f")}):
            file = request.files["f"]
            assert not file.stream.closed
        assert file.stream.closed

    def test_a_request_class_needs_no_close(self, app: Flask) -> None:
        class Bare:
            trusted_hosts = None

            def __init__(self, environ: dict[str, Any]) -> None:
                self.environ = environ

        app.request_class = Bare  # type: ignore[assignment]
        with app.test_request_context("/a"):
            assert request.environ["PATH_INFO"] == "/a"

    def test_an_error_of_the_routing_waits_for_the_view(self, app: Flask) -> None:
        with app.test_request_context("/nowhere") as ctx:
            assert ctx.routing_exception is request.routing_exception
            assert isinstance(request.routing_exception, HTTPException)
            assert request.routing_exception.code == 404
            assert (request.url_rule, request.endpoint, request.blueprints) == (None, None, [])

    def test_a_host_that_is_refused_is_an_error_of_the_routing(self, app: Flask) -> None:
        app.config["TRUSTED_HOSTS"] = ["example.com"]
        with app.test_request_context("/", base_url="http://example.org/") as ctx:
            assert ctx.url_adapter is None
            assert isinstance(request.routing_exception, BadRequest)

    def test_it_says_what_it_is(self, app: Flask) -> None:
        ctx = app.test_request_context("/a?b=c", method="POST")
        assert repr(ctx) == "<RequestContext 'http://localhost/a?b=c' [POST] of tests>"

    @pytest.mark.parametrize("inner", ["app_context", "test_request_context"])
    def test_g_is_shared_with_the_applications_context_around_it(
        self, app: Flask, log: Log, inner: str
    ) -> None:
        """As in Flask 3.1: only what was current before is shared, and outlives the request."""
        with app.app_context() as outer:
            g.a = 1
            with app.test_request_context() as ctx:
                assert ctx.app_ctx is outer
                assert (g.a, ctx.g) == (1, outer.g)
                g.b = 2
                with getattr(app, inner)():
                    assert g.get("a") == (None if inner == "app_context" else 1)
                    assert has_request_context()
            assert (g.a, g.b) == (1, 2)
            log.clear()
        assert log == [("app", None, False)]

    def test_g_is_not_shared_with_another_applications_context(self, app: Flask) -> None:
        with Flask("other").app_context():
            g.a = 1
            with app.test_request_context() as ctx:
                assert "a" not in g
                assert ctx.app_ctx is ctx
            assert g.a == 1

    def test_what_it_shared_is_shared_no_more_when_it_is_entered_elsewhere(
        self, app: Flask
    ) -> None:
        ctx = app.test_request_context()
        with app.app_context():
            g.a = 1
            with ctx:
                assert g.a == 1
        with ctx:
            assert "a" not in g


class TestSession:
    def test_it_is_opened_once_when_it_is_asked_for(self, app: Flask) -> None:
        with app.test_request_context() as ctx:
            opened = ctx.session
            assert opened is ctx.session is ctx._session
            assert opened.accessed

    def test_it_may_be_looked_at_without_a_trace(self, app: Flask) -> None:
        with app.test_request_context() as ctx:
            assert ctx._session.accessed is False

    def test_it_may_be_replaced(self, app: Flask) -> None:
        with app.test_request_context() as ctx:
            ctx.session = SecureCookieSession({"a": 1})
            assert session["a"] == 1
            ctx._session = SecureCookieSession({"a": 2})
            assert session["a"] == 2

    def test_what_can_not_be_opened_is_replaced_by_one_that_says_so(self, app: Flask) -> None:
        app.secret_key = None
        with app.test_request_context():
            assert session.get("a") is None
            assert isinstance(session._get_current_object(), NullSession)  # type: ignore[attr-defined]
            with pytest.raises(RuntimeError, match="no secret key"):
                session["a"] = 1


class TestSignals:
    @pytest.fixture
    def sent(self, app: Flask) -> Iterator[list[str]]:
        sent: list[str] = []
        pushed = lambda sender: sent.append("pushed")  # noqa: E731
        popped = lambda sender: sent.append("popped" if not has_app_context() else "still")  # noqa: E731
        with appcontext_pushed.connected_to(pushed, app):
            with appcontext_popped.connected_to(popped, app):
                yield sent

    def test_of_an_applications_context(self, app: Flask, sent: list[str]) -> None:
        with app.app_context():
            assert sent == ["pushed"]
        assert sent == ["pushed", "popped"]

    def test_of_a_request(self, app: Flask, client: FlaskClient, sent: list[str]) -> None:
        client.get("/")
        assert sent == ["pushed", "popped"]

    def test_of_a_request_in_an_applications_context(self, app: Flask, sent: list[str]) -> None:
        with app.app_context():
            with app.test_request_context():
                pass
            assert sent == ["pushed"]

    def test_of_a_request_that_is_pushed_twice(self, app: Flask, sent: list[str]) -> None:
        ctx = app.test_request_context()
        ctx.push()
        ctx.push()
        ctx.pop()
        assert sent == ["pushed"]
        ctx.pop()
        assert sent == ["pushed", "popped"]

    def test_of_a_stream(self, app: Flask, sent: list[str]) -> None:
        app.get("/")(lambda: Response(stream_with_context(iter("ab"))))
        answer = knock(app)
        assert sent == ["pushed"]
        answer.close()
        assert sent == ["pushed", "popped"]


class TestLeftEarly:
    """An application's context may be left before the request that shares it, as in Flask 3.1."""

    def test_it_ends_at_once_and_the_request_goes_on(self, app: Flask, log: Log) -> None:
        outer, inner = app.app_context(), app.test_request_context("/a")
        outer.push()
        g.a = 1
        inner.push()
        outer.pop()
        assert log == [("app", None, True)]
        assert (request.path, g.a) == ("/a", 1)
        inner.pop()
        assert log[1:] == [("request", None, True)]
        assert not has_app_context()

    def test_pushed_twice_it_is_left_twice(self, app: Flask, log: Log) -> None:
        outer, inner = app.app_context(), app.test_request_context("/a")
        outer.push()
        outer.push()
        inner.push()
        outer.pop()
        assert log == []
        outer.pop()
        assert len(log) == 1
        with pytest.raises(LookupError, match="never pushed"):
            outer.pop()
        inner.pop()
        assert not has_app_context()


class TestWrongOrder:
    @pytest.mark.parametrize("kind", ["app_context", "test_request_context"])
    def test_what_was_not_pushed_can_not_be_popped(self, app: Flask, kind: str) -> None:
        with pytest.raises(LookupError, match="never pushed"):
            getattr(app, kind)().pop()

    def test_what_is_not_on_top_can_not_be_popped(self, app: Flask) -> None:
        below, top = app.test_request_context("/below"), app.test_request_context("/top")
        below.push()
        top.push()
        with pytest.raises(AssertionError, match=r"Popped the wrong context: .*below.*top"):
            below.pop()
        # Nothing is left behind by that, whatever else is popped.
        assert not has_app_context()
        top.pop()
        assert not has_app_context()

    @pytest.mark.parametrize("kind", ["app_context", "test_request_context"])
    def test_popped_on_another_thread_it_leaves_that_one_alone(
        self, app: Flask, log: Log, kind: str
    ) -> None:
        ctx = getattr(app, kind)()
        other = Flask("other")

        def elsewhere() -> None:
            with other.app_context():
                ctx.pop()
                assert current_app == other
            ctx.push()

        ctx.push()
        on_thread(elsewhere)
        assert log[-1] == ("app", None, False)
        ctx.pop()
        assert _cv_ctx.get(None) is ctx
        # This thread's variable wasn't in reach of the other's `pop`.
        on_thread(ctx.push)
        _cv_ctx.set(None)  # type: ignore[arg-type]

    def test_popped_where_nothing_is_current(self, app: Flask, log: Log) -> None:
        ctx = app.test_request_context()
        on_thread(ctx.push)
        ctx.pop()
        assert [(kind, error) for kind, error, _ in log] == [("request", None), ("app", None)]
        assert not has_app_context()


class TestAfterThisRequest:
    def test_the_response_goes_through_the_functions_in_order_and_once(
        self, app: Flask, client: FlaskClient
    ) -> None:
        def mark(text: str) -> None:
            @after_this_request
            def add(response: Response) -> Response:
                response.data += text.encode()
                return response

        @app.get("/")
        def view() -> str:
            if "mark" in request.args:
                mark("1")
                mark("2")
            return "0"

        @app.after_request
        def last(response: Response) -> Response:
            response.data += b"3"
            return response

        assert client.get("/?mark").data == b"0123"
        assert client.get("/").data == b"03"

    def test_it_may_answer_with_another_response(self, app: Flask, client: FlaskClient) -> None:
        @app.get("/")
        def view() -> str:
            after_this_request(lambda response: Response("another"))
            return "one"

        assert client.get("/").text == "another"

    def test_a_coroutine_function_is_awaited(self, app: Flask, client: FlaskClient) -> None:
        @app.get("/")
        def view() -> str:
            @after_this_request
            async def mark(response: Response) -> Response:
                response.headers["X-Mark"] = request.path
                return response

            return ""

        assert client.get("/").headers["X-Mark"] == "/"


class TestCopies:
    def test_a_copy_has_the_same_request_and_session_and_another_g(self, app: Flask) -> None:
        with app.test_request_context("/a") as ctx:
            g.a = 1
            copied = ctx.copy()
            assert type(copied) is type(ctx)
            assert copied.request is ctx.request
            session["a"] = 1

            def elsewhere() -> None:
                with copied:
                    assert session["a"] == 1
                    session["b"] = 2
                    assert "a" not in g
                    assert request.path == "/a"

            on_thread(elsewhere)
            assert session["b"] == 2

    def test_the_session_is_the_same_whoever_opens_it(self, app: Flask) -> None:
        with app.test_request_context("/a") as ctx:
            copied = ctx.copy()
            assert copied.copy().session is copied.session is ctx.session
            assert ctx.copy().session is ctx.session

    def test_a_function_takes_the_request_along(self, app: Flask, client: FlaskClient) -> None:
        @app.get("/<word>")
        def view(word: str) -> list[Any]:
            session["word"] = word

            @copy_current_request_context
            def work(number: int, *, mark: str) -> list[Any]:
                """Works."""
                after = [request.path, request.view_args, session["word"], current_app.name]
                return [*after, number, mark, has_request_context()]

            assert (work.__name__, work.__doc__) == ("work", "Works.")
            found = on_thread(lambda: work(1, mark="x"))
            return [found, work(2, mark="y")]

        same = ["/w", {"word": "w"}, "w", "tests"]
        assert client.get("/w").json == [[*same, 1, "x", True], [*same, 2, "y", True]]

    def test_a_function_can_run_on_many_threads_at_once(self, app: Flask) -> None:
        with app.test_request_context("/a"):
            meet = threading.Barrier(4)

            @copy_current_request_context
            def work() -> str:
                meet.wait(10)
                assert "mark" not in g
                g.mark = True
                return request.path

            results: list[str] = []
            threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert results == ["/a"] * 4

    def test_a_coroutine_function_is_awaited(self, app: Flask) -> None:
        async def work() -> str:
            return request.path

        with app.test_request_context("/a"):
            copied = copy_current_request_context(work)
            assert on_thread(lambda: copied()) == "/a"  # type: ignore[comparison-overlap]

    @pytest.mark.parametrize(
        ("use", "name"),
        [
            (lambda: after_this_request(lambda response: response), "'after_this_request'"),
            (lambda: copy_current_request_context(print), "'copy_current_request_context'"),
            (lambda: stream_with_context(iter("a")), "'stream_with_context'"),
        ],
    )
    def test_outside_of_a_request_the_function_is_named(
        self, app: Flask, use: Callable[[], object], name: str
    ) -> None:
        with app.app_context(), pytest.raises(RuntimeError, match=name):
            use()


class TestPreserved:
    """The test client in a ``with`` block keeps the last request's context."""

    def test_the_request_can_be_looked_at(self, app: Flask, client: FlaskClient, log: Log) -> None:
        @app.get("/<word>")
        def view(word: str) -> str:
            g.word = session["word"] = word
            return word

        with client:
            client.get("/a")
            assert (request.path, g.word, session["word"]) == ("/a", "a", "a")
            assert request_ctx.view_args == {"word": "a"}
            client.get("/b")
            assert (request.path, g.word, session["word"]) == ("/b", "b", "b")
        assert not has_app_context()
        assert log == ENDED * 4

    def test_an_error_of_the_request_is_not_the_blocks(
        self, app: Flask, client: FlaskClient, log: Log
    ) -> None:
        app.testing = False
        app.get("/")(lambda: 1 / 0)
        with client:
            assert client.get("/").status_code == 500
            assert request.path == "/"
        assert log == [*ended(ZeroDivisionError), *ENDED]


# Threads -------------------------------------------------------------------------------


class NumberedSessions(SessionInterface):
    """A session for each request, that knows which one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        return SecureCookieSession({"number": request.environ["QUERY_STRING"]})

    def save_session(self, app: Flask, session: Any, response: Response) -> None:
        response.headers["X-Session"] = session["number"]


THREADS = 32
REQUESTS = 100_000


def _numbered() -> Flask:
    """An application whose every part tells which request it belongs to."""
    app = Flask("numbered")
    app.session_interface = NumberedSessions()

    def number() -> str:
        return request.environ["QUERY_STRING"]

    @app.before_request
    def before() -> None:
        assert not list(g)
        g.number = number()

    @app.get("/full")
    def full() -> str:
        mine = number()

        @after_this_request
        def mark(response: Response) -> Response:
            response.headers["X-After"] = f"{mine} {number()}"
            return response

        if mine[-1] == "0":
            time.sleep(0)  # lets another thread in
        with app.app_context():
            assert not list(g)
        return f"{mine} {g.number} {session['number']} {current_app.name}"

    @app.get("/error")
    def error() -> str:
        raise LookupError(g.number)

    @app.errorhandler(LookupError)
    def handle(error: LookupError) -> str:
        return f"{error.args[0]} {number()}"

    @app.get("/stream")
    def stream() -> Response:
        return Response(stream_with_context(part() for part in (number, lambda: f" {g.number}")))

    @app.after_request
    def after(response: Response) -> Response:
        response.headers["X-Number"] = number()
        return response

    return app


def test_no_request_shows_another_ones_context() -> None:
    """With 32 threads in 100,000 requests; and when one is over nothing is current."""
    app = _numbered()
    expected: dict[str, Callable[[str], str]] = {
        "/full": lambda n: f"{n} {n} {n} numbered",
        "/error": lambda n: f"{n} {n}",
        "/stream": lambda n: f"{n} {n}",
    }
    # One in ten fails, one in ten streams.
    paths = ["/full", "/error", *["/full"] * 7, "/stream"]
    base = app.test_request_context().environ
    leaks: list[Any] = []
    torn_down: list[str] = []

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        torn_down.append(request.environ["QUERY_STRING"])

    def work(thread: int) -> None:
        # Other tests say which lines are covered; counting here takes three times as long.
        sys.settrace(None)
        sent: list[dict[str, str]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc: Any = None) -> Any:
            sent.append(dict(headers))

        for count in range(REQUESTS // THREADS):
            number, path = f"{thread}-{count}", paths[count % 10]
            body = app({**base, "PATH_INFO": path, "QUERY_STRING": number}, start_response)
            text = b"".join(body).decode()
            if hasattr(body, "close"):
                body.close()
            headers = sent.pop()
            right = (
                text == expected[path](number)
                and headers["X-Number"] == number
                and headers.get("X-After", f"{number} {number}") == f"{number} {number}"
                and headers.get("X-Session", number) == number
                and _cv_ctx.get(None) is None
            )
            if not right:
                leaks.append((number, path, text, headers))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert leaks == []
    assert len(set(torn_down)) == len(torn_down) == REQUESTS
