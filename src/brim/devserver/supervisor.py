"""The supervisor: keeps the port, watches the files, and has a worker serve.

It loads no application. The listening socket is its own, so that a request that comes
between two workers waits instead of being refused. While one worker serves, another
stands by with everything imported that is not the application's: that is most of what a
start costs.
"""

from __future__ import annotations

import errno
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..dotenv import DEFAULT_FILES, named_files
from .banner import Start, port_taken, short_path, show_problems
from .debugger import Visitors
from .failed import FailedApp, ProcessEnded
from .line import VARIABLE, Line, Message, Post
from .own import folders_below, is_own, may_mend
from .terminal import Terminal
from .watching import (
    Contents,
    Watching,
    changed_since,
    forget_compiled,
    is_excluded,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

#: The environment before any .env file was read into it: a worker reads them anew.
ENVIRONMENT = dict(os.environ)

#: Seconds: for a worker to say whether a change concerns it, for all to end, and for a
#: file that is gone to be back, as some editors replace one.
ANSWER, ENDING, REPLACING = 0.3, 1.0, 0.05


def command() -> list[str] | None:
    """Return the command that starts this program again; ``None`` if there is none.

    There is none where the server was started by something else than the program itself:
    a test, a notebook, another application.
    """
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if not os.path.isfile(getattr(main, "__file__", None) or ""):
        return None
    if threading.current_thread() is not threading.main_thread():
        return None
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if name.partition(".")[0] not in {"brim", "click"}:
            break
        frame = frame.f_back
    else:
        return None
    package = spec.name.partition(".")[0] if spec else None
    if name != "__main__" and name.partition(".")[0] != package:
        return None
    return [sys.executable, *sys.orig_argv[1:]]


def can_supervise(host: str) -> bool:
    """Tell whether this reloader works here."""
    # Sockets are handed on by their number. A Unix socket's file has to be removed, too.
    if os.name != "posix" or host.startswith("unix://"):
        return False
    try:
        # Optional: pip install "brim[dev]".
        import watchfiles  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        return False
    return True


def listen(host: str, port: int, flag: str) -> socket.socket:
    """Open the listening socket; where that fails, say why and exit.

    ``flag`` is how to name another port: ``--port {port}``.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OverflowError:
        listener.close()
        click.secho(f"Error: There is no port {port}: 65535 is the last.", fg="red", err=True)
        sys.exit(1)
    except OSError as error:
        listener.close()
        text = (
            port_taken(host, port, flag)
            if error.errno == errno.EADDRINUSE
            else f"Can't listen on {host!r}, port {port}: {error.strerror or error}."
        )
        click.secho(f"Error: {text}", fg="red", err=True)
        sys.exit(1)
    return listener


class Child:
    """A worker as the supervisor sees it."""

    def __init__(
        self, argv: list[str], listener: int, role: str, events: queue.Queue[tuple[Any, ...]]
    ) -> None:
        ours, theirs = socket.socketpair()
        post = Post(os.getpid(), listener, theirs.fileno(), role)
        environment = {**ENVIRONMENT, "WERKZEUG_RUN_MAIN": "true", VARIABLE: post.to_text()}
        # Ctrl-C goes to every process of the terminal, and to one that is still starting it
        # comes too soon: a worker lets it in when it can end without a traceback.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        with theirs:
            self.process = subprocess.Popen(
                argv, env=environment, pass_fds=(listener, theirs.fileno())
            )
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        self.line = Line(ours)
        #: When it began to load the application.
        self.started = time.time()
        #: The folders that were watched by then.
        self.folders: set[str] = set()
        #: Whether it has loaded the application, or shows why it couldn't.
        self.loaded = False
        #: Set once it takes no more requests.
        self.stopped = threading.Event()
        #: By when it will have ended what the application does after its last request.
        self.ends_by = 0.0
        threading.Thread(target=self._read, args=(events,), daemon=True).start()

    def _read(self, events: queue.Queue[tuple[Any, ...]]) -> None:
        for message in self.line.messages():
            if "stopped" in message:
                self.stopped.set()
            elif "ending" in message:
                self.ends_by = time.monotonic() + message["ending"]
            else:
                events.put(("message", self, message))
        self.stopped.set()
        events.put(("ended", self))

    def end(self, deadline: float, wait: bool) -> None:
        """Have it end; kill it at the deadline. It takes no more requests after this.

        Without ``wait``, the next worker may begin while this one's process, which can take
        longer than to load an application, comes to its end.
        """
        with suppress(ProcessLookupError):
            self.process.terminate()
        stopped = self.stopped.wait(max(deadline - time.monotonic(), 0))
        if not stopped and self.ends_by > deadline:
            deadline = self.ends_by
            stopped = self.stopped.wait(max(deadline - time.monotonic(), 0))
        if wait or not stopped:
            self._reap(deadline)
        else:
            threading.Thread(target=self._reap, args=(deadline,), daemon=True).start()

    def _reap(self, deadline: float) -> None:
        try:
            self.process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.line.close()


class Supervisor:
    """Keeps a worker serving what the files hold."""

    def __init__(
        self,
        argv: list[str],
        start: Start,
        options: dict[str, Any],
        *,
        stand_by: bool,
        flag: str,
    ) -> None:
        self.argv = argv
        self.start = start
        self.options = options
        self.stands_by = stand_by and os.environ.get("BRIM_RELOAD_STANDBY") != "0"
        self.extra = {os.path.realpath(file) for file in options.get("extra_files") or ()}
        self.excluded = tuple(options.get("exclude_patterns") or ())
        self.terminal = Terminal()
        self.listener = listen(start.host, start.port, flag)
        self.events: queue.Queue[tuple[Any, ...]] = queue.Queue()
        self.watching = Watching(
            lambda paths: self.events.put(("changed", paths)),
            lambda: self.events.put(("begun",)),
        )
        self.contents = Contents()
        self.child: Child | None = None
        self.standby: Child | None = None
        self.crashed: Crashed | None = None
        #: Of the last application that was loaded.
        self.files: set[str] = set()
        self.roots: set[str] = {os.path.realpath(os.getcwd())}
        self.installed: list[str] = []
        self.problems: list[str] = []
        #: What changed and was not decided on, and until when the worker may answer.
        self.waiting: set[str] = set()
        self.deadline: float | None = None
        self.first = True
        self.failed = False
        #: What was found changed after a load had failed, since the last one that has not.
        self.retried: set[str] = set()

    def run(self) -> NoReturn:
        """Serve until Ctrl-C or SIGTERM; the status is 0 after Ctrl-C."""
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        status = 0
        try:
            self.watch()
            self.child = self.spawn("first")
            while True:
                self.step()
        except KeyboardInterrupt:
            pass
        except SystemExit as end:
            status = int(end.code or 0)
        finally:
            # Another Ctrl-C is for what is ending already.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            self.watching.stop()
            self.end(self.child, self.standby, wait=True)
            self.listener.close()
        sys.exit(status)

    def step(self) -> None:
        """Wait for something to happen and act on it."""
        timeout = None if self.deadline is None else max(self.deadline - time.monotonic(), 0)
        try:
            kind, *about = self.events.get(timeout=timeout)
        except queue.Empty:
            # It doesn't answer, so nothing is known against it.
            self.restart(self.waiting)
            return
        getattr(self, f"on_{kind}")(*about)

    # What happens ---------------------------------------------------------------------

    def on_changed(self, paths: set[str]) -> None:
        """Restart for what certainly counts; ask the worker about the rest."""
        if any(os.path.isdir(path) or path in self.watching.folders for path in paths):
            self.watch()
        paths = {path for path in paths if self.may_count(path)}
        if any(not os.path.exists(path) for path in paths):
            time.sleep(REPLACING)
        paths = self.contents.changed(paths)
        if not paths:
            return
        self.waiting |= paths
        if certain := {path for path in paths if self.does_count(path)}:
            self.restart(certain)
        elif self.child is not None:
            # Also while it loads, as that may never end.
            self.ask()

    def on_begun(self) -> None:
        """Look for what changed before a folder was watched."""
        if self.child is not None and self.child.loaded:
            if missed := self.missed(self.child):
                self.on_changed(missed)

    def missed(self, child: Child) -> set[str]:
        """Return what has changed since a process began to load, heard of or not."""
        files = set(self.files)
        if self.failed:
            # A module that is missing may have come with its folder.
            for folder in self.watching.folders:
                with suppress(OSError):
                    files.update(entry.path for entry in os.scandir(folder) if may_mend(entry.name))
        missed = {file for file in files if changed_since(file, child.started)}
        if self.failed:
            # A folder that comes, or comes back, has its files as they were elsewhere.
            missed |= self.contents.changed(
                file
                for file in files
                if file in self.contents or os.path.dirname(file) not in child.folders
            )
        return missed

    def on_message(self, child: Child, message: Message) -> None:
        if "unfit" in message:
            self.stands_by = False
        if child is not self.child:
            return
        if "unfit" in message:
            # It was put to work before it had said so.
            self.child = self.spawn("again")
        elif "loaded" in message:
            self.on_loaded(child, message)
        elif "concerned" in message:
            self.installed = message["installed"] if self.installed else []
            if message["concerned"]:
                self.restart(set(message["concerned"]))
                return
            self.waiting.difference_update(message["about"])
            if not self.waiting:
                self.deadline = None

    def on_loaded(self, child: Child, message: Message) -> None:
        child.loaded = True
        first, self.first = self.first, False
        self.failed = message["failed"]
        files = set(message["files"])
        # A file that failed may not be among those that are loaded.
        self.files = self.files | files if self.failed else files
        self.roots = set(message["roots"])
        self.installed = message["installed"]
        self.contents.note_old(self.files | self.extra | self.dotenv_files(), child.started)
        if self.failed:
            self.contents.note_missing(self.files)
        else:
            new = [text for text in message["problems"] if text not in self.problems]
            if not first:
                show_problems(new)
            self.problems = message["problems"]
        self.watch()
        if self.stands_by and self.standby is None:
            self.standby = self.spawn("standby")
            self.standby.line.send(preload=self.installed)
        if self.waiting:
            self.ask()
        if not self.failed:
            self.retried.clear()
        elif missed := self.contents.changed(self.missed(child)) - self.retried:
            # That an application waits for a file was not known when the file came. Once for
            # each: the application may write it itself, before it fails.
            self.retried |= missed
            self.on_changed(missed)

    def on_ended(self, child: Child) -> None:
        """Go on without a worker that ended by itself; one that was told to is known."""
        if child is self.standby:
            child.process.wait()
            self.standby = None
        if child is not self.child:
            return
        status = child.process.wait()
        if status == 0 or (self.first and not child.loaded):
            # Ctrl-C, or the program said by itself why it can't start; a dead one says nothing.
            if status < 0 or status > 2:
                text = f"Error: The application's process ended {how_ended(status)} at its start."
                click.secho(text, fg="red", err=True)
            sys.exit(status if status >= 0 else 128 - status)
        self.child = None
        self.deadline = None
        self.crashed = Crashed(self, status)
        click.secho(f" * {self.crashed.text}", fg="red", err=True)

    # What follows ---------------------------------------------------------------------

    def ask(self) -> None:
        assert self.child is not None
        self.child.line.send(changed=sorted(self.waiting))
        self.deadline = time.monotonic() + ANSWER

    def restart(self, why: set[str]) -> None:
        """Replace the worker by one that loads what the files hold now."""
        changed, self.waiting, self.deadline = self.waiting | why, set(), None
        names = [short_path(path) for path in sorted(why)]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        click.echo(f" * Changed: {', '.join(names[:3])}{more}. Restarting.", err=True)
        if any(map(self.is_dotenv, changed)):
            # What stands by has read the old one.
            self.end(self.child, self.standby)
            self.standby = None
        else:
            self.end(self.child)
        if self.crashed is not None:
            self.crashed.end()
            self.crashed = None
        self.contents.note(changed)
        # What is back before that is known from the process has changed too.
        self.contents.note_missing()
        forget_compiled(changed)
        self.child, self.standby = self.standby or self.spawn("again"), None
        self.child.started = time.time()
        self.child.folders = self.watching.folders
        self.child.line.send(go=True)

    def spawn(self, role: str) -> Child:
        child = Child(self.argv, self.listener.fileno(), role, self.events)
        child.folders = self.watching.folders
        return child

    def end(self, *children: Child | None, wait: bool = False) -> None:
        deadline = time.monotonic() + ENDING
        for child in children:
            if child is not None:
                child.end(deadline, wait)
        self.terminal.restore()

    # What is watched ------------------------------------------------------------------

    def watch(self) -> None:
        folders = folders_below(self.roots)
        folders.update(map(os.path.dirname, self.files | self.extra | self.dotenv_files()))
        self.watching.watch(folders)

    def dotenv_files(self) -> set[str]:
        """Return the dotenv files that are read: those named, the nearest of each other name."""
        found = set(named_files)
        for name in DEFAULT_FILES:
            folder = os.path.realpath(os.getcwd())
            while not os.path.isfile(file := os.path.join(folder, name)):
                folder, below = os.path.dirname(folder), folder
                if folder == below:
                    break
            else:
                found.add(file)
        return found

    def is_dotenv(self, path: str) -> bool:
        return os.path.basename(path) in DEFAULT_FILES or path in named_files

    def may_count(self, path: str) -> bool:
        """Tell whether a changed path may be of the application's at all."""
        if is_excluded(path, self.excluded):
            return False
        if path in self.extra or path in self.files:
            return True
        if self.is_dotenv(path):
            return path in self.dotenv_files() or not os.path.exists(path)
        return may_mend(path) and is_own(path)

    def does_count(self, path: str) -> bool:
        """Tell whether a change certainly has to be loaded, whatever the worker says."""
        if path in self.files or path in self.extra or self.is_dotenv(path):
            return True
        return self.crashed is not None and may_mend(path)


class Crashed:
    """Answers in place of a worker that ended by itself, until the next one starts."""

    def __init__(self, supervisor: Supervisor, status: int) -> None:
        # Not needed otherwise: the supervisor is to stay small.
        from werkzeug.serving import make_server

        start = supervisor.start
        self.text = (
            f"The application's process ended {how_ended(status)}; the lines above may say why."
            " It is started again when a file changes."
        )
        error = syntax_error(supervisor.files) or ProcessEnded(self.text)
        visitors = Visitors(start.host) if supervisor.options.get("use_debugger") else None
        self.app = FailedApp(error, visitors)
        self.server = make_server(
            start.host,
            start.port,
            self.app,
            threaded=True,
            ssl_context=supervisor.options.get("ssl_context"),
            fd=supervisor.listener.fileno(),
        )
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.thread.start()

    def end(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.app.end()


def how_ended(status: int) -> str:
    """Say how a process ended, by its status as ``subprocess`` has it."""
    if status >= 0:
        return f"with status {status}"
    try:
        return f"by {signal.Signals(-status).name}"
    except ValueError:
        # Real-time signals have no name.
        return f"by signal {-status}"


def syntax_error(files: Iterable[str]) -> SyntaxError | None:
    """Return the first error of syntax in files: a script with one ends without a word to us."""
    for file in sorted(files):
        try:
            with open(file, "rb") as source:
                compile(source.read(), file, "exec", dont_inherit=True)
        except SyntaxError as error:
            # For null bytes it says neither file nor line.
            if error.filename:
                return error
        except (OSError, ValueError):
            continue
    return None


def supervise(argv: list[str], start: Start, options: dict[str, Any], **how: Any) -> NoReturn:
    Supervisor(argv, start, options, **how).run()
