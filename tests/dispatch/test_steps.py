"""A request's way: what is called, in which order, with what, and what errors do to it."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.exceptions import (
    BadRequest,
    BadRequestKeyError,
    Conflict,
    Forbidden,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
)
from werkzeug.routing import RequestRedirect

from brim import (
    Blueprint,
    Flask,
    Response,
    abort,
    after_this_request,
    appcontext_tearing_down,
    g,
    got_request_exception,
    has_app_context,
    has_request_context,
    request,
    request_finished,
    request_started,
    request_tearing_down,
    session,
)
from brim.testing import FlaskClient

Log = list[Any]


@pytest.fixture
def log() -> Log:
    return []


@pytest.fixture
def nested(app: Flask, log: Log) -> Flask:
    """An application, a blueprint and one inside of that, each with hooks that note it."""
    app.testing = False
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    for name, target in {"app": app, "outer": outer, "inner": inner}.items():
        for number in "12":
            _add_hooks(log, name + number, target)
    for target in (outer, inner):
        name = target.name
        target.before_app_request(lambda name=name: log.append(f"before {name}'s for all"))
        target.after_app_request(_after(log, f"after {name}'s for all"))
        target.teardown_app_request(lambda e, name=name: log.append(f"teardown {name}'s for all"))
        target.app_url_value_preprocessor(
            lambda endpoint, values, name=name: log.append(f"values {name}'s for all")
        )
    app.teardown_appcontext(lambda error: log.append("teardown context 1"))
    app.teardown_appcontext(lambda error: log.append("teardown context 2"))

    @inner.route("/inner/<word>")
    def view(word: str) -> str:
        log.append(f"view {word}")
        after_this_request(_after(log, "after this"))
        return word

    @outer.route("/outer/<word>", endpoint="view")
    def outer_view(word: str) -> str:
        log.append(f"view {word}")
        return word

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app


def _after(log: Log, text: str) -> Callable[[Response], Response]:
    def after(response: Response) -> Response:
        log.append(text)
        return response

    return after


def _add_hooks(log: Log, name: str, target: Flask | Blueprint) -> None:
    target.url_value_preprocessor(lambda endpoint, values: log.append(f"values {name}"))
    target.before_request(lambda: log.append(f"before {name}"))
    target.after_request(_after(log, f"after {name}"))
    target.teardown_request(lambda error: log.append(f"teardown {name}"))


APP_VALUES = ["values app1", "values app2", "values outer's for all", "values inner's for all"]
APP_BEFORE = ["before app1", "before app2", "before outer's for all", "before inner's for all"]
APP_AFTER = ["after inner's for all", "after outer's for all", "after app2", "after app1"]
APP_TEARDOWN = [
    *("teardown inner's for all", "teardown outer's for all", "teardown app2", "teardown app1"),
    *("teardown context 2", "teardown context 1"),
]


class TestOrder:
    def test_of_a_nested_blueprints_request(
        self, nested: Flask, client: FlaskClient, log: Log
    ) -> None:
        """From the outside in before the view, from the inside out after it."""
        assert client.get("/inner/word").text == "word"
        assert log == [
            *APP_VALUES,
            *("values outer1", "values outer2", "values inner1", "values inner2"),
            *APP_BEFORE,
            *("before outer1", "before outer2", "before inner1", "before inner2"),
            *("view word", "after this"),
            *("after inner2", "after inner1", "after outer2", "after outer1"),
            *APP_AFTER,
            *("teardown inner2", "teardown inner1", "teardown outer2", "teardown outer1"),
            *APP_TEARDOWN,
        ]

    def test_of_the_outer_blueprints_request(
        self, nested: Flask, client: FlaskClient, log: Log
    ) -> None:
        assert client.get("/outer/word").text == "word"
        assert log == [
            *(*APP_VALUES, "values outer1", "values outer2"),
            *(*APP_BEFORE, "before outer1", "before outer2", "view word"),
            *("after outer2", "after outer1", *APP_AFTER),
            *("teardown outer2", "teardown outer1", *APP_TEARDOWN),
        ]

    def test_of_a_request_that_nothing_matches(
        self, nested: Flask, client: FlaskClient, log: Log
    ) -> None:
        assert client.get("/nowhere").status_code == 404
        assert log == [*APP_VALUES, *APP_BEFORE, *APP_AFTER, *APP_TEARDOWN]

    def test_of_an_answer_to_options(self, nested: Flask, client: FlaskClient, log: Log) -> None:
        response = client.options("/outer/word")
        assert response.allow.as_set() == {"get", "head", "options"}
        assert log == [
            *(*APP_VALUES, "values outer1", "values outer2"),
            *(*APP_BEFORE, "before outer1", "before outer2"),
            *("after outer2", "after outer1", *APP_AFTER),
            *("teardown outer2", "teardown outer1", *APP_TEARDOWN),
        ]

    def test_of_a_blueprint_under_two_names(
        self, app: Flask, client: FlaskClient, log: Log
    ) -> None:
        bp = Blueprint("bp", __name__)
        bp.before_request(lambda: log.append(request.blueprints))
        bp.add_url_rule("/", "view", lambda: "")
        app.register_blueprint(bp, url_prefix="/a")
        app.register_blueprint(bp, url_prefix="/b", name="other")
        client.get("/a/")
        client.get("/b/")
        assert log == [["bp"], ["other"]]


class TestBefore:
    def test_values_may_be_changed_before_the_view(self, app: Flask, client: FlaskClient) -> None:
        @app.url_value_preprocessor
        def preprocess(endpoint: str | None, values: dict[str, Any] | None) -> None:
            if values is not None:
                g.lang = values.pop("lang")

        app.get("/<lang>/<int:number>")(lambda number: [number, g.lang])
        assert client.get("/de/1").json == [1, "de"]
        assert client.get("/").status_code == 404

    def test_an_answer_ends_what_comes_before_the_view_but_not_what_comes_after(
        self, nested: Flask, client: FlaskClient, log: Log
    ) -> None:
        nested.before_request_funcs["outer"].insert(1, lambda: ("early", 201))
        response = client.get("/inner/word")
        assert (response.text, response.status_code) == ("early", 201)
        assert log[11:14] == ["before inner's for all", "before outer1", "after inner2"]
        assert log[-1] == "teardown context 1"

    @pytest.mark.parametrize("answer", ["", b"", [], {}, 0])
    def test_only_none_is_no_answer(self, app: Flask, client: FlaskClient, answer: Any) -> None:
        app.get("/")(lambda: "view")
        app.before_request(lambda: answer)
        if answer == 0:
            with pytest.raises(TypeError):
                client.get("/")
        else:
            assert client.get("/").text != "view"

    def test_the_request_may_be_routed_otherwise(self, app: Flask, client: FlaskClient) -> None:
        app.add_url_rule("/a/<int:x>", "a", lambda x: f"a {x}")
        app.add_url_rule("/b/<int:x>", "b", lambda x: f"b {x}")
        rule_b = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == "b")

        @app.before_request
        def reroute() -> None:
            match request.args.get("to"):
                case "rule":
                    request.url_rule = rule_b
                case "values":
                    request.view_args = {"x": 7}
                case "error":
                    request.routing_exception = Forbidden()
                case "found":
                    request.routing_exception = None
                    request.url_rule, request.view_args = rule_b, {"x": 8}

        assert client.get("/a/1").text == "a 1"
        assert client.get("/a/1?to=rule").text == "b 1"
        assert client.get("/a/1?to=values").text == "a 7"
        assert client.get("/a/1?to=error").status_code == 403
        assert client.get("/nowhere?to=found").text == "b 8"

    def test_an_endpoint_without_a_view_is_an_error(self, app: Flask, client: FlaskClient) -> None:
        app.add_url_rule("/", "missing")
        with pytest.raises(KeyError, match="missing"):
            client.get("/")

    @pytest.mark.parametrize("method", ["OPTIONS", "options", "Options"])
    def test_options_are_answered_however_they_are_spelled(
        self, app: Flask, client: FlaskClient, method: str
    ) -> None:
        app.get("/")(lambda: "view")
        assert client.open("/", method=method).text == ""

    def test_a_view_may_answer_options_itself(self, app: Flask, client: FlaskClient) -> None:
        app.route("/", methods=["GET", "OPTIONS"])(lambda: "view")
        assert client.options("/").text == "view"


class TestAfter:
    def test_the_response_is_handed_from_one_to_the_next(
        self, app: Flask, client: FlaskClient
    ) -> None:
        app.get("/")(lambda: "view")
        for mark in "ab":

            @app.after_request
            def after(response: Response, mark: str = mark) -> Response:
                return Response(f"{mark}({response.get_data(as_text=True)})", 202)

        response = client.get("/")
        assert (response.text, response.status_code) == ("a(b(view))", 202)

    def test_an_error_there_is_a_500(
        self, app: Flask, client: FlaskClient, log: Log, caplog: pytest.LogCaptureFixture
    ) -> None:
        app.testing = False
        app.get("/")(lambda: "view")
        app.errorhandler(LookupError)(lambda error: "not asked")
        app.errorhandler(500)(lambda error: (f"500 {error.original_exception!r}", 500))
        app.teardown_request(lambda error: log.append(repr(error)))

        @app.after_request
        def after(response: Response) -> Response:
            log.append(response.status_code)
            raise LookupError("after")

        response = client.get("/")
        assert response.text == "500 LookupError('after')"
        # It is asked for the error's page too; what it raises then is logged only.
        assert log == [200, 500, "LookupError('after')"]
        assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
        assert "finishing" in caplog.records[1].getMessage()

    def test_the_session_is_saved_last(self, app: Flask, client: FlaskClient) -> None:
        app.get("/")(lambda: session.get("a", "nothing"))

        @app.after_request
        def after(response: Response) -> Response:
            session["a"] = "kept"
            return response

        assert client.get("/").text == "nothing"
        assert client.get("/").text == "kept"


class TestTeardown:
    def test_all_functions_are_called_and_told_of_the_error(
        self, app: Flask, client: FlaskClient, log: Log
    ) -> None:
        app.testing = False
        bp = Blueprint("bp", __name__)
        bp.teardown_request(lambda error: log.append(("bp", repr(error))))
        app.teardown_request(lambda error: log.append(("app", repr(error))))
        app.teardown_appcontext(lambda error: log.append(("context", repr(error))))
        bp.add_url_rule("/<int:x>", "view", lambda x: f"{1 / x}")
        app.register_blueprint(bp)
        client.get("/1")
        assert log == [("bp", "None"), ("app", "None"), ("context", "None")]
        log.clear()
        assert client.get("/0").status_code == 500
        error = "ZeroDivisionError('division by zero')"
        assert log == [("bp", error), ("app", error), ("context", error)]

    def test_an_error_that_was_handled_is_none_to_tell(
        self, app: Flask, client: FlaskClient, log: Log
    ) -> None:
        app.get("/")(lambda: [][1])
        app.errorhandler(IndexError)(lambda error: "handled")
        app.teardown_request(log.append)
        app.teardown_appcontext(log.append)
        assert client.get("/").text == "handled"
        assert client.get("/nowhere").status_code == 404
        assert log == [None] * 4

    def test_what_each_can_see(self, app: Flask, client: FlaskClient, log: Log) -> None:
        app.get("/")(lambda: "")
        app.teardown_request(lambda error: log.append((has_request_context(), request.path)))
        app.teardown_appcontext(
            lambda error: log.append((has_request_context(), has_app_context(), g.get("a")))
        )
        client.get("/")
        assert log == [(True, "/"), (False, True, None)]

    @pytest.mark.parametrize("failing", [(1,), (3,), (5,), (1, 5), (1, 2, 3, 4, 5)])
    def test_all_run_whichever_fail_and_the_errors_are_collected(
        self, app: Flask, client: FlaskClient, log: Log, failing: tuple[int, ...]
    ) -> None:
        app.get("/")(lambda: "")

        def add(register: Any, number: int) -> None:
            @register
            def teardown(error: BaseException | None) -> None:
                log.append(number)
                if number in failing:
                    raise LookupError(number)

        for number in (5, 4):
            add(app.teardown_appcontext, number)
        for number in (3, 2, 1):
            add(app.teardown_request, number)
        with pytest.raises((LookupError, ExceptionGroup)) as raised:
            client.get("/")
        assert log == [1, 2, 3, 4, 5]
        assert _numbers(raised.value) == list(failing)
        assert isinstance(raised.value, LookupError) == (len(failing) == 1)
        assert not has_app_context()

    def test_errors_of_an_applications_context_are_collected(self, app: Flask, log: Log) -> None:
        for number in (3, 2, 1):

            @app.teardown_appcontext
            def teardown(error: BaseException | None, number: int = number) -> None:
                log.append((number, type(error)))
                raise LookupError(number)

        with pytest.raises(ExceptionGroup) as raised, app.app_context():
            raise ValueError
        assert log == [(number, ValueError) for number in (1, 2, 3)]
        assert _numbers(raised.value) == [1, 2, 3]
        assert not has_app_context()

    def test_what_ends_programs_is_collected_too(
        self, app: Flask, client: FlaskClient, log: Log
    ) -> None:
        app.get("/")(lambda: "")
        app.teardown_request(lambda error: log.append("last"))

        @app.teardown_request
        def leave(error: BaseException | None) -> None:
            raise SystemExit("teardown")

        with pytest.raises(SystemExit, match="teardown"):
            client.get("/")
        assert log == ["last"]

    def test_errors_of_receivers_and_of_files_are_collected(
        self, app: Flask, client: FlaskClient, log: Log
    ) -> None:
        def fail(sender: Flask, **values: Any) -> None:
            raise LookupError("receiver")

        class Broken(app.request_class):  # type: ignore[misc,name-defined]
            def close(self) -> None:
                raise OSError("close")

        app.request_class = Broken
        app.get("/")(lambda: request.path)
        app.teardown_appcontext(lambda error: log.append("last"))
        with (
            request_tearing_down.connected_to(fail, app),
            appcontext_tearing_down.connected_to(fail, app),
            pytest.raises(ExceptionGroup) as raised,
        ):
            client.get("/")
        assert [type(error) for error in raised.value.exceptions] == [
            *(LookupError, OSError, LookupError),
        ]
        assert log == ["last"]


def _numbers(error: BaseException) -> list[int]:
    """The numbers of the errors in a group, in the groups inside of it, or of one alone."""
    if isinstance(error, BaseExceptionGroup):
        return [number for part in error.exceptions for number in _numbers(part)]
    return [error.args[0]]


# Error handlers ------------------------------------------------------------------------


class Base(Exception):
    pass


class Derived(Base):
    pass


class Gone(NotFound):
    """Of the same code as another."""


class Teapot(HTTPException):
    code = 418


class NoCode(HTTPException):
    pass


def _handlers(app: Flask, kinds: dict[str, list[Any]]) -> None:
    """Register handlers on the application, and on two blueprints with a view each.

    Each answers with where it is and what it is for.
    """
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    targets: dict[str, Any] = {"app": app, "outer": outer, "inner": inner}
    for name, target in targets.items():
        for kind in kinds.get(name, ()):
            label = f"{name} {getattr(kind, '__name__', kind)}"
            target.register_error_handler(kind, lambda error, label=label: label)

        def view(name: str = name) -> str:
            raise g.error()

        target.add_url_rule(f"/{name}", "view", view)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)


def _answer(app: Flask, where: str, error: Any) -> str:
    @app.before_request
    def before() -> None:
        g.error = error

    return app.test_client().get(f"/{where}").text


@pytest.mark.parametrize(
    ("where", "error", "kinds", "expected"),
    [
        # A nearer class before its bases.
        ("app", Derived, {"app": [Base]}, "app Base"),
        ("app", Derived, {"app": [Base, Derived, Exception]}, "app Derived"),
        ("app", Base, {"app": [Derived, Exception]}, "app Exception"),
        # A blueprint before what is around it, even where that names the class itself.
        ("inner", Derived, {"app": [Derived], "inner": [Exception]}, "inner Exception"),
        ("inner", Derived, {"app": [Base], "outer": [Derived]}, "outer Derived"),
        ("inner", Derived, {"inner": [Base], "outer": [Derived]}, "inner Base"),
        ("outer", Derived, {"app": [Base], "inner": [Derived]}, "app Base"),
        ("app", Derived, {"app": [Base], "outer": [Derived], "inner": [Derived]}, "app Base"),
        # A code before a class, wherever either is.
        ("app", NotFound, {"app": [404, HTTPException]}, "app 404"),
        ("app", NotFound, {"app": [NotFound, HTTPException]}, "app NotFound"),
        ("inner", NotFound, {"app": [404], "inner": [HTTPException]}, "app 404"),
        ("inner", NotFound, {"outer": [404], "inner": [Exception]}, "outer 404"),
        ("inner", NotFound, {"app": [404], "inner": [404]}, "inner 404"),
        ("app", NotFound, {"app": [HTTPException, Exception]}, "app HTTPException"),
        ("app", NotFound, {"app": [Exception]}, "app Exception"),
        # Among handlers of one code, the class decides.
        ("app", Gone, {"app": [404]}, "app 404"),
        ("app", Gone, {"app": [404, Gone]}, "app Gone"),
        ("app", NotFound, {"app": [Gone, Exception]}, "app Exception"),
        ("inner", Gone, {"app": [Gone], "inner": [404]}, "inner 404"),
        # Codes and classes of other errors do not matter.
        ("app", Teapot, {"app": [404, Teapot]}, "app Teapot"),
        ("app", Teapot, {"app": [404, HTTPException]}, "app HTTPException"),
        ("app", lambda: BadRequestKeyError("k"), {"app": [400, KeyError]}, "app 400"),
        ("app", lambda: BadRequestKeyError("k"), {"app": [KeyError]}, "app KeyError"),
        # An error of the view's may be a 500 itself.
        ("app", InternalServerError, {"app": [500, Exception]}, "app 500"),
        ("app", Derived, {"app": [500]}, "app 500"),
        (
            "inner",
            Derived,
            {"app": [500], "inner": [InternalServerError]},
            "inner InternalServerError",
        ),
        ("app", Derived, {"app": [HTTPException]}, "app HTTPException"),
    ],
)
def test_the_handler_that_takes_an_error(
    app: Flask, where: str, error: Any, kinds: dict[str, list[Any]], expected: str
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.logger.disabled = True
    _handlers(app, kinds)
    assert _answer(app, where, error) == expected


class TestErrors:
    def test_http_errors_without_a_handler_are_the_answer(
        self, app: Flask, client: FlaskClient
    ) -> None:
        app.get("/<int:code>")(lambda code: abort(code, "Because."))
        response = client.get("/409")
        assert response.status == "409 CONFLICT"
        assert "<p>Because.</p>" in response.text
        assert client.post("/409").allow.as_set() == {"get", "head", "options"}

    def test_an_error_that_carries_a_response_is_not_handled(
        self, app: Flask, client: FlaskClient
    ) -> None:
        """It has no code, and is the way to answer from deep inside."""
        app.get("/")(lambda: abort(Response("own", 201)))
        app.errorhandler(HTTPException)(lambda error: "handled")
        assert client.get("/").text == "own"

    def test_nor_is_one_without_a_code(self, app: Flask) -> None:
        app.register_error_handler(Exception, lambda error: "handled")
        with app.test_request_context():
            error = NoCode()
            assert app.handle_http_exception(error) is error

    def test_nor_are_redirects_of_the_routing(self, app: Flask, client: FlaskClient) -> None:
        app.get("/folder/")(lambda: "")
        app.errorhandler(RequestRedirect)(lambda error: "handled")
        app.errorhandler(HTTPException)(lambda error: "handled")
        response = client.get("/folder")
        assert (response.status_code, response.location) == (308, "http://localhost/folder/")

    def test_a_handler_may_answer_with_the_error(self, app: Flask, client: FlaskClient) -> None:
        app.errorhandler(404)(lambda error: error)
        app.errorhandler(405)(lambda error: (error, {"X": "1"}))
        app.post("/")(lambda: "")
        assert client.get("/nowhere").status_code == 404
        response = client.get("/")
        assert (response.status_code, response.headers["X"]) == (405, "1")

    def test_a_handlers_error_is_a_500_whatever_handlers_there_are(
        self, app: Flask, client: FlaskClient, log: Log
    ) -> None:
        app.testing = False
        app.logger.disabled = True
        app.errorhandler(404)(lambda error: [][1])
        app.errorhandler(IndexError)(lambda error: "not asked")
        app.teardown_request(lambda error: log.append(repr(error)))
        assert client.get("/nowhere").status_code == 500
        assert log == ["IndexError('list index out of range')"]

    def test_an_error_of_the_500s_handler_comes_out(self, app: Flask, client: FlaskClient) -> None:
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.logger.disabled = True
        app.get("/")(lambda: [][1])
        app.errorhandler(500)(lambda error: {}["b"])
        with pytest.raises(KeyError) as raised:
            client.get("/")
        assert isinstance(raised.value.__context__, IndexError)

    @pytest.mark.parametrize(
        "kind",
        [
            SystemExit,
            KeyboardInterrupt,
            pytest.param(
                GeneratorExit,
                marks=pytest.mark.wsgi("Python lets no coroutine await while one passes through"),
            ),
        ],
    )
    def test_what_ends_programs_is_not_answered(
        self, app: Flask, client: FlaskClient, log: Log, kind: type[BaseException]
    ) -> None:
        app.testing = False
        app.register_error_handler(Exception, lambda error: "not asked")
        app.teardown_request(lambda error: log.append(type(error)))

        @app.get("/")
        def view() -> str:
            raise kind

        with pytest.raises(kind):
            client.get("/")
        assert log == [kind]
        assert not has_app_context()

    def test_an_unhandled_error_is_logged_once_with_its_traceback(
        self, app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        app.testing = False
        app.post("/<word>")(lambda word: [][1])
        response = client.post("/word?a=b")
        assert response.status_code == 500
        assert "Internal Server Error" in response.text
        [record] = caplog.records
        assert record.getMessage() == (
            "Exception on /word [POST]: POST /word?a=b HTTP/1.1, endpoint '<lambda>'"
        )
        assert record.exc_info is not None
        assert record.exc_info[0] is IndexError

    @pytest.mark.parametrize("replaced", [False, True])
    @pytest.mark.parametrize("is_async", [False, True])
    def test_the_traceback_holds_the_users_frames(
        self,
        app: Flask,
        client: FlaskClient,
        caplog: pytest.LogCaptureFixture,
        replaced: bool,
        is_async: bool,
    ) -> None:
        """Extensions replace steps on an instance, as Flask-CORS does."""

        def fails() -> str:
            raise LookupError

        async def fails_later() -> str:
            raise LookupError

        if replaced:
            original = app.handle_user_exception
            app.handle_user_exception = lambda error: original(error)
        app.testing = False
        app.add_url_rule("/", "fails", fails_later if is_async else fails)
        client.get("/")
        exc_info = caplog.records[-1].exc_info
        assert exc_info is not None
        names = [frame.name for frame in traceback.extract_tb(exc_info[2])]
        assert names == ["<lambda>"] * replaced + ["fails_later" if is_async else "fails"]

    def test_an_error_made_of_a_missing_key_tells_which_in_debug_mode(
        self, app: Flask, client: FlaskClient
    ) -> None:
        app.get("/")(lambda: request.args["missing"])
        app.errorhandler(400)(lambda error: error.description)
        assert "missing" not in client.get("/").text
        app.debug = True
        app.config["TRAP_BAD_REQUEST_ERRORS"] = False
        assert "KeyError: 'missing'" in client.get("/").text

    def test_the_signal_of_unhandled_errors(
        self, app: Flask, client: FlaskClient, log: Log
    ) -> None:
        app.add_url_rule("/", "view", lambda: [][1])
        app.add_url_rule("/403", "forbidden", lambda: abort(403))

        def receive(sender: Flask, exception: Exception) -> None:
            log.append((sender, type(exception)))

        with got_request_exception.connected_to(receive, app):
            client.get("/403")
            assert log == []
            with pytest.raises(IndexError):
                client.get("/")
            app.testing = False
            app.logger.disabled = True
            client.get("/")
        assert log == [(app, IndexError)] * 2


@pytest.mark.parametrize(
    ("testing", "debug", "propagate", "raises"),
    [
        (False, False, None, False),
        (True, False, None, True),
        (False, True, None, True),
        (False, False, True, True),
        (True, True, False, False),
    ],
)
def test_when_unhandled_errors_come_out(
    app: Flask,
    client: FlaskClient,
    testing: bool,
    debug: bool,
    propagate: bool | None,
    raises: bool,
) -> None:
    app.config.update(TESTING=testing, DEBUG=debug, PROPAGATE_EXCEPTIONS=propagate)
    app.logger.disabled = True
    app.get("/")(lambda: [][1])
    app.errorhandler(500)(lambda error: "handled")
    if raises:
        with pytest.raises(IndexError):
            client.get("/")
    else:
        assert client.get("/").text == "handled"


@pytest.mark.parametrize(
    ("debug", "http", "bad", "error", "raises"),
    [
        (False, False, None, Conflict, False),
        (False, True, None, Conflict, True),
        (False, True, None, BadRequest, True),
        (False, False, True, BadRequest, True),
        (False, False, True, BadRequestKeyError, True),
        (False, False, True, Conflict, False),
        (False, False, None, BadRequestKeyError, False),
        (True, False, None, BadRequestKeyError, True),
        (True, False, None, BadRequest, False),
        (True, False, False, BadRequestKeyError, False),
    ],
)
def test_which_http_errors_are_trapped(
    app: Flask,
    client: FlaskClient,
    debug: bool,
    http: bool,
    bad: bool | None,
    error: type[HTTPException],
    raises: bool,
) -> None:
    """Trapped, an error isn't the answer; handlers of its class still are asked."""
    app.config.update(DEBUG=debug, TRAP_HTTP_EXCEPTIONS=http, TRAP_BAD_REQUEST_ERRORS=bad)

    @app.get("/")
    def view() -> str:
        raise error

    if raises:
        with pytest.raises(error):
            client.get("/")
    else:
        assert client.get("/").status_code == error.code


