"""Clients that knock on an application's doors without a server.

For users' tests; nothing that serves needs it.
"""

from __future__ import annotations

from .async_client import AsyncFlaskClient, Stream
from .builder import EnvironBuilder
from .client import FlaskClient
from .runner import FlaskCliRunner
from .websocket import AsyncClientWebsocket, ClientWebsocket, WebsocketRejected

__all__ = [
    "AsyncFlaskClient",
    "AsyncClientWebsocket",
    "EnvironBuilder",
    "FlaskCliRunner",
    "FlaskClient",
    "Stream",
    "ClientWebsocket",
    "WebsocketRejected",
]
