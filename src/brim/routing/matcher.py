"""The matcher: it looks a path up, or walks the tree, or searches it.

Only its answers leave this folder. What it can't answer it leaves alone: no redirect, no
error and no other adapter is made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .compiler import Compiler, is_plain_map
from .tree import AskWerkzeug, Node, search

if TYPE_CHECKING:
    from collections.abc import Collection

    from werkzeug.routing import Map as WerkzeugMap
    from werkzeug.routing import Rule

    from .tree import Found


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
        self._root = Node()
        self._static: dict[str, list[tuple[Collection[str], Rule, Any]]] = {}
        self.answers = False
        if not subdomain_matching and is_plain_map(url_map):
            try:
                compiler = Compiler(url_map)
            except AskWerkzeug:
                return
            self.answers = True
            self._root.literal[""] = compiler.root
            self._static = compiler.static()

    def match(self, path: str, method: str) -> Found | None:
        """Return the rule and a new dict of its arguments; ``None``: ask Werkzeug.

        ``path`` is the decoded ``PATH_INFO`` (see :func:`decode_path`), ``method`` is in
        capitals. The answer holds for an HTTP request and for an adapter that is bound to
        the map's default subdomain, as Flask does unless it matches subdomains.

        >>> from werkzeug.routing import Rule
        >>> from brim.routing import Map
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
            return search(self._root, path.split("/"), 0, [], method)
        except AskWerkzeug:
            return None
