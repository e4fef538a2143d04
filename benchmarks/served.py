"""The plain programs as a server loads them: ``benchmarks.served:wsgi_falcon``.

``benchmarks.served:wsgi_brim_text`` is Brim's program ``text``. Each is made when it is asked for,
so that a worker loads one framework and no other.
"""

from __future__ import annotations

from typing import Any

from .peers import PEERS, program


def __getattr__(name: str) -> Any:
    door, _, rest = name.partition("_")
    peer, _, kind = rest.partition("_")
    for known in PEERS.get(door.upper(), ()):
        if known.lower() == peer:
            return program(door.upper(), known, kind or "basic")
    raise AttributeError(name)
