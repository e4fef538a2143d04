"""The programs with Flask."""

from __future__ import annotations

import flask

from .flask_like import apps

APPS = apps(flask)
