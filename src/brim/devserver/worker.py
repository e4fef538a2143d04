"""The worker: the process that loads the application and serves it, until it is replaced.

It has the listening socket from its supervisor, answers whether a changed file concerns
it, and ends with its supervisor. A worker that stands by has imported what was installed
and loads the application when it is told to.
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from ..discovery import AppImportError, NoAppException
from .banner import Start, show_start, watched
from .debugger import LocalDebugger, Visitors
from .failed import FailedApp
from .line import Line, Post
from .own import installed_modules, may_mend, own_modules, roots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

    from werkzeug.serving import BaseWSGIServer

    from ..typing import WSGIApplication

#: Packages that replace parts of others: what is imported before they have done so goes wrong.
PATCHING = frozenset({"gevent", "eventlet", "ddtrace", "newrelic", "pysqlite3"})
#: What may be left of a worker that was told to end, in seconds.
LAST_CALL = 1.0
#: What requests have left that are being answered when it is replaced, in seconds.
FINISHING = 0.1
#: What functions have that run after the last request, in seconds.
ENDING_LIFE = 5.0
#: How often, in seconds, the server looks whether it is to end.
POLL = 0.02


def current() -> Worker | None:
    """Return this process's worker, once; ``None`` if a supervisor didn't start it."""
    post = Post.from_environment()
    return Worker(post) if post else None


class Worker:
    """Serves one application on the supervisor's socket."""

    def __init__(self, post: Post) -> None:
        self.role = post.role
        self.listener = post.listener
        self.line = Line(socket.socket(fileno=post.line))
        self.failed = False
        self.server: BaseWSGIServer | None = None

    def serve(
        self,
        load_app: Callable[[], WSGIApplication],
        start: Start,
        options: dict[str, Any],
    ) -> None:
        """Load the application and serve it until this process is told to end.

        That there is no application at all is passed on at the very first start; any
        other error is served in its place.
        """
        signal.signal(signal.SIGTERM, self._end)
        try:
            if self.role == "standby":
                self._stand_by()
            # Ctrl-C has waited since the supervisor started this process.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            threading.Thread(target=self._listen, daemon=True).start()
            self._serve(load_app, start, options)
        except KeyboardInterrupt:
            # While the application is loaded. The supervisor has Ctrl-C, too.
            sys.exit(0)

    # Standing by ----------------------------------------------------------------------

    def _stand_by(self) -> None:
        """Import what the last worker had of installed modules, and wait for the word.

        A program that has the application loaded before it comes here can't stand by,
        as it would serve what the files held before the change.
        """
        self._end_if_unfit()
        message = self.line.receive()
        if message and "preload" in message:
            preload(message["preload"])
            # An installed module may import one of the application's.
            self._end_if_unfit()
            message = self.line.receive()
        if message is None:
            sys.exit(0)

    def _end_if_unfit(self) -> None:
        if own_modules():
            self.line.send(unfit=True)
            sys.exit(0)

    # Serving --------------------------------------------------------------------------

    def _serve(
        self,
        load_app: Callable[[], WSGIApplication],
        start: Start,
        options: dict[str, Any],
    ) -> None:
        # Not needed to supervise.
        from werkzeug import serving

        environment = dict(os.environ)
        error: BaseException | None = None
        app: WSGIApplication | None = None
        try:
            app = load_app()
        except (Exception, SystemExit) as caught:
            absent = isinstance(caught, NoAppException) and not isinstance(caught, AppImportError)
            if absent and self.role == "first":
                raise
            error = caught
        served = wrap(app, error, start, options)
        self.failed = error is not None
        server = serving.make_server(
            start.host, start.port, served, fd=self.listener, **server_options(options)
        )
        start.port = server.port
        begin_serving(app, options)
        problems = start.problems(app)
        if self.role == "first":
            start.reloader = watched(len(options.get("extra_files") or ()))
            show_start(start, app, problems)
        if isinstance(served, FailedApp):
            click.echo(served.report, err=True, nl=False)
        modules = own_modules()
        self.line.send(
            loaded=True,
            failed=self.failed,
            files=sorted({*modules.values(), *wanted(error)}),
            roots=sorted(roots(modules) | _search_folders()),
            # What an application sets at its start, modules may read when they are imported.
            installed=installed_modules() if environment == dict(os.environ) else [],
            problems=[str(problem) for problem in problems],
        )
        if self.role == "first":
            server.log_startup()
            click.secho("Press CTRL+C to quit", fg="yellow", err=True)
        try:
            self.server = server
            server.serve_forever(poll_interval=POLL)
        finally:
            if isinstance(served, FailedApp):
                served.end()
            finish_answers()
            if (seconds := time_to_end(app)) > 0:
                self.line.send(ending=seconds)
            end_serving(app)
            self.line.send(stopped=True)

    def _end(self, number: int, frame: FrameType | None) -> None:
        """End, as a handler of SIGTERM: at once, or between two requests.

        An exception from here could come just as a request is handed to its thread, and cut
        it off.
        """
        if self.server is not None:
            # It waits for serve_forever, which is below this very frame.
            threading.Thread(target=self.server.shutdown, daemon=True).start()
            return
        # Nothing is served yet. An exception could be swallowed by what is being loaded.
        with suppress(Exception):
            sys.stdout.flush()
        os._exit(0)

    # The line -------------------------------------------------------------------------

    def _listen(self) -> None:
        """Answer the supervisor; when it is gone, end."""
        for message in self.line.messages():
            if "changed" in message:
                self.line.send(
                    about=message["changed"],
                    concerned=self._concerning(message["changed"]),
                    installed=installed_modules(),
                )
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(LAST_CALL)
        # It took no notice; nobody is left to end it by other means.
        os._exit(1)

    def _concerning(self, changed: Iterable[str]) -> list[str]:
        files = {*own_modules().values()}
        return [file for file in changed if file in files or (self.failed and may_mend(file))]


