"""The development server: Werkzeug's, with a reloader and a debugger, around a door.

Both ways to start it live here: ``app.run()`` calls :func:`run`, the ``run`` command
:func:`serve`. What the application does with a request is not known in this folder.

- ``supervisor``: keeps the port, watches files, has a worker serve
- ``worker``: loads the application and serves it; ``line`` connects the two
- ``watching``, ``own``: which files changed, which of them are the application's
- ``debugger``, ``failed``: what is shown of an error, and to whom
- ``banner``: what is printed at the start

Werkzeug's server is imported when it is started, as no other program needs it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from ..discovery import AppImportError, NoAppException
from ..dotenv import load_dotenv as read_dotenv
from ..helpers import get_debug_flag, get_load_dotenv
from . import supervisor, worker
from .banner import Start, show_server_banner, show_start
from .failed import FailedApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import Flask, WSGIApplication

__all__ = ["DEFAULT_HOST", "DEFAULT_PORT", "FailedApp", "run", "serve", "show_server_banner"]

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
    hint = "app.run(debug=True) turns it on"
    start = Start(app.name, host, int(port), app.debug, hint=hint)
    try:
        _start(lambda: app, start, options, script=True)
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
    start = Start(name, host, port, debug)
    _start(load_app, start, {"use_reloader": use_reloader, **options}, script=False)


def _start(
    load_app: Callable[[], WSGIApplication], start: Start, options: dict[str, Any], script: bool
) -> None:
    """Serve as a worker, start a supervisor, or have Werkzeug do either."""
    if (this := worker.current()) is not None:
        this.serve(load_app, start, options)
        return
    if options.get("use_reloader") and (argv := supervisor.command()) is not None:
        if supervisor.can_supervise(start.host):
            flag = "app.run(port={port})" if script else "--port {port}"
            supervisor.supervise(argv, start, options, stand_by=not script, flag=flag)
    _serve_simply(load_app, start, options)


_WERKZEUGS = "Werkzeug's, once a second" + (
    " (at once with: pip install watchfiles)" if os.name == "posix" else ""
)


def _serve_simply(
    load_app: Callable[[], WSGIApplication], start: Start, options: dict[str, Any]
) -> None:
    """Serve with ``run_simple``, which has a reloader of its own."""
    from werkzeug import serving  # see the top of the file

    use_reloader = options.get("use_reloader")
    restarted = serving.is_running_from_reloader()
    app: WSGIApplication | None = None
    error: Exception | None = None
    try:
        app = load_app()
    except Exception as caught:
        absent = isinstance(caught, NoAppException) and not isinstance(caught, AppImportError)
        if not use_reloader or (absent and not restarted):
            raise
        error = caught
    served = worker.wrap(app, error, start, options)
    if not restarted:
        start.reloader = _WERKZEUGS if use_reloader else ""
        show_start(start, app, start.problems(app))
    elif isinstance(served, FailedApp):
        # The first process only watches; the second one meets the same error and shows it.
        click.echo(served.report, err=True, nl=False)
    serves = restarted or not use_reloader
    if serves:
        _let_sigterm_end()
        worker.begin_serving(app, options)
    try:
        serving.run_simple(start.host, start.port, served, use_debugger=False, **options)
    finally:
        if serves:
            worker.end_serving(app)


def _let_sigterm_end() -> None:
    """Have SIGTERM end this process as Ctrl-C does, unless somebody sees to it already."""
    if threading.current_thread() is threading.main_thread():
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


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
