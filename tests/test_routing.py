from __future__ import annotations

import re
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import (
    BaseConverter,
    IntegerConverter,
    Rule,
    RuleFactory,
    Subdomain,
    Submount,
)
from werkzeug.routing import Map as WerkzeugMap

from brim.routing import (
    Map,
    Matcher,
    decode_path,
    host_is_plain,
    plain_path,
    plain_path_of_handshake,
)
from tests.strategies import Anything, Case, Elsewhere, Picky, Shouting, Word, cases, make_request

MAPS = 1000
REQUESTS_FOR_EACH = 20


def ask_werkzeug(
    url_map: WerkzeugMap, path: str, method: str, websocket: bool | None = None
) -> Any:
    """What Werkzeug answers, through an adapter bound as Flask binds it."""
    subdomain = None if url_map.host_matching else url_map.default_subdomain or ""
    adapter = url_map.bind("localhost", subdomain=subdomain)
    try:
        return adapter.match(path, method, return_rule=True, websocket=websocket)
    except Exception as error:
        return error


def agree(found: Any, asked: Any) -> bool:
    """Whether an answer of the matcher says what Werkzeug does."""
    rule, args = found
    if rule is not None:
        return isinstance(asked, tuple) and asked[0] is rule and repr(asked[1]) == repr(args)
    if args:
        return type(asked) is MethodNotAllowed and sorted(asked.valid_methods or ()) == args
    return type(asked) is NotFound


def matched(url_map: WerkzeugMap, path: str, method: str = "GET") -> Any:
    """What the matcher answers, as endpoint and arguments, once that is Werkzeug's answer.

    Where no rule takes the request: the methods that the path takes.
    """
    matcher = Matcher(url_map, subdomain_matching=False)
    found = matcher.match(path, method)
    # The tree has grown by now.
    assert repr(found) == repr(matcher.match(path, method))
    if found is None:
        return None
    assert agree(found, ask_werkzeug(url_map, path, method))
    return found[1] if found[0] is None else (found[0].endpoint, found[1])


def map_of(*rules: str | Rule, **options: Any) -> Map:
    """A map of rules; those given as text have their text for an endpoint."""
    return Map([Rule(r, endpoint=r) if isinstance(r, str) else r for r in rules], **options)


# The matcher and Werkzeug -----------------------------------------------------------


def test_whatever_the_matcher_answers_is_what_werkzeug_answers() -> None:
    """On 1,000 random maps with 20 requests each; and it does answer nearly all plain hits."""
    seen: Counter[str] = Counter()

    @settings(max_examples=MAPS, deadline=None)
    @given(cases())
    def match_all(drawn: tuple[Case, Random]) -> None:
        case, rnd = drawn
        matcher = Matcher(case.url_map, subdomain_matching=False)
        for _ in range(REQUESTS_FOR_EACH):
            path, method = make_request(rnd, case.rules)
            found = matcher.match(path, method)
            asked = ask_werkzeug(case.url_map, path, method)
            hit = isinstance(asked, tuple)
            seen["pairs"] += 1
            seen["misses"] += not hit
            seen["plain hits" if case.plain else "odd hits"] += hit
            if found is not None:
                kind = "answers" if hit else "refusals"
                seen[f"plain {kind}" if case.plain else f"odd {kind}"] += 1
                assert agree(found, asked), (case.rules, path, method, found, asked)
            refused = type(asked) in (NotFound, MethodNotAllowed)
            seen["plain misses" if case.plain else "odd misses"] += refused

    match_all()
    assert seen["pairs"] >= MAPS * REQUESTS_FOR_EACH
    assert seen["misses"] > 0.2 * seen["pairs"]
    assert seen["plain answers"] > 0.85 * seen["plain hits"]
    assert seen["odd answers"] > 0.4 * seen["odd hits"]
    assert seen["plain refusals"] > 0.6 * seen["plain misses"]
    assert seen["odd refusals"] > 0.25 * seen["odd misses"]


