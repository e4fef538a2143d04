"""What the server says when it starts, and when it can't.

The first two lines are Flask's in form, which people and programs look for; what follows
them is a table of at most a few lines, and what is wrong with the configuration.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ..checks import problems
from .own import own_modules

if TYPE_CHECKING:
    from ..checks import Problem
    from ..typing import WSGIApplication


@dataclass
class Start:
    """What is known of a server before its application is loaded."""

    name: str | None
    host: str
    port: int
    debug: bool
    #: Which reloader watches, in a few words; empty for none.
    reloader: str = ""
    #: What the debugger asks for, and whom it answers; empty for none.
    debugger: str = ""
    #: How to turn debug mode on.
    hint: str = "--debug turns it on"

    def problems(self, app: WSGIApplication | None) -> list[Problem]:
        """Return what is wrong with an application's configuration; nothing of one absent."""
        # An application is known by its settings, as in discovery: `serve` takes any WSGI.
        if app is None or not hasattr(app, "config"):
            return []
        return problems(app, host=self.host, port=self.port)  # type: ignore[arg-type]


def show_server_banner(debug: bool, app_import_path: str | None) -> None:
    """Print which application is served, and whether in debug mode.

    Once: the process that the reloader starts prints nothing.
    """
    from werkzeug.serving import is_running_from_reloader  # no other program needs it

    if is_running_from_reloader():
        return
    show_name(debug, app_import_path)


def show_name(debug: bool, name: str | None, hint: str = "") -> None:
    if name is not None:
        click.echo(f" * Serving Brim app {name!r}")
    click.echo(f" * Debug mode: {'on' if debug else 'off'}{hint and f' ({hint})'}")


def show_start(start: Start, app: WSGIApplication | None, found: list[Problem]) -> None:
    """Print everything there is to say before the address."""
    show_name(
        start.debug,
        start.name or getattr(app, "name", None),
        "" if start.debug else start.hint,
    )
    rows: list[tuple[str, str]] = []
    if file := _file_of(app):
        rows.append(("App", file))
    if start.reloader:
        rows.append(("Reloader", start.reloader))
    if start.debugger:
        rows.append(("Debugger", start.debugger))
    for name, text in rows:
        click.echo(f"   {name:<10}{text}")
    show_problems([str(problem) for problem in found])
    # Werkzeug's lines follow on stderr.
    sys.stdout.flush()


def show_problems(found: list[str]) -> None:
    """Print what is wrong with the configuration, a paragraph for each problem."""
    for problem in found:
        click.secho(f"   {'Check':<10}{problem}", fg="yellow")


def watched(extra: int = 0) -> str:
    """Say in a few words what the reloader watches."""
    count = len({*own_modules().values()})
    files = f"{count} file{'s' if count != 1 else ''} of the app" if count else "the app's files"
    return f"watchfiles: {files}, .env" + (f", {extra} more" if extra else "")


def short_path(file: str) -> str:
    """Return a path as seen from the working directory, where it lies below that."""
    below = os.path.join(os.path.realpath(os.getcwd()), "")
    return file.removeprefix(below)


def _file_of(app: WSGIApplication | None) -> str | None:
    module = sys.modules.get(getattr(app, "import_name", ""))
    file = getattr(module, "__file__", None)
    return short_path(os.path.realpath(file)) if file else None


def port_taken(host: str, port: int, flag: str) -> str:
    """Say that a port is in use, and what to do."""
    other = port + 1 if port < 65535 else port - 1
    text = (
        f"Port {port} is in use by another program. Stop that one, or take another port:"
        f" {flag.format(port=other)}."
    )
    if sys.platform == "darwin" and port == 5000:
        text += (
            " On macOS that may be the AirPlay Receiver; System Settings, General, AirDrop &"
            " Handoff turns it off."
        )
    return text
