"""The tree of parts that paths are searched in, and the search.

It decides by what the nodes and edges say alone; rules are read in ``compiler.py``.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import TypeAlias

    from werkzeug.routing import Rule

    Found: TypeAlias = tuple[Rule, dict[str, Any]]
    # The methods that the path takes: none for a 404, some for a 405.
    Missed: TypeAlias = tuple[None, list[str]]


class AskWerkzeug(Exception):
    """What follows from here is for Werkzeug to decide."""


class Variable(NamedTuple):
    """A converter, and the argument that it fills."""

    name: str
    regex: str
    weight: int
    takes_slashes: bool
    convert: Callable[[str], Any] | None


class Leaf:
    """A rule, at the end of its parts."""

    __slots__ = ("arguments", "asks", "defaults", "lenient", "methods", "rule")

    def __init__(
        self, rule: Rule, variables: Iterable[Variable], asks: bool, for_websockets: bool
    ) -> None:
        self.rule = rule
        # A rule for WebSockets takes no other request, and a handshake no other rule,
        # whatever its method.
        self.methods: Collection[str] | None = (
            rule.methods if rule.websocket == for_websockets else ()
        )
        self.arguments = [(at, v.name, v.convert) for at, v in enumerate(variables)]
        self.defaults = rule.defaults or None
        self.lenient = not rule.strict_slashes
        self.asks = asks

    def found(self, raw: Sequence[str]) -> Found | None:
        """Return the rule with its arguments, given what each converter took."""
        if self.asks:
            return None
        arguments: dict[str, Any] = {}
        try:
            # PERF: benchmarks/bench_routing.py. An index costs half of what `zip` does.
            for at, name, convert in self.arguments:
                arguments[name] = raw[at] if convert is None else convert(raw[at])
        except (ValueError, TypeError):
            return None
        if self.defaults is not None:
            arguments.update(self.defaults)
        return self.rule, arguments

    def found_or_ask(self, raw: Sequence[str]) -> Found:
        """Return the same, or raise :exc:`AskWerkzeug`: the search ends here anyway."""
        found = self.found(raw)
        if found is None:
            raise AskWerkzeug
        return found


def _takes_nothing(segment: str) -> bool:
    """Stand in at nodes where the first choice isn't plain to see."""
    return False


class Node:
    """A place between two parts: where a path may go from here.

    Its leaves are there from the start. The rest grows when a search first comes by; until
    then the node leads nowhere.
    """

    __slots__ = ("edges", "follower", "grow", "leaves", "literal", "opaque", "takes")

    def __init__(self, grow: Callable[[Node], None] | None = None) -> None:
        self.literal: dict[str, Node] = {}
        self.edges: Sequence[Edge] = ()
        self.leaves: list[Leaf] = []
        # A rule goes on from here in a way that isn't understood.
        self.opaque = False
        # The edge that is tried first, if one converter is all of it.
        self.takes: Callable[[str], object] = _takes_nothing
        self.follower = self
        self.grow = grow

    def leaf(self, method: str, refused: list[Leaf] | None = None) -> Leaf | None:
        """Return the first rule that ends here and takes the method.

        Those that don't take it are noted in ``refused``.
        """
        for leaf in self.leaves:
            if leaf.methods is None or method in leaf.methods:
                return leaf
        if refused is not None:
            refused += self.leaves
        return None

    def lenient_leaf(self, method: str) -> Leaf | None:
        """Return the first of those that don't insist on the slash at their end."""
        for leaf in self.leaves:
            if leaf.lenient and (leaf.methods is None or method in leaf.methods):
                return leaf
        return None

    def grown(self, literal: dict[str, Node], edges: list[Edge], opaque: bool) -> None:
        """Lead on from here.

        Other threads walk through meanwhile: what is tried first has to be there first.
        """
        self.opaque = opaque
        self.literal = literal
        self.edges = edges = sorted(edges, key=attrgetter("order"))
        first = edges[0] if edges and not opaque else None
        if first is not None and first.takes is not None:
            self.follower = first.node
            self.takes = first.takes
        self.grow = None