def test_whatever_it_answers_a_handshake_is_what_werkzeug_answers() -> None:
    """On random maps of which half of the rules are for WebSockets."""
    seen: Counter[str] = Counter()

    @settings(max_examples=MAPS // 4, deadline=None)
    @given(cases())
    def match_all(drawn: tuple[Case, Random]) -> None:
        case, rnd = drawn
        for rule in case.rules:
            if rule.methods is None or rule.methods <= {"GET", "HEAD", "OPTIONS"}:
                rule.websocket = rnd.random() < 0.5
        handshakes = Matcher(case.url_map, subdomain_matching=False, for_websockets=True)
        others = Matcher(case.url_map, subdomain_matching=False)
        for _ in range(REQUESTS_FOR_EACH):
            path, method = make_request(rnd, case.rules)
            for matcher, websocket in ((handshakes, True), (others, False)):
                found = matcher.match(path, method)
                asked = ask_werkzeug(case.url_map, path, method, websocket)
                seen["hits", websocket] += isinstance(asked, tuple)
                if found is not None:
                    assert agree(found, asked), (case.rules, path, method, found, asked)
                    seen["answers", websocket] += found[0] is not None

    match_all()
    for websocket in (True, False):
        assert seen["answers", websocket] > 0.4 * seen["hits", websocket] > 0


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        (["/"], "/", ("/", {})),
        (["/a", "/<x>"], "/a", ("/a", {})),
        (["/<x>", "/<int:x>"], "/7", ("/<int:x>", {"x": 7})),
        (["/<x>", "/<int:x>"], "/seven", ("/<x>", {"x": "seven"})),
        (["/a/b", "/<x>/c"], "/a/c", ("/<x>/c", {"x": "a"})),
        (["/<path:p>", "/<x>/<y>"], "/a/b", ("/<x>/<y>", {"x": "a", "y": "b"})),
        (["/<path:p>", "/<x>"], "/a/b", ("/<path:p>", {"p": "a/b"})),
        (["/<x>", "/<x>.html"], "/a.html", ("/<x>.html", {"x": "a"})),
        (["/<path:p>", "/<path:p>/edit"], "/a/b/edit", ("/<path:p>/edit", {"p": "a/b"})),
        (["/<x>", "/<string(length=1):x>"], "/a", ("/<x>", {"x": "a"})),
        (["/<string(length=1):x>", "/<x>"], "/a", ("/<string(length=1):x>", {"x": "a"})),
        (["/<float:x>"], "/1.50", ("/<float:x>", {"x": 1.5})),
        (["/<int(max=9):x>"], "/9", ("/<int(max=9):x>", {"x": 9})),
        (["/<any(a,b):x>"], "/b", ("/<any(a,b):x>", {"x": "b"})),
        (["/<x>"], "/\N{SNOWMAN}", ("/<x>", {"x": "\N{SNOWMAN}"})),
        (["/<int:x>"], "/\N{ARABIC-INDIC DIGIT THREE}", ("/<int:x>", {"x": 3})),
        (["/a<x>", "/<x>bb"], "/abb", ("/<x>bb", {"x": "a"})),
        (["/<x>", "/<int:x><y>"], "/1a", ("/<int:x><y>", {"x": 1, "y": "a"})),
        (["/a//b"], "/a/b", None),
        (["/a"], "/b", []),
        (["/a/b", "/a/<int:x>"], "/a/c", []),
        (["/a/b", "/a/<int:x>/c", "/<x>/<y>/d"], "/a/7", []),
        (
            ["/a/<int:x>", "/a/<int:x>/c", "/<x>/<y>/d"],
            "/a/7/d",
            ("/<x>/<y>/d", {"x": "a", "y": "7"}),
        ),
        (["/<int:x>/"], "/a/", []),
        (["/<path:p>.txt"], "/a/b.png", []),
        (["/<path:p>"], "/a\nb", []),
    ],
)
def test_rules_are_tried_in_werkzeugs_order(rules: list[str], path: str, expected: Any) -> None:
    assert matched(map_of(*rules), path) == expected


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        (["/a/", "/<x>"], "/a"),
        (["/<path:p>/"], "/a"),
        (["/a", "/<path:p>"], "//a"),
        (["/<path:p>"], "/a//b"),
        (["/"], ""),
        (["/a"], "a"),
        (["/<int(max=1):x>", "/<x>"], "/2"),
        (["/<int:x>"], "/" + "9" * 5000),
    ],
)
def test_redirects_and_refusals_are_left_to_werkzeug(rules: list[str], path: str) -> None:
    assert matched(map_of(*rules), path) is None


