"""The development server: Werkzeug's, with its reloader and its debugger, around a door.

Both ways to start it live here: ``app.run()`` calls :func:`run`, the ``run`` command
:func:`serve`. What the application does with a request is not known here. Werkzeug's
server is imported when it is started, as no other program needs it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from .discovery import AppImportError, NoAppException, format_user_error, user_traceback
from .dotenv import load_dotenv as read_dotenv
from .helpers import get_debug_flag, get_load_dotenv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .typing import Flask, StartResponse, WSGIApplication, WSGIEnvironment

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5000


def run(
    app: Flask,
    host: str | None = None,
    port: int | None = None,
    debug: bool | None = None,
    load_dotenv: bool = True,
    **options: Any,
) -> None:
    """Serve an application until it is stopped; this is ``app.run()``.

    ``host`` and ``port`` are by default those of ``SERVER_NAME``, or else 127.0.0.1 and
    5000. ``debug`` sets debug mode; with ``load_dotenv``, ``.env`` files are read first,
    and where ``debug`` is not given, the environment's ``FLASK_DEBUG`` decides. Debug mode
    turns on ``use_reloader`` and ``use_debugger``; these and all other ``options`` are
    those of ``werkzeug.serving.run_simple``.

    Does nothing within the ``brim`` command, which would never return from it.
    """
    from werkzeug import serving  # see the top of the file

    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
        if not serving.is_running_from_reloader():
            click.secho(
                " * Skipped a call of 'app.run()': the command that is running imports this"
                " module, and would wait for the server.\n"
                "   Put the call below 'if __name__ == \"__main__\":'.",
                fg="red",
                err=True,
            )
        return

    if get_load_dotenv(load_dotenv):
        read_dotenv()
        if "FLASK_DEBUG" in os.environ or "BRIM_DEBUG" in os.environ:
            app.debug = get_debug_flag()
    if debug is not None:
        app.debug = bool(debug)

    named_host, named_port = _split_server_name(app.config.get("SERVER_NAME"))
    host = host or named_host or DEFAULT_HOST
    if port is None:
        port = DEFAULT_PORT if named_port is None else named_port
    options.setdefault("use_reloader", app.debug)
    options.setdefault("use_debugger", app.debug)
    options.setdefault("threaded", True)
    show_server_banner(app.debug, app.name)
    try:
        serving.run_simple(host, int(port), app, **options)
    finally:
        # A server that was stopped can be set up further and started again, as happens in
        # interactive sessions.
        app._got_first_request = False  # pyright: ignore[reportPrivateUsage]


def serve(
    load_app: Callable[[], WSGIApplication],
    name: str | None,
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    debug: bool = False,
    use_reloader: bool = False,
    **options: Any,
) -> None:
    """Load an application and serve it until it is stopped; this is ``brim run``.

    ``name`` is what to call it; by default the application's own name. Other options are
    those of ``werkzeug.serving.run_simple``.

    Without the reloader, an error of ``load_app`` is passed on. With it, an error in the
    user's code is shown and the server starts nevertheless: it answers with the error, and
    loads again once a file has changed. That there is no application to load is passed on
    at the start, and waited out once the server had started.
    """
    from werkzeug import serving  # see the top of the file

    app: WSGIApplication
    try:
        app = load_app()
    except Exception as error:
        restarted = serving.is_running_from_reloader()
        absent = isinstance(error, NoAppException) and not isinstance(error, AppImportError)
        if not use_reloader or (absent and not restarted):
            raise
        app = FailedApp(error)
        # The first process only watches; the second one meets the same error and shows it.
        if restarted:
            click.echo(app.report, err=True, nl=False)

    # By its own name where none was given, as app.py was found without one.
    show_server_banner(debug, name or getattr(app, "name", None))
    serving.run_simple(host, port, app, use_reloader=use_reloader, **options)


class FailedApp:
    """Stands in for an application that couldn't be loaded: each request raises the error.

    Werkzeug's debugger shows it in the browser; without the debugger, the answer is 500.
    """

    def __init__(self, error: Exception) -> None:
        if isinstance(error, AppImportError):
            error = error.error
        self.error = error
        self.traceback = user_traceback(error)
        #: What there is to say about it in the terminal.
        self.report = (
            f"Error: {error.format_message()}\n"
            if isinstance(error, NoAppException)
            else format_user_error(error)
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # The debugger leaves out frames with this name.
        __traceback_hide__ = True  # noqa: F841  # pyright: ignore[reportUnusedVariable]
        # Each raise adds frames to the exception, so it starts from the same ones each time.
        raise self.error.with_traceback(self.traceback)


def show_server_banner(debug: bool, app_import_path: str | None) -> None:
    """Print which application is served, and whether in debug mode.

    Once: the process that the reloader starts prints nothing.
    """
    from werkzeug.serving import is_running_from_reloader  # see the top of the file

    if is_running_from_reloader():
        return
    if app_import_path is not None:
        click.echo(f" * Serving Brim app {app_import_path!r}")
    click.echo(f" * Debug mode: {'on' if debug else 'off'}")


def _split_server_name(server_name: str | None) -> tuple[str | None, int | None]:
    """Take ``host:port`` apart, either of which may be missing."""
    if not server_name:
        return None, None
    parts = urlsplit(f"//{server_name}")
    try:
        return parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(
            f"The setting SERVER_NAME is {server_name!r}, of which no host and port can be"
            f" made: {error}. Write 'host' or 'host:port', or give both to 'run()'."
        ) from None
