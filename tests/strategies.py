"""Strategies that more than one property test draws from, and the makers behind them.

A maker takes a ``random.Random``, so that it also serves where Hypothesis is too slow, for
a run of millions of cases. Nothing here knows what the right answers are.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st
from werkzeug.routing import BaseConverter, Rule, ValidationError

from brim.routing import Map

UUIDS = ("00000000-0000-0000-0000-00000000000a", "ABCDEF00-1234-4234-8234-0123456789AB")
WORDS = ("a", "b", "ab", "abc", "foo", "1", "12", "1.5", "a.b", "a-b", "1-2", "index.html")
ODD_WORDS = (
    *("é", "٣", "٣.٣", "%41", "a b", "|", "a|b", "a$", "?", "#", "\n", "a\nb", "\0", "..", "."),
    *("-1", "+1", "01", "1_0", "9" * 5000, "\ufffd", "\u2028", "A", "None", ">", *UUIDS),
)
METHODS = ("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH")


class Word(BaseConverter):
    """A converter of an application: plain, and tried before any of Werkzeug's."""

    weight = 1


class Anything(BaseConverter):
    """Takes slashes, and even nothing at all."""

    regex = ".*?"
    part_isolating = False


class Picky(BaseConverter):
    """Refuses what its own regex lets through."""

    regex = "[^/]*"

    def to_python(self, value: str) -> Any:
        if value != "a":
            raise ValidationError
        return value


class Shouting(Rule):
    """A rule class that adds what matching never sees."""

    loud = True

    def get_empty_kwargs(self) -> Any:
        return super().get_empty_kwargs()


class Elsewhere(Rule):
    """A rule class that matches another path than it says."""

    def compile(self) -> None:
        self.rule, said = "/a/b", self.rule
        super().compile()
        self.rule = said


CONVERTERS: dict[str, type[BaseConverter]] = {"word": Word, "anything": Anything, "picky": Picky}
VARIABLES = (
    *("<{}>",) * 5,
    *("<int:{}>",) * 5,
    *("<path:{}>",) * 3,
    *("<float:{}>", "<uuid:{}>", "<string:{}>", "<default:{}>", "<any(a,b,foo):{}>"),
    *("<int(min=2):{}>", "<int(max=1):{}>", "<int(fixed_digits=2):{}>", "<int(signed=True):{}>"),
    *("<int( 2 , max = 50 ):{}>", "<float(min=1.5):{}>", "<float(signed=True,max=2):{}>"),
    *("<string(length=1):{}>", "<string(minlength=2):{}>", "<string(maxlength=2):{}>"),
    *('<any(b, "a.b", a):{}>', '<any("a b",foo):{}>', "<uuid():{}>", "<path():{}>"),
)
ODD_VARIABLES = (
    *("<word:{}>", "<anything:{}>", "<picky:{}>"),
    *('<any("a/b"):{}>', "<any('a','b'):{}>", "<any():{}>", "<int(5):{}>", '<any("a>b"):{}>'),
    *("<int(min=1_0):{}>", '<string(length="2"):{}>', "<int(signed=true):{}>", "<any(True,a):{}>"),
)
MIXED = ("{}.html", "a{}", "{}b", "{}-{}", "{}.{}", "a{}b{}", "{}{}", "v{}.{}-x", "aa{}", "{}bb")


@dataclass
class Case:
    """A map, its rules in the order in which they were added, and whether all is plain."""

    url_map: Map
    rules: list[Rule]
    plain: bool


def make_segment(rnd: Random, names: list[str], odd: bool) -> str:
    """Make one segment of a rule."""
    kind = rnd.random()
    if kind < 0.5 or len(names) < 2:
        return rnd.choice(ODD_WORDS[:16] if odd and rnd.random() < 0.2 else WORDS)
    form = "{}" if kind < 0.85 else rnd.choice(MIXED)
    variables = ODD_VARIABLES if odd and rnd.random() < 0.1 else VARIABLES
    holes = (rnd.choice(variables).format(names.pop()) for _ in range(form.count("{}")))
    return form.format(*holes)


def make_path_of_rule(rnd: Random, odd: bool) -> str:
    """Make the text of a rule."""
    names = rnd.sample("pqrstuvxyz", 8)
    path = "".join("/" + make_segment(rnd, names, odd) for _ in range(rnd.randrange(4)))
    if odd and rnd.random() < 0.05:
        path += "//a"
    return path + "/" if not path or rnd.random() < 0.3 else path


