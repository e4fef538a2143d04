"""Have a suite's test clients knock on the ASGI door: a plugin for its pytest."""

from __future__ import annotations

import brim.as_flask  # noqa: F401 -- before anything imports Flask
from brim.testing import FlaskClient

FlaskClient.door = "asgi"
