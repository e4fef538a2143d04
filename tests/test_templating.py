from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import BaseLoader, DictLoader, TemplateNotFound, TemplatesNotFound
from jinja2.nativetypes import NativeEnvironment

from brim import (
    Blueprint,
    Flask,
    Request,
    before_render_template,
    g,
    render_template,
    render_template_string,
    session,
    stream_template,
    stream_template_string,
    template_rendered,
)
from brim.registry import Scaffold
from brim.templating import (
    STRING_CACHE_SIZE,
    DispatchingJinjaLoader,
    Environment,
    select_jinja_autoescape,
)


class TemplateApp(Flask):
    """An app whose templates are given as a dict."""

    templates: dict[str, str] = {}

    def create_global_jinja_loader(self) -> Any:
        return DictLoader(self.templates)


@pytest.fixture
def app() -> TemplateApp:
    app = TemplateApp("the_app")
    app.config.update(TESTING=True, SECRET_KEY="a key for tests")
    app.templates = {
        "page.html": "{{ value }}|{{ extra }}",
        "page.txt": "{{ value }}",
        "macros.html": "{% macro path() %}{{ request.path }} {{ config.TESTING }}{% endmacro %}",
        "imports.html": "{% from 'macros.html' import path %}{{ path() }}",
    }
    return app


@pytest.fixture
def ctx(app: TemplateApp) -> Iterator[None]:
    with app.app_context():
        yield


# Rendering --------------------------------------------------------------------------


@pytest.mark.usefixtures("ctx")
def test_template_is_rendered_by_name_list_or_object(app: TemplateApp) -> None:
    assert render_template("page.html", value=1) == "1|"
    assert render_template(["missing.html", "page.txt", "page.html"], value=1) == "1"
    assert render_template(app.jinja_env.from_string("<{{ value }}>"), value=1) == "<1>"
    assert render_template_string("{{ value }}!", value=1) == "1!"

    with pytest.raises(TemplateNotFound, match=r"missing\.html"):
        render_template("missing.html")
    with pytest.raises(TemplatesNotFound, match="one, two"):
        render_template(["one", "two"])


@pytest.mark.parametrize(
    "render", [render_template, render_template_string, stream_template, stream_template_string]
)
def test_rendering_needs_an_app(render: Any) -> None:
    with pytest.raises(RuntimeError, match="Working outside of application context"):
        render("page.html")


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        (None, True),
        ("a.html", True),
        ("a.htm", True),
        ("a.xml", True),
        ("a.xhtml", True),
        ("a.svg", True),
        ("a.HTML", False),
        ("a.html.j2", False),
        ("a.txt", False),
        ("html", False),
    ],
)
def test_suffix_decides_whether_values_are_escaped(name: str | None, escaped: bool) -> None:
    assert select_jinja_autoescape(name) is escaped


@pytest.mark.usefixtures("ctx")
def test_values_are_escaped_in_html_and_strings() -> None:
    assert render_template("page.html", value="<") == "&lt;|"
    assert render_template("page.txt", value="<") == "<"
    assert render_template_string("{{ value }}", value="<") == "&lt;"


# What templates see -------------------------------------------------------------------


def test_templates_see_the_request_and_its_app(app: TemplateApp) -> None:
    @app.route("/see")
    def see() -> str:
        g.name = "gee"
        session["name"] = "sess"
        return render_template_string(
            "{{ request.path }} {{ g.name }} {{ session.name }} {{ config.TESTING }}"
            " {{ url_for('see') }} {{ get_flashed_messages() }} {{ {'b': 1} | tojson }}"
        )

    assert app.test_client().get("/see").text == '/see gee sess True /see [] {"b": 1}'


def test_imported_templates_see_globals(app: TemplateApp) -> None:
    with app.test_request_context("/here"):
        assert render_template("imports.html") == "/here True"


def test_outside_a_request_there_is_no_request(app: TemplateApp) -> None:
    recorded: list[dict[str, Any]] = []
    with (
        template_rendered.connected_to(lambda sender, context, **_: recorded.append(context), app),
        app.app_context(),
    ):
        assert (
            render_template_string("{{ 'g' if g is defined }} {{ request is none }}") == "g False"
        )

    assert list(recorded[0]) == ["g"]


