"""Clients that knock on an application's doors without a server.

For users' tests; nothing that serves needs it.
"""

from __future__ import annotations

from .builder import EnvironBuilder
from .client import FlaskClient
from .runner import FlaskCliRunner

__all__ = ["EnvironBuilder", "FlaskCliRunner", "FlaskClient"]
