"""Runs the rows of a table of names: what is on the left and what is on the right.

A program rather than a test: it is started in a process where ``import flask`` means Brim, with
rows as JSON on its standard input, each a pair of lists of code. It prints what did not do as
the table says. Each piece of code finds an application, a request and some files.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import brim.as_flask  # noqa: F401  # isort: skip
import flask
from flask.json.provider import DefaultJSONProvider

#: What users' code has imported at its top.
IMPORTS = """\
import json, logging, os
from datetime import timedelta
from flask import Blueprint, Flask, g, request, send_file, send_from_directory
from werkzeug.security import generate_password_hash
"""


def set_up() -> None:
    """What an application does once."""


def run(code: str) -> Exception | None:
    """Run a piece of code within a request; return its error."""
    app = flask.Flask("shop", root_path=str(Path.cwd()))
    app.get("/")(lambda: "Hello")
    names: dict[str, Any] = {
        "app": app,
        "blueprint": flask.Blueprint("blueprint", "shop"),
        "client": app.test_client(),
        "Encoder": json.JSONEncoder,
        "flask": flask,
        "Provider": DefaultJSONProvider,
        "set_up": set_up,
    }
    exec(IMPORTS, names)
    with app.test_request_context():
        try:
            exec(code, names)
        except Exception as error:
            return error
    return None


def main() -> int:
    found = []
    for old, new, ignored in json.load(sys.stdin):
        for code in old:
            error = run(code)
            if ignored and error is not None:
                found.append(f"{code}: is not ignored, but raises {error!r}")
            # A NameError is a fault of this program: users' code has imported the name.
            elif not ignored and (error is None or isinstance(error, NameError)):
                found.append(f"{code}: does not fail as it should: {error!r}")
        for code in new:
            if (error := run(code)) is not None:
                found.append(f"{code}: {error!r}")
    sys.stdout.write("\n".join(found))
    return len(found)


if __name__ == "__main__":
    sys.exit(main())