@pytest.mark.parametrize("source", ["hi", "{% set kept = session %}"])
def test_template_that_does_not_look_into_the_session_never_opens_it(
    app: TemplateApp, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> Any:
        raise AssertionError("opened")

    monkeypatch.setattr(app.session_interface, "open_session", refuse)

    @app.route("/")
    def index() -> str:
        return render_template_string(source)

    response = app.test_client().get("/")
    assert response.status_code == 200
    assert "Vary" not in response.headers


@pytest.mark.parametrize("source", ["{{ session.name }}", "{% if session %}{% endif %}"])
def test_template_that_looks_into_the_session_varies_by_cookie(
    app: TemplateApp, source: str
) -> None:
    app.add_url_rule("/", "index", lambda: render_template_string(source))

    assert app.test_client().get("/").headers["Vary"] == "Cookie"


@pytest.fixture
def nested(app: TemplateApp) -> TemplateApp:
    """An app with processors on three levels that all set ``who``."""
    outer, inner, other = (Blueprint(name, "the_app") for name in ("outer", "inner", "other"))

    def answer() -> str:
        return render_template_string("{{ who }} {{ outer }} {{ inner }} {{ g }} {{ request }}")

    app.context_processor(lambda: {"who": "app", "g": "app's", "request": "app's"})
    outer.context_processor(lambda: {"who": "outer", "outer": 1, "g": "outer's"})
    inner.context_processor(lambda: {"who": "inner", "inner": 2, "request": "inner's"})
    inner.app_context_processor(lambda: {"who": "app, later"})
    for owner in (app, outer, inner, other):
        owner.add_url_rule(f"/{owner.name}", "answer", answer)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.register_blueprint(other)
    return app


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/the_app", "app, later   app&#39;s app&#39;s"),
        ("/outer", "outer 1  outer&#39;s &lt;Request &#39;http://localhost/outer&#39; [GET]&gt;"),
        ("/inner", "inner 1 2 &lt;flask.g of &#39;the_app&#39;&gt; inner&#39;s"),
        (
            "/other",
            "app, later   &lt;flask.g of &#39;the_app&#39;&gt;"
            " &lt;Request &#39;http://localhost/other&#39; [GET]&gt;",
        ),
    ],
)
def test_processors_run_from_the_app_inwards(nested: TemplateApp, path: str, answer: str) -> None:
    """Each blueprint begins with its own ``g`` and ``request``, whatever came before."""
    assert nested.test_client().get(path).text == answer


def test_dotted_endpoint_that_is_no_blueprints_is_the_apps(app: TemplateApp) -> None:
    app.context_processor(lambda: {"request": "app's"})
    app.add_url_rule("/", "no.blueprint", lambda: render_template_string("{{ request }}"))

    assert app.test_client().get("/").text == "app&#39;s"


def test_given_values_win_over_processors(app: TemplateApp) -> None:
    app.context_processor(lambda: {"value": "processor's", "extra": "processor's"})
    context = {"value": "given"}

    with app.test_request_context():
        assert render_template("page.html", value="given") == "given|processor&#39;s"
        app.update_template_context(context)

    assert context["value"] == "given"
    assert context["extra"] == "processor's"
    assert list(context) == ["value", "g", "request", "extra"]


def test_context_can_be_completed_without_a_context(app: TemplateApp) -> None:
    context: dict[str, Any] = {}
    app.update_template_context(context)
    assert context == {}


def test_processor_may_be_a_coroutine(app: TemplateApp) -> None:
    @app.context_processor
    async def extra() -> dict[str, Any]:
        return {"extra": "awaited"}

    with app.app_context():
        assert render_template("page.html", value=1) == "1|awaited"


# Signals ------------------------------------------------------------------------------


