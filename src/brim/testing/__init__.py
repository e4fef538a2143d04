"""Clients that knock on an application's doors without a server.

For users' tests; nothing that serves needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .builder import EnvironBuilder
from .client import FlaskClient
from .runner import FlaskCliRunner
from .websocket import AsyncClientWebsocket, ClientWebsocket, WebsocketClosed, WebsocketRejected

if TYPE_CHECKING:
    from .async_client import AsyncFlaskClient


def __getattr__(name: str) -> object:
    # It brings in asyncio, which most tests don't need.
    if name == "AsyncFlaskClient":
        from .async_client import AsyncFlaskClient

        return AsyncFlaskClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AsyncFlaskClient",
    "AsyncClientWebsocket",
    "EnvironBuilder",
    "FlaskCliRunner",
    "FlaskClient",
    "ClientWebsocket",
    "WebsocketClosed",
    "WebsocketRejected",
]