def test_a_rule_is_passed_over_for_its_methods() -> None:
    url_map = map_of(
        Rule("/a", endpoint="read", methods=["GET"]),
        Rule("/a", endpoint="write", methods=["POST"]),
        Rule("/<x>", endpoint="other", methods=["PUT"]),
        Rule("/b", endpoint="any"),
    )
    assert matched(url_map, "/a") == ("read", {})
    assert matched(url_map, "/a", "HEAD") == ("read", {})
    assert matched(url_map, "/a", "POST") == ("write", {})
    assert matched(url_map, "/a", "PUT") == ("other", {"x": "a"})
    assert matched(url_map, "/a", "PATCH") == ["GET", "HEAD", "POST", "PUT"]
    assert matched(url_map, "/a", "patch") is None
    assert matched(url_map, "/b", "BREW") == ("any", {})


def test_a_slash_too_many_or_too_few_is_forgiven_where_the_rule_says_so() -> None:
    url_map = map_of("/a", "/b/", "/p/<path:p>/c/", "/<x>/d", strict_slashes=False)
    assert matched(url_map, "/a/") == ("/a", {})
    assert matched(url_map, "/b") == ("/b/", {})
    assert matched(url_map, "/x/d/") == ("/<x>/d", {"x": "x"})
    assert matched(url_map, "/p/x/c") is None
    assert matched(map_of("/", strict_slashes=False), "") is None
    assert matched(url_map, "/p/x/y/c/") is None


def test_defaults_come_after_the_arguments_and_override_them() -> None:
    url_map = map_of(
        Rule("/<a>/<b>", endpoint="x", defaults={"z": 1, "b": 2}),
        Rule("/c", endpoint="y", defaults={"d": 3}, methods=["GET"]),
    )
    assert matched(url_map, "/1/2") == ("x", {"a": "1", "b": 2, "z": 1})
    assert matched(url_map, "/c") == ("y", {"d": 3})


def test_each_answer_has_a_dict_of_its_own() -> None:
    defaults = {"d": 3}
    url_map = map_of(Rule("/a", endpoint="a", defaults=defaults, methods=["GET"]), "/<x>")
    matcher = Matcher(url_map, subdomain_matching=False)
    for path in ("/a", "/b"):
        first, second = matcher.match(path, "GET"), matcher.match(path, "GET")
        assert first is not None and second is not None
        first[1]["more"] = 1
        assert "more" not in second[1]
    assert defaults == {"d": 3}


# What the matcher doesn't understand ------------------------------------------------


@pytest.mark.parametrize(
    "odd",
    [
        Rule("/a/<word:x>", endpoint="odd"),
        Rule("/a/<anything:x>", endpoint="odd"),
        Rule("/a/<picky:x>", endpoint="odd"),
        Rule("/a/v<word:x>", endpoint="odd"),
        Rule("/a/<path:p>/<word:x>", endpoint="odd"),
        Rule("/a/<any('q'):x>", endpoint="odd"),
        Rule('/a/<any("q/r"):x>', endpoint="odd"),
        Rule("/a/<any():x>", endpoint="odd"),
        Rule("/a/<int(min=1_0):x>", endpoint="odd"),
        Rule("/a/<int(signed=true,min=True, max=9.5):x>>", endpoint="odd"),
    ],
    ids=lambda rule: rule.rule,
)
def test_what_is_not_understood_claims_all_but_literal_text_beside_it(odd: Rule) -> None:
    converters = {"word": Word, "anything": Anything, "picky": Picky}
    for rules in ([odd.empty(), "/a/<x>"], ["/a/<x>", odd.empty()]):
        url_map = map_of(*rules, "/a/b", "/a", "/b/<x>", converters=converters)
        assert matched(url_map, "/a/c") is None
        assert matched(url_map, "/a/") is None
        assert matched(url_map, "/a/b") == ("/a/b", {})
        assert matched(url_map, "/a") == ("/a", {})
        assert matched(url_map, "/b/c") == ("/b/<x>", {"x": "c"})


def test_a_path_that_ends_where_a_rule_goes_out_of_sight_is_left_to_werkzeug() -> None:
    url_map = map_of("/a/<anything:x>", "/a/b", "/<x>", converters={"anything": Anything})
    assert matched(url_map, "/a") is None
    assert matched(url_map, "/c") == ("/<x>", {"x": "c"})


