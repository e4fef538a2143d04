"""The matcher: the quick way from a path and a method to a rule and its arguments.

Law of this file: Werkzeug decides, the matcher may only be faster. ``Matcher.match``
returns what Werkzeug's ``MapAdapter.match`` would return, or which methods the path takes
where that would say 404 or 405, or ``None``, which means "ask Werkzeug". It never raises or
redirects. Whatever isn't fully understood here, be it one option of a rule or one argument
of a converter, is answered ``None``, and so is every path on which it might have a claim.

What is relied on, all of it held by the property tests in tests/test_routing.py:

- A rule is a row of parts, one for each segment between slashes. A converter that takes
  slashes (``path``) makes one part of everything from its segment to the rule's end.
- Parts are tried depth first. Literal text comes before converters. Among converters:
  more pieces of literal text first, then longer ones, then more converters, then lower
  weights; what is still equal keeps the order in which it was added.
- Rules with equal parts are tried in the order in which they were added. One that doesn't
  take the method is passed over.
- Values are converted once the rule has been found. A refusal then ends the search.
- A path that no rule takes, slash added or left out, is a 404; a 405 if there are rules that
  don't take its method. Rules for WebSockets and for other hosts may have more to say.

Nothing of the request but its path, method and host is read here; no context, no proxies.
"""

from __future__ import annotations

from .building import Builder, plain_root
from .environ import (
    decode_path,
    host_is_plain,
    plain_path,
    plain_path_of_handshake,
    plain_path_of_scope,
)
from .map import Map
from .matcher import Matcher

__all__ = [
    "Builder",
    "Map",
    "Matcher",
    "decode_path",
    "host_is_plain",
    "plain_path",
    "plain_path_of_handshake",
    "plain_path_of_scope",
    "plain_root",
]
