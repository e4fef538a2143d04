"""The steps as methods: called by themselves, and overridden in both signatures."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.exceptions import Forbidden, HTTPException, NotFound
from werkzeug.routing import MapAdapter

from brim import Flask, Response, abort, request
from brim.globals import app_ctx, request_ctx
from brim.testing import FlaskClient

# Called by themselves ------------------------------------------------------------------


@pytest.fixture(params=["as in Flask 3.1", "as in Flask 3.2"])
def call(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Calls a step of the current request, with its context first or without."""
    if request.param == "as in Flask 3.1":
        return lambda step, *args: step(*args)
    return lambda step, *args: step(request_ctx._get_current_object(), *args)  # type: ignore[attr-defined]


@pytest.fixture
def app(app: Flask) -> Flask:
    app.add_url_rule("/", "view", lambda: "view")
    app.add_url_rule("/error", "error", lambda: 1 / 0)
    app.add_url_rule("/403", "forbidden", lambda: abort(403))
    return app


def test_each_step_by_itself(app: Flask, call: Callable[..., Any]) -> None:
    seen: list[str] = []
    app.before_request(lambda: seen.append("before"))
    app.after_request(lambda response: seen.append("after") or response)
    with app.test_request_context("/"):
        assert call(app.preprocess_request) is None
        assert call(app.dispatch_request) == "view"
        assert seen == ["before"]
        assert call(app.full_dispatch_request).data == b"view"
        assert call(app.finalize_request, ("made", 201)).status == "201 CREATED"
        response = Response("given")
        assert call(app.process_response, response) is response
        assert seen == ["before", "before", "after", "after", "after"]
        assert call(app.make_default_options_response).allow.as_set() == {"get", "head", "options"}
        assert app.make_response("x").data == b"x"
        assert app.should_ignore_error(None) is False


def test_a_before_function_that_answers(app: Flask, call: Callable[..., Any]) -> None:
    app.before_request(lambda: "answer")
    with app.test_request_context("/"):
        assert call(app.preprocess_request) == "answer"
        assert call(app.full_dispatch_request).data == b"answer"


