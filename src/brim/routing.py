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
from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from werkzeug.routing import (
    AnyConverter,
    FloatConverter,
    IntegerConverter,
    PathConverter,
    Rule,
    RuleFactory,
    UnicodeConverter,
    UUIDConverter,
)
from werkzeug.routing import Map as WerkzeugMap

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from typing import Self, TypeAlias, TypeGuard

    from werkzeug.routing import BaseConverter

    from .typing import WSGIEnvironment

    Found: TypeAlias = tuple[Rule, dict[str, Any]]
    # A piece of a rule: text, a converter, or what isn't understood.
    _Token: TypeAlias = "str | _Variable | None"

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

_READ_ARGUMENT: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "bool": "True".__eq__,
}

# The walks go one call deeper at each segment; nobody's rules come near this.
_MOST_SEGMENTS = 100

# How long a label of a host name may be.
_LONGEST_LABEL = 63

_PLAIN_SUBDOMAIN = re.compile(r"[a-z0-9.-]*")


class Map(WerkzeugMap):
    """Werkzeug's ``Map``, which also tells when it has changed.

    ``version`` grows with each rule that is added and each public attribute that is set;
    the functions given to :meth:`watch` are called then. The rest is Werkzeug's.
    """

    version: int
    #: The rules in the order in which they were added, which ``iter_rules`` doesn't keep.
    added: list[Rule]
    _watchers: tuple[Callable[[], object], ...]
    _converters: dict[str, type[BaseConverter] | None]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make what Werkzeug's ``__init__`` needs already, because it adds rules."""
        self = super().__new__(cls)
        self.__dict__.update(version=0, added=[], _watchers=(), _converters={})
        return self

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
            super().add(_Recorder(rulefactory, self.added))
        finally:
            # A factory that fails half-way has added its first rules.
            self._note_change()

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if not name.startswith("_"):
            self._note_change()

    def _note_change(self) -> None:
        self.__dict__["version"] += 1
        for changed in self._watchers:
            changed()

    def _note_converters(self) -> None:
        """Note which class each converter's name stands for, before a rule is added."""
        for name, kind in self.converters.items():
            if self._converters.setdefault(name, kind) is not kind:
                self._converters[name] = None

    def converter(self, name: str) -> type[BaseConverter] | None:
        """Return the class that a converter's name stood for in every rule, if one did.

        A rule keeps the converters that it was added with, while their names can be given
        to other classes later.
        """
        return self._converters.get(name)


class _Recorder(RuleFactory):
    """Hands a factory's rules on to a map, and lists those that the map has taken."""

    def __init__(self, factory: RuleFactory, taken: list[Rule]) -> None:
        self.factory = factory
        self.taken = taken

    def get_rules(self, map: WerkzeugMap) -> Iterator[Rule]:
        for rule in self.factory.get_rules(map):
            yield rule
            # Not reached for a rule that the map refuses.
            self.taken.append(rule)


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
        self.answers = False
        if not subdomain_matching and _is_plain_map(url_map):
            try:
                compiler = _Compiler(url_map)
            except _AskWerkzeug:
                return
            else:
                self.answers = True
                self._root.literal[""] = compiler.root
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
        return self._search(path, method)

    def _search(self, path: str, method: str) -> Found | None:
        """Try every way through the tree, in Werkzeug's order."""
        if not path.startswith("/") or "//" in path:
            # Werkzeug may add a slash or merge some.
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
        """Return the same, or raise :exc:`_AskWerkzeug`: the search ends here anyway."""
        found = self.found(raw)
        if found is None:
            raise _AskWerkzeug
        return found


def _takes_nothing(segment: str) -> bool:
    """Stand in at nodes where the first choice isn't plain to see."""
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
        # Set where there is one edge only, and on it one converter for a whole segment.
        self.takes: Callable[[str], object] = _takes_nothing
        self.follower = self

    def leaf(self, method: str) -> _Leaf | None:
        """Return the first rule that ends here and takes the method."""
        for leaf in self.leaves:
            if leaf.methods is None or method in leaf.methods:
                return leaf
        return None

    def freeze(self) -> None:
        """Put the edges, here and below, into the order in which they are tried."""
        self.edges.sort(key=attrgetter("order"))
        if len(self.edges) == 1 and not self.opaque:
            edge = self.edges[0]
            if edge.takes is not None:
                self.takes, self.follower = edge.takes, edge.node
        for node in (*self.literal.values(), *(edge.node for edge in self.edges)):
            node.freeze()