@pytest.mark.parametrize(
    "options",
    [{"redirect_to": "/b"}, {"alias": True, "endpoint": "/b"}, {"endpoint": "paged"}],
    ids=str,
)
def test_rules_that_may_redirect_are_left_to_werkzeug(options: dict[str, Any]) -> None:
    url_map = map_of(
        Rule("/a", **{"endpoint": "/a", **options}),
        Rule("/first", endpoint="paged", defaults={"page": 1}),
        "/b",
        "/<x>",
    )
    assert matched(url_map, "/a") is None
    assert matched(url_map, "/b") == ("/b", {})
    assert matched(url_map, "/first") == ("paged", {"page": 1})


def test_defaults_redirect_nothing_once_the_map_says_so() -> None:
    url_map = map_of(
        Rule("/all/", endpoint="all", defaults={"page": 1}),
        Rule("/all/<int:page>", endpoint="all"),
    )
    assert matched(url_map, "/all/2") is None
    url_map.redirect_defaults = False
    assert matched(url_map, "/all/2") == ("all", {"page": 2})


def test_rules_that_take_no_request_are_passed_over() -> None:
    url_map = map_of(
        Rule("/a", endpoint="socket", websocket=True),
        Rule("/a", endpoint="built", build_only=True),
        Rule("/a", endpoint="tenant", subdomain="<tenant>"),
        Rule("/a", endpoint="api", subdomain="api"),
        "/a",
    )
    assert matched(url_map, "/a") == ("/a", {})


def test_a_miss_is_left_to_werkzeug_where_a_websocket_or_a_tenant_may_be_meant() -> None:
    url_map = map_of(Rule("/a", endpoint="socket", websocket=True), "/b")
    assert matched(url_map, "/a") is None
    assert matched(url_map, "/c") == []
    url_map.add(Rule("/a", endpoint="tenant", subdomain="<tenant>"))
    assert matched(url_map, "/c") is None
    assert matched(url_map, "/b") == ("/b", {})


def test_rules_are_read_when_a_path_comes_by_whoever_comes_first() -> None:
    """On many threads at once each has the answers that one alone has."""
    rules = [f"/{a}/{b}/{c}" for a in ("x", "<p>") for b in "yz" for c in ("v", "<int:q>")]
    paths = [f"/{a}/{b}/{c}" for a in "xw" for b in "yzu" for c in ("v", "7", "seven")]
    url_map = map_of(*rules)
    expected = [
        repr(Matcher(url_map, subdomain_matching=False).match(path, "GET")) for path in paths
    ]

    def match_all(matcher: Matcher, barrier: Barrier) -> list[str]:
        barrier.wait()
        return [repr(matcher.match(path, "GET")) for path in paths]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            for _ in range(50):
                matcher, barrier = Matcher(url_map, subdomain_matching=False), Barrier(4)
                asked = [pool.submit(match_all, matcher, barrier) for _ in range(4)]
                assert all(answer.result() == expected for answer in asked)
    finally:
        sys.setswitchinterval(interval)


def test_a_websocket_rule_has_its_place_in_the_order() -> None:
    """The first rule puts its part before the second's, and shares it with the third."""
    url_map = map_of(
        Rule("/<x>", endpoint="socket", websocket=True), "/<string(length=1):x>", "/<y>"
    )
    assert matched(url_map, "/a") == ("/<y>", {"y": "a"})


def test_a_handshake_takes_the_rules_for_websockets_and_no_others() -> None:
    url_map = map_of(
        "/a",
        Rule("/a", endpoint="socket", websocket=True),
        "/b",
        Rule("/<x>", endpoint="other", websocket=True),
    )
    matcher = Matcher(url_map, subdomain_matching=False, for_websockets=True)
    for path in ("/a", "/b", "/c", "/c/d"):
        found, asked = matcher.match(path, "GET"), ask_werkzeug(url_map, path, "GET", True)
        assert (found is None) == isinstance(asked, NotFound)
        assert found is None or agree(found, asked)


def test_the_default_subdomain_is_the_one_that_is_matched() -> None:
    url_map = map_of("/a", Rule("/b", endpoint="bare", subdomain=""), default_subdomain="www")
    assert matched(url_map, "/a") == ("/a", {})
    assert matched(url_map, "/b") == []


def deep_map() -> Map:
    return map_of("/a", "/" + "x/" * 200)


class Derived(Map):
    """A map that finds its own way to bind."""

    def bind(self, *args: Any, **kwargs: Any) -> Any:
        return super().bind(*args, **kwargs)


def patched_map() -> Map:
    url_map = map_of("/a")
    url_map.__dict__["bind"] = url_map.bind
    return url_map


