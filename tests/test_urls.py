"""Building URLs, binding the map, making rules. Results in tables are Flask 3.1.3's."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from werkzeug.exceptions import SecurityError
from werkzeug.routing import BuildError, Map, Rule

from brim import Blueprint, Flask, g, request, url_for
from brim.testing import FlaskClient

URLS: list[tuple[str, dict[str, Any], str | type[Exception], str | type[Exception]]] = [
    # endpoint, values, then what it is outside a request and in one
    ("i", {}, "http://ex.com/i", "/root/i"),
    ("shop.i", {}, "http://ex.com/shop/i", "/root/shop/i"),
    ("shop.cart.i", {}, "http://ex.com/shop/cart/i", "/root/shop/cart/i"),
    ("v", {"x": 1}, "http://ex.com/v/1", "/root/v/1"),
    ("v", {"x": "a"}, ValueError, ValueError),
    ("v", {}, BuildError, BuildError),
    ("nope", {}, BuildError, BuildError),
    (".nope", {}, BuildError, BuildError),
    (
        "i",
        {"a": 1, "b": [1, 2], "c": None, "d": "é&="},
        "http://ex.com/i?a=1&b=1&b=2&d=%C3%A9%26%3D",
        "/root/i?a=1&b=1&b=2&d=%C3%A9%26%3D",
    ),
    ("i", {"z": 1, "a": True}, "http://ex.com/i?z=1&a=True", "/root/i?z=1&a=True"),
    ("i", {"_anchor": "x y/é#?%"}, "http://ex.com/i#x%20y/%C3%A9#?%", "/root/i#x%20y/%C3%A9#?%"),
    (
        "i",
        {"_anchor": "!$&'()*+,;=:@/?"},
        *(p + "/i#!$&'()*+,;=:@/?" for p in ("http://ex.com", "/root")),
    ),
    ("i", {"_anchor": ""}, "http://ex.com/i#", "/root/i#"),
    ("i", {"_external": True}, "http://ex.com/i", "http://localhost:5000/root/i"),
    ("i", {"_external": False}, "/i", "/root/i"),
    ("i", {"_scheme": "https"}, "https://ex.com/i", "https://localhost:5000/root/i"),
    ("i", {"_scheme": "https", "_external": False}, ValueError, ValueError),
    ("i", {"_scheme": "", "_external": True}, "//ex.com/i", "//localhost:5000/root/i"),
    ("m", {}, "http://ex.com/m", "/root/m"),
    ("m", {"_method": "POST"}, "http://ex.com/mp", "/root/mp"),
    ("m", {"_method": "PUT"}, BuildError, BuildError),
    ("p", {"x": "a/b c?d#é"}, *(p + "/p/a/b%20c%3Fd%23%C3%A9" for p in ("http://ex.com", "/root"))),
    ("s", {"self": "x"}, "http://ex.com/self/x", "/root/self/x"),
    ("static", {"filename": "a b.css"}, "http://ex.com/static/a%20b.css", "/root/static/a%20b.css"),
    ("d", {"page": 1}, "http://ex.com/d/", "/root/d/"),
    (
        "d",
        {"page": 2, "_external": True, "_anchor": "n", "q": "1"},
        "http://ex.com/d/2?q=1#n",
        "http://localhost:5000/root/d/2?q=1#n",
    ),
]


@pytest.fixture
def app(app: Flask) -> Flask:
    shop = Blueprint("shop", __name__, url_prefix="/shop")
    cart = Blueprint("cart", __name__, url_prefix="/cart")
    for part in (app, shop, cart):
        part.add_url_rule("/i", "i", lambda: url_for(".i"))
        part.add_url_rule("/v/<int:x>", "v", lambda x: "")
    app.add_url_rule("/m", "m")
    app.add_url_rule("/mp", "m", methods=["POST"])
    app.add_url_rule("/p/<path:x>", "p")
    app.add_url_rule("/self/<self>", "s")
    app.add_url_rule("/d/", "d", defaults={"page": 1})
    app.add_url_rule("/d/<int:page>", "d")
    shop.register_blueprint(cart)
    app.register_blueprint(shop)
    return app


def built(app: Flask, endpoint: str, values: dict[str, Any]) -> str | type[Exception]:
    try:
        return app.url_for(endpoint, **values)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize(("endpoint", "values", "outside", "inside"), URLS)
def test_url_for(
    app: Flask, endpoint: str, values: dict[str, Any], outside: Any, inside: Any
) -> None:
    for path in ("/i", "/shop/cart/i", "/nope"):
        with app.test_request_context(path, base_url="http://localhost:5000/root"):
            assert built(app, endpoint, dict(values)) == inside
    app.config["SERVER_NAME"] = "ex.com"
    assert built(app, endpoint, dict(values)) == outside
    with app.app_context():
        assert built(app, endpoint, dict(values)) == outside


@pytest.mark.parametrize(
    ("path", "url"),
    [("/i", "/i"), ("/shop/i", "/shop/i"), ("/shop/cart/i", "/shop/cart/i"), ("/nope", "/i")],
)
def test_a_leading_dot_stands_for_the_blueprint_of_the_request(
    app: Flask, path: str, url: str
) -> None:
    with app.test_request_context(path):
        assert url_for(".i") == url


def test_outside_a_request_there_is_no_blueprint_to_be_relative_to(app: Flask) -> None:
    app.config["SERVER_NAME"] = "ex.com"
    with app.app_context(), pytest.raises(BuildError):
        url_for(".i")


def test_outside_a_request_settings_say_where_the_application_is(app: Flask) -> None:
    with pytest.raises(RuntimeError, match=r"'SERVER_NAME'.*'shop\.i'"):
        app.url_for("shop.i")
    with app.app_context(), pytest.raises(RuntimeError, match="'SERVER_NAME'"):
        url_for("i")
    app.config.update(
        SERVER_NAME="ex.com:81", APPLICATION_ROOT="/app", PREFERRED_URL_SCHEME="https"
    )
    assert app.url_for("i") == "https://ex.com:81/app/i"


def test_each_application_builds_by_its_own_map(app: Flask) -> None:
    other = Flask("other")
    other.add_url_rule("/other", "i")
    other.config["SERVER_NAME"] = "other.com"
    app.config["SERVER_NAME"] = "ex.com"
    with app.app_context():
        assert url_for("i") == "http://ex.com/i"
        with other.test_request_context("/"):
            assert url_for("i") == "/other"
        with other.app_context():
            assert url_for("i") == "http://other.com/other"


# Defaults and values -------------------------------------------------------------------


def test_the_value_that_all_urls_share(client: FlaskClient) -> None:
    """Pulled out of the request's URL, and put into every URL that is built."""
    app = client.application
    texts = Blueprint("texts", __name__, url_prefix="/<lang>")

    @app.url_value_preprocessor
    def pull(endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.lang = (values or {}).pop("lang", "none")

    @app.url_defaults
    def push(endpoint: str, values: dict[str, Any]) -> None:
        if app.url_map.is_endpoint_expecting(endpoint, "lang"):
            values.setdefault("lang", g.lang)

    @texts.url_defaults
    def push_more(endpoint: str, values: dict[str, Any]) -> None:
        values["from"] = endpoint

    @texts.get("/about")
    def about() -> list[str]:
        return [g.lang, url_for(".about"), url_for("texts.about", lang="de"), url_for("root")]

    app.add_url_rule("/", "root", lambda: g.lang)
    app.register_blueprint(texts)
    query = "?from=texts.about"
    assert client.get("/en/about").json == ["en", f"/en/about{query}", f"/de/about{query}", "/"]
    assert client.get("/").text == "none"


def test_the_order_of_url_defaults(app: Flask) -> None:
    """The application's come first, then the outer blueprint's."""
    called: list[str] = []
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    for name, part in (("inner", inner), ("outer", outer), ("app", app)):
        part.url_defaults(lambda endpoint, values, name=name: called.append(name))
    inner.add_url_rule("/x", "x")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    with app.test_request_context("/"):
        assert url_for("outer.inner.x") == "/x"
    assert called == ["app", "outer", "inner"]


# Errors --------------------------------------------------------------------------------


def test_handlers_of_build_errors_are_asked_in_turn(app: Flask) -> None:
    asked: list[Any] = []

    def first(error: Exception, endpoint: str, values: dict[str, Any]) -> Any:
        asked.append((type(error), endpoint, values))

    def second(error: Exception, endpoint: str, values: dict[str, Any]) -> Any:
        if endpoint == "found":
            return "/handled"
        raise BuildError("by the handler", {}, None)

    def third(error: Exception, endpoint: str, values: dict[str, Any]) -> Any:
        asked.append(error)

    app.url_build_error_handlers += [first, second, third]
    with app.test_request_context("/"):
        assert url_for("found", a=1, _anchor="x", _external=True) == "/handled"
        options = {"_anchor": "x", "_method": None, "_scheme": None, "_external": True}
        assert asked == [(BuildError, "found", {"a": 1, **options})]
        with pytest.raises(BuildError) as raised:
            url_for("missing")
    assert raised.value.endpoint == "by the handler"
    assert asked[-1] is raised.value


def test_without_a_handler_the_build_error_is_raised_as_it_was(app: Flask) -> None:
    with (
        app.test_request_context("/"),
        pytest.raises(BuildError, match="Could not build") as raised,
    ):
        url_for("missing", a=1)
    assert (raised.value.endpoint, raised.value.values) == ("missing", {"a": 1})
    error = BuildError("given", {}, None)
    with pytest.raises(BuildError) as raised:
        app.handle_url_build_error(error, "given", {})
    assert raised.value is error


# Binding the map -----------------------------------------------------------------------


def test_any_host_will_do(client: FlaskClient) -> None:
    """Unless hosts or subdomains are matched, ``SERVER_NAME`` restricts nothing."""
    client.application.config["SERVER_NAME"] = "ex.com"
    assert client.get("/i", base_url="http://elsewhere.org").text == "/i"


def subdomains() -> FlaskClient:
    app = Flask(__name__, subdomain_matching=True, static_folder=None)
    app.config["SERVER_NAME"] = "ex.com:5000"
    app.add_url_rule("/", "root", lambda: "root")
    app.add_url_rule("/", "user", lambda user: f"user {user}", subdomain="<user>")
    app.add_url_rule("/x", "x", lambda: url_for("user", user="other"), subdomain="www")
    return app.test_client()


@pytest.mark.parametrize(
    ("url", "status", "text"),
    [
        ("http://ex.com:5000/", 200, "root"),
        ("http://ada.ex.com:5000/", 200, "user ada"),
        ("http://www.ex.com:5000/x", 200, "http://other.ex.com:5000/"),
        ("http://ex.com:5000/x", 404, None),
        ("http://a.b.ex.com:5000/", 200, "user a.b"),
    ],
)
def test_subdomains_are_matched_below_the_servers_name(
    url: str, status: int, text: str | None
) -> None:
    answer = subdomains().get(url)
    assert answer.status_code == status
    assert text is None or answer.text == text


def test_a_host_outside_the_servers_name_matches_nothing_and_warns() -> None:
    with pytest.warns(UserWarning, match=r"Current server name 'elsewhere\.org'"):
        assert subdomains().get("http://elsewhere.org/x").status_code == 404


def test_filters_that_name_flasks_module_catch_that_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", module=r"flask\.app$")
        assert subdomains().get("http://elsewhere.org/x").status_code == 404


def test_hosts_are_matched_where_that_is_asked_for() -> None:
    app = Flask(__name__, host_matching=True, static_host="ex.com")
    app.config["SERVER_NAME"] = "ignored.org"
    app.add_url_rule("/", "root", lambda: url_for("sub", sub="b"), host="ex.com")
    app.add_url_rule("/", "sub", lambda sub: sub, host="<sub>.ex.com")
    client = app.test_client()
    assert client.get("http://ex.com/").text == "http://b.ex.com/"
    assert client.get("http://a.ex.com/").text == "a"
    assert client.get("http://other.org/").status_code == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [("ex.com", 200), ("ex.com:80", 200), ("a.sub.com", 200), ("evil.com", 400), ("x.ex.com", 400)],
)
def test_hosts_that_are_not_trusted_are_refused(
    client: FlaskClient, host: str, status: int
) -> None:
    """For whatever path, and before any view."""
    client.application.config["TRUSTED_HOSTS"] = ["ex.com", ".sub.com"]
    assert client.get("/i", base_url=f"http://{host}").status_code == status
    missing = client.get("/nope", base_url=f"http://{host}")
    assert missing.status_code == (404 if status == 200 else 400)