def test_receivers_may_change_the_context_before_and_see_it_after(app: TemplateApp) -> None:
    seen: list[Any] = []

    async def before(sender: Any, template: Any, context: Any, **_: Any) -> None:
        seen.append(("before", template.name, context["value"]))
        context["value"] = "changed"

    def after(sender: Any, template: Any, context: Any, **_: Any) -> None:
        seen.append(("after", template.name, context["value"]))

    with (
        before_render_template.connected_to(before, app),
        template_rendered.connected_to(after, app),
        app.test_request_context(),
    ):
        assert render_template("page.txt", value="given") == "changed"
        stream = stream_template("page.txt", value="given")
        assert seen == [
            ("before", "page.txt", "given"),
            ("after", "page.txt", "changed"),
            ("before", "page.txt", "given"),
        ]
        assert "".join(stream) == "changed"
        assert seen[3:] == [("after", "page.txt", "changed")]


def test_recorded_context_outlives_the_request(app: TemplateApp) -> None:
    recorded: list[dict[str, Any]] = []

    @app.route("/shop")
    def shop() -> str:
        g.user = "me"
        return render_template("page.html", value=1)

    with template_rendered.connected_to(lambda sender, context, **_: recorded.append(context), app):
        app.test_client().get("/shop")

    assert recorded[0]["request"].path == "/shop"
    assert recorded[0]["g"].user == "me"


# Streaming ----------------------------------------------------------------------------


def test_stream_is_rendered_as_it_is_read(app: TemplateApp) -> None:
    def values() -> Iterator[int]:
        yield 1
        yield 1 // 0

    with app.app_context():
        stream = stream_template_string(
            "{% for v in values %}{{ v }},{% endfor %}", values=values()
        )
        assert next(iter(stream)) == "1"
        with pytest.raises(ZeroDivisionError):
            list(stream)


def test_stream_keeps_its_request(app: TemplateApp) -> None:
    ended: list[Any] = []
    app.teardown_request(ended.append)

    @app.route("/slow")
    def slow() -> Any:
        return stream_template_string("{{ request.path }}{{ ended | length }}", ended=ended)

    response = app.test_client().get("/slow", buffered=False)
    assert response.text == "/slow0"
    response.close()
    assert ended == [None]


# The environment ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "debug", "reload"),
    [(None, False, False), (None, True, True), (False, True, False), (True, False, True)],
)
def test_setting_or_debug_mode_decides_about_reloading(
    app: TemplateApp, setting: bool | None, debug: bool, reload: bool
) -> None:
    app.config.update(DEBUG=debug, TEMPLATES_AUTO_RELOAD=setting)

    assert app.jinja_env.auto_reload is reload


def test_options_of_the_app_go_before_defaults(app: TemplateApp) -> None:
    loader = DictLoader({})
    app.jinja_options = {
        "autoescape": False,
        "auto_reload": True,
        "loader": loader,
        "trim_blocks": True,
    }

    env = app.jinja_env

    assert env.app is app
    assert env.loader is loader
    assert (env.autoescape, env.auto_reload, env.trim_blocks) == (False, True, True)


def test_app_may_use_another_environment(app: TemplateApp) -> None:
    class Native(Environment, NativeEnvironment):
        pass

    class Foreign(jinja2.Environment):
        def __init__(self, app: Flask, **options: Any) -> None:
            super().__init__(loader=DictLoader({}), **options)

    app.jinja_environment = Native
    with app.app_context():
        assert render_template_string("{{ [1, 2] }}") == [1, 2]  # type: ignore[comparison-overlap]

    other = Flask("other")
    other.jinja_environment = Foreign  # type: ignore[assignment]
    with other.app_context():
        assert render_template_string("{{ config.DEBUG }}") == "False"


# Strings are compiled once ------------------------------------------------------------


@pytest.mark.usefixtures("ctx")
def test_string_is_compiled_once(app: TemplateApp) -> None:
    template = app.jinja_env.string_template("{{ value }}")

    assert app.jinja_env.string_template("{{ value }}") is template
    assert app.jinja_env.from_string("{{ value }}") is not template


@pytest.mark.usefixtures("ctx")
def test_strings_that_are_not_used_again_are_dropped(app: TemplateApp) -> None:
    env = app.jinja_env
    first = env.string_template("0")
    for number in range(STRING_CACHE_SIZE + 1):
        env.string_template(str(number))

    assert env._strings is not None
    assert len(env._strings[0]) == STRING_CACHE_SIZE
    assert env.string_template("0") is not first


