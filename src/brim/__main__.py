"""``python -m brim``: the ``brim`` command. Nothing else lives here."""

from __future__ import annotations

from .cli import main

main()
