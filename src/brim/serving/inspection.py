"""Can the application be served, and by which interface: asked before any worker starts.

It is loaded in a process that ends right after. So an application that can't be imported is
said once rather than by each worker, and the supervisor never holds any of it: new workers
load what is on disk by then.
"""

from __future__ import annotations

import inspect
import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import click

from ..bridge import Synced, is_async
from ..checks import problems
from ..discovery import format_user_error
from ..greenlets import threads_are_greenlets
from .settings import DEBUG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from ..typing import Flask

#: Requests by these have no body that anybody reads.
BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: What an application collects functions in; as values, lists, or tables of these.
HOOKS = (
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "teardown_appcontext_funcs",
    "template_context_processors",
    "url_value_preprocessors",
    "url_default_functions",
    "error_handler_spec",
    "before_websocket_funcs",
    "after_websocket_funcs",
    "teardown_websocket_funcs",
)

GEVENT = (
    "gevent has patched 'threading', and an event loop can't wait for threads that are greenlets."
)


@dataclass(frozen=True)
class Findings:
    """What was found out; with an ``error`` there is nothing else."""

    name: str = ""
    file: str = ""
    interface: str = ""
    reason: str = ""
    problems: tuple[str, ...] = ()
    error: str = ""


class Inspection:
    """The process that loads the application; ``channel`` has something to read at its end."""

    def __init__(
        self, load: Callable[[], Flask], interface: str, host: str, port: int | None
    ) -> None:
        self.channel, theirs = multiprocessing.Pipe(duplex=False)
        self.process = start_method().Process(
            name="brim-inspection",
            target=_inspect,
            args=(load, interface, host, port, theirs),
            daemon=True,
        )
        start_masked(self.process)
        theirs.close()

    def findings(self) -> Findings:
        """Return what it found, once ``channel`` is ready."""
        try:
            found: Findings = self.channel.recv()
        except EOFError:
            self.process.join()
            found = Findings(
                error="Error: The application's import ended the process that did it"
                f" ({ending(self.process.exitcode)})."
            )
        self.end()
        return found

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.channel.close()


# Processes ----------------------------------------------------------------------------

#: Signals that say something to the supervisor.
SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP} if os.name == "posix" else ())


def start_method() -> Any:
    """The way to start processes: forked where that is safe, else anew.

    The supervisor has one thread and nothing of the application's, so it can be forked;
    macOS's own libraries can't. Granian's choice is the same, and for its workers it decides.
    """
    method = multiprocessing.get_start_method()
    return multiprocessing.get_context(method if method in {"fork", "spawn"} else "spawn")


def start_masked(process: Any) -> None:
    """Start a process with the supervisor's signals held back until :func:`own_signals`.

    Else one that comes before the process has handlers of its own would run the supervisor's
    in it, and be lost.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def own_signals() -> None:
    """In a new process: SIGTERM ends it at once, even within an import; others are ignored.

    Ctrl-C and a closed terminal reach all processes, and it is the supervisor's to say what
    they mean.
    """
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def ending(exitcode: int | None) -> str:
    """Say in a few words how a process ended."""
    if exitcode is None or exitcode >= 0:
        return f"status {exitcode}"
    try:
        return signal.Signals(-exitcode).name
    except ValueError:
        return f"signal {-exitcode}"


# In the process -----------------------------------------------------------------------


def _inspect(
    load: Callable[[], Flask],
    interface: str,
    host: str,
    port: int | None,
    channel: Connection[Any, Any],
) -> None:
    own_signals()
    try:
        found = examine(load(), interface, host, port)
    except click.ClickException as error:
        found = Findings(error=f"Error: {error.format_message()}")
    except Exception as error:
        found = Findings(error=format_user_error(error).rstrip("\n"))
    except SystemExit as error:
        found = Findings(error=f"Error: The application's import called sys.exit({error.code!r}).")
    channel.send(found)
    # Threads that the import began, and what it has registered for the end, are the workers'.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def examine(app: Flask, interface: str, host: str, port: int | None) -> Findings:
    """Return what there is to say of an application that is about to be served."""
    if app.debug:
        return Findings(error=f"Error: {DEBUG.format(where='The application sets it (app.debug)')}")
    greenlets = threads_are_greenlets()
    if greenlets and interface == "asgi":
        return Findings(error=f"Error: {GEVENT} Serve it with '--interface wsgi'.")
    if interface == "auto":
        interface, reason = ("wsgi", GEVENT.rstrip(".")) if greenlets else choose(app)
    else:
        reason = "as asked for"
        if interface == "wsgi" and (why := needs_asgi(app)):
            reason += f"; note that {why}"
    module = sys.modules.get(app.import_name)
    return Findings(
        name=app.name,
        file=getattr(module, "__file__", None) or "",
        interface=interface,
        reason=reason,
        problems=tuple(str(problem) for problem in problems(app, host=host, port=port)),
    )


def choose(app: Flask) -> tuple[str, str]:
    """Return the interface that suits an application, and why."""
    if why := needs_asgi(app):
        return "asgi", why
    for rule in app.url_map.iter_rules():
        methods: set[str] = rule.methods or set()
        if takes := sorted(methods - BODILESS):
            return "asgi", (
                f"{rule.endpoint!r} takes {takes[0]}, and under WSGI Granian doesn't tell"
                " a chunked body that broke off from a whole one"
            )
    return "wsgi", "all functions are sync, and no route takes a body"


def needs_asgi(app: Flask) -> str:
    """Say what of an application is at home under ASGI only, or nothing."""
    for rule in app.url_map.iter_rules():
        if getattr(rule, "websocket", False):
            return f"{rule.rule!r} is a WebSocket"
    for endpoint, view in app.view_functions.items():
        if _is_async_view(view):
            return f"the view {endpoint!r} is a coroutine function"
    for name in HOOKS:
        for function in _functions_in(getattr(app, name, ())):
            if _gives_coroutine(function):
                return f"{_name(function)!r} in {name} is a coroutine function"
    for kind, function in app.lifespan.functions:
        return f"{_name(function)!r} is a {kind} function"
    return ""


def _gives_coroutine(function: Any) -> bool:
    # What was made callable from sync code has a coroutine function inside.
    return isinstance(function, Synced) or is_async(function)


def _is_async_view(view: Any) -> bool:
    if _gives_coroutine(view):
        return True
    cls = getattr(view, "view_class", None)
    if cls is None:
        return False
    methods = ("dispatch_request", *(method.lower() for method in cls.methods or ()))
    return any(is_async(getattr(cls, name, None)) for name in methods)


def _functions_in(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in cast("dict[object, Any]", value).values():
            yield from _functions_in(each)
    elif isinstance(value, (list, tuple)):
        for each in cast("list[Any]", value):
            yield from _functions_in(each)
    elif callable(value):
        yield value


def _name(function: Any) -> str:
    while isinstance(function, partial):
        function = function.func
    return getattr(inspect.unwrap(function), "__qualname__", type(function).__name__)
