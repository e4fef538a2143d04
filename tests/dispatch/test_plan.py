"""Plans: worked out once, and worked out anew after whatever they depend on has changed."""

from __future__ import annotations

import copy
import functools
import gc
import types
import weakref
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule

from brim import Blueprint, Flask, Response, render_template_string
from brim.ctx import RequestContext
from brim.dispatch.plan import OVERRIDABLE, Plan
from tests.support import knock

Table = dict[Any, list[Any]]


def text(app: Flask, path: str = "/bp/") -> str:
    return app.test_client().get(path).text


@pytest.fixture
def used(app: Flask) -> Flask:
    """An application that has answered, so that all is worked out."""
    bp = Blueprint("bp", __name__, url_prefix="/bp")
    bp.add_url_rule("/", "view", lambda: "view")
    app.register_blueprint(bp)
    assert text(app) == "view"
    assert app.test_client().get("/nowhere").status_code == 404
    return app


# Tables of functions -------------------------------------------------------------------


class Called:
    """A function for any table, that counts its calls."""

    count = 0

    def __call__(self, *args: Any) -> Any:
        self.count += 1
        # What an after-function is given, it has to return.
        return args[0] if args and isinstance(args[0], Response) else None


TABLES = ("before_request_funcs", "after_request_funcs", "teardown_request_funcs")
TABLES += ("url_value_preprocessors",)

ADDED: dict[str, Callable[[Table, str | None, Any], object]] = {
    "append": lambda t, key, f: t[key].append(f),
    "setdefault": lambda t, key, f: t.setdefault(key, []).append(f),
    "insert": lambda t, key, f: t[key].insert(0, f),
    "extend": lambda t, key, f: t[key].extend([f]),
    "+=": lambda t, key, f: t[key].__iadd__([f]),
    "slice": lambda t, key, f: t[key].__setitem__(slice(0, 0), [f]),
    "item": lambda t, key, f: t.__setitem__(key, [f]),
    "tuple": lambda t, key, f: t.__setitem__(key, (f,)),  # type: ignore[arg-type]
    "update": lambda t, key, f: t.update({key: [f]}),
    "|=": lambda t, key, f: t.__ior__({key: [f]}),
}
REMOVED: dict[str, Callable[[Table, str | None, Any], object]] = {
    "remove": lambda t, key, f: t[key].remove(f),
    "pop": lambda t, key, f: t[key].pop(),
    "del": lambda t, key, f: t[key].__delitem__(0),
    "slice": lambda t, key, f: t[key].__setitem__(slice(None), []),
    "clear": lambda t, key, f: t[key].clear(),
    "replace": lambda t, key, f: t[key].__setitem__(0, Called()),
    "del key": lambda t, key, f: t.__delitem__(key),
    "pop key": lambda t, key, f: t.pop(key),
    "item": lambda t, key, f: t.__setitem__(key, []),
    "clear all": lambda t, key, f: t.clear(),
}


@pytest.mark.parametrize("key", [None, "bp"])
@pytest.mark.parametrize("add", ADDED.values(), ids=ADDED)
@pytest.mark.parametrize("name", TABLES)
def test_what_is_added_late_is_called(
    used: Flask, name: str, add: Callable[[Table, str | None, Any], object], key: str | None
) -> None:
    function = Called()
    add(getattr(used, name), key, function)
    text(used)
    assert function.count == 1


@pytest.mark.parametrize("remove", REMOVED.values(), ids=REMOVED)
@pytest.mark.parametrize("name", TABLES)
def test_what_is_removed_late_is_not_called(
    used: Flask, name: str, remove: Callable[[Table, str | None, Any], object]
) -> None:
    function = Called()
    getattr(used, name)["bp"].append(function)
    text(used)
    remove(getattr(used, name), "bp", function)
    text(used)
    assert function.count == 1


