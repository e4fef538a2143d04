"""The same programs by every framework's own means, one file for each framework.

A file maps the name of a program to the function that makes it: ``APPS = {"basic": basic, ...}``. A
program is written as that framework's documentation would have it, not as a benchmark would; where
a framework lacks a feature, it has no such program. What the programs answer is in ``answers.py``,
and is checked before anything is timed.

``basic``
    ``GET /`` text, ``GET /users/<int>`` JSON, ``POST /users`` JSON from JSON, ``POST /form``
    text from a form, ``GET /stream`` 1 MB in 64 pieces; any other path is a 404.
``text``
    The first of these alone (Brim and Flask): ``brim serve`` looks at what an application takes.
``upload``
    ``POST /upload``, a form with a file; in fact part of ``basic``, but for the raw callables.
``hooks``
    ``GET /area/hooked``, within five hooks before the view, five after it, and one at the end.
``hooks using g``
    The same path, within hooks that do what hooks are for.
``errors``
    ``GET /broken`` raises an exception for which a handler is registered.
``session``
    ``GET /login`` writes a session, ``GET /me`` reads it, ``GET /idle`` does not.
``static``
    ``GET /static/site.css``, a file of 2 KB.
``websocket``, ``sse``
    An echo at ``/echo``; a hundred events at ``/events``.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any

#: Where a framework's programs are, by its name in tables. The first is the limit.
WSGI_PEERS = {
    "raw callable": "raw_wsgi",
    "Brim": "brim_apps",
    "Falcon": "falcon_wsgi",
    "Bottle": "bottle_apps",
    "Django": "django_apps",
    "Flask": "flask_apps",
}
ASGI_PEERS = {
    "raw callable": "raw_asgi",
    "Brim": "brim_async",
    "Falcon": "falcon_asgi",
    "BlackSheep": "blacksheep_apps",
    "Starlette": "starlette_apps",
    "Litestar": "litestar_apps",
    "FastAPI": "fastapi_apps",
    "Sanic": "sanic_apps",
    "Quart": "quart_apps",
}

#: These can be started once in a process, and so are part of its first race alone: Sanic's first
#: start rewrites methods of its class, which a second one does not find.
ONCE = {"Sanic"}
_made: set[str] = set()

PEERS = {"WSGI": WSGI_PEERS, "ASGI": ASGI_PEERS}


def program(door: str, peer: str, name: str) -> Any:
    """Make one framework's program of that name; None if it has none."""
    makers: dict[str, Callable[[], Any]]
    makers = importlib.import_module(f"benchmarks.peers.{PEERS[door][peer]}").APPS
    return makers[name]() if name in makers else None


def programs(door: str, name: str) -> dict[str, Any]:
    """Make a program with every framework that has it: the frameworks' names, and the apps."""
    # One of the peers sets logging up so that all of them write to the terminal.
    logging.disable(logging.INFO)
    made = {}
    for peer in PEERS[door]:
        if peer in ONCE and peer in _made:
            continue
        if (app := program(door, peer, name)) is not None:
            made[peer] = app
            _made.add(peer)
    return made
