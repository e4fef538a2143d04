"""How deep a JSON document nests, found without parsing it.

Parsers recurse, and a document from outside chooses how far. Here text is measured
before it is parsed; nothing here parses, and nothing here knows a request.
"""

from __future__ import annotations

import json
from itertools import accumulate

#: The deepest nesting that is taken from outside: that of the body of a request.
#:
#: CPython 3.11 parses and serialises up to about 990 levels, minus one for each frame
#: on the stack; 3.12 takes 1,500, but 990 for indented output; 3.13 takes 10,000. Half
#: of the least leaves a view some 480 frames, several times what a server, middleware
#: and a test runner use together, so that what was accepted can always be sent again.
MAX_DEPTH = 512

_KEPT = b'[]{}"'
_DROPPED = bytes(set(range(256)) - set(_KEPT))
# An opening bracket becomes 1, a closing one 255, which is -1 as a signed byte.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")


def nests_deeper_than(data: bytes | bytearray | str, limit: int) -> bool:
    """Tell whether arrays and objects nest deeper than ``limit`` in JSON text.

    The answer holds for all that a parser would read: malformed text may be answered
    either way where it is malformed, as it is refused there in any case. Takes time
    linear in the length of ``data``, and next to none for ordinary documents.

    >>> nests_deeper_than('{"a": [1, 2, "[[["]}', 2)
    False
    """
    # Each level takes a character at least.
    if len(data) <= limit:
        return False
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    else:
        encoding = json.detect_encoding(data)
        if not encoding.startswith("utf-8"):
            data = data.decode(encoding, "replace").encode("utf-8", "replace")
    if data.count(b"[") + data.count(b"{") <= limit:
        return False
    # PERF: one pass in C each, no step in Python; benchmarks/bench_post_json.py.
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = data.translate(_STEPS, _DROPPED)
    # Two quotes side by side are an empty string or the gap between two strings. What
    # is outside of strings stays outside without them.
    marks = marks.replace(b'""', b"")
    if b'"' in marks:
        marks = b"".join(marks.split(b'"')[::2])
    return max(accumulate(memoryview(marks).cast("b")), default=0) > limit


def check_depth(data: bytes | bytearray | str, limit: int = MAX_DEPTH) -> None:
    """Refuse JSON text that nests deeper than ``limit``.

    Raises :exc:`json.JSONDecodeError`, a ``ValueError``, that names the limit.
    """
    if nests_deeper_than(data, limit):
        raise json.JSONDecodeError(f"Arrays and objects nest deeper than {limit} levels", "", 0)
