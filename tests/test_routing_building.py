"""URLs that are built without asking Werkzeug are those that it builds."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.routing import BaseConverter, BuildError, Map, MapAdapter, Rule

from brim import Flask, url_for
from brim.ctx import AppContext
from brim.routing import Builder, plain_root
from brim.routing import Map as BrimMap
from tests.strategies import ODD_WORDS, WORDS, Case, cases

ROOTS = ("", "/", "/app", "/app/", "/a/b-c", "//app", "/é", "/a b", "app")
HOSTS = ("localhost", "example.com:8000", "www.example.com", "é.example", "[::1]:80", "a_b")
OTHERS = (
    5,
    -5,
    0,
    1.5,
    True,
    None,
    [1, 2],
    (),
    UUID(int=3),
    b"x",
    "",
    " ",
    "&=?",
    "a/b",
    "/a",
    "//",
)


def values_for(rnd: Random, rule: Rule) -> dict[str, Any]:
    """Make values that the rule takes, more or less."""
    names = [
        *rule.arguments,
        *rnd.choices(("q", "r", "a b", "é", "", "self"), k=rnd.choice((0, 0, 1, 2))),
    ]
    rnd.shuffle(names)
    if names and rnd.random() < 0.05:
        names.pop()
    pools = (WORDS, WORDS, (1, 2, 12, 345), ODD_WORDS, OTHERS)
    return {name: rnd.choice(rnd.choice(pools)) for name in names}


def outcome(adapter: MapAdapter, endpoint: str, values: dict[str, Any]) -> Any:
    try:
        return adapter.build(endpoint, values)
    except Exception as error:
        return type(error)


def test_what_is_built_is_what_werkzeug_builds() -> None:
    seen: Counter[str] = Counter()

    @settings(deadline=None)
    @given(cases())
    def agree(drawn: tuple[Case, Random]) -> None:
        case, rnd = drawn
        builder = Builder(case.url_map)
        root = rnd.choice(ROOTS)
        subdomain = rnd.choice((None, None, None, "www"))
        if case.url_map.host_matching:
            subdomain = None
        adapter = case.url_map.bind(rnd.choice(HOSTS), root, subdomain if root else None)
        for rule in case.rules:
            for _ in range(3):
                values = values_for(rnd, rule)
                given = dict(values)
                path = builder.build(rule.endpoint, values)
                assert values == given
                built = outcome(adapter, rule.endpoint, values)
                seen["built by Werkzeug"] += isinstance(built, str)
                if path is None or plain_root(root) is None:
                    continue
                if adapter.subdomain != (case.url_map.default_subdomain or ""):
                    continue
                seen["built"] += 1
                assert built == f"{plain_root(root)}{path}", (rule, values)
                external = adapter.build(rule.endpoint, values, force_external=True)
                host = adapter.get_host(case.url_map.default_subdomain or "")
                assert external == f"http://{host}{plain_root(root)}{path}"

    agree()
    # Else nothing would have been compared.
    assert seen["built"] > seen["built by Werkzeug"] / 10


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_any_text_is_quoted_as_werkzeug_quotes_it(value: str, name: str, more: str) -> None:
    url_map = BrimMap([Rule("/s/<s>", endpoint="s"), Rule("/p/<path:s>/x", endpoint="p")])
    adapter, builder = url_map.bind("localhost"), Builder(url_map)
    for endpoint in "sp":
        values = {name: more, "s": value}
        assert builder.build(endpoint, values) in (None, outcome(adapter, endpoint, values))


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("/<int:a>", {"defaults": {"b": 1}}),
        ("/<int:a>", {"websocket": True}),
        ("/<int:a>", {"subdomain": "www"}),
        ("/<own:a>", {}),
        ("/é/<int:a>", {}),
        ("//<int:a>", {}),
    ],
)
def test_a_rule_with_more_to_it_is_left_to_werkzeug(rule: str, options: Any) -> None:
    class Own(BaseConverter):
        pass

    url_map = BrimMap(converters={"own": Own})
    url_map.add(Rule(rule, endpoint="e", **options))
    assert Builder(url_map).build("e", {"a": 1}) is None


def test_an_endpoint_with_several_rules_or_none_is_left_to_werkzeug() -> None:
    url_map = BrimMap([Rule("/a", endpoint="e"), Rule("/b", endpoint="e")])
    builder = Builder(url_map)
    assert builder.build("e", {}) is None
    assert builder.build("none", {}) is None
    assert list(builder.ways) == ["e"]


def test_other_maps_and_rules_are_left_to_werkzeug() -> None:
    class OwnRule(Rule):
        def build(self, *args: Any, **kwargs: Any) -> Any:
            return "", "/elsewhere"

    for url_map in (
        Map([Rule("/", endpoint="e")]),
        BrimMap([Rule("/", endpoint="e")], sort_parameters=True),
        BrimMap([OwnRule("/", endpoint="e")]),
        BrimMap([Rule("/", endpoint="e", host="a")], host_matching=True),
    ):
        assert Builder(url_map).build("e", {}) is None
    assert Builder(BrimMap([Rule("/", endpoint="e")])).build("e", {}) == "/"


def test_a_patched_adapter_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MapAdapter, "build", lambda self, *args, **kwargs: "patched")
    assert Builder(BrimMap([Rule("/", endpoint="e")])).build("e", {}) is None


class Slow(MapAdapter):
    """Another class, so that it is asked for every URL."""


def both(ctx: AppContext, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """What ``url_for`` gives by itself, and what it gives by asking Werkzeug."""

    def attempt() -> Any:
        try:
            return url_for(*args, **kwargs)
        except (BuildError, ValueError, RuntimeError) as error:
            return type(error), str(error)

    quick = attempt(), attempt()
    assert quick[0] == quick[1]
    adapter = ctx.url_adapter
    assert quick[0] == attempt()
    if adapter is not None:
        slow = Slow.__new__(Slow)
        slow.__dict__.update(vars(adapter))
        ctx.url_adapter = slow
    return quick[0], attempt()


@settings(deadline=None)
@given(
    st.sampled_from(ROOTS[:7]),
    st.sampled_from(HOSTS[:3]),
    st.sampled_from(["item", "static", "index", "none", ".item", "bp.page", ".page"]),
    st.dictionaries(
        st.sampled_from(["id", "filename", "q", "_method", "_anchor", "_scheme", "_external"]),
        st.sampled_from([1, "a", "a b", "é/ü", "GET", "POST", "https", True, False, None]),
    ),
    st.sampled_from(["http", "https", "ws"]),
    st.booleans(),
)
def test_url_for_gives_in_a_request_what_werkzeug_would_give(
    root: str, host: str, endpoint: str, values: dict[str, Any], scheme: str, named: bool
) -> None:
    for name in ("_method", "_anchor", "_scheme"):
        if not isinstance(values.get(name, ""), str):
            del values[name]
    app = Flask(__name__)
    if named:
        app.config["SERVER_NAME"] = "example.com:8000"
    app.add_url_rule("/", "index")
    app.add_url_rule("/item/<int:id>", "item", methods=["GET"])
    app.add_url_rule("/bp/<id>/page", "bp.page")
    environ = {"wsgi.url_scheme": scheme, "SCRIPT_NAME": root, "HTTP_HOST": host}
    with app.test_request_context("/", environ_overrides=environ) as ctx:
        quick, slow = both(ctx, endpoint, **values)
        assert quick == slow
    with app.app_context() as outside:
        quick, slow = both(outside, endpoint, **values)
        assert quick == slow
