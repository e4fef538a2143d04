"""Reads the rules of a map and makes the tree that they are matched in.

Here is decided what is understood of a rule and what isn't. Only what Werkzeug documents
is read: the text of a rule, its options, and its converters' ``regex``, ``weight``,
``part_isolating`` and ``to_python``.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from werkzeug.routing import (
    AnyConverter,
    FloatConverter,
    IntegerConverter,
    PathConverter,
    Rule,
    UnicodeConverter,
    UUIDConverter,
)

from .map import Map
from .tree import AskWerkzeug, Edge, Leaf, Node, Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import TypeAlias, TypeGuard

    from werkzeug.routing import BaseConverter
    from werkzeug.routing import Map as WerkzeugMap

    # A piece of a rule: text, a converter, or what isn't understood.
    _Token: TypeAlias = "str | Variable | None"

_KNOWN_CONVERTERS: frozenset[type[BaseConverter]] = frozenset(
    (AnyConverter, FloatConverter, IntegerConverter, PathConverter, UnicodeConverter, UUIDConverter)
)

# What subclasses of Map and Rule may redefine without a change to what matches.
_HARMLESS = frozenset(
    """
    __annotate_func__ __annotations__ __annotations_cache__ __dict__ __doc__ __eq__
    __firstlineno__ __hash__ __init__ __init_subclass__ __module__ __repr__ __slots__
    __static_attributes__ __str__ __weakref__
    build default_converters get_empty_kwargs is_endpoint_expecting suitable_for
    """.split()
)

_VARIABLE = re.compile(
    r"""
    <
    (?: (?P<converter>[a-zA-Z_][a-zA-Z0-9_]*)
        (?: \( (?P<arguments> (?: [^()<>"'\\/] | "[^()<>"'\\/]*" )* ) \) )?
        :
    )?
    (?P<name>[a-zA-Z_][a-zA-Z0-9_]*)
    >
    """,
    re.VERBOSE,
)
_TEXT = re.compile(r"[^<>]+")
_ARGUMENT = re.compile(
    r"""
    \s* (?: (?P<key>[a-zA-Z_][a-zA-Z0-9_]*) \s* = \s* )?
    (?: (?P<float>[0-9]{1,15}\.[0-9]{1,15})
      | (?P<int>[0-9]{1,15})
      | (?P<bool>True|False)\b
      | (?P<word>(?!None\b)[a-zA-Z_][a-zA-Z0-9_]*)
      | "(?P<text>[^"]*)"
    )
    \s* (?: , (?!\s*\Z) | \Z )
    """,
    re.VERBOSE,
)

_READ_ARGUMENT: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "bool": "True".__eq__,
}

# The walks go one call deeper at each segment; nobody's rules come near this.
_MOST_SEGMENTS = 100

_PLAIN_SUBDOMAIN = re.compile(r"[a-z0-9.-]*")


class Compiler:
    """Makes the tree, of the rules that a map has now."""

    def __init__(self, url_map: Map) -> None:
        self.root = Node()
        self.map = url_map
        self.variables: dict[tuple[str, str], Variable | None] = {}
        self.edges: dict[tuple[Node, str, bool], Edge] = {}
        self.subdomain = url_map.default_subdomain or ""
        if not _PLAIN_SUBDOMAIN.fullmatch(self.subdomain):
            raise AskWerkzeug
        rules = list(url_map.added)
        for kind in {type(rule) for rule in rules}:
            if _redefines(kind, Rule):
                # Its rules might match anything.
                raise AskWerkzeug
        # How many of an endpoint's rules could have its other rules redirect to them.
        self.with_defaults = Counter(
            rule.endpoint for rule in rules if rule.defaults and url_map.redirect_defaults
        )
        for rule in rules:
            self.add(rule)
        self.root.freeze()

    def static(self) -> dict[str, list[tuple[Collection[str], Rule, Any]]]:
        """Return the rules without converters, by path."""
        paths: dict[str, list[tuple[Collection[str], Rule, Any]]] = {}
        left = [("", self.root)]
        while left:
            path, node = left.pop()
            rules = [
                (leaf.methods, leaf.rule, leaf.defaults)
                for leaf in node.leaves
                if leaf.methods is not None and not leaf.asks
            ]
            if rules and len(rules) == len(node.leaves):
                paths[path] = rules
            left.extend((f"{path}/{text}", below) for text, below in node.literal.items())
        return paths

    def add(self, rule: Rule) -> None:
        """Put a rule into the tree, or mark where it goes out of sight."""
        if rule.build_only or self.is_elsewhere(rule):
            return
        segments = self.segments(rule.rule)
        node = self.root
        variables: list[Variable] = []
        for at, tokens in enumerate(segments):
            texts = [token for token in tokens if isinstance(token, str)]
            if len(texts) == len(tokens):
                node = node.literal.setdefault("".join(texts), Node())
                continue
            final = any(isinstance(token, Variable) and token.takes_slashes for token in tokens)
            if final:
                rest = [token for segment in segments[at + 1 :] for token in ("/", *segment)]
                tokens = [*tokens, *rest]
            known = [token for token in tokens if token is not None]
            if len(known) < len(tokens):
                node.opaque = True
                return
            variables += (token for token in known if isinstance(token, Variable))
            node = self.follow(node, known, final)
            if final:
                break
        # A rule for WebSockets never takes a request, but its parts have their place in
        # the order of all parts.
        if not rule.websocket:
            node.leaves.append(Leaf(rule, variables, self.asks(rule, variables)))

    def is_elsewhere(self, rule: Rule) -> bool:
        """Tell whether a rule is for another subdomain than the default one.

        A pattern of subdomains may be for the default one too, but then its rules come
        after all those that name it; and after those, Werkzeug is asked anyway.
        """
        subdomain = rule.subdomain or ""
        if subdomain == self.subdomain:
            return False
        if "<" in subdomain or _PLAIN_SUBDOMAIN.fullmatch(subdomain):
            return True
        raise AskWerkzeug

    def asks(self, rule: Rule, variables: Iterable[Variable]) -> bool:
        """Tell whether Werkzeug might do more with a rule than return it."""
        others_with_defaults = self.with_defaults[rule.endpoint] - bool(rule.defaults)
        arguments = {variable.name for variable in variables}.union(rule.defaults or ())
        return (
            rule.alias
            or rule.redirect_to is not None
            or others_with_defaults > 0
            or arguments != rule.arguments  # pyright: ignore[reportUnknownMemberType]
        )

    def follow(self, node: Node, tokens: list[str | Variable], final: bool) -> Node:
        """Return the node behind a part with converters; equal parts share one."""
        regex = "".join(
            re.escape(token) if isinstance(token, str) else f"({token.regex})" for token in tokens
        )
        key = (node, regex, final)
        edge = self.edges.get(key)
        if edge is None:
            edge = self.edges[key] = Edge(tokens, regex, final)
            node.edges.append(edge)
        return edge.node

    def segments(self, rule: str) -> list[list[_Token]]:
        """Take the text of a rule apart, at its slashes and around its converters.

        ``None`` stands for what isn't understood. ``/a/<int:b>.c`` has two segments: the
        second is a variable and the text ``.c``.
        """
        if not rule.startswith("/") or "//" in rule or rule.count("/") > _MOST_SEGMENTS:
            raise AskWerkzeug
        segments: list[list[_Token]] = [[]]
        at = 1
        while at < len(rule):
            match = _VARIABLE.match(rule, at)
            if match is not None:
                segments[-1].append(self.variable(match))
            else:
                match = _TEXT.match(rule, at)
                if match is None:
                    segments[-1].append(None)
                    break
                first, *others = match[0].split("/")
                segments[-1] += [first] if first else []
                segments.extend([text] if text else [] for text in others)
            at = match.end()
        return segments

    def variable(self, match: re.Match[str]) -> Variable | None:
        """Return the variable of a rule, unless its converter isn't fully known."""
        key = (match["converter"] or "default", match["arguments"] or "")
        if key not in self.variables:
            self.variables[key] = self.new_variable(*key)
        variable = self.variables[key]
        return None if variable is None else variable._replace(name=match["name"])

    def new_variable(self, name: str, arguments: str) -> Variable | None:
        """Make a converter, and a variable of it that has no name yet."""
        kind = self.map.converter(name)
        if kind is None or kind not in _KNOWN_CONVERTERS:
            return None
        try:
            values, named = _parse_arguments(arguments)
            converter = kind(self.map, *values, **named)
        except (AskWerkzeug, TypeError, ValueError):
            return None
        regex = re.compile(converter.regex)
        if regex.groups or regex.fullmatch(""):
            return None
        convert: Callable[[str], Any] | None = converter.to_python
        if kind in (UnicodeConverter, AnyConverter, PathConverter):
            convert = None
        elif kind in (IntegerConverter, FloatConverter) and not arguments:
            # PERF: benchmarks/bench_routing.py. Without limits there is nothing to check.
            convert = int if kind is IntegerConverter else float
        return Variable(
            "", converter.regex, converter.weight, not converter.part_isolating, convert
        )