def test_the_steps_of_errors(
    app: Flask, call: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    app.register_error_handler(403, lambda error: "handled")
    app.register_error_handler(KeyError, lambda error: "key")
    with app.test_request_context("/nowhere"):
        with pytest.raises(NotFound) as raised:
            call(app.dispatch_request)
        assert request.routing_exception is raised.value
        with pytest.raises(NotFound):
            app.raise_routing_exception(request._get_current_object())  # type: ignore[attr-defined]
        missing = NotFound()
        assert call(app.handle_http_exception, missing) is missing
        assert call(app.handle_http_exception, Forbidden()) == "handled"
        assert call(app.handle_user_exception, Forbidden()) == "handled"
        assert call(app.handle_user_exception, KeyError()) == "key"
        with pytest.raises(ValueError, match="nobody's"):
            call(app.handle_user_exception, ValueError("nobody's"))
        with pytest.raises(ValueError, match="nobody's"):
            call(app.handle_exception, ValueError("nobody's"))
        app.testing = False
        assert call(app.handle_exception, ValueError()).status_code == 500
        assert caplog.records[-1].getMessage().startswith("Exception on /nowhere [GET]: ")
        call(app.log_exception, (None, None, None))
        assert len(caplog.records) == 2
        assert app.trap_http_exception(missing) is False
        app.config["TRAP_HTTP_EXCEPTIONS"] = True
        assert app.trap_http_exception(missing) is True
        handler = app._find_error_handler(KeyError(), [])
        assert handler is not None
        assert handler(KeyError()) == "key"


def test_teardown_by_itself(app: Flask, call: Callable[..., Any]) -> None:
    """Without an error given, the one that is being handled is told."""
    told: list[Any] = []
    app.teardown_request(lambda error: told.append(("request", error)))
    app.teardown_appcontext(lambda error: told.append(("application", error)))
    given, handled = ValueError(), KeyError()
    with app.test_request_context("/"):
        call(app.do_teardown_request, given)
        call(app.do_teardown_request)
        ctx: Any = app_ctx._get_current_object()  # type: ignore[attr-defined]
        app.do_teardown_appcontext(given)
        app.do_teardown_appcontext(ctx, given)
        app.do_teardown_appcontext(exc=given)
        app.do_teardown_appcontext(None)
        try:
            raise handled
        except KeyError:
            call(app.do_teardown_request)
            app.do_teardown_appcontext()
            app.do_teardown_appcontext(ctx)
        assert told == [
            *(("request", given), ("request", None)),
            *(("application", given),) * 3,
            *(("application", None), ("request", handled)),
            *(("application", handled),) * 2,
        ]


def test_responses_outside_a_request() -> None:
    """Each application makes its own, wherever that happens to be."""

    class Own(Response):
        pass

    class OwnApp(Flask):
        response_class = Own

    app, other = OwnApp(__name__), Flask(__name__)
    assert type(app.make_response("x")) is Own
    with other.app_context():
        assert type(app.make_response(("x", 201))) is Own
        assert type(app.make_response({"a": 1})) is Own
        with pytest.raises(TypeError, match="did not return a valid response"):
            app.make_response(None)  # type: ignore[arg-type]
        with pytest.raises(RuntimeError, match="outside of request context"):
            app.make_response(lambda environ, start_response: [])


def test_steps_of_a_request_need_one(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="outside of request context"):
        app.dispatch_request()


# Overridden ----------------------------------------------------------------------------

# The steps of a request, without and with ``ctx``.
SHORT = ("create_url_adapter", "raise_routing_exception", "make_response", "trap_http_exception")
SHORT += ("should_ignore_error", "do_teardown_appcontext")
LONG = ("full_dispatch_request", "preprocess_request", "dispatch_request", "finalize_request")
LONG += ("make_default_options_response", "process_response", "handle_user_exception")
LONG += ("handle_http_exception", "handle_exception", "log_exception", "do_teardown_request")


def spying(name: str, base: type, *, takes_ctx: bool) -> Callable[..., Any]:
    """Make an override that notes its call and goes on to the original."""
    original = getattr(base, name)

    def without(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.seen.append(name)
        return original(self, *args, **kwargs)

    def with_ctx(self: Any, ctx: Any, *args: Any, **kwargs: Any) -> Any:
        assert ctx.app is self
        self.seen.append(name)
        return original(self, ctx, *args, **kwargs)

    return with_ctx if takes_ctx else without


class Spy(Flask):
    """Knows which steps were called."""

    @functools.cached_property
    def seen(self) -> list[str]:
        return []


class OldSpy(Spy):
    """Overrides all steps as Flask 3.1 has them."""

    for _name in SHORT + LONG:
        locals()[_name] = spying(_name, Flask, takes_ctx=False)


class NewSpy(Spy):
    """Overrides all steps as Flask 3.2 has them."""

    for _name in SHORT:
        locals()[_name] = spying(_name, Flask, takes_ctx=_name == "do_teardown_appcontext")
    for _name in LONG:
        locals()[_name] = spying(_name, Flask, takes_ctx=True)


START = ["create_url_adapter", "full_dispatch_request", "preprocess_request", "dispatch_request"]
MAKE = ["finalize_request", "make_response", "process_response"]
END = ["do_teardown_request", "do_teardown_appcontext"]
HANDLE = ["handle_user_exception", "trap_http_exception", "handle_http_exception"]
CRASH = ["handle_user_exception", "handle_exception", "log_exception"]


@pytest.mark.parametrize("kind", [OldSpy, NewSpy])
@pytest.mark.parametrize(
    ("method", "path", "status", "steps"),
    [
        ("GET", "/", 200, [*START, *MAKE, *END]),
        ("GET", "/403", 299, [*START, *HANDLE, *MAKE, *END]),
        ("GET", "/error", 500, [*START, *CRASH, *MAKE, "should_ignore_error", *END]),
        ("GET", "/nowhere", 404, [*START, "raise_routing_exception", *HANDLE, *MAKE, *END]),
        ("OPTIONS", "/", 200, [*START, "make_default_options_response", *MAKE, *END]),
    ],
)
def test_overrides_are_called_in_order(
    kind: type[Spy], method: str, path: str, status: int, steps: list[str]
) -> None:
    app = kind(__name__)
    app.logger.setLevel(logging.CRITICAL + 1)
    app.add_url_rule("/", "view", lambda: "view")
    app.add_url_rule("/error", "error", lambda: 1 / 0)
    app.add_url_rule("/403", "forbidden", lambda: abort(403))
    app.register_error_handler(403, lambda error: ("handled", 299))
    answer = app.test_client().open(path, method=method)
    assert (answer.status_code, app.seen) == (status, steps)


@pytest.mark.parametrize("kind", [OldSpy, NewSpy])
def test_overrides_for_an_applications_context(kind: type[Spy]) -> None:
    app = kind(__name__)
    with app.app_context():
        pass
    assert app.seen == END[1:]


def replaced(**steps: Callable[..., Any]) -> FlaskClient:
    """Make an application whose class replaces steps, and its client."""
    app: Flask = type("Own", (Flask,), steps)(__name__)
    app.add_url_rule("/", "view", lambda: "view")
    app.add_url_rule("/error", "error", lambda: 1 / 0)
    app.add_url_rule("/403", "forbidden", lambda: abort(403))
    return app.test_client()


@pytest.mark.parametrize(
    ("step", "override", "path", "status", "text"),
    [
        ("dispatch_request", lambda self: ("own", 201), "/", 201, "own"),
        ("dispatch_request", lambda self, ctx: ctx.request.path, "/x", 200, "/x"),
        ("full_dispatch_request", lambda self, ctx: Response("own"), "/", 200, "own"),
        ("preprocess_request", lambda self: "early", "/", 200, "early"),
        ("finalize_request", lambda self, rv: Response(f"<{rv}>"), "/", 200, "<view>"),
        ("make_response", lambda self, rv: Response(f"<{rv}>"), "/", 200, "<view>"),
        ("process_response", lambda self, response: Response("own"), "/", 200, "own"),
        ("handle_exception", lambda self, e: Response(repr(e), 299), "/error", 299, None),
        ("handle_user_exception", lambda self, ctx, e: "handled", "/error", 200, "handled"),
        ("handle_http_exception", lambda self, e: f"{e.code}", "/403", 200, "403"),
        ("raise_routing_exception", lambda self, request: abort(418), "/x", 418, None),
        ("_find_error_handler", lambda self, e, names: str, "/403", 200, str(Forbidden())),
        ("_find_error_handler", lambda self, e, names: None, "/403", 403, None),
    ],
)
def test_what_an_override_returns_counts(
    step: str, override: Callable[..., Any], path: str, status: int, text: str | None
) -> None:
    answer = replaced(**{step: override}).get(path)
    assert answer.status_code == status
    assert text is None or answer.text == text


def test_an_override_of_the_answer_to_options() -> None:
    client = replaced(make_default_options_response=lambda self: Response("own"))
    assert client.options("/").text == "own"


def test_an_override_may_trap_errors_by_its_own_rules() -> None:
    client = replaced(trap_http_exception=lambda self, e: isinstance(e, Forbidden))
    client.application.testing = True
    assert client.get("/x").status_code == 404
    with pytest.raises(Forbidden):
        client.get("/403")


def test_an_override_may_bind_the_map_by_its_own_rules() -> None:
    def create_url_adapter(self: Flask, request: Any) -> MapAdapter | None:
        if request is not None and request.path == "/refused":
            abort(451)
        if request is not None and request.path == "/broken":
            raise LookupError("no map")
        return Flask.create_url_adapter(self, request)

    client = replaced(create_url_adapter=create_url_adapter)
    assert client.get("/").text == "view"
    assert client.get("/refused").status_code == 451
    client.application.testing = True
    with pytest.raises(LookupError, match="no map"):
        client.get("/broken")


def test_extensions_replace_steps_on_the_application(app: Flask, client: FlaskClient) -> None:
    """As API extensions do: a function around the method, or a partial."""
    original = app.handle_user_exception

    def around(handle: Callable[..., Any], e: Exception) -> Any:
        return ("own", 299) if isinstance(e, ZeroDivisionError) else handle(e)

    app.handle_user_exception = functools.partial(around, original)  # type: ignore[method-assign]
    assert client.get("/error").status_code == 299
    assert client.get("/403").status_code == 403


class Proxy:
    """Around a method, as agents put it: it looks like what it wraps in all but its type."""

    def __init__(self, wrapped: Any, calls: list[str]) -> None:
        self.wrapped = wrapped
        self.calls = calls

    def __get__(self, instance: Any, owner: Any) -> Proxy:
        return Proxy(self.wrapped.__get__(instance, owner), self.calls)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append(self.wrapped.__name__)
        return self.wrapped(*args, **kwargs)


def test_proxies_around_methods_of_the_application(app: Flask, client: FlaskClient) -> None:
    calls: list[str] = []
    for name in ("full_dispatch_request", "preprocess_request"):
        setattr(app, name, Proxy(getattr(app, name), calls))
    assert client.get("/").text == "view"
    assert calls == ["full_dispatch_request", "preprocess_request"]


def test_proxies_around_methods_of_the_class() -> None:
    calls: list[str] = []

    class Own(Flask):
        dispatch_request = Proxy(Flask.dispatch_request, calls)
        process_response = Proxy(Flask.process_response, calls)

    app = Own(__name__)
    app.add_url_rule("/", "view", lambda: "view")
    assert app.test_client().get("/").text == "view"
    assert calls == ["dispatch_request", "process_response"]


def test_an_override_may_ask_for_the_original_with_less(client: FlaskClient) -> None:
    """``super()`` finds the context by itself where it isn't passed on."""

    class Own(Flask):
        def dispatch_request(self, ctx: Any) -> Any:
            return f"<{super().dispatch_request()}>"

        def process_response(self, response: Response) -> Response:
            return super().process_response(response=response)

        def handle_user_exception(self, e: Exception) -> Any:
            return super().handle_user_exception(ctx=request_ctx, e=e)

        def handle_http_exception(self, e: HTTPException) -> Any:
            return f"{super().handle_http_exception(e=e)}"

    app = Own(__name__)
    app.add_url_rule("/", "view", lambda: "view")
    assert app.test_client().get("/").text == "<view>"
    assert app.test_client().get("/x").text.startswith("404 Not Found")
