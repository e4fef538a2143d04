"""Doors: each knows the bytes of one protocol and its servers, nothing of hooks.

A door makes a context from what the server hands in, has it answered by
:mod:`brim.dispatch`, and sends the response: start, teardown, body, close, in that order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..typing import Flask


def _load_asgi(app: Flask, *connection: Any) -> Coroutine[Any, Any, None]:
    """Load the ASGI door, which brings in asyncio, and leave this and all the rest to it."""
    global serve_asgi
    from .asgi import serve  # noqa: PLC0415 -- WSGI needs no asyncio

    serve_asgi = serve
    return serve(app, *connection)


#: Answers one scope: ``await serve_asgi(app, scope, receive, send)``.
serve_asgi: Callable[..., Coroutine[Any, Any, None]] = _load_asgi
