"""Doors: each knows the bytes of one protocol and its servers, nothing of hooks.

A door makes a context from what the server hands in, has it answered by
:mod:`brim.dispatch`, and sends the response: start, teardown, body, close, in that order.
"""

from __future__ import annotations