@pytest.mark.parametrize(
    "url_map",
    [
        WerkzeugMap([Rule("/a", endpoint="a")]),
        Derived([Rule("/a", endpoint="a")]),
        Map([Rule("/a", endpoint="a", host="localhost")], host_matching=True),
        Map([Rule("/a", endpoint="a")], default_subdomain="WWW"),
        Map([Rule("/a", endpoint="a"), Rule("/b", endpoint="b", subdomain="WWW")]),
        Map([Rule("/a", endpoint="a"), Elsewhere("/b", endpoint="b")]),
        Map([Rule("/a", endpoint="a"), Rule("//b", endpoint="b")]),
        patched_map(),
        deep_map(),
    ],
    ids=str,
)
def test_a_map_that_is_not_understood_is_left_to_werkzeug(url_map: WerkzeugMap) -> None:
    matcher = Matcher(url_map, subdomain_matching=False)
    assert not matcher.answers
    assert matcher.match("/a", "GET") is None


def test_subdomains_are_left_to_werkzeug() -> None:
    matcher = Matcher(map_of("/a"), subdomain_matching=True)
    assert not matcher.answers
    assert matcher.match("/a", "GET") is None


def test_classes_that_match_as_werkzeugs_do_are_understood() -> None:
    class Friendly(Map):
        """A map with a converter of its own."""

        default_converters = {**Map.default_converters, "word": Word}  # type: ignore[dict-item]

    url_map = Friendly([Shouting("/a/<int:x>", endpoint="a"), Rule("/<word:x>", endpoint="b")])
    assert matched(url_map, "/a/1") == ("a", {"x": 1})
    assert matched(url_map, "/a") is None


def test_a_rule_keeps_the_converter_it_was_added_with() -> None:
    class Sign(BaseConverter):
        regex = "[+-]"

    url_map = map_of("/a/<int:x>", "/b/<x>")
    url_map.converters["int"] = Sign
    assert matched(url_map, "/a/1") == ("/a/<int:x>", {"x": 1})
    url_map.add(Rule("/c/<int:x>", endpoint="c"))
    assert matched(url_map, "/a/1") is None
    assert matched(url_map, "/c/+") is None
    assert matched(url_map, "/b/1") == ("/b/<x>", {"x": "1"})


def test_digits_are_what_the_int_converter_takes_for_digits() -> None:
    """The matcher checks with ``str.isdecimal`` what Werkzeug checks with this regex."""
    assert IntegerConverter.regex == r"\d+"
    digits = "".join(map(chr, range(sys.maxunicode + 1)))
    assert re.findall(r"\d", digits) == [digit for digit in digits if digit.isdecimal()]


# The map ----------------------------------------------------------------------------


def test_a_map_tells_of_every_change() -> None:
    url_map = Map()
    calls: list[int] = []
    url_map.watch(lambda: calls.append(url_map.version))
    version = url_map.version
    url_map.add(Rule("/a", endpoint="a"))
    url_map.strict_slashes = False
    url_map.merge_slashes = False
    url_map.add(Submount("/b", [Rule("/c", endpoint="c"), Rule("/d", endpoint="d")]))
    assert calls == [version + 1, version + 2, version + 3, version + 4]


def test_matching_and_building_change_nothing() -> None:
    url_map = map_of("/a", "/<x>")
    version = url_map.version
    Matcher(url_map, subdomain_matching=False)
    assert url_map.bind("localhost").match("/b") == ("/<x>", {"x": "b"})
    assert url_map.bind("localhost").build("/a") == "/a"
    assert url_map.version == version


def test_a_matcher_keeps_to_the_rules_that_there_were() -> None:
    url_map = map_of("/<x>")
    matcher = Matcher(url_map, subdomain_matching=False)
    url_map.add(Rule("/a", endpoint="a"))
    found = matcher.match("/a", "GET")
    assert found is not None and found[0].endpoint == "/<x>"
    assert matched(url_map, "/a") == ("a", {})


def test_rules_from_factories_are_listed_in_the_order_of_their_adding() -> None:
    url_map = Map([Rule("/z", endpoint="e"), Submount("/s", [Rule("/a", endpoint="f")])])
    url_map.add(Subdomain("api", [Rule("/b", endpoint="g"), Rule("/c", endpoint="e")]))
    assert [rule.rule for rule in url_map.added] == ["/z", "/s/a", "/b", "/c"]
    assert {id(rule) for rule in url_map.added} == {id(rule) for rule in url_map.iter_rules()}