def set_delimiter(env: Any) -> None:
    env.variable_start_string = "[["
    env.variable_end_string = "]]"


#: Each changes what a string compiles to, in its own way.
CHANGES = {
    "filter": lambda env: env.filters.update(upper=lambda value: "other"),
    "filter that takes the context": lambda env: env.filters.update(
        upper=jinja2.pass_context(lambda context, value: context.name or "context")
    ),
    "new filters": lambda env: setattr(
        env, "filters", {**env.filters, "upper": lambda value: "new"}
    ),
    "test": lambda env: env.tests.update(defined=lambda value: False),
    "policy": lambda env: env.policies.update({"truncate.leeway": 0}),
    "escaping": lambda env: setattr(env, "autoescape", False),
    "escaping by rule": lambda env: setattr(env, "autoescape", lambda name: False),
    "undefined": lambda env: setattr(env, "undefined", jinja2.DebugUndefined),
    "finalize": lambda env: setattr(env, "finalize", lambda value: f"[{value}]"),
    "delimiter": set_delimiter,
    "extension": lambda env: env.add_extension("jinja2.ext.loopcontrols"),
    "global": lambda env: env.globals.update(extra="global"),
    "globals": lambda env: setattr(env, "globals", {**env.globals, "extra": "new globals"}),
}
SOURCE = (
    "{{ 'a<' | upper }} {{ '<' }}{{ value }} {{ 1 is defined }} {{ 'abcdef' | truncate(3) }}"
    " {{ extra }}"
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(sorted(CHANGES)), max_size=4))
def test_string_renders_as_if_compiled_anew_whatever_changes(changes: list[str]) -> None:
    """However the environment is changed between two times, Jinja's own answer holds."""
    app = TemplateApp("the_app")
    env = app.jinja_env
    with app.app_context():
        for change in [None, *changes]:
            if change is not None:
                CHANGES[change](env)
            expected = env.from_string(SOURCE).render(value="<")
            assert render_template_string(SOURCE, value="<") == expected
            assert render_template_string(SOURCE, value="<") == expected


def test_apps_rule_for_escaping_may_differ_from_time_to_time() -> None:
    class PlainApp(TemplateApp):
        def select_jinja_autoescape(self, filename: str | None) -> bool:
            return "plain" not in g

    app = PlainApp("the_app")
    for _ in range(2):
        with app.app_context():
            assert render_template_string("{{ '<' }}") == "&lt;"
            g.plain = True
            assert render_template_string("{{ '<' }}") == "<"


@pytest.mark.parametrize("how", ["class", "instance"])
def test_environment_that_makes_templates_its_own_way_is_asked_each_time(how: str) -> None:
    made: list[str] = []

    class Counting(Environment):
        def from_string(self, source: Any, *args: Any, **kwargs: Any) -> Any:
            made.append(source)
            return super().from_string(source, *args, **kwargs)

    app = TemplateApp("the_app")
    if how == "class":
        app.jinja_environment = Counting
    else:
        env: Any = app.jinja_env
        original = env.from_string
        env.from_string = lambda source: made.append(source) or original(source)
    with app.app_context():
        assert render_template_string("a") == render_template_string("a") == "a"

    assert made == ["a", "a"]


# Where templates are looked for ---------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Flask:
    """An app and two blueprints with template folders, and one without."""
    for file, text in {
        "templates/both.html": "the app's",
        "shop/t/both.html": "the shop's",
        "shop/t/shop.html": "shop",
    }.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    app = Flask("site", root_path=str(tmp_path))
    app.testing = True
    shop = Blueprint("shop", "site.shop", root_path=str(tmp_path / "shop"), template_folder="t")
    bare = Blueprint("bare", "site.bare", root_path=str(tmp_path))
    mail = Blueprint("mail", "site.mail", root_path=str(tmp_path))
    mail.jinja_loader = DictLoader({"mail.txt": "mail"})
    shop.add_url_rule("/<name>", "show", lambda name: render_template(name))
    app.add_url_rule("/app/<name>", "show", lambda name: render_template(name))
    for blueprint in (shop, bare, mail):
        app.register_blueprint(blueprint)
    return app


