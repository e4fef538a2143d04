from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from brim import Blueprint, Flask
from brim.cli import FlaskGroup
from tests.cli.support import on_terminal, run

APP = """\
from flask import Blueprint, Flask
app = Flask(__name__, static_folder=None)
shop = Blueprint("shop", __name__)

@shop.route("/things/<int:id>", methods=["GET", "PUT"])
def thing(id): ...

app.register_blueprint(shop)
app.add_url_rule("/", "index", lambda: "")
"""


@pytest.fixture
def routes() -> Callable[..., list[str]]:
    def routes(app: Flask, *args: str) -> list[str]:
        return run(FlaskGroup(create_app=lambda: app), "routes", *args).output.splitlines()

    return routes


def test_routes_are_a_table(routes: Callable[..., list[str]]) -> None:
    app = Flask("a", static_folder=None)
    app.add_url_rule("/things/<int:id>", "thing", len, methods=["GET", "PUT"])
    app.add_url_rule("/", "index", len)
    assert routes(app) == [
        "Endpoint  Methods   Rule              View",
        "--------  --------  ----------------  ------------",
        "index     GET       /                 builtins.len",
        "thing     GET, PUT  /things/<int:id>  builtins.len",
    ]
    assert "GET, HEAD, OPTIONS, PUT" in routes(app, "--all-methods")[-1]
    assert routes(Flask("a", static_folder=None)) == ["No routes were registered."]


@pytest.mark.parametrize(
    ("key", "order"),
    [("endpoint", "abc"), ("methods", "bca"), ("rule", "cab"), ("match", "bca")],
)
def test_routes_are_sorted(routes: Callable[..., list[str]], key: str, order: str) -> None:
    app = Flask("a", static_folder=None)
    app.add_url_rule("/2/<x>", "a", methods=["POST"])
    app.add_url_rule("/3", "b", methods=["DELETE"])
    app.add_url_rule("/1/<x>", "c", methods=["GET"])
    rows = routes(app, "--sort", key)[2:]
    if key == "match":
        assert [row[0] for row in rows] == [r.endpoint for r in app.url_map.iter_rules()]
    else:
        assert "".join(row[0] for row in rows) == order


def test_routes_show_subdomains_or_hosts_where_there_are_any(
    routes: Callable[..., list[str]],
) -> None:
    app = Flask("a", static_folder=None, subdomain_matching=True)
    app.add_url_rule("/", "a", subdomain="shop")
    app.add_url_rule("/", "b")
    assert routes(app)[0].split() == ["Endpoint", "Methods", "Subdomain", "Rule", "View"]
    assert [row[0] for row in routes(app, "-s", "domain")[2:]] == ["b", "a"]
    app = Flask("a", static_folder=None, host_matching=True)
    app.add_url_rule("/", "a", len, host="example.org")
    assert routes(app)[2].split() == ["a", "GET", "example.org", "/", "builtins.len"]


def test_routes_show_the_blueprint_where_there_is_one(routes: Callable[..., list[str]]) -> None:
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    inner.add_url_rule("/", "index", len)
    outer.register_blueprint(inner)
    app = Flask("a", static_folder=None)
    app.register_blueprint(outer)
    app.add_url_rule("/dotted", "no.blueprint", len)
    assert [line.split() for line in routes(app)] == [
        ["Endpoint", "Blueprint", "Methods", "Rule", "View"],
        ["-----------------", "-----------", "-------", "-------", "------------"],
        ["no.blueprint", "GET", "/dotted", "builtins.len"],
        ["outer.inner.index", "outer.inner", "GET", "/", "builtins.len"],
    ]


def test_routes_show_defaults_and_websockets(routes: Callable[..., list[str]]) -> None:
    app = Flask("a", static_folder=None)
    app.add_url_rule("/posts/", "posts", len, defaults={"page": 1, "tag": "x"})
    app.add_url_rule("/chat", "chat", len, websocket=True)
    assert [line.split() for line in routes(app)[2:]] == [
        ["chat", "WEBSOCKET", "/chat", "builtins.len"],
        ["posts", "GET", "/posts/", "page=1,", "tag='x'", "builtins.len"],
    ]


def test_a_terminal_gets_what_fits_in_it(folder: Path) -> None:
    (folder / "app.py").write_text(APP)
    assert on_terminal("routes", columns=80, NO_COLOR="1") == [
        "Endpoint    Blueprint  Methods   Rule              View",
        "----------  ---------  --------  ----------------  --------",
        "index                  GET       /                 app.py:9",
        "shop.thing  shop       GET, PUT  /things/<int:id>  app.py:5",
    ]
    assert on_terminal("routes", columns=50, NO_COLOR="1") == [
        "Endpoint    Methods   Rule              View",
        "----------  --------  ----------------  --------",
        "index       GET       /                 app.py:9",
        "shop.thing  GET, PUT  /things/<int:id>  app.py:5",
    ]
    assert on_terminal("routes", columns=40, NO_COLOR="1") == [
        "index",
        "  GET  /",
        "  app.py:9",
        "shop.thing",
        "  GET, PUT  /things/<int:id>",
        "  app.py:5",
    ]


def test_colour_is_for_terminals_that_want_it(folder: Path) -> None:
    (folder / "app.py").write_text(APP)
    assert "\x1b[32mGET" in on_terminal("routes", columns=80)[2]
    assert "\x1b[32mGET" in on_terminal("routes", columns=20)[1]
    assert "\x1b" not in "".join(on_terminal("routes", columns=80, NO_COLOR="1"))
