"""The programs with Brim, and sync views."""

from __future__ import annotations

import brim

from .flask_like import apps

APPS = apps(brim)