def test_a_trapped_error_may_be_handled(app: Flask, client: FlaskClient) -> None:
    app.config["TRAP_HTTP_EXCEPTIONS"] = True
    app.register_error_handler(MethodNotAllowed, lambda error: "handled")
    app.post("/")(lambda: "")
    assert client.get("/").text == "handled"


def test_signals_around_a_request(app: Flask, client: FlaskClient, log: Log) -> None:
    app.get("/")(lambda: log.append("view") or "view")
    app.before_request(lambda: log.append("before"))
    app.after_request(_after(log, "after"))
    app.teardown_request(lambda error: log.append("teardown request"))
    app.teardown_appcontext(lambda error: log.append("teardown context"))

    def started(sender: Flask) -> None:
        log.append(("started", request.path))

    def finished(sender: Flask, response: Response) -> None:
        log.append(("finished", response.status_code))

    def ending(sender: Flask, exc: BaseException | None) -> None:
        log.append(("tearing down", has_request_context(), exc))

    with (
        request_started.connected_to(started, app),
        request_finished.connected_to(finished, app),
        request_tearing_down.connected_to(ending, app),
        appcontext_tearing_down.connected_to(ending, app),
    ):
        client.get("/")
    assert log == [
        *(("started", "/"), "before", "view", "after", ("finished", 200)),
        *("teardown request", ("tearing down", True, None)),
        *("teardown context", ("tearing down", False, None)),
    ]


