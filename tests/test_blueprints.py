"""Blueprints: what is recorded, and where it ends up. Results in tables are Flask 3.1.3's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from brim import (
    Blueprint,
    Flask,
    Response,
    abort,
    g,
    render_template,
    render_template_string,
    request,
    url_for,
)
from brim.blueprints import BlueprintSetupState
from brim.testing import FlaskClient

UNSET: Any = object()


def given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not UNSET}


def where() -> list[Any]:
    """A view that tells which endpoint was reached."""
    return [request.endpoint, request.blueprint, request.blueprints]


# Where rules end up --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "option", "rule", "expected"),
    [
        (None, UNSET, "/", "/"),
        (None, UNSET, "/x", "/x"),
        (None, UNSET, "x", ValueError),
        (None, UNSET, "", ValueError),
        ("", UNSET, "x", "/x"),
        ("/", UNSET, "", "/"),
        ("/", UNSET, "/x", "/x"),
        ("/p", UNSET, "", "/p"),
        ("/p", UNSET, "/", "/p/"),
        ("/p", UNSET, "x", "/p/x"),
        ("/p/", UNSET, "/x/", "/p/x/"),
        ("p", UNSET, "/x", ValueError),
        ("/p", "", "/x", "/x"),
        ("/p", None, "/x", "/p/x"),
        ("/p", "/o", "/x", "/o/x"),
        ("/p", "/o/", "", "/o/"),
        (None, "/o", "/", "/o/"),
    ],
)
def test_a_prefix_goes_before_each_rule(own: Any, option: Any, rule: str, expected: Any) -> None:
    app = Flask(__name__, static_folder=None)
    bp = Blueprint("bp", __name__, url_prefix=own)
    bp.add_url_rule(rule, "x")
    if expected is ValueError:
        with pytest.raises(ValueError, match="must start with a slash"):
            app.register_blueprint(bp, **given(url_prefix=option))
        return
    app.register_blueprint(bp, **given(url_prefix=option))
    assert [rule.rule for rule in app.url_map.iter_rules()] == [expected]


@pytest.mark.parametrize(
    ("parent", "parent_option", "child", "child_option", "expected"),
    [
        (None, UNSET, None, UNSET, "/x"),
        ("/a", UNSET, None, UNSET, "/a/x"),
        (None, UNSET, "/b", UNSET, "/b/x"),
        ("/a", UNSET, "/b", UNSET, "/a/b/x"),
        ("/a/", UNSET, "b/", UNSET, "/a/b/x"),
        ("/a", UNSET, "/b", "/o", "/a/o/x"),
        ("/a", UNSET, "/b", None, "/a/b/x"),
        ("/a", "/po", "/b", UNSET, "/po/b/x"),
        ("/a", "/po", "/b", "/o", "/po/o/x"),
        ("/", UNSET, "/b", UNSET, "/b/x"),
    ],
)
def test_prefixes_of_nested_blueprints(
    parent: Any, parent_option: Any, child: Any, child_option: Any, expected: str
) -> None:
    app = Flask(__name__, static_folder=None)
    outer = Blueprint("outer", __name__, url_prefix=parent)
    inner = Blueprint("inner", __name__, url_prefix=child)
    inner.add_url_rule("/x", "x")
    outer.register_blueprint(inner, **given(url_prefix=child_option))
    app.register_blueprint(outer, **given(url_prefix=parent_option))
    assert [rule.rule for rule in app.url_map.iter_rules()] == [expected]


@pytest.mark.parametrize(
    ("parent", "parent_option", "child", "child_option", "own", "expected"),
    [
        (None, UNSET, None, UNSET, None, ""),
        ("a", UNSET, None, UNSET, None, "a"),
        (None, UNSET, "b", UNSET, None, "b"),
        ("a", UNSET, "b", UNSET, None, "b.a"),
        ("a", UNSET, "b", "o", None, "o.a"),
        ("a", "po", "b", None, None, "b.po"),
        ("a", UNSET, "b", UNSET, "own", "own"),
    ],
)
def test_subdomains_of_nested_blueprints(
    parent: Any, parent_option: Any, child: Any, child_option: Any, own: Any, expected: str
) -> None:
    app = Flask(__name__, static_folder=None, subdomain_matching=True)
    outer = Blueprint("outer", __name__, subdomain=parent)
    inner = Blueprint("inner", __name__, subdomain=child)
    inner.add_url_rule("/x", "x", **({"subdomain": own} if own else {}))
    outer.register_blueprint(inner, **given(subdomain=child_option))
    app.register_blueprint(outer, **given(subdomain=parent_option))
    assert [rule.subdomain for rule in app.url_map.iter_rules()] == [expected]


def test_values_that_all_rules_have(app: Flask, client: FlaskClient) -> None:
    """The registration's go before the blueprint's, and the rule's before both."""
    bp = Blueprint("bp", __name__, url_defaults={"a": "bp", "b": "bp", "c": "bp"})
    bp.add_url_rule("/x", "x", lambda **values: values, defaults={"c": "rule"})
    bp.add_url_rule("/y/<c>", "y", lambda **values: values)
    app.register_blueprint(bp, url_defaults={"b": "option"})
    app.register_blueprint(bp, name="again", url_prefix="/again", url_defaults=[("b", "pairs")])
    assert client.get("/x").json == {"a": "bp", "b": "option", "c": "rule"}
    assert client.get("/y/url").json == {"a": "bp", "b": "option", "c": "bp"}
    assert client.get("/again/x").json == {"a": "bp", "b": "pairs", "c": "rule"}