def make_options(rnd: Random, odd: bool) -> dict[str, Any]:
    """Make what a rule is given beside its text."""
    options: dict[str, Any] = {"endpoint": str(rnd.randrange(10**6))}
    if rnd.random() < 0.7:
        options["methods"] = rnd.sample(METHODS, rnd.randint(1, 3))
    if rnd.random() < 0.15:
        options["defaults"] = {rnd.choice("pqx"): rnd.choice((1, "a", None)), "d": 2}
    if odd:
        choices: dict[str, Any] = {
            "endpoint": rnd.choice("ef"),
            "strict_slashes": rnd.choice((True, False)),
            "merge_slashes": rnd.choice((True, False)),
            "build_only": True,
            "websocket": True,
            "alias": True,
            "redirect_to": "/elsewhere",
            "subdomain": rnd.choice(("", "www", "sub", "<sub>", "WWW")),
            "defaults": {rnd.choice("pqx"): rnd.choice((1, "a"))},
        }
        for name in rnd.sample(sorted(choices), rnd.choice((0, 0, 1, 1, 2))):
            options[name] = choices[name]
    if "websocket" in options:
        options.pop("methods", None)
    return options


def make_rule(rnd: Random, odd: bool) -> Rule:
    """Make an unbound rule."""
    kind = Rule
    if odd and rnd.random() < 0.1:
        kind = Elsewhere if rnd.random() < 0.1 else Shouting
    return kind(make_path_of_rule(rnd, odd), **make_options(rnd, odd))


def make_case(rnd: Random) -> Case:
    """Make a map; half of them have nothing in them that is out of the ordinary."""
    odd = rnd.random() < 0.5
    options: dict[str, Any] = {"converters": CONVERTERS} if odd else {}
    if odd:
        options["merge_slashes"] = rnd.random() < 0.7
        options["redirect_defaults"] = rnd.random() < 0.7
        options["default_subdomain"] = rnd.choice(("", "", "", "www"))
        options["host_matching"] = rnd.random() < 0.02
    url_map = Map(strict_slashes=rnd.random() < 0.7, **options)
    rules: list[Rule] = []
    while not rules or rnd.random() < 0.8:
        rule = make_rule(rnd, odd)
        try:
            url_map.add(rule)
        except (TypeError, ValueError):
            # Not every default suits its converter, nor every converter its arguments.
            continue
        rules.append(rule)
        if rnd.random() < 0.1:
            url_map.update()
    return Case(url_map, rules, plain=not odd)


def make_value(rnd: Random, variable: str) -> str:
    """Make what a variable of a rule may take, or near to it."""
    if rnd.random() < 0.1:
        return rnd.choice(WORDS + ODD_WORDS)
    if variable.startswith("<int"):
        return rnd.choice(("1", "2", "12", "345", "0", "-1", "01"))
    if variable.startswith("<float"):
        return rnd.choice(("1.5", "0.0", "12.25", "1", "-2.5"))
    if variable.startswith("<uuid"):
        return rnd.choice(UUIDS)
    if variable.startswith(("<path", "<anything")):
        return "/".join(rnd.choices(WORDS, k=rnd.randint(1, 3)))
    return rnd.choice(WORDS)


def make_request(rnd: Random, rules: list[Rule]) -> tuple[str, str]:
    """Make a path and a method that hit one of the rules, or narrowly miss."""
    rule = rnd.choice(rules)
    path, rest = "", rule.rule
    while rest:
        before, _, rest = rest.partition("<")
        variable, _, rest = rest.partition(">")
        path += before + (make_value(rnd, "<" + variable) if variable else "")
    change = rnd.random()
    if change < 0.08:
        path = path[:-1] if path.endswith("/") else path + "/"
    elif change < 0.12:
        path = path.replace("/", "//", rnd.randint(1, 2))
    elif change < 0.16:
        path += "/" + rnd.choice(WORDS)
    elif change < 0.2:
        path = path.rpartition("/")[0]
    elif change < 0.24:
        at = rnd.randint(0, len(path))
        path = path[:at] + rnd.choice(("/", "1", "a", ".", "\n", "é")) + path[at:]
    elif change < 0.28:
        path = path.replace(*rnd.choice((("a", "b"), ("1", "2"), ("b", "/"), ("/a", ""))))
    methods = sorted(rule.methods) if rule.methods and rnd.random() < 0.8 else METHODS
    return path, rnd.choice(methods)


def cases() -> st.SearchStrategy[tuple[Case, Random]]:
    """Maps, each with the source of randomness for its requests."""
    return st.randoms(use_true_random=True).map(lambda rnd: (make_case(rnd), rnd))
