"""The plain programs as a server loads them: ``benchmarks.served:wsgi_falcon``.

Each is made when it is asked for, so that a worker loads one framework and no other.
"""

from __future__ import annotations

from typing import Any

from .peers import PEERS, program


def __getattr__(name: str) -> Any:
    door, _, peer = name.partition("_")
    for known in PEERS.get(door.upper(), ()):
        if known.lower() == peer:
            return program(door.upper(), known, "basic")
    raise AttributeError(name)
