from __future__ import annotations

import pytest

from brim import Flask
from brim.cli import FlaskGroup
from tests.cli.support import run


@pytest.fixture
def app() -> Flask:
    app = Flask("a", static_folder=None)
    app.add_url_rule("/people/<int:number>", "person", len)
    app.add_url_rule("/people/", "people", len, methods=["GET", "POST"])
    app.add_url_rule("/pages/", "pages", len, defaults={"page": 1})
    app.add_url_rule("/old", "old", redirect_to="/people/")
    app.add_url_rule("/chat", "chat", websocket=True)
    return app


def match(app: Flask, *args: str, code: int = 0) -> list[str]:
    group = FlaskGroup(create_app=lambda: app)
    return run(group, "routes", "--match", *args, code=code).stdout.splitlines()


def test_the_route_that_answers_is_told_with_its_arguments(app: Flask) -> None:
    assert match(app, "/people/7") == [
        "GET /people/7",
        "Endpoint   person",
        "Rule       /people/<int:number>",
        "Arguments  number=7",
        "View       builtins.len",
    ]
    assert match(app, "people/?x=1", "--method", "post")[:2] == [
        "POST /people/?x=1",
        "Endpoint   people",
    ]
    assert "Arguments  page=1" in match(app, "/pages/")
    assert match(app, "/people/7", "-m", "OPTIONS")[-1] == (
        "View       (OPTIONS is answered without it)"
    )


def test_what_no_route_answers_says_why_and_ends_with_1(app: Flask) -> None:
    assert match(app, "/nothing", code=1) == ["GET /nothing is answered by 404: no rule matches."]
    assert match(app, "/people/7/", code=1)[1] == "There is a rule for '/people/7'."
    assert match(app, "/people/7", "-m", "PUT", code=1) == [
        "PUT /people/7 is answered by 405: this URL takes GET, HEAD, OPTIONS."
    ]
    assert match(app, "/chat", code=1) == [
        "GET /chat is answered by 400: its rule is for WebSockets."
    ]


def test_redirects_of_the_routing_say_where_to(app: Flask) -> None:
    target = "http://localhost/people/ (308)."
    assert match(app, "/people") == [f"GET /people is redirected to {target}"]
    assert match(app, "/old") == [f"GET /old is redirected to {target}"]


def test_the_host_counts_as_it_does_for_the_application() -> None:
    app = Flask("a", static_folder=None, subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.org"
    app.add_url_rule("/", "shop", len, subdomain="shop")
    assert "Subdomain  shop" in match(app, "http://shop.example.org/")
    assert match(app, "/", code=1) == ["GET / is answered by 404: no rule matches."]
    app = Flask("a", static_folder=None, host_matching=True)
    app.add_url_rule("/", "a", len, host="<name>.example.org")
    assert match(app, "http://a.example.org/")[2:4] == [
        "Host       <name>.example.org",
        "Rule       /",
    ]


def test_a_host_that_is_not_trusted_is_refused(app: Flask) -> None:
    app.config["TRUSTED_HOSTS"] = ["example.org"]
    [line] = match(app, "/people/", code=1)
    assert line.startswith("GET /people/ is answered by 400: ")


def test_no_function_of_the_application_is_called(app: Flask) -> None:
    called: list[str] = []
    app.before_request(lambda: called.append("before"))
    app.teardown_request(lambda error: called.append("teardown"))
    app.url_value_preprocessor(lambda endpoint, values: called.append("values"))
    match(app, "/people/")
    assert called == []


def test_a_method_without_a_url_is_refused(app: Flask) -> None:
    result = run(FlaskGroup(create_app=lambda: app), "routes", "-m", "POST", code=2)
    assert "'--match URL'" in result.stderr


@pytest.mark.parametrize("url", ["http://[bad", "https://localhost:99999/"])
def test_what_is_no_url_is_named(app: Flask, url: str) -> None:
    group = FlaskGroup(create_app=lambda: app)
    assert f"{url!r} is no URL" in run(group, "routes", "--match", url, code=2).stderr
