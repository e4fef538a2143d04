"""The matcher: the quick way from a path and a method to a rule and its arguments.

Law of this file: Werkzeug decides, the matcher may only be faster. ``Matcher.match``
returns what Werkzeug's ``MapAdapter.match`` would return, or ``None``, which means "ask
Werkzeug". It never raises, redirects or says "not found" itself. Whatever isn't fully
understood here, be it one option of a rule or one argument of a converter, is answered
``None``, and so is every path on which it might have a claim.

What is relied on, all of it held by the property tests in tests/test_routing.py:

- A rule is a row of parts, one for each segment between slashes. A converter that takes
  slashes (``path``) makes one part of everything from its segment to the rule's end.
- Parts are tried depth first. Literal text comes before converters. Among converters:
  more pieces of literal text first, then longer ones, then more converters, then lower
  weights; what is still equal keeps the order in which it was added.
- Rules with equal parts are tried in the order in which they were added. One that doesn't
  take the method is passed over.
- Values are converted once the rule has been found. A refusal then ends the search.

Nothing of the request but its path, method and host is read here; no context, no proxies.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from werkzeug.routing import (
    AnyConverter,
    FloatConverter,
    IntegerConverter,
    PathConverter,
    Rule,
    UnicodeConverter,
    UUIDConverter,
)
from werkzeug.routing import Map as WerkzeugMap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    from werkzeug.routing import BaseConverter, RuleFactory

    from .typing import WSGIEnvironment

    Found: TypeAlias = tuple[Rule, dict[str, Any]]

_KNOWN_CONVERTERS: frozenset[type[BaseConverter]] = frozenset(
    (
        AnyConverter,
        FloatConverter,
        IntegerConverter,
        PathConverter,
        UnicodeConverter,
        UUIDConverter,
    )
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

# How long a label of a host name may be.
_LONGEST_LABEL = 63

_PLAIN_SUBDOMAIN = re.compile(r"[a-z0-9.-]*")


class Map(WerkzeugMap):
    """Werkzeug's ``Map``, which also tells when it has changed.

    ``version`` grows with each rule that is added and each public attribute that is set;
    the functions given to :meth:`watch` are called then. The rest is Werkzeug's.
    """

    version = 0
    _watchers: tuple[Callable[[], object], ...] = ()

    def watch(self, changed: Callable[[], object]) -> None:
        """Have ``changed()`` called after each change to come.

        It is called once for every rule that is added, so it should do no more than note
        that there was a change.
        """
        self._watchers = (*self._watchers, changed)

    def add(self, rulefactory: RuleFactory) -> None:
        """Add a rule, or those of a factory, and bind them to this map."""
        self._note_converters()
        try:
            super().add(rulefactory)
        finally:
            # A factory that fails half-way has added its first rules.
            self._note_change()

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if not name.startswith("_"):
            self._note_change()

    def _note_change(self) -> None:
        self.__dict__["version"] = self.version + 1
        for changed in self._watchers:
            changed()

    def _note_converters(self) -> None:
        """Note which class each converter's name stands for, before a rule is added.

        A rule keeps the converters that it was added with, while their names can be given
        to other classes later.
        """
        seen: dict[str, Any] = self.__dict__.setdefault("_seen_converters", {})
        if seen != self.converters:
            reused: set[str] = self.__dict__.setdefault("_reused_converters", set())
            reused.update(name for name in seen if self.converters.get(name) is not seen[name])
            seen.update(self.converters)

    def _bound_converters(self) -> dict[str, type[BaseConverter]]:
        """The converters whose names have meant the same to every rule."""
        seen: dict[str, type[BaseConverter]] = self.__dict__.get("_seen_converters", {})
        reused: set[str] = self.__dict__.get("_reused_converters", set())
        return {name: kind for name, kind in seen.items() if name not in reused}


class Matcher:
    """Matches paths against the rules that a map has now, without Werkzeug's detours.

    It doesn't follow the map: after a change (see :class:`Map`) make a new one. It never
    changes once it is made, so any number of threads may share it.

    ``answers`` is ``False`` where it could answer nothing at all: for hosts and subdomains,
    for maps that aren't Brim's, for rules of classes that redefine how they match.
    """

    def __init__(self, url_map: WerkzeugMap, subdomain_matching: bool) -> None:
        # The walks follow `path.split("/")`, which begins with what is before the first
        # slash: nothing. So does the tree.
        self._root = _Node()
        self._static: dict[str, list[tuple[Collection[str], Rule, Any]]] = {}
        self.answers = not subdomain_matching and _is_plain_map(url_map)
        if self.answers:
            try:
                compiler = _Compiler(url_map)
            except _AskWerkzeug:
                self.answers = False
            else:
                self._root.static[""] = compiler.root
                self._static = compiler.static()

    def match(self, path: str, method: str) -> Found | None:
        """Return the rule and a new dict of its arguments; ``None``: ask Werkzeug.

        ``path`` is the decoded ``PATH_INFO`` (see :func:`decode_path`), ``method`` is in
        capitals. The answer holds for an HTTP request and for an adapter that is bound to
        the map's default subdomain, as Flask does unless it matches subdomains.

        >>> url_map = Map([Rule("/item/<int:id>", endpoint="item")])
        >>> Matcher(url_map, subdomain_matching=False).match("/item/7", "GET")
        (<Rule '/item/<id>' -> item>, {'id': 7})
        """
        # PERF: benchmarks/bench_routing.py. Literal text always goes first, so the whole
        #   path can be looked up as such before it is taken apart.
        rules = self._static.get(path)
        if rules is not None:
            for methods, rule, defaults in rules:
                if method in methods:
                    return rule, ({} if defaults is None else dict(defaults))
        # PERF: benchmarks/bench_routing.py. This walk makes the first choice at each node
        #   and no other, so where it arrives, the search below would arrive too.
        node = self._root
        raw: list[str] = []
        for segment in path.split("/"):
            follower = node.literal.get(segment)
            if follower is None:
                if not node.takes(segment):
                    break
                raw.append(segment)
                follower = node.follower
            node = follower
        else:
            for leaf in node.leaves:
                if leaf.methods is None or method in leaf.methods:
                    return leaf.found(raw)
        if "//" in path:
            # Werkzeug may merge slashes.
            return None
        try:
            return _search(self._root, path.split("/"), 0, [], method)
        except _AskWerkzeug:
            return None


def decode_path(path_info: str) -> str:
    """Decode ``PATH_INFO`` or ``SCRIPT_NAME`` of a WSGI environ, as Werkzeug does.

    What isn't valid UTF-8 becomes ``\ufffd``. Raises ``UnicodeEncodeError`` for text that
    no WSGI server could have made of bytes.

    >>> decode_path("/caf\u00c3\u00a9")
    '/caf\u00e9'
    """
    if path_info.isascii():
        return path_info
    return path_info.encode("latin-1").decode(errors="replace")


def host_is_plain(host: str) -> bool:
    """Tell whether a URL adapter can certainly be bound to this ``Host``.

    Werkzeug takes a host with characters that no host can have for an empty one, and
    binds to that. It refuses to bind, which is a 400, to a host one of whose labels is
    empty or too long for IDNA. Only where this is ``True`` may the adapter be made later,
    or never. ``False`` means: bind, and see.

    >>> host_is_plain("example.com:8000"), host_is_plain("a..b")
    (True, False)
    """
    return len(host) <= _LONGEST_LABEL and ".." not in host and not host.startswith(".")


def environ_is_plain(environ: WSGIEnvironment) -> bool:
    """Tell whether a matcher's answer holds for the request of this environ.

    It doesn't where the adapter might not be bound (see :func:`host_is_plain`) and where
    only WebSocket rules match: under the schemes ``ws`` and ``wss``, and with
    ``Upgrade: websocket``, for which any ``Upgrade`` is taken here.
    """
    return (
        environ["wsgi.url_scheme"] in ("http", "https")
        and "HTTP_UPGRADE" not in environ
        and host_is_plain(environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "."))
    )


class _AskWerkzeug(Exception):
    """What follows from here is for Werkzeug to decide."""


class _Variable(NamedTuple):
    """A converter, and the argument that it fills."""

    name: str
    regex: str
    weight: int
    takes_slashes: bool
    convert: Callable[[str], Any] | None


class _Leaf:
    """A rule, at the end of its parts."""

    __slots__ = ("arguments", "asks", "defaults", "lenient", "methods", "rule")

    def __init__(self, rule: Rule, variables: Iterable[_Variable], asks: bool) -> None:
        self.rule = rule
        self.methods: Collection[str] | None = rule.methods
        self.arguments = [(variable.name, variable.convert) for variable in variables]
        self.defaults = rule.defaults or None
        self.lenient = not rule.strict_slashes
        self.asks = asks

    def found(self, raw: Sequence[str]) -> Found | None:
        """Return the rule with its arguments, given what each converter took."""
        if self.asks:
            return None
        arguments: dict[str, Any] = {}
        try:
            for (name, convert), text in zip(self.arguments, raw, strict=True):
                arguments[name] = text if convert is None else convert(text)
        except (ValueError, TypeError):
            return None
        if self.defaults is not None:
            arguments.update(self.defaults)
        return self.rule, arguments


def _takes_nothing(segment: str) -> bool:
    """Stand in where no converter may be tried without a search."""
    return False


class _Node:
    """A place between two parts: where a path may go from here."""

    __slots__ = ("edges", "follower", "leaves", "literal", "opaque", "takes")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.edges: list[_Edge] = []
        self.leaves: list[_Leaf] = []
        # A rule goes on from here in a way that isn't understood.
        self.opaque = False
        # The one edge there is, if one converter takes a whole segment there.
        self.takes: Callable[[str], object] = _takes_nothing
        self.follower = self

    def leaf(self, method: str) -> _Leaf | None:
        """Return the first rule that ends here and takes the method."""
        for leaf in self.leaves:
            if leaf.methods is None or method in leaf.methods:
                return leaf
        return None

    def freeze(self) -> None:
        """Put the edges, here and below, in the order in which they are tried."""
        self.edges.sort(key=attrgetter("order"))
        if len(self.edges) == 1 and not self.opaque:
            edge = self.edges[0]
            if edge.takes_segment is not None:
                self.takes, self.follower = edge.takes_segment, edge.node
        for node in (*self.literal.values(), *(edge.node for edge in self.edges)):
            node.freeze()


class _Edge:
    """A part with converters in it, and the node behind it."""

    __slots__ = ("final", "fullmatch", "is_branch", "node", "order", "takes_segment")

    def __init__(self, tokens: Sequence[str | _Variable], regex: str, final: bool) -> None:
        texts = [t for token in tokens if isinstance(token, str) for t in token.split("/") if t]
        weights = [token.weight for token in tokens if not isinstance(token, str)]
        self.order = (-len(texts), [-len(text) for text in texts], -len(weights), weights)
        self.final = final
        self.is_branch = regex.endswith("/")
        self.fullmatch = re.compile(regex).fullmatch
        self.takes_segment: Callable[[str], object] | None = None
        if len(tokens) == 1 and not final:
            # PERF: benchmarks/bench_routing.py. The usual converters need no regex.
            self.takes_segment = _QUICK_CHECKS.get(regex, self.fullmatch)
        self.node = _Node()


_QUICK_CHECKS: dict[str, Callable[[str], object]] = {
    r"(\d+)": str.isdecimal,
    r"([^/]+)": bool,
    r"([^/]{1,})": bool,
}


def _search(
    node: _Node, segments: list[str], at: int, raw: list[str], method: str
) -> Found | None:
    """Search the tree depth first, from ``node``, for what is left of the path.

    Raises :exc:`_AskWerkzeug` where Werkzeug might redirect or see a rule of its own.
    """
    if at == len(segments):
        return _arrive(node, raw, method)
    segment = segments[at]
    follower = node.literal.get(segment)
    if follower is not None:
        found = _search(follower, segments, at + 1, raw, method)
        if found is not None:
            return found
    if node.opaque:
        raise _AskWerkzeug
    for edge in node.edges:
        if edge.final:
            found = _finish(edge, "/".join(segments[at:]), raw, method)
        else:
            match = edge.fullmatch(segment)
            if match is None:
                continue
            found = _search(edge.node, segments, at + 1, [*raw, *match.groups()], method)
        if found is not None:
            return found
    if not segment:
        # The slash at the end is one too many, which a lenient rule forgives.
        leaf = next((leaf for leaf in node.leaves if leaf.lenient and leaf.takes(method)), None)
        if leaf is not None:
            return _ask_or(leaf, raw)
    return None