# PERF: benchmarks/bench_routing.py. The commonest converters need no regex.
_QUICK_CHECKS: dict[str, Callable[[str], object]] = {
    r"(\d+)": str.isdecimal,
    r"([^/]+)": bool,
    r"([^/]{1,})": bool,
}


class Edge:
    """A part with converters in it, and the node behind it."""

    __slots__ = ("final", "fullmatch", "node", "order", "takes")

    def __init__(
        self, tokens: Sequence[str | Variable], regex: str, final: bool, node: Node
    ) -> None:
        texts = [t for token in tokens if isinstance(token, str) for t in token.split("/") if t]
        weights = [token.weight for token in tokens if not isinstance(token, str)]
        self.order = (-len(texts), [-len(text) for text in texts], -len(weights), weights)
        self.final = final
        self.fullmatch = re.compile(regex).fullmatch
        self.takes: Callable[[str], object] | None = None
        if len(tokens) == 1 and not final:
            self.takes = _QUICK_CHECKS.get(regex, self.fullmatch)
        self.node = node


def search(
    node: Node, segments: list[str], at: int, raw: list[str], method: str, refused: list[Leaf]
) -> Found | None:
    """Search the tree below ``node``, depth first, for what is left of the path.

    Rules that end where the path does, but don't take the method, are noted in ``refused``.
    Raises :exc:`AskWerkzeug` where Werkzeug might redirect, refuse, or see a rule that
    isn't understood here.
    """
    if node.grow is not None:
        node.grow(node)
    if at == len(segments):
        return _arrive(node, raw, method, refused)
    segment = segments[at]
    follower = node.literal.get(segment)
    if follower is not None:
        found = search(follower, segments, at + 1, raw, method, refused)
        if found is not None:
            return found
    if node.opaque:
        raise AskWerkzeug
    for edge in node.edges:
        found = _follow(edge, segments, at, raw, method, refused)
        if found is not None:
            return found
    if not segment:
        # The path has a slash at its end which no rule has; a lenient one forgives it.
        leaf = node.lenient_leaf(method)
        if leaf is not None:
            return leaf.found_or_ask(raw)
        refused += (leaf for leaf in node.leaves if leaf.lenient)
    return None


def _follow(
    edge: Edge, segments: list[str], at: int, raw: list[str], method: str, refused: list[Leaf]
) -> Found | None:
    """Search behind an edge, if it takes the next segment."""
    if edge.final:
        return _finish(edge, "/".join(segments[at:]), raw, method, refused)
    match = edge.fullmatch(segments[at])
    if match is None:
        return None
    return search(edge.node, segments, at + 1, [*raw, *match.groups()], method, refused)


def _arrive(node: Node, raw: list[str], method: str, refused: list[Leaf]) -> Found | None:
    """Look for a rule where the path ends at a node."""
    leaf = node.leaf(method, refused)
    if leaf is not None:
        return leaf.found_or_ask(raw)
    branch = node.literal.get("")
    leaf = None if branch is None else branch.leaf(method)
    if leaf is not None:
        if not leaf.lenient:
            # A redirect to the path with a slash.
            raise AskWerkzeug
        return leaf.found_or_ask(raw)
    if node.opaque:
        raise AskWerkzeug
    return None


def _finish(
    edge: Edge, rest: str, raw: list[str], method: str, refused: list[Leaf]
) -> Found | None:
    """Look for a rule on an edge that takes the rest of the path, slashes and all."""
    if rest.endswith("/") and edge.node.lenient_leaf(method):
        # A lenient rule may leave the slash to its converter, or not.
        raise AskWerkzeug
    match = edge.fullmatch(rest)
    leaf = edge.node.leaf(method, None if match is None else refused)
    if leaf is None:
        return None
    if match is not None:
        return leaf.found_or_ask([*raw, *match.groups()])
    if edge.fullmatch(rest + "/"):
        # A redirect to the path with a slash.
        raise AskWerkzeug
    return None