def test_app_is_asked_before_its_blueprints(site: Flask) -> None:
    client = site.test_client()

    assert client.get("/both.html").text == "the app's"
    assert client.get("/shop.html").text == "shop"
    assert client.get("/mail.txt").text == "mail"
    with pytest.raises(TemplateNotFound, match=r"none\.html"):
        client.get("/none.html")
    assert site.jinja_env.list_templates() == ["both.html", "mail.txt", "shop.html"]


class Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines = record.getMessage().splitlines()


@pytest.fixture
def log(site: Flask) -> Iterator[Log]:
    site.config["EXPLAIN_TEMPLATE_LOADING"] = True
    handler = Log()
    site.logger.addHandler(handler)
    site.logger.setLevel(logging.INFO)
    yield handler
    site.logger.removeHandler(handler)
    site.logger.setLevel(logging.NOTSET)


def test_loading_is_explained_loader_by_loader(site: Flask, log: Log, tmp_path: Path) -> None:
    class Remote(jinja2.BaseLoader):
        def __init__(self) -> None:
            self.host, self.verify, self._token, self.ports = "cdn", True, "secret", [1]

        def get_source(self, environment: Any, template: str) -> Any:
            if template == "string.html":
                return "text", None, None
            raise TemplateNotFound(template)

    site.blueprints["mail"].jinja_loader = Remote()
    assert site.test_client().get("/shop.html").text == "shop"

    assert log.lines == [
        "Locating template 'shop.html':",
        "    1: trying loader of application 'site'",
        "       class: jinja2.loaders.FileSystemLoader",
        "       encoding: 'utf-8'",
        "       followlinks: False",
        "       searchpath:",
        f"         - {tmp_path}/templates",
        "       -> no match",
        "    2: trying loader of blueprint 'shop' (site.shop)",
        "       class: jinja2.loaders.FileSystemLoader",
        "       encoding: 'utf-8'",
        "       followlinks: False",
        "       searchpath:",
        f"         - {tmp_path}/shop/t",
        f"       -> found ('{tmp_path}/shop/t/shop.html')",
        "    3: trying loader of blueprint 'mail' (site.mail)",
        f"       class: {__name__}.Remote",
        "       host: 'cdn'",
        "       verify: True",
        "       -> no match",
    ]

    assert site.test_client().get("/string.html").text == "text"
    assert log.lines[-1] == "       -> found ('<string>')"


def test_template_that_is_nowhere_is_explained(site: Flask, log: Log) -> None:
    client = site.test_client()

    with pytest.raises(TemplateNotFound):
        client.get("/app/none.html")
    assert log.lines[-1] == "Error: the template could not be found."

    with pytest.raises(TemplateNotFound):
        client.get("/none.html")
    assert log.lines[-4] == "Error: the template could not be found."
    assert "belongs to the blueprint 'shop'" in log.lines[-3]
    assert log.lines[-1].endswith("https://flask.palletsprojects.com/blueprints/#templates")


def test_template_that_is_in_two_places_is_explained(site: Flask, log: Log) -> None:
    with site.app_context():
        assert render_template("both.html") == "the app's"

    assert log.lines[-1] == (
        "Warning: several loaders have this template; the first one's is used."
    )


@pytest.mark.parametrize("explain", [False, True])
def test_a_loader_may_say_for_each_template_whom_to_ask(app: Flask, explain: bool) -> None:
    """Extensions that sort the folders of templates override the private method for it."""
    asked = []

    class Loader(DispatchingJinjaLoader):
        def _iter_loaders(self, template: str) -> Iterator[tuple[Scaffold, BaseLoader]]:
            asked.append(template)
            yield self.app, DictLoader({"page.html": "mine"})

    app.create_global_jinja_loader = lambda: Loader(app)  # type: ignore[method-assign]
    app.config["EXPLAIN_TEMPLATE_LOADING"] = explain
    with app.app_context():
        assert render_template("page.html") == "mine"
    assert asked == ["page.html"]


