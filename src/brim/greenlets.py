"""Threads of the operating system where gevent has patched ``threading``, and how to wait for them.

There a thread of ``threading`` is a greenlet, and so is who waits. What is waited for is not known
here.
"""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future


def threads_are_greenlets() -> bool:
    """Tell whether gevent has patched ``threading``."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def start_thread(function: Callable[[], None], name: str) -> None:
    """Start a thread of the operating system, also where gevent has patched ``threading``.

    Its threads are greenlets of one such thread. All of them would see the loop of one as
    running: sync views, and whatever wants to run a loop of its own.
    """
    if threads_are_greenlets():
        _original("_thread", "start_new_thread")(function, ())
    else:
        threading.Thread(target=function, name=name, daemon=True).start()


def make_outcome() -> Future[Any] | Outcome:
    """Make what one waits for with ``result()`` while another thread of the system works.

    That thread ends the waiting with ``set_result`` or ``set_exception``.
    """
    if threads_are_greenlets():
        return Outcome()
    from concurrent.futures import Future  # noqa: PLC0415 -- a sync application has no use for it

    return Future()


class Outcome:
    """What a greenlet waits for that a thread of the system brings about.

    A future of ``concurrent.futures`` has a lock of gevent's, on which such a thread would wait
    too: now and then, each waits for the other for ever.
    """

    def __init__(self) -> None:
        gevent = sys.modules["gevent"]
        self._ready: Any = import_module("gevent.event").Event()
        self._value: Any = None
        self._error: BaseException | None = None
        # Held for one call, on either side, and while nothing is waited for.
        self._guard = _original("_thread", "allocate_lock")()
        #: What another thread may use of gevent; ``None`` once nobody waits any more.
        self._watcher: Any = gevent.get_hub().loop.async_()
        self._watcher.start(self._ready.set)
        self._is_done = False

    def result(self) -> Any:
        """Wait; return what was set, or raise it."""
        try:
            self._ready.wait()
        finally:
            with self._guard:
                watcher, self._watcher = self._watcher, None
            watcher.stop()
            watcher.close()
        error, self._error = self._error, None
        if error is None:
            return self._value
        try:
            raise error
        finally:
            del error  # which keeps this frame

    def done(self) -> bool:
        """Whether something was set."""
        return self._is_done

    def set_result(self, value: Any) -> None:
        """End the waiting with a result."""
        self._value = value
        self._tell()

    def set_exception(self, error: BaseException) -> None:
        """End the waiting with an error."""
        self._error = error
        self._tell()

    def _tell(self) -> None:
        self._is_done = True
        with self._guard:
            if self._watcher is not None:
                self._watcher.send()


def _original(module: str, name: str) -> Any:
    return sys.modules["gevent.monkey"].get_original(module, name)