def _parse_arguments(source: str) -> tuple[list[Any], dict[str, Any]]:
    """Read what the text of a rule passes to a converter.

    Raises :exc:`AskWerkzeug` for anything but the plainest values.

    >>> _parse_arguments("2, max=50, signed=True")
    ([2], {'max': 50, 'signed': True})
    """
    values: list[Any] = []
    named: dict[str, Any] = {}
    at = 0
    while at < len(source):
        match = _ARGUMENT.match(source, at)
        if match is None:
            raise AskWerkzeug
        at = match.end()
        kind = match.lastgroup or ""
        value = _READ_ARGUMENT.get(kind, str)(match[kind])
        if match["key"] is None:
            values.append(value)
        else:
            named[match["key"]] = value
    return values, named


def _redefines(kind: type, base: type) -> bool:
    """Tell whether a subclass of ``base`` has other ways to match than ``base`` has."""
    ways = set(dir(base)) - _HARMLESS
    parents = (parent for parent in kind.__mro__ if parent not in base.__mro__)
    return any(ways.intersection(vars(parent)) for parent in parents)


def is_plain_map(url_map: WerkzeugMap) -> TypeGuard[Map]:
    """Tell whether a map is one of Brim's, matches no hosts, and has not been altered."""
    if not isinstance(url_map, Map) or url_map.host_matching or _redefines(type(url_map), Map):
        return False
    return not any(callable(getattr(Map, name, None)) for name in vars(url_map))
