"""JSON by msgspec, where its bytes are those that Python's ``json`` gives.

What may differ between the two is never given to msgspec: floats, dates, subclasses, keys that
aren't text. No provider and no request is known here.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_ATOMS = frozenset({str, int, bool, type(None)})


#: How deep values may nest to be looked at; no interpreter stops what goes round in a circle where
#: this module is compiled.
_DEEPEST = 100


def is_plain(value: Any, depth: int = _DEEPEST) -> bool:
    """Tell whether ``value`` is made of builtin types alone that both serialise alike.

    ``False`` for what nests deeper than ``depth``, such as a circle.

    >>> is_plain({"a": [1, None, {"b": "text"}]}), is_plain({"a": 0.5}), is_plain({1: "a"})
    (True, False, False)
    """
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    if not depth:
        return False
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or (type(item) not in _ATOMS and not is_plain(item, depth - 1)):
                return False
        return True
    if kind is list:
        for item in value:  # noqa: SIM110 -- PERF: a generator takes twice as long
            if type(item) not in _ATOMS and not is_plain(item, depth - 1):
                return False
        return True
    return kind in _ATOMS


def quick_encoder(*, ensure_ascii: bool, sort_keys: bool) -> Callable[[Any, Any], bytes]:
    """Return a function of a provider and a value, that serialises as its ``dumps`` does.

    Compact, and in fewer steps where that comes to the same.

    PERF: half the time of Python's own for usual objects; benchmarks/bench_json.py.
    """
    # Imported when JSON is first needed: it takes longer than the rest of this folder.
    import msgspec.json

    encode_plain = msgspec.json.Encoder(order="sorted" if sort_keys else None).encode

    def encode(provider: Any, value: Any) -> bytes:
        try:
            if is_plain(value):
                data = encode_plain(value)
                # Python escapes all else, and DEL, which msgspec doesn't.
                # PERF: a number is looked for at once, bytes only after an error inside;
                #   benchmarks/bench_json.py.
                if not ensure_ascii or (data.isascii() and 0x7F not in data):
                    return data
        except (OverflowError, UnicodeError, RecursionError):
            # Numbers beyond 64 bits, half a surrogate pair, next to no stack left.
            pass
        text: str = provider.dumps(value, separators=(",", ":"))
        return text.encode()

    return encode


@cache
def quick_decoder() -> Callable[[bytes | str], Any]:
    """Return a parser whose results are those of ``json`` wherever it has one.

    It takes less: no NaN, no lone surrogates, no UTF-16.

    PERF: several times as quick as ``json.loads``; benchmarks/bench_post_json.py.
    """
    # Imported when JSON is first parsed, as above.
    import msgspec.json

    return msgspec.json.Decoder().decode