@pytest.mark.parametrize("kind", [dict, lambda t: defaultdict(list, t), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_may_be_replaced_as_a_whole(used: Flask, name: str, kind: Any) -> None:
    first, second = Called(), Called()
    table = kind(getattr(used, name))
    table[None] = [first]
    setattr(used, name, table)
    text(used)
    getattr(used, name)[None].append(second)
    text(used)
    assert (first.count, second.count) == (2, 1)


def test_a_table_may_be_put_aside_and_put_back(used: Flask) -> None:
    """As tests do that want no hooks for a while."""
    function = Called()
    used.before_request_funcs[None].append(function)
    kept = used.before_request_funcs.copy()
    used.before_request_funcs.clear()
    text(used)
    assert function.count == 0
    used.before_request_funcs = kept
    used.before_request_funcs["bp"].append(function)
    text(used)
    assert function.count == 2


@pytest.mark.parametrize(
    "add",
    [
        lambda app, f: app.teardown_appcontext_funcs.append(f),
        lambda app, f: app.teardown_appcontext_funcs.insert(0, f),
        lambda app, f: setattr(app, "teardown_appcontext_funcs", [f]),
        lambda app, f: app.teardown_appcontext_funcs.extend((f,)),
    ],
)
def test_teardown_functions_of_the_applications_context_too(used: Flask, add: Any) -> None:
    function = Called()
    add(used, function)
    text(used)
    with used.app_context():
        pass
    assert function.count == 2


def test_context_processors_too(used: Flask) -> None:
    used.view_functions["bp.view"] = lambda: render_template_string("{{ a }}{{ b }}")
    used.template_context_processors[None].append(lambda: {"a": 1})
    used.template_context_processors.setdefault("bp", []).append(lambda: {"b": 2})
    assert text(used) == "12"
    used.template_context_processors = {None: [lambda: {"a": 3}]}
    assert text(used) == "3"


# Error handlers ------------------------------------------------------------------------


class Late(Exception):
    pass


HANDLERS: dict[str, Callable[[Flask, Any], object]] = {
    "item": lambda app, f: app.error_handler_spec[None][404].__setitem__(NotFound, f),
    "setdefault": lambda app, f: (
        app.error_handler_spec.setdefault(None, {}).setdefault(404, {}).__setitem__(NotFound, f)
    ),
    "by class": lambda app, f: app.error_handler_spec[None][None].__setitem__(Exception, f),
    "update": lambda app, f: app.error_handler_spec.update({None: {404: {NotFound: f}}}),
    "update code": lambda app, f: app.error_handler_spec[None].update({404: {NotFound: f}}),
    "|=": lambda app, f: app.error_handler_spec[None].__ior__({404: {NotFound: f}}),
    "whole": lambda app, f: setattr(app, "error_handler_spec", {None: {404: {NotFound: f}}}),
}


@pytest.mark.parametrize("add", HANDLERS.values(), ids=HANDLERS)
def test_an_error_handler_that_is_added_late_handles(
    used: Flask, add: Callable[[Flask, Any], object]
) -> None:
    add(used, lambda error: "handled")
    assert text(used, "/nowhere") == "handled"
    by_code = used.error_handler_spec[None]
    by_code.get(404, by_code.get(None, {})).clear()
    assert text(used, "/nowhere") != "handled"


def test_a_handler_that_was_not_there_is_looked_for_again(used: Flask) -> None:
    def fail() -> str:
        raise Late

    used.view_functions["bp.view"] = fail
    with pytest.raises(Late):
        text(used)
    used.error_handler_spec["bp"][None][Late] = lambda error: "handled"
    assert text(used) == "handled"
    del used.error_handler_spec["bp"]
    with pytest.raises(Late):
        text(used)


def test_classes_of_errors_are_not_kept(used: Flask) -> None:
    """Some are made while a request runs, one for each."""
    used.error_handler_spec[None][None][Exception] = lambda error: "handled"
    classes: list[weakref.ref[type]] = []

    def fail() -> str:
        made = type("Made", (Exception,), {})
        classes.append(weakref.ref(made))
        raise made

    used.view_functions["bp.view"] = fail
    assert [text(used), text(used)] == ["handled", "handled"]
    gc.collect()
    assert [made() for made in classes] == [None, None]


# Views and rules -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "replace",
    [
        lambda app, f: app.view_functions.__setitem__("bp.view", f),
        lambda app, f: app.view_functions.update({"bp.view": f}),
        lambda app, f: app.view_functions.__ior__({"bp.view": f}),
        lambda app, f: setattr(app, "view_functions", {"bp.view": f}),
        lambda app, f: (
            app.view_functions.pop("bp.view"),
            app.view_functions.setdefault("bp.view", f),
        ),
        lambda app, f: (app.view_functions.clear(), app.view_functions.update(**{"bp.view": f})),
    ],
)
def test_a_view_may_be_replaced(used: Flask, replace: Any) -> None:
    replace(used, lambda: "replaced")
    assert text(used) == "replaced"


def test_views_may_be_wrapped_one_and_all(used: Flask) -> None:
    """As extensions do that limit rates, or measure."""
    for endpoint, view in used.view_functions.items():
        used.view_functions[endpoint] = functools.partial(lambda view: f"<{view()}>", view)
    assert text(used) == "<view>"


def test_rules_may_be_added(used: Flask) -> None:
    used.url_map.add(Rule("/late", endpoint="bp.view"))
    assert text(used, "/late") == "view"
    used.url_map.add(Rule("/later", endpoint="later"))
    with pytest.raises(KeyError, match="later"):
        text(used, "/later")
    used.view_functions["later"] = lambda: "later"
    assert text(used, "/later") == "later"


def test_how_functions_are_made_sync_may_be_replaced(used: Flask) -> None:
    async def view() -> str:
        return "view"

    def drive(function: Any) -> Any:
        """Run coroutines in an own way, as applications with gevent do."""

        def call(*args: Any) -> str:
            try:
                function(*args).send(None)
            except StopIteration as end:
                return f"driven {end.value}"
            raise AssertionError

        return call if function is view else function

    used.view_functions["bp.view"] = view
    assert text(used) == "view"
    used.ensure_sync = drive  # type: ignore[method-assign]
    assert text(used) == "driven view"
    del used.ensure_sync
    assert text(used) == "view"


# Overridden steps ----------------------------------------------------------------------


def _requests(app: Flask) -> list[Any]:
    """Send requests that go through every step; return what came back."""
    client = app.test_client()
    answers = [client.get("/"), client.options("/"), client.get("/nowhere"), client.get("/fail")]
    return [(answer.status_code, answer.text, list(answer.headers)) for answer in answers]


def _failing() -> Flask:
    app = Flask("failing")
    app.logger.disabled = True
    app.add_url_rule("/", "view", lambda: "view")
    app.add_url_rule("/fail", "fail", lambda: [][1])
    return app


#: Steps that in Flask 3.2 don't take the context either.
WITHOUT_CTX = {"raise_routing_exception", "make_response", "create_url_adapter"}
WITHOUT_CTX |= {"trap_http_exception", "_find_error_handler", "should_ignore_error"}


STYLES = ("function", "method", "partial", "callable", "with ctx")
STEPS = [(name, style) for name in OVERRIDABLE for style in STYLES]
# It is called outside of requests too, where there is no context.
STEPS.remove(("create_url_adapter", "with ctx"))


@pytest.mark.parametrize(("name", "style"), STEPS)
def test_each_step_may_be_replaced_on_the_instance_at_any_time(name: str, style: str) -> None:
    app = _failing()
    expected = _requests(app)
    original = getattr(app, name)
    calls: list[Any] = []

    def function(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return original(*args, **kwargs)

    def method(self: Flask, *args: Any, **kwargs: Any) -> Any:
        assert self is app
        return function(*args, **kwargs)

    def with_ctx(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        assert isinstance(ctx, RequestContext)
        return function(*args, **kwargs) if name in WITHOUT_CTX else function(ctx, *args, **kwargs)

    class Wrapper:
        """Has no signature to speak of."""

        __signature__ = "none"

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

    replacements: dict[str, Any] = {
        "function": function,
        "method": types.MethodType(method, app),
        "partial": functools.partial(lambda inner, *args, **kw: inner(*args, **kw), function),
        "callable": Wrapper(),
        "with ctx": with_ctx,
    }
    setattr(app, name, replacements[style])
    assert _requests(app) == expected
    assert calls
    calls.clear()
    delattr(app, name)
    assert _requests(app) == expected
    assert calls == []


def test_a_mock_may_stand_for_a_step(used: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(used, "dispatch_request", mock := MagicMock(return_value="mocked"))
        assert text(used) == "mocked"
        mock.assert_called_once_with()
    assert text(used) == "view"


def test_a_method_of_the_original_class_is_no_override(used: Flask) -> None:
    """As monkeypatching leaves it when it is undone."""
    used.dispatch_request = used.dispatch_request  # type: ignore[method-assign]
    assert text(used) == "view"
    assert used._engine.overrides.dispatch_request is None


def test_an_override_with_keywords_of_its_own_gets_them_by_name() -> None:
    seen: list[bool] = []

    class Own(Flask):
        def finalize_request(self, rv: Any, *, from_error_handler: bool = False) -> Response:
            seen.append(from_error_handler)
            return super().finalize_request(rv, from_error_handler=from_error_handler)

    app = Own(__name__)
    app.logger.disabled = True
    app.add_url_rule("/", "view", lambda: [][1])
    assert knock(app).status == "500 INTERNAL SERVER ERROR"
    assert seen == [True]


@pytest.mark.parametrize("takes_ctx", [False, True])
def test_an_override_of_the_last_step_is_told_where_nothing_else_is(takes_ctx: bool) -> None:
    """It ends contexts outside of requests too."""
    seen: list[Any] = []

    class Old(Flask):
        def do_teardown_appcontext(self, exc: BaseException | None = None) -> None:
            seen.append(exc)
            super().do_teardown_appcontext(exc)

    class New(Flask):
        def do_teardown_appcontext(self, ctx: Any, exc: BaseException | None = None) -> None:
            seen.append(exc)
            super().do_teardown_appcontext(ctx, exc)

    app = (New if takes_ctx else Old)(__name__)
    error = LookupError()
    app.teardown_appcontext(seen.append)
    with pytest.raises(LookupError), app.app_context():
        raise error
    assert seen == [error, error]


@pytest.mark.parametrize("takes_ctx", [False, True])
def test_an_override_answers_errors_from_before_the_first_step(takes_ctx: bool) -> None:
    class Old(Flask):
        def handle_exception(self, e: Exception) -> Response:
            return Response(f"{e}")

    class New(Flask):
        def handle_exception(self, ctx: Any, e: Exception) -> Response:
            return Response(f"{e}")

    app = (New if takes_ctx else Old)(__name__)

    @app.url_value_preprocessor
    def preprocess(endpoint: str | None, values: Any) -> None:
        raise AssertionError("not reached")

    def fail(request: Any) -> Any:
        raise LookupError("adapter")

    app.create_url_adapter = fail  # type: ignore[method-assign]
    assert knock(app).read() == b"adapter"


# What is kept --------------------------------------------------------------------------


def test_a_plan_can_not_be_changed(used: Flask) -> None:
    plan = used._engine.plans["bp.view"]
    assert isinstance(plan, Plan)
    with pytest.raises(AttributeError):
        plan.view = None  # type: ignore[misc]
    assert used._engine.plans["bp.view"] is plan


def _use(app: Flask) -> None:
    """Answer some requests of each kind."""
    app.add_url_rule("/", "view", lambda: "view")
    app.add_url_rule("/fail", "fail", lambda: [][1])
    app.logger.disabled = True
    app.register_blueprint(Blueprint("bp", __name__))
    for path in ("/", "/nowhere", "/fail"):
        answer = knock(app, path)
        answer.read()
        answer.close()
    with app.app_context(), app.test_request_context():
        pass


class Overriding(Flask):
    def dispatch_request(self) -> Any:
        return super().dispatch_request()

    def handle_exception(self, ctx: Any, e: Exception) -> Response:
        return super().handle_exception(ctx, e)


@pytest.mark.wsgi("what an error has passed through on two threads is the garbage collector's")
@pytest.mark.parametrize("kind", [Flask, Overriding])
def test_an_application_is_freed_without_the_garbage_collector(kind: type[Flask]) -> None:
    gc.collect()
    gc.disable()
    try:
        app = kind(__name__)
        _use(app)
        gone = weakref.ref(app)
        del app
        assert gone() is None
    finally:
        gc.enable()