def test_a_rule_that_is_refused_is_not_listed_but_those_before_it_are() -> None:
    class Pair(RuleFactory):
        def get_rules(self, map: WerkzeugMap) -> Any:
            yield Rule("/a", endpoint="a")
            yield Rule("/<unknown:x>", endpoint="b")

    url_map = Map()
    version = url_map.version
    with pytest.raises(LookupError):
        url_map.add(Pair())
    assert [rule.rule for rule in url_map.added] == ["/a"]
    assert url_map.version > version
    assert matched(url_map, "/a") == ("a", {})


# The environ ------------------------------------------------------------------------

LATIN_1 = st.text(st.characters(max_codepoint=255), max_size=8)
HOST = st.one_of(
    LATIN_1,
    st.lists(
        st.sampled_from(
            [*("a", "b.", ".", "..", "xn--", "-", "_", "[::1]", ":80", ":443", ":8000", "x" * 30)]
            + ["x" * 63, "A", "é", " ", "\0", "%", "@", "/", "example.com", "\u3002", "=", "~"]
        ),
        max_size=6,
    ).map("".join),
)


def environ_of(**values: str) -> dict[str, Any]:
    """As much of a WSGI environ as a map binds to."""
    return {
        "wsgi.url_scheme": "http",
        "REQUEST_METHOD": "GET",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "PATH_INFO": "/",
        **values,
    }


@given(LATIN_1)
@example("/caf\xc3\xa9")
@example("/caf\xe9")
def test_paths_are_decoded_as_werkzeug_decodes_them(path: str) -> None:
    adapter = Map().bind_to_environ(environ_of(PATH_INFO=path))
    assert decode_path(path) == adapter.path_info


def test_a_path_that_never_was_bytes_is_an_error_as_in_werkzeug() -> None:
    with pytest.raises(UnicodeEncodeError):
        Map().bind_to_environ(environ_of(PATH_INFO="/€"))
    with pytest.raises(UnicodeEncodeError):
        decode_path("/€")


@given(host=HOST, scheme=st.sampled_from(["http", "https"]), named=st.booleans())
def test_an_adapter_can_be_bound_to_every_plain_host(host: str, scheme: str, named: bool) -> None:
    environ = environ_of(
        **{"wsgi.url_scheme": scheme, "HTTP_HOST" if named else "SERVER_NAME": host}
    )
    url_map = map_of("/")
    try:
        url_map.bind_to_environ(environ, subdomain="").match()
    except HTTPException:
        assert not host_is_plain(host)
        assert plain_path(environ) is None


@pytest.mark.parametrize("host", ["localhost", "example.com:8000", "[::1]:80", "a_b", "é", ""])
def test_hosts_without_empty_or_long_labels_are_plain(host: str) -> None:
    assert host_is_plain(host)


@pytest.mark.parametrize(
    ("values", "plain"),
    [
        ({}, True),
        ({"HTTP_HOST": "example.com"}, True),
        ({"HTTP_HOST": "a..b"}, False),
        ({"SERVER_NAME": "a..b"}, False),
        ({"wsgi.url_scheme": "https"}, True),
        ({"wsgi.url_scheme": "wss"}, False),
        ({"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade"}, False),
    ],
    ids=str,
)
def test_the_matcher_is_for_http_at_a_plain_host(values: dict[str, str], plain: bool) -> None:
    assert (plain_path(environ_of(PATH_INFO="/a", **values)) == "/a") is plain


@pytest.mark.parametrize(
    ("values", "plain"),
    [
        ({}, True),
        ({"wsgi.url_scheme": "https"}, True),
        ({"HTTP_UPGRADE": "h2c"}, False),
        ({"HTTP_UPGRADE": "WebSocket"}, False),
        ({"HTTP_CONNECTION": "keep-alive, Upgrade"}, False),
        ({"REQUEST_METHOD": "POST"}, False),
        ({"HTTP_HOST": "a..b"}, False),
        ({"wsgi.url_scheme": "ftp"}, False),
    ],
)
def test_a_handshake_is_matched_if_it_certainly_is_one(values: dict[str, str], plain: bool) -> None:
    asks = {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade", "REQUEST_METHOD": "GET"}
    environ = environ_of(PATH_INFO="/a", **{**asks, **values})
    assert (plain_path_of_handshake(environ) == "/a") is plain
    assert plain_path(environ) is None or "HTTP_UPGRADE" not in environ