def test_a_refused_host_is_an_error_to_handle(client: FlaskClient) -> None:
    client.application.config["TRUSTED_HOSTS"] = ["ex.com"]

    @client.application.errorhandler(SecurityError)
    def refused(error: Exception) -> str:
        return f"{request.path} {request.endpoint}"

    assert client.get("/i").text == "/i None"


def test_the_adapter_outside_a_request(app: Flask) -> None:
    assert app.create_url_adapter(None) is None
    app.config["SERVER_NAME"] = "ex.com"
    adapter = app.create_url_adapter(None)
    assert adapter is not None
    assert adapter.build("i", force_external=True) == "http://ex.com/i"


# Rules ---------------------------------------------------------------------------------


def rule_of(app: Flask, endpoint: str) -> Any:
    (rule,) = app.url_map.iter_rules(endpoint)
    return rule


def test_methods_are_a_list(app: Flask) -> None:
    with pytest.raises(TypeError, match=r'@app\.route\(\'/x\', methods=\["POST"\]\)'):
        app.add_url_rule("/x", "x", methods="post")


@pytest.mark.parametrize(
    ("options", "attributes", "methods"),
    [
        ({}, {}, {"GET", "HEAD", "OPTIONS"}),
        ({"methods": ["post"]}, {}, {"POST", "OPTIONS"}),
        ({"methods": []}, {}, {"OPTIONS"}),
        ({}, {"methods": ["PUT"]}, {"PUT", "OPTIONS"}),
        ({"methods": ["PUT"]}, {"methods": ["GET"]}, {"PUT", "OPTIONS"}),
        ({}, {"required_methods": ["delete"]}, {"GET", "HEAD", "OPTIONS", "DELETE"}),
        ({}, {"provide_automatic_options": False}, {"GET", "HEAD"}),
        (
            {"provide_automatic_options": True},
            {"provide_automatic_options": False},
            {"GET", "HEAD", "OPTIONS"},
        ),
        ({"provide_automatic_options": False}, {}, {"GET", "HEAD"}),
    ],
)
def test_what_a_rule_answers(
    app: Flask, options: dict[str, Any], attributes: dict[str, Any], methods: set[str]
) -> None:
    def view() -> str:
        return ""

    vars(view).update(attributes)
    app.add_url_rule("/x", "x", view, **options)
    assert rule_of(app, "x").methods == methods