# Names ---------------------------------------------------------------------------------


def test_a_blueprint_nests_and_may_be_registered_again(app: Flask, client: FlaskClient) -> None:
    parts = [Blueprint(name, __name__, url_prefix=f"/{name}") for name in ("a", "b", "c")]
    a, b, c = parts
    for part in parts:
        part.add_url_rule("/x", "x", where)
    b.register_blueprint(c)
    a.register_blueprint(b)
    a.register_blueprint(b, name="b2", url_prefix="/b2")
    app.register_blueprint(a)
    app.register_blueprint(c, url_prefix="/top")
    assert client.get("/a/b/c/x").json == ["a.b.c.x", "a.b.c", ["a.b.c", "a.b", "a"]]
    assert client.get("/a/b2/c/x").json == ["a.b2.c.x", "a.b2.c", ["a.b2.c", "a.b2", "a"]]
    assert client.get("/top/x").json == ["c.x", "c", ["c"]]
    assert list(app.blueprints) == ["a", "a.b", "a.b.c", "a.b2", "a.b2.c", "c"]
    assert list(app.iter_blueprints()) == [a, b, c, b, c, c]


def test_a_name_is_taken_once() -> None:
    app = Flask(__name__)
    bp, other = Blueprint("bp", __name__), Blueprint("bp", __name__)
    app.register_blueprint(bp)
    with pytest.raises(ValueError, match=r"'bp' is already registered for this blueprint\. Use"):
        app.register_blueprint(bp)
    with pytest.raises(ValueError, match="'bp' is already registered for a different blueprint"):
        app.register_blueprint(other)
    app.register_blueprint(bp, name="second")
    with pytest.raises(ValueError, match="'second' is already registered for this"):
        app.register_blueprint(bp, name="second")
    outer = Blueprint("outer", __name__)
    outer.register_blueprint(bp)
    outer.register_blueprint(other)
    with pytest.raises(ValueError, match=r"'bp' is .* a different blueprint as 'outer\.bp'"):
        app.register_blueprint(outer)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda bp: Blueprint("", __name__), "may not be empty"),
        (lambda bp: Blueprint("a.b", __name__), "may not contain a dot"),
        (lambda bp: bp.register_blueprint(bp), "on itself"),
        (lambda bp: bp.add_url_rule("/", endpoint="a.b"), "'endpoint' may not contain a dot"),
        (lambda bp: bp.add_url_rule("/", view_func=dotted()), "'view_func' name may not contain"),
    ],
)
def test_names_that_are_refused(make: Callable[[Blueprint], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(Blueprint("bp", __name__))


def dotted() -> Callable[[], str]:
    def view() -> str:
        return ""

    view.__name__ = "a.b"
    return view


def test_a_blueprint_is_closed_once_it_is_registered(app: Flask) -> None:
    bp = Blueprint("bp", __name__)
    app.register_blueprint(bp)
    calls: list[Callable[[], object]] = [
        lambda: bp.route("/late"),
        lambda: bp.before_app_request(print),
        lambda: bp.record(print),
        lambda: bp.app_template_filter(),
        lambda: bp.register_blueprint(Blueprint("late", __name__)),
    ]
    for call in calls:
        with pytest.raises(AssertionError, match=r"can no longer be called.*blueprint 'bp'"):
            call()


# Recording -----------------------------------------------------------------------------


def test_what_is_recorded_runs_at_each_registration(app: Flask) -> None:
    states: list[Any] = []
    bp = Blueprint("bp", __name__, url_prefix="/bp")

    @bp.record
    def each(state: BlueprintSetupState) -> None:
        states.append(("each", state.name, state.first_registration, state.url_prefix))

    @bp.record_once
    def once(state: BlueprintSetupState) -> None:
        assert (state.app, state.blueprint, state.options) == (app, bp, {"extra": 1})
        states.append(("once", state.name))

    app.register_blueprint(bp, extra=1)
    app.register_blueprint(bp, name="again", url_prefix="/again")
    assert states == [
        ("each", "bp", True, "/bp"),
        ("once", "bp"),
        ("each", "again", False, "/again"),
    ]


def test_a_subclass_may_have_a_state_of_its_own(app: Flask) -> None:
    class State(BlueprintSetupState):
        def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
            super().add_url_rule(f"/v1{rule}", *args, **options)

    class Versioned(Blueprint):
        def make_setup_state(
            self, app: Any, options: Any, first_registration: bool = False
        ) -> State:
            return State(self, app, options, first_registration)

    bp = Versioned("bp", __name__)
    bp.get("/x")(where)
    app.register_blueprint(bp)
    assert app.test_client().get("/v1/x").json == ["bp.where", "bp", ["bp"]]


def test_endpoints_and_tables_that_are_filled_directly(app: Flask, client: FlaskClient) -> None:
    bp = Blueprint("bp", __name__)
    bp.endpoint("shared")(lambda: "shared")
    bp.view_functions["direct"] = lambda: "direct"
    bp.before_request_funcs["inner"] = [lambda: None]
    app.add_url_rule("/shared", endpoint="shared")
    app.add_url_rule("/direct", endpoint="direct")
    app.register_blueprint(bp)
    assert (client.get("/shared").text, client.get("/direct").text) == ("shared", "direct")
    assert "bp.inner" in app.before_request_funcs


# Hooks ---------------------------------------------------------------------------------


def test_functions_of_nested_blueprints_in_order(app: Flask, client: FlaskClient) -> None:
    seen: list[str] = []
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    for name, part in (("inner", inner), ("outer", outer), ("app", app)):

        def note(what: str, result: Any = None, name: str = name) -> Any:
            seen.append(f"{what} {name}")
            return result

        part.url_value_preprocessor(lambda endpoint, values, note=note: note("values"))
        part.before_request(lambda note=note: note("before"))
        part.after_request(lambda response, note=note: note("after", response))
        part.teardown_request(lambda error, note=note: note("teardown"))
        part.context_processor(lambda name=name: {"nearest": name})
    inner.get("/inner")(lambda: render_template_string("{{ nearest }}"))
    outer.register_blueprint(inner)
    outer.get("/outer")(lambda: render_template_string("{{ nearest }}"))
    app.register_blueprint(outer)
    app.get("/app")(lambda: render_template_string("{{ nearest }}"))
    assert client.get("/inner").text == "inner"
    assert seen == [
        *("values app", "values outer", "values inner", "before app", "before outer"),
        *("before inner", "after inner", "after outer", "after app"),
        *("teardown inner", "teardown outer", "teardown app"),
    ]
    seen.clear()
    assert client.get("/outer").text == "outer"
    assert len(seen) == 8
    seen.clear()
    assert client.get("/app").text == "app"
    assert seen == ["values app", "before app", "after app", "teardown app"]


def test_functions_for_the_whole_application(app: Flask, client: FlaskClient) -> None:
    """They are added once, however often the blueprint is registered."""
    bp = Blueprint("bp", __name__)
    seen: list[str] = []
    bp.app_url_value_preprocessor(lambda endpoint, values: seen.append("values"))
    bp.before_app_request(lambda: seen.append("before"))
    bp.after_app_request(lambda response: seen.append("after") or response)
    bp.teardown_app_request(lambda error: seen.append("teardown"))
    bp.app_context_processor(lambda: {"whole": "application"})
    bp.app_url_defaults(lambda endpoint, values: values.update(q="1"))

    @bp.app_errorhandler(ZeroDivisionError)
    def handle(error: Exception) -> tuple[str, int]:
        return "handled", 299

    @app.get("/")
    def view() -> str:
        return render_template_string("{{ whole }} {{ url_for('fails') }}")

    app.add_url_rule("/fails", "fails", lambda: 1 / 0)
    app.register_blueprint(bp)
    app.register_blueprint(bp, name="again")
    assert client.get("/").text == "application /fails?q=1"
    assert seen == ["values", "before", "after", "teardown"]
    assert client.get("/fails").status_code == 299


def test_a_blueprints_handlers_answer_its_views_only(app: Flask, client: FlaskClient) -> None:
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    outer.register_error_handler(404, lambda error: ("outer", 404))
    inner.register_error_handler(403, lambda error: ("inner", 403))
    app.register_error_handler(404, lambda error: ("app", 404))
    for name, part in (("inner", inner), ("outer", outer), ("app", app)):
        part.add_url_rule(f"/{name}/<int:code>", "fails", abort_with)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    answers = {path: client.get(path).text for path in ("/inner/404", "/outer/404", "/app/404")}
    assert answers == {"/inner/404": "outer", "/outer/404": "outer", "/app/404": "app"}
    assert client.get("/inner/403").text == "inner"
    assert "Forbidden" in client.get("/outer/403").text
    assert client.get("/nowhere").text == "app"


def abort_with(code: int) -> Response:
    abort(code)


def test_filters_tests_and_globals_for_all_templates(app: Flask) -> None:
    bp = Blueprint("bp", __name__)

    @bp.app_template_filter
    def bare(value: str) -> str:
        return value[::-1]

    @bp.app_template_filter("renamed")
    def filter_function(value: str) -> str:
        return value.upper()

    @bp.app_template_test
    def even(value: int) -> bool:
        return value % 2 == 0

    @bp.app_template_test("unlucky")
    def test_function(value: int) -> bool:
        return value == 13

    @bp.app_template_global
    def one() -> int:
        return 1

    @bp.app_template_global(name="two")
    def global_function() -> int:
        return 2

    app.register_blueprint(bp)
    source = "{{ 'ab'|bare|renamed }} {{ 2 is even }} {{ 13 is unlucky }} {{ one() + two() }}"
    with app.app_context():
        assert render_template_string(source) == "BA True True 3"


# Files and commands --------------------------------------------------------------------


def test_files_and_templates_of_its_own(tmp_path: Path) -> None:
    for folder in ("static", "templates"):
        (tmp_path / folder).mkdir()
    (tmp_path / "static" / "a.css").write_text("body {}")
    (tmp_path / "templates" / "page.html").write_text("page of {{ request.blueprint }}")
    app = Flask(__name__, static_folder=None)
    options: dict[str, Any] = {"root_path": str(tmp_path), "static_folder": "static"}
    bp = Blueprint("bp", __name__, url_prefix="/bp", template_folder="templates", **options)
    bp.add_url_rule("/", "page", lambda: render_template("page.html"))
    bp.add_url_rule("/url", "url", lambda: url_for(".static", filename="a.css"))
    app.register_blueprint(bp)
    other = Blueprint("other", __name__, static_url_path="/files", **options)
    app.register_blueprint(other)
    client = app.test_client()
    assert client.get("/bp/").text == "page of bp"
    assert client.get("/bp/url").text == "/bp/static/a.css"
    for path in ("/bp/static/a.css", "/files/a.css"):
        with client.get(path) as answer:
            assert answer.text == "body {}"
    assert client.get("/static/a.css").status_code == 404
    with bp.open_resource("static/a.css") as file:
        assert file.read() == b"body {}"


def command(name: str) -> Callable[[], None]:
    return lambda: click.echo(name)


def test_commands_are_grouped_by_blueprint(app: Flask) -> None:
    parts = {
        "own": Blueprint("own", __name__),
        "top": Blueprint("top", __name__, cli_group=None),
        "named": Blueprint("named", __name__, cli_group="group"),
        "over": Blueprint("over", __name__),
        "nested": Blueprint("nested", __name__),
    }
    for name, part in parts.items():
        part.cli.command(f"c-{name}")(command(name))
    parent = Blueprint("parent", __name__)
    parent.register_blueprint(parts.pop("nested"))
    app.register_blueprint(parent)
    app.register_blueprint(parts.pop("over"), cli_group="given")
    for part in parts.values():
        app.register_blueprint(part)
    runner = app.test_cli_runner()
    for line in ("own c-own", "c-top", "group c-named", "given c-over", "parent.nested c-nested"):
        result = runner.invoke(args=line.split())
        assert result.output == line.rpartition("c-")[2] + "\n"
    assert "parent" not in app.cli.commands


def test_g_is_shared_by_all_of_them(app: Flask, client: FlaskClient) -> None:
    bp = Blueprint("bp", __name__)
    app.before_request(lambda: setattr(g, "seen", ["app"]))
    bp.before_request(lambda: g.seen.append("bp"))
    bp.get("/")(lambda: g.seen)
    app.register_blueprint(bp)
    assert client.get("/").json == ["app", "bp"]


def test_views_of_static_files_have_the_names_that_extensions_know_them_by(tmp_path: Path) -> None:
    """Flask-WTF's ``csrf.exempt("flask.app.<lambda>")`` is one that asks for them."""
    app = Flask(__name__, static_folder=str(tmp_path))
    app.register_blueprint(Blueprint("bp", __name__, static_folder=str(tmp_path), url_prefix="/bp"))
    views = [app.view_functions[endpoint] for endpoint in ("static", "bp.static")]
    assert [f"{view.__module__}.{view.__name__}" for view in views] == [
        "flask.app.<lambda>",
        "flask.blueprints.send_static_file",
    ]