RENDERED = {
    "base.html": (
        "<{% block top %}{{ value }}{% endblock %}>{{ shared }}{% block rest %}{% endblock %}"
    ),
    "child.html": (
        "{% extends 'base.html' %}{% import 'lib.html' as lib %}"
        "{% block top %}{{ super() }}{{ value|upper }}{% endblock %}"
        "{% block rest %}{% for x in items %}{{ loop.index }}{{ lib.show(x) }}{% endfor %}"
        "{% include 'part.html' %}{% set shared = 2 %}{{ shared }}{{ missing }}{% endblock %}"
    ),
    "lib.html": "{% macro show(x) %}[{{ x }}{{ shared }}]{% endmacro %}",
    "part.html": "({{ value }}{{ shared }}{{ late }})",
}


def test_template_renders_as_by_jinja() -> None:
    app = Flask(__name__)
    app.jinja_loader = DictLoader(RENDERED)
    names = app.jinja_env.globals
    names["shared"] = "<g>"

    @settings(deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(["value", "shared", "missing", "self", "range", "request"]),
            st.text("a<&") | st.integers(),
        ),
        st.sampled_from([None, {"shared": "own"}]),
        st.booleans(),
    )
    def agree(values: dict[str, Any], own: dict[str, Any] | None, late: bool) -> None:
        names.pop("late", None)
        app.jinja_env.cache.clear()  # type: ignore[union-attr]
        template = app.jinja_env.get_template("child.html", globals=own)
        if late:
            names["late"] = "later"
        values["items"] = [1, "<"]
        context = dict(values)
        app.update_template_context(context)
        assert render_template(template, **values) == template.render(context)

    with app.app_context():
        agree()


def test_whoever_replaces_a_way_to_render_is_asked(
    app: TemplateApp, ctx: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = app.jinja_env.get_template("page.txt")
    assert render_template(template, value="a") == "a"
    with monkeypatch.context() as patch:
        patch.setattr(jinja2.Template, "render", lambda self, *args, **kwargs: "patched")
        assert render_template(template, value="a") == "patched"
    template.render = lambda *args, **kwargs: "its own"  # type: ignore[method-assign]
    assert render_template(template, value="a") == "its own"

    class Own(jinja2.Template):
        def render(self, *args: Any, **kwargs: Any) -> str:
            return "own"

    app.jinja_env.template_class = Own
    assert render_template_string("{{ new }}", value="a") == "own"


def test_an_application_may_complete_values_in_its_own_way(
    app: TemplateApp, ctx: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert render_template("page.html", value="a") == "a|"
    monkeypatch.setattr(app, "update_template_context", lambda context: context.update(extra="b"))
    assert render_template("page.html", value="a") == "a|b"
    monkeypatch.undo()
    app.template_context_processors[None].append(lambda: {"extra": "late"})
    assert render_template("page.html", value="a") == "a|late"
    app.template_context_processors.clear()
    assert render_template("page.html", value="a") == "a|"


def test_a_request_class_may_have_its_own_idea_of_its_blueprints(app: TemplateApp) -> None:
    class Own(Request):
        @property
        def blueprints(self) -> list[str]:
            return ["inner", "outer"]

    app.request_class = Own
    for name in ("inner", "outer"):
        app.template_context_processors[name].append(lambda name=name: {"extra": name})
    with app.test_request_context("/"):
        assert render_template("page.html", value="a") == "a|inner"


def test_an_error_shows_the_line_of_the_template(app: TemplateApp, ctx: None) -> None:
    app.templates["broken.html"] = "\n\n{{ value.missing.more }}"
    with pytest.raises(jinja2.UndefinedError) as caught:
        render_template("broken.html", value=1)
    frames = [(entry.name, entry.lineno) for entry in caught.traceback]
    assert ("top-level template code", 2) in frames
    with pytest.raises(jinja2.UndefinedError) as caught:
        app.jinja_env.get_template("broken.html").render(value=1)
    assert frames[-2:] == [(entry.name, entry.lineno) for entry in caught.traceback][-2:]


def test_environment_for_coroutines_renders(app: TemplateApp) -> None:
    app.jinja_options = {"enable_async": True}
    with app.app_context():
        assert render_template("page.txt", value="a") == "a"