def wrap(
    app: WSGIApplication | None,
    error: BaseException | None,
    start: Start,
    options: dict[str, Any],
) -> WSGIApplication:
    """Return what to serve: the application with what the options ask for, or its error.

    Takes from ``options`` what it has seen to.
    """
    debugger = options.pop("use_debugger", False)
    evalex = options.pop("use_evalex", True)
    static_files = options.pop("static_files", None)
    if error is not None:
        visitors = Visitors(start.host) if debugger else None
        return FailedApp(error, visitors, bool(options.get("threaded")))
    assert app is not None
    if debugger:
        app = debugged = LocalDebugger(app, start.host, evalex)
        start.debugger = debugged.describe()
    if static_files:
        # Rarely asked for.
        from werkzeug.middleware.shared_data import SharedDataMiddleware

        app = SharedDataMiddleware(app, static_files)
    return app


def server_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return those of ``run_simple``'s options that concern the server itself."""
    names = ("threaded", "processes", "request_handler", "passthrough_errors", "ssl_context")
    return {name: options[name] for name in names if name in options}


def wanted(error: BaseException | None) -> list[str]:
    """Return the file for want of which an application could not be loaded, if that is known."""
    if isinstance(error, AppImportError):
        error = error.error
    name = error.filename if isinstance(error, OSError) else None
    return [os.path.realpath(name)] if isinstance(name, str) else []


def preload(names: list[str]) -> None:
    """Import modules, as far as that works."""
    if not PATCHING.isdisjoint(names):
        return
    for name in names:
        if name not in sys.modules:
            with suppress(Exception, SystemExit):
                importlib.import_module(name)


def begin_serving(app: Any, options: dict[str, Any]) -> None:
    """Run the start-up functions; the first request tries again, and shows, what fails.

    ``app`` may be any WSGI application, or None. Where each request has a process of its own,
    each of these starts.
    """
    if "lifespan" in getattr(app, "__dict__", ()) and options.get("processes", 1) == 1:
        try:
            app.lifespan.start()
        except Exception:
            app.logger.exception("The application could not be started.")


def time_to_end(app: Any) -> float:
    """Return how many seconds it may take to end what runs beside the requests, and after."""
    made = getattr(app, "__dict__", {})
    seconds = ENDING_LIFE if "lifespan" in made else 0.0
    if "background" in made:
        seconds += made["background"].time_to_end
    return seconds


def end_serving(app: Any) -> None:
    """End background tasks, then run the functions that run after the last request."""
    made = getattr(app, "__dict__", ())
    if "lifespan" in made or "background" in made:
        app.lifespan.stop()


def finish_answers() -> None:
    """Leave a moment to requests that are being answered; their threads end with Python."""
    deadline = time.monotonic() + FINISHING
    for thread in threading.enumerate():
        # socketserver's own: Python names a thread after the function it runs.
        if "process_request_thread" in thread.name:
            thread.join(max(deadline - time.monotonic(), 0))


def _search_folders() -> set[str]:
    """Return the folders that a module of the application's may come from."""
    folders = {os.path.realpath(os.getcwd())}
    if sys.path and sys.path[0]:
        folders.add(os.path.realpath(sys.path[0]))
    return folders