# PERF: benchmarks/bench_routing.py. The commonest converters need no regex.
_QUICK_CHECKS: dict[str, Callable[[str], object]] = {
    r"(\d+)": str.isdecimal,
    r"([^/]+)": bool,
    r"([^/]{1,})": bool,
}


class _Edge:
    """A part with converters in it, and the node behind it."""

    __slots__ = ("final", "fullmatch", "node", "order", "regex", "takes")

    def __init__(self, tokens: Sequence[str | _Variable], regex: str, final: bool) -> None:
        texts = [t for token in tokens if isinstance(token, str) for t in token.split("/") if t]
        weights = [token.weight for token in tokens if not isinstance(token, str)]
        self.order = (-len(texts), [-len(text) for text in texts], -len(weights), weights)
        self.final = final
        self.regex = regex
        self.fullmatch = re.compile(regex).fullmatch
        self.takes: Callable[[str], object] | None = None
        if len(tokens) == 1 and not final:
            self.takes = _QUICK_CHECKS.get(regex, self.fullmatch)
        self.node = _Node()


def _search(node: _Node, segments: list[str], at: int, raw: list[str], method: str) -> Found | None:
    """Search the tree below ``node``, depth first, for what is left of the path.

    Raises :exc:`_AskWerkzeug` where Werkzeug might redirect, refuse, or see a rule that
    isn't understood here.
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
        found = _follow(edge, segments, at, raw, method)
        if found is not None:
            return found
    if not segment:
        # The path has a slash at its end which no rule has; a lenient one forgives it.
        leaf = node.leaf(method)
        if leaf is not None and leaf.lenient:
            return leaf.found_or_ask(raw)
    return None


def _follow(edge: _Edge, segments: list[str], at: int, raw: list[str], method: str) -> Found | None:
    """Search behind an edge, if it takes the next segment."""
    if edge.final:
        return _finish(edge, "/".join(segments[at:]), raw, method)
    match = edge.fullmatch(segments[at])
    if match is None:
        return None
    return _search(edge.node, segments, at + 1, [*raw, *match.groups()], method)


def _arrive(node: _Node, raw: list[str], method: str) -> Found | None:
    """Look for a rule where the path ends at a node."""
    leaf = node.leaf(method)
    if leaf is not None:
        return leaf.found_or_ask(raw)
    branch = node.literal.get("")
    leaf = None if branch is None else branch.leaf(method)
    if leaf is not None:
        if not leaf.lenient:
            # A redirect to the path with a slash.
            raise _AskWerkzeug
        return leaf.found_or_ask(raw)
    if node.opaque:
        raise _AskWerkzeug
    return None


def _finish(edge: _Edge, rest: str, raw: list[str], method: str) -> Found | None:
    """Look for a rule on an edge that takes the rest of the path, slashes and all."""
    leaf = edge.node.leaf(method)
    if leaf is None:
        return None
    if "\n" in rest or (leaf.lenient and rest.endswith("/")):
        raise _AskWerkzeug
    match = edge.fullmatch(rest)
    if match is not None:
        return leaf.found_or_ask([*raw, *match.groups()])
    if edge.fullmatch(rest + "/"):
        # A redirect to the path with a slash.
        raise _AskWerkzeug
    return None


class _Compiler:
    """Makes the tree, of the rules that a map has now."""

    def __init__(self, url_map: Map) -> None:
        self.root = _Node()
        self.map = url_map
        self.variables: dict[tuple[str, str], _Variable | None] = {}
        self.edges: dict[tuple[_Node, str, bool], _Edge] = {}
        self.subdomain = url_map.default_subdomain or ""
        if not _PLAIN_SUBDOMAIN.fullmatch(self.subdomain):
            raise _AskWerkzeug
        rules = list(url_map.added)
        for kind in {type(rule) for rule in rules}:
            if _redefines(kind, Rule):
                # Its rules might match anything.
                raise _AskWerkzeug
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
        subdomain = rule.subdomain or ""
        elsewhere = subdomain != self.subdomain
        if rule.build_only or rule.websocket:
            return
        if elsewhere and _PLAIN_SUBDOMAIN.fullmatch(subdomain):
            return
        segments = self.segments(rule.rule)
        node = self.root
        variables: list[_Variable] = []
        for at, tokens in enumerate(segments):
            texts = [token for token in tokens if isinstance(token, str)]
            if len(texts) == len(tokens):
                node = node.literal.setdefault("".join(texts), _Node())
                continue
            final = any(isinstance(token, _Variable) and token.takes_slashes for token in tokens)
            if final:
                rest = [token for segment in segments[at + 1 :] for token in ("/", *segment)]
                tokens = [*tokens, *rest]
            known = [token for token in tokens if token is not None]
            if len(known) < len(tokens):
                node.opaque = True
                return
            variables += (token for token in known if isinstance(token, _Variable))
            node = self.follow(node, known, final)
            if final:
                break
        node.leaves.append(_Leaf(rule, variables, elsewhere or self.asks(rule, variables)))

    def asks(self, rule: Rule, variables: Iterable[_Variable]) -> bool:
        """Tell whether Werkzeug might do more with a rule than return it."""
        others_with_defaults = self.with_defaults[rule.endpoint] - bool(rule.defaults)
        arguments = {variable.name for variable in variables} | set(rule.defaults or ())
        return (
            rule.alias
            or rule.redirect_to is not None
            or others_with_defaults > 0
            or arguments != rule.arguments
        )

    def follow(self, node: _Node, tokens: list[str | _Variable], final: bool) -> _Node:
        """Return the node behind a part with converters; equal parts share one."""
        regex = "".join(
            re.escape(token) if isinstance(token, str) else f"({token.regex})" for token in tokens
        )
        key = (node, regex, final)
        edge = self.edges.get(key)
        if edge is None:
            edge = self.edges[key] = _Edge(tokens, regex, final)
            node.edges.append(edge)
        return edge.node

    def segments(self, rule: str) -> list[list[_Token]]:
        """Take the text of a rule apart, at its slashes and around its converters.

        ``None`` stands for what isn't understood. ``/a/<int:b>.c`` has two segments: the
        second is a variable and the text ``.c``.
        """
        if not rule.startswith("/") or "//" in rule or rule.count("/") > _MOST_SEGMENTS:
            raise _AskWerkzeug
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

    def variable(self, match: re.Match[str]) -> _Variable | None:
        """Return the variable of a rule, unless its converter isn't fully known."""
        key = (match["converter"] or "default", match["arguments"] or "")
        if key not in self.variables:
            self.variables[key] = self.new_variable(*key)
        variable = self.variables[key]
        return None if variable is None else variable._replace(name=match["name"])

    def new_variable(self, name: str, arguments: str) -> _Variable | None:
        """Make a converter, and a variable of it that has no name yet."""
        kind = self.map.converter(name)
        if kind is None or kind not in _KNOWN_CONVERTERS:
            return None
        try:
            values, named = _parse_arguments(arguments)
            converter = kind(self.map, *values, **named)
        except (_AskWerkzeug, TypeError, ValueError):
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
        return _Variable(
            "", converter.regex, converter.weight, not converter.part_isolating, convert
        )


def _parse_arguments(source: str) -> tuple[list[Any], dict[str, Any]]:
    """Read what the text of a rule passes to a converter.

    Raises :exc:`_AskWerkzeug` for anything but the plainest values.

    >>> _parse_arguments("2, max=50, signed=True")
    ([2], {'max': 50, 'signed': True})
    """
    values: list[Any] = []
    named: dict[str, Any] = {}
    at = 0
    while at < len(source):
        match = _ARGUMENT.match(source, at)
        if match is None:
            raise _AskWerkzeug
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


def _is_plain_map(url_map: WerkzeugMap) -> TypeGuard[Map]:
    """Tell whether a map is one of Brim's, matches no hosts, and has not been altered."""
    if not isinstance(url_map, Map) or url_map.host_matching or _redefines(type(url_map), Map):
        return False
    return not any(callable(getattr(Map, name, None)) for name in vars(url_map))
