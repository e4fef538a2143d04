"""Reads the rules of a map and grows the tree that they are matched in.

Here is decided what is understood of a rule and what isn't. Only what Werkzeug documents
is read: the text of a rule, its options, and its converters' ``regex``, ``weight``,
``part_isolating`` and ``to_python``.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, cast

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
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import TypeAlias, TypeGuard

    from werkzeug.routing import BaseConverter
    from werkzeug.routing import Map as WerkzeugMap

    # A rule without converters: its methods, itself, and its defaults.
    StaticRule: TypeAlias = tuple[Collection[str], Rule, Mapping[str, Any]]
    # A rule that ends in one converter: its methods, itself, and its argument.
    TailRule: TypeAlias = tuple[Collection[str], Rule, str, "Callable[[str], Any] | None"]
    # What the last segment is checked with, the texts that go before, and the rules.
    Tail: TypeAlias = tuple[Callable[[str], object], Mapping[str, Node], list[TailRule]]

    # A rule that has come as far as a node: where what is left of it begins, and the
    # converters that it has come by.
    _Unread: TypeAlias = tuple[Rule, int, tuple[Variable, ...]]

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

VARIABLE = re.compile(
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
_TEXT = re.compile(r"[^<>/]+")
TEXT = re.compile(r"[^<>]+")
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

# The search goes one call deeper at each segment; nobody's rules come near this.
_MOST_SEGMENTS = 100

_PLAIN_SUBDOMAIN = re.compile(r"[a-z0-9.-]*")


class Compiler:
    """Grows the tree, of the rules that a map had when the compiler was made.

    A node grows when a search first comes to it: an application of thousands of rules
    answers its first request without having read them all.

    ``static``: the rules without converters, by path; ``tails``: what ends in one converter
    that is all of its segment, by what comes before the slash. Both fill as nodes grow.

    ``for_websockets``: whether the tree is for handshakes, or for other requests.
    """

    def __init__(self, url_map: Map, for_websockets: bool = False) -> None:
        self.map = url_map
        self.for_websockets = for_websockets
        self.converters = url_map.known_converters()
        self.variables: dict[tuple[str, str], Variable | None] = {}
        self.static: dict[str, list[StaticRule]] = {}
        self.tails: dict[str, Tail] = {}
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
        #: Whether a path that no rule takes may be for rules of a pattern of subdomains.
        self.has_patterns = any("<" in (rule.subdomain or "") for rule in rules)
        for rule in rules:
            text = rule.rule
            if not text.startswith("/") or "//" in text or text.count("/") > _MOST_SEGMENTS:
                raise AskWerkzeug
        unread: list[_Unread] = [
            (rule, 1, ()) for rule in rules if not (rule.build_only or self.is_elsewhere(rule))
        ]
        self.root = Node(partial(self.grow, unread, ""))

    def grow(self, unread: list[_Unread], path: str | None, node: Node) -> None:
        """Read the next part of the rules that have come to a node.

        ``path``: what leads there, if all of it is literal. Where two threads grow a node at
        once, both make the same of it, and the later one's is kept.
        """
        literal: dict[str, Node] = {}
        edges: dict[tuple[str, bool], Edge] = {}
        unread_at: dict[Node, list[_Unread]] = {}
        opaque = False
        for rule, at, variables in unread:
            text = rule.rule
            end = text.find("/", at)
            part = text[at:] if end < 0 else text[at:end]
            if "<" not in part and ">" not in part:
                follower = literal.get(part) or literal.setdefault(part, Node())
            else:
                end, tokens, final = self.part(text, at)
                if None in tokens:
                    opaque = True
                    continue
                follower = self.follow(edges, cast("list[str | Variable]", tokens), final)
                variables += tuple(token for token in tokens if isinstance(token, Variable))
            if 0 <= end < len(text):
                unread_at.setdefault(follower, []).append((rule, end + 1, variables))
            else:
                asks = self.asks(rule, variables)
                follower.leaves.append(Leaf(rule, variables, asks, self.for_websockets))
        for edge in edges.values():
            self.let_grow(edge.node, unread_at, None)
        for part, follower in literal.items():
            self.let_grow(follower, unread_at, None if path is None else f"{path}/{part}")
        node.grown(literal, list(edges.values()), opaque)
        if path is not None:
            self.note_tail(path, node)

    def let_grow(
        self, node: Node, unread_at: Mapping[Node, list[_Unread]], path: str | None
    ) -> None:
        """Have a node grow later, if rules go on from it."""
        if node in unread_at:
            node.grow = partial(self.grow, unread_at[node], path)
        if path is not None and node.leaves:
            self.note_static(path, node.leaves)

    def note_static(self, path: str, leaves: list[Leaf]) -> None:
        """Have a path looked up as a whole, unless one of its rules is not that simple."""
        rules = [
            (leaf.methods, leaf.rule, leaf.defaults or {})
            for leaf in leaves
            if leaf.methods is not None and not leaf.asks
        ]
        if len(rules) == len(leaves):
            self.static[path] = rules

    def note_tail(self, path: str, node: Node) -> None:
        """Have what ends in one converter looked up by what comes before."""
        leaves = node.follower.leaves
        if node.follower is node or not leaves:
            return
        rules: list[TailRule] = []
        for leaf in leaves:
            if leaf.methods is None or leaf.asks or leaf.defaults or len(leaf.arguments) != 1:
                return
            _, name, convert = leaf.arguments[0]
            rules.append((leaf.methods, leaf.rule, name, convert))
        self.tails[path] = node.takes, node.literal, rules

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

    def follow(
        self, edges: dict[tuple[str, bool], Edge], tokens: list[str | Variable], final: bool
    ) -> Node:
        """Return the node behind a part with converters; equal parts share one."""
        regex = "".join(
            re.escape(token) if isinstance(token, str) else f"({token.regex})" for token in tokens
        )
        edge = edges.get((regex, final))
        if edge is None:
            edge = edges[regex, final] = Edge(tokens, regex, final, Node())
        return edge.node

    def part(self, rule: str, at: int) -> tuple[int, list[_Token], bool]:
        """Take the next part of a rule's text apart, around its converters.

        Return where it ends, its tokens, and whether it takes all that there is; ``None``
        stands for a token that isn't understood. The part of ``/a/<int:b>.c`` at 3 is a
        variable and the text ``.c``.
        """
        tokens: list[_Token] = []
        final = False
        while at < len(rule) and (final or rule[at] != "/"):
            match = VARIABLE.match(rule, at)
            if match is not None:
                variable = self.variable(match)
                final = final or (variable is not None and variable.takes_slashes)
                tokens.append(variable)
            else:
                match = (TEXT if final else _TEXT).match(rule, at)
                if match is None:
                    tokens.append(None)
                    break
                tokens.append(match[0])
            at = match.end()
        return at, tokens, final

    def variable(self, match: re.Match[str]) -> Variable | None:
        """Return the variable of a rule, unless its converter isn't fully known."""
        key = (match["converter"] or "default", match["arguments"] or "")
        if key not in self.variables:
            self.variables[key] = self.new_variable(*key)
        variable = self.variables[key]
        return None if variable is None else variable._replace(name=match["name"])

    def new_variable(self, name: str, arguments: str) -> Variable | None:
        """Make a converter, and a variable of it that has no name yet."""
        kind = self.converters.get(name)
        converter = make_converter(self.map, kind, arguments)
        if converter is None:
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


def make_converter(
    url_map: WerkzeugMap, kind: type[BaseConverter] | None, arguments: str
) -> BaseConverter | None:
    """Make the converter that a rule has, if it is one of Werkzeug's and plainly written."""
    if kind is None or kind not in _KNOWN_CONVERTERS:
        return None
    try:
        values, named = _parse_arguments(arguments)
        return kind(url_map, *values, **named)
    except (AskWerkzeug, TypeError, ValueError):
        return None


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
