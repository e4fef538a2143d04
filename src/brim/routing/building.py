"""Builds the URLs of a map's rules without asking Werkzeug, where the answer is plain.

The law is the matcher's: Werkzeug decides, this may only be faster. :meth:`Builder.build`
returns what ``MapAdapter.build`` would, or ``None``, which means "ask Werkzeug"; it never
raises. Held by the property tests in tests/test_routing_building.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus
from uuid import UUID

from werkzeug.routing import (
    IntegerConverter,
    MapAdapter,
    PathConverter,
    Rule,
    UnicodeConverter,
)

from .compiler import TEXT, VARIABLE, is_plain_map, make_converter

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.routing import BaseConverter
    from werkzeug.routing import Map as WerkzeugMap

    _Fill = Callable[[dict[str, object]], str | None]
    # The name of a variable; what makes text of an integer, then of what else it takes; which
    # text is left as it is; and the text of the rule behind the variable.
    _Hole = tuple[
        str, Callable[[Any], str], Callable[[Any], str], Callable[[Any], object] | None, str
    ]

# What is never quoted in a URL's path (RFC 3986, section 2.3), and slashes.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/-]+")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_.~-]+")
_PLAIN_ROOT = re.compile(r"(?:/[A-Za-z0-9_.~-]+)*/?")
_LEFT_AS_IT_IS: dict[type[BaseConverter], re.Pattern[str]] = {
    UnicodeConverter: _PLAIN_WORD,
    PathConverter: _PLAIN_PATH,
}
_VALUES = frozenset((str, float, UUID))

# What Werkzeug leaves as it is in the names and values of a query.
_SAFE_IN_QUERY = "!$'()*,/:;?@"

#: As it was when Brim was loaded: a patched one is asked.
_BUILD = MapAdapter.build


class Builder:
    """Builds paths by the rules that a map has now; a changed map needs a new one.

    Of an endpoint it knows the rule if there is one alone, without defaults, for HTTP and
    for the default subdomain, whose text needs no quoting and whose converters are
    Werkzeug's.
    """

    def __init__(self, url_map: WerkzeugMap) -> None:
        self._map = url_map
        #: What builds an endpoint's path, of those that were asked for; ``None``: Werkzeug.
        self.ways: dict[str, _Fill | None] = {}
        self.answers = False
        if is_plain_map(url_map):
            self._converters = url_map.known_converters()
            self.answers = url_map.sort_parameters is False and MapAdapter.build is _BUILD

    def build(self, endpoint: str, values: dict[str, object]) -> str | None:
        """Return the path of an endpoint, with a query of what the rule doesn't take."""
        try:
            way = self.ways[endpoint]
        except KeyError:
            way = self._find_way(endpoint)
        return None if way is None else way(values)

    def _find_way(self, endpoint: str) -> _Fill | None:
        if not self.answers:
            return None
        try:
            rules = list(self._map.iter_rules(endpoint))
        except KeyError:
            return None
        way = self.ways[endpoint] = self._make_way(rules[0]) if len(rules) == 1 else None
        return way

    def _make_way(self, rule: Rule) -> _Fill | None:
        if (
            type(rule) is not Rule
            or rule.defaults
            or rule.alias
            or rule.websocket
            or rule.host
            or (rule.subdomain or "") != (self._map.default_subdomain or "")
            or not rule.rule.startswith("/")
            or "//" in rule.rule
        ):
            return None
        taken = self._take_apart(rule.rule)
        if taken is None or {hole[0] for hole in taken[1]} != rule.arguments:  # pyright: ignore[reportUnknownMemberType]
            return None
        return _way(*taken)

    def _take_apart(self, text: str) -> tuple[str, list[_Hole]] | None:
        """Return a rule's text before the first variable, and the variables."""
        pieces: list[str] = [""]
        variables: list[tuple[str, BaseConverter, str]] = []
        at = 0
        while at < len(text):
            variable = VARIABLE.match(text, at)
            literal = None if variable else TEXT.match(text, at)
            if variable is not None:
                name, arguments = variable["converter"] or "default", variable["arguments"] or ""
                converter = make_converter(self._map, self._converters.get(name), arguments)
                if converter is None:
                    return None
                variables.append((variable["name"], converter, arguments))
                pieces.append("")
                at = variable.end()
            elif literal is not None and _PLAIN_PATH.fullmatch(literal[0]):
                pieces[-1] = literal[0]
                at = literal.end()
            else:
                return None
        holes: list[_Hole] = []
        for (name, converter, arguments), behind in zip(variables, pieces[1:], strict=True):
            of_integer: Callable[[Any], str] = converter.to_url
            if type(converter) is IntegerConverter and not arguments:
                of_integer = str
            plain = _LEFT_AS_IT_IS.get(type(converter))
            holes.append((name, of_integer, converter.to_url, plain and plain.fullmatch, behind))
        return pieces[0], holes


def _way(begin: str, holes: list[_Hole]) -> _Fill:
    """Return a function that fills the holes."""
    fill = _fill_all(begin, holes)
    # Werkzeug takes away slashes that a value would put at the beginning.
    if len(holes) == 1 and begin != "/":
        return _fill_one(begin, holes[0], fill)
    return fill


def _fill_all(begin: str, holes: list[_Hole]) -> _Fill:
    count = len(holes)
    names = frozenset(hole[0] for hole in holes)

    def fill(values: dict[str, object]) -> str | None:
        path = begin
        try:
            for name, of_integer, of_other, plain, behind in holes:
                value = values[name]
                kind = type(value)
                if kind is int:
                    path += of_integer(value) + behind
                elif kind is str and plain is not None and plain(value):
                    path = f"{path}{value}{behind}"
                elif kind in _VALUES:
                    path += of_other(value) + behind
                else:
                    return None
            if path.startswith("//"):
                return None
            return path + _query(values, names) if len(values) > count else path
        except Exception:
            # Werkzeug has the right words for it.
            return None

    return fill


def _fill_one(begin: str, hole: _Hole, otherwise: _Fill) -> _Fill:
    """Return what does the same as ``otherwise``, without a loop for the usual values.

    PERF: a third of the time; benchmarks/bench_url_for.py.
    """
    name, of_integer, _, plain, behind = hole
    names = frozenset((name,))

    def fill_one(values: dict[str, object]) -> str | None:
        value = values.get(name)
        kind = type(value)
        if (kind is int and of_integer is str) or (
            kind is str and plain is not None and plain(value)
        ):
            path = f"{begin}{value}{behind}"
            if len(values) == 1:
                return path
            try:
                return path + _query(values, names)
            except Exception:
                return None
        return otherwise(values)

    return fill_one


def _query(values: dict[str, object], names: frozenset[str]) -> str:
    pairs: list[str] = []
    for name, value in values.items():
        if name not in names:
            kind = type(value)
            if kind is not str and kind is not int:
                raise TypeError
            # PERF: most names are plain, and this tells sooner; benchmarks/bench_url_for.py.
            if not (name.isidentifier() and name.isascii()):
                name = _quote(name)
            pairs.append(f"{name}={value if kind is int else _quote(str(value))}")
    return "?" + "&".join(pairs)


def _quote(text: str) -> str:
    return text if _PLAIN_WORD.fullmatch(text) else quote_plus(text, safe=_SAFE_IN_QUERY)


def plain_root(script_name: str) -> str | None:
    """Return where an application is mounted, without a slash behind, if it needs no quoting.

    >>> plain_root("/app/"), plain_root("//app")
    ('/app', None)
    """
    if not script_name:
        return ""
    return script_name.rstrip("/") if _PLAIN_ROOT.fullmatch(script_name) else None