@pytest.mark.parametrize("setting", [True, False])
def test_a_setting_says_whether_options_is_answered(app: Flask, setting: bool) -> None:
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = setting
    app.add_url_rule("/x", "x", lambda: "", methods=["GET"])
    app.add_url_rule("/own", "own", lambda: "own", methods=["GET", "OPTIONS"])
    assert rule_of(app, "x").provide_automatic_options is setting
    assert rule_of(app, "own").provide_automatic_options is False
    assert app.test_client().options("/x").status_code == (200 if setting else 405)
    assert app.test_client().options("/own").text == "own"


def test_the_classes_of_rules_and_of_the_map() -> None:
    class OwnRule(Rule):
        pass

    class OwnMap(Map):
        pass

    class Own(Flask):
        url_rule_class = OwnRule
        url_map_class = OwnMap

    app = Own(__name__)
    app.add_url_rule("/x/<int:y>", "x", lambda y: f"{type(request.url_rule).__name__} {y}")
    assert type(app.url_map) is OwnMap
    assert app.test_client().get("/x/1").text == "OwnRule 1"


def test_methods_that_an_application_replaces_are_asked_from_then_on(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(Flask):
        def url_for(self, /, endpoint: str, **values: Any) -> str:
            return f"own {super().url_for(endpoint, **values)}"

    own = Own(__name__)
    with own.test_request_context(), own.test_request_context():
        assert url_for("static", filename="a") == url_for("static", filename="a")
        assert url_for("static", filename="a") == "own /static/a"

    def complete(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("q", endpoint)

    with app.test_request_context():
        assert url_for("static", filename="a") == "/static/a"
        monkeypatch.setattr(app, "inject_url_defaults", complete)
        assert url_for("static", filename="a") == "/static/a?q=static"
        monkeypatch.setattr(app, "url_for", lambda endpoint, **values: endpoint)
        assert url_for("static", filename="a") == "static"


def test_a_rule_or_a_default_that_comes_later_counts(app: Flask) -> None:
    with app.test_request_context():
        assert url_for("static", filename="a") == "/static/a"
        app.url_map.add(Rule("/other/<filename>", endpoint="static"))
        app.url_default_functions[None].append(lambda endpoint, values: values.update(q=1))
        assert url_for("static", filename="a", q=2) == "/static/a?q=1"
        with pytest.raises(BuildError):
            url_for("late")
        app.url_map.add(Rule("/late", endpoint="late"))
        assert url_for("late") == "/late?q=1"


def test_an_adapter_that_was_put_into_the_context_is_asked(app: Flask) -> None:
    with app.test_request_context() as ctx:
        assert url_for("static", filename="a") == "/static/a"
        ctx.url_adapter = app.url_map.bind("localhost", "/mounted")
        assert url_for("static", filename="a") == "/mounted/static/a"
        ctx.url_adapter.script_name = "/moved/"
        ctx.url_adapter.url_scheme = "https"
        assert url_for("static", filename="a") == "/moved/static/a"
        external = url_for("static", filename="a", _external=True)
        assert external == "https://localhost/moved/static/a"


def test_once_its_request_has_ended_a_context_is_outside_of_it(app: Flask) -> None:
    seen: list[str] = []

    @app.teardown_request
    def during(error: BaseException | None) -> None:
        seen.append(url_for("static", filename="a"))

    @app.teardown_appcontext
    def after(error: BaseException | None) -> None:
        seen.append(url_for("static", filename="a"))

    with app.test_request_context():
        assert url_for("static", filename="a") == "/static/a"
    # Outside a request, URLs are external.
    assert seen == ["/static/a", "http://localhost/static/a"]


def test_an_absolute_url_follows_the_adapter_of_the_request(app: Flask) -> None:
    app.add_url_rule("/<int:number>", "index", lambda number: "")
    with app.test_request_context(base_url="https://a.example:8000/shop") as ctx:
        for number in (1, 2):
            url = url_for("index", number=number, _external=True)
            assert url == f"https://a.example:8000/shop/{number}"
        assert url_for("index", number=3, _external=True, _scheme="http").startswith("http://a.")
        ctx.url_adapter = app.url_map.bind("b.example")
        assert url_for("index", number=4, _external=True) == "http://b.example/4"
        assert url_for("index", number=5) == "/5"
