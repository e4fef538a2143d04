"""What `brim --app journal sample` fills an empty journal with."""

from __future__ import annotations
