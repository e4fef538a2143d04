"""The matcher: it looks a path up, or walks the tree, or searches it.

Only its answers leave this folder. What it can't answer it leaves alone: no redirect, no
error and no adapter is made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .compiler import Compiler, is_plain_map
from .tree import AskWerkzeug, Leaf, Node, search

if TYPE_CHECKING:
    from werkzeug.routing import Map as WerkzeugMap

    from .compiler import StaticRule, Tail
    from .tree import Found, Missed


class Matcher:
    """Matches paths against the rules that a map has now, without Werkzeug's detours.

    It doesn't follow the map: after a change (see :class:`Map`) make a new one. It reads the
    rules as it comes to them, so its first answers take longer than those that follow. Any
    number of threads may share it.

    ``answers`` is ``False`` where it could answer nothing at all: for hosts and subdomains,
    for maps that aren't Brim's, for rules of classes that redefine how they match.

    ``for_websockets``: it matches the handshakes of WebSockets, and no other requests. It
    knows of no misses then.
    """

    def __init__(
        self, url_map: WerkzeugMap, subdomain_matching: bool, for_websockets: bool = False
    ) -> None:
        # The walks follow `path.split("/")`, which begins with what is before the first
        # slash: nothing. So does the tree.
        self._root = Node()
        self._static: dict[str, list[StaticRule]] = {}
        self._tails: dict[str, Tail] = {}
        self._misses = False
        self.answers = False
        if not subdomain_matching and is_plain_map(url_map):
            try:
                compiler = Compiler(url_map, for_websockets)
            except AskWerkzeug:
                return
            self.answers = True
            self._misses = not (for_websockets or compiler.has_patterns)
            self._root.literal[""] = compiler.root
            self._static = compiler.static
            self._tails = compiler.tails

    def match(self, path: str, method: str) -> Found | Missed | None:
        """Return the rule and a new dict of its arguments; ``None``: ask Werkzeug.

        Where there is no rule, the answer is ``None`` and the methods that the path does
        take, sorted: with some it is a 405, with none a 404.

        ``path`` is the decoded ``PATH_INFO`` (see :func:`decode_path`), ``method`` is in
        capitals. The answer holds for an adapter that is bound to the map's default
        subdomain, as Flask does unless it matches subdomains.

        >>> from werkzeug.routing import Rule
        >>> from brim.routing import Map
        >>> url_map = Map([Rule("/item/<int:id>", endpoint="item", methods=["GET"])])
        >>> matcher = Matcher(url_map, subdomain_matching=False)
        >>> matcher.match("/item/7", "GET")
        (<Rule '/item/<id>' (GET, HEAD) -> item>, {'id': 7})
        >>> matcher.match("/item/7", "PUT")
        (None, ['GET', 'HEAD'])
        """
        # PERF: benchmarks/bench_routing.py. Literal text always goes first, so the whole
        #   path can be looked up as such before it is taken apart.
        static = self._static.get(path)
        if static is not None:
            for methods, rule, defaults in static:
                if method in methods:
                    return rule, {**defaults}
        # PERF: benchmarks/bench_routing.py. The same for what precedes the last segment.
        head, _, last = path.rpartition("/")
        tail = self._tails.get(head)
        if tail is not None:
            takes, literal, tail_rules = tail
            if takes(last) and last not in literal:
                for methods, rule, name, convert in tail_rules:
                    if method in methods:
                        try:
                            return rule, {name: last if convert is None else convert(last)}
                        except (ValueError, TypeError):
                            return None
        return self._walk(path, method)

    def _walk(self, path: str, method: str) -> Found | Missed | None:
        """Follow the tree, or else search it."""
        # PERF: benchmarks/bench_routing.py. This walk makes the first choice at each node
        #   and no other, so where it arrives, the search below would arrive too.
        node = self._root
        raw: list[str] = []
        segments = path.split("/")
        for segment in segments:
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
        return self._search(path, segments, method)

    def _search(self, path: str, segments: list[str], method: str) -> Found | Missed | None:
        """Try every way through the tree, in Werkzeug's order."""
        if not path.startswith("/") or "//" in path:
            # Werkzeug may add a slash or merge some.
            return None
        refused: list[Leaf] = []
        try:
            found = search(self._root, segments, 0, [], method, refused)
        except AskWerkzeug:
            return None
        if found is not None:
            return found
        if not self._misses or method != method.upper():
            return None
        allowed: set[str] = set()
        for leaf in refused:
            if leaf.rule.websocket:
                # It is an error of its own to ask for such a path by HTTP.
                return None
            allowed.update(leaf.methods or ())
        return None, sorted(allowed)