def test_a_receiver_may_be_a_coroutine_function(app: Flask, client: FlaskClient, log: Log) -> None:
    async def started(sender: Flask) -> None:
        log.append(request.path)

    app.get("/")(lambda: "")
    with request_started.connected_to(started, app):
        client.get("/")
    assert log == ["/"]


def test_an_error_of_a_receiver_is_the_requests(app: Flask, client: FlaskClient) -> None:
    def started(sender: Flask) -> None:
        abort(409)

    app.get("/")(lambda: "view")
    with request_started.connected_to(started, app):
        assert client.get("/").status_code == 409


class Roundabout(Flask):
    """Takes every step there is for an error."""

    def handle_user_exception(self, e: Exception) -> Any:
        return super().handle_user_exception(e)


def raise_key_error() -> str:
    return request.form["absent"]


def raise_trapped() -> str:
    raise BadRequest("trapped")


def raise_response() -> str:
    abort(Response("ready", 409))


def raise_value_error() -> str:
    raise ValueError("wrong")


@pytest.mark.parametrize("handled", [None, 404, 400, HTTPException, ValueError, Exception])
@pytest.mark.parametrize("setting", [{}, {"TRAP_HTTP_EXCEPTIONS": True}, {"DEBUG": True}], ids=str)
@pytest.mark.parametrize("bad_requests", [None, True, False])
def test_what_answers_an_error_at_once_is_what_the_steps_come_to(
    handled: Any, setting: dict[str, Any], bad_requests: bool | None
) -> None:
    answers: list[list[Any]] = []
    for kind in (Flask, Roundabout):
        app = kind("steps")
        app.config.update(setting, TRAP_BAD_REQUEST_ERRORS=bad_requests)
        app.config["PROPAGATE_EXCEPTIONS"] = True
        for view in (raise_key_error, raise_trapped, raise_response, raise_value_error):
            app.add_url_rule(f"/{view.__name__}/", view_func=view)
        if handled is not None:

            @app.errorhandler(handled)
            def handler(error: Exception) -> tuple[str, int]:
                assert sys.exc_info()[1] is error
                return f"handled {error!r}", 418

        client = app.test_client()
        given: list[Any] = []
        for path in (
            "raise_key_error",
            "raise_trapped",
            "raise_response",
            "raise_value_error",
            "no",
        ):
            for slash in ("/", ""):
                try:
                    response = client.get(f"/{path}{slash}")
                except Exception as error:
                    given.append(repr(error))
                else:
                    given.append((response.status, [*response.headers], response.data))
        answers.append(given)
    assert answers[0] == answers[1]
