"""The process that keeps workers: starts them, replaces them, ends them, and serves nothing.

Its law: it has one thread, loads nothing of the application, and waits in one place
(:meth:`Supervisor._wait`), for processes, for what they say, and for signals. So no signal is
missed, whatever is going on.

- SIGTERM, SIGINT: end, once every request that was accepted is answered. Once more: at once;
  what comes within half a second of the first is the first, which came by two ways.
- SIGHUP: have new workers load the application; when all of them are ready, end the others.
- A worker that ends by itself is replaced at once; one that can't start, ever more seldom.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..threads import SIZE_VARIABLE
from . import sockets
from .banner import show_settings, show_url
from .factory import Factory
from .inspection import SIGNALS, Inspection, ending, start_masked
from .worker import CLOSING, GIVE_UP, READY, Loader

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from ..typing import Flask
    from .inspection import Findings
    from .settings import Settings

#: How long a worker that is replaced answers on, while its clients close their connections.
LAST_CALL = 1.0
#: The same where all of them end: for requests that are on their way, and no more.
LAST_WORD = 0.1
#: How long a worker has to clean up after requests that were cancelled.
LAST_RITES = 2.0
#: The longest pause before a worker is started anew that could not start.
LONGEST_PAUSE = 15.0

#: What tells to end so soon after the first says the same: `timeout` and wrappers that pass
#: Ctrl-C on tell the process and then its group.
SAME_WORD = 0.5

log = logging.getLogger("brim.serve")


class Worker:
    """A worker process, and what the supervisor knows of it."""

    def __init__(
        self,
        factory: Factory,
        load: Callable[[], Flask],
        bound: socket.socket,
        index: int,
        failed: int,
    ) -> None:
        self.index = index
        #: How many before it could not start, one after the other.
        self.failed = failed
        self.ready = False
        #: When to tell it to end, and when to end it; None for not at all.
        self.end_at: float | None = None
        self.kill_at: float | None = None
        #: Whether requests of it were given up.
        self.late = False
        self.wsgi = factory.kind == "wsgi"
        self.channel, theirs = multiprocessing.Pipe()
        self.process = factory.process(index, Loader(load, factory.kind, bound, theirs))
        start_masked(self.process)
        theirs.close()

    def __str__(self) -> str:
        return f"worker {self.index + 1} (process {self.process.pid})"

    def listen(self) -> None:
        """Note what it says."""
        with suppress(EOFError, OSError):
            while self.channel.poll():
                self.ready |= self.channel.recv() == READY

    def last_call(self, now: float, seconds: float) -> None:
        """Have it accept no more, and its clients close their connections; then end it."""
        self.end_at = now + seconds
        with suppress(OSError):
            self.channel.send(CLOSING)

    def end(self, now: float, timeout: float) -> None:
        """Have it answer what it has accepted, and end; it has this many seconds."""
        self.end_at = None
        self.kill_at = now + timeout
        self.process.terminate()

    def hurry(self, now: float) -> None:
        """Have it cancel what it still does; where that can't be or wasn't enough, kill it."""
        if self.late or self.wsgi:
            self.kill()
            return
        self.late = True
        self.kill_at = now + LAST_RITES
        with suppress(OSError):
            self.channel.send(GIVE_UP)

    def kill(self) -> None:
        self.late = True
        self.kill_at = None
        self.process.kill()


class Supervisor:
    """Serves until it is told to end; :meth:`run` returns the exit status."""

    def __init__(self, load: Callable[[], Flask], name: str | None, settings: Settings) -> None:
        self.load = load
        self.name = name
        self.settings = settings
        self.bound: socket.socket
        self.factory: Factory
        self.interface = settings.interface
        self.inspection: Inspection | None = None
        #: Who serves; who will, once all of them are ready; who is about to end.
        self.serving: list[Worker] = []
        self.coming: list[Worker] = []
        self.leaving: list[Worker] = []
        #: When to start anew those that could not: time, index, how many times in a row.
        self.missing: list[tuple[float, int, int]] = []
        #: Signals, and when they came.
        self.received: list[tuple[int, float]] = []
        self.waking, self.wake = os.pipe()
        self.reload = False
        self.stopping = False
        #: When it was first told to end.
        self.told_at: float | None = None
        self.status = 0

    def run(self) -> int:
        os.set_blocking(self.wake, False)
        before = {number: signal.signal(number, self._note) for number in SIGNALS}
        try:
            self.bound = sockets.bind(self.settings)
            try:
                self._inspect()
                while self._goes_on():
                    self._wait()
                    self._obey()
                    self._look_at_findings()
                    self._look_at_workers()
                    self._keep_time()
                    self._reload()
            finally:
                self._end_at_once()
                sockets.remove(self.bound, self.settings.unix_socket)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(self.waking)
            os.close(self.wake)
        return self.status

    def _goes_on(self) -> bool:
        return bool(not self.stopping or self._workers())

    def _workers(self) -> list[Worker]:
        return [*self.serving, *self.coming, *self.leaving]

    # Waiting --------------------------------------------------------------------------

    def _note(self, number: int, frame: object) -> None:
        self.received.append((number, time.monotonic()))
        with suppress(BlockingIOError):  # full, so it wakes up anyway
            os.write(self.wake, b".")

    def _wait(self) -> None:
        """Wait until something happens or is due."""
        objects: list[Any] = [self.waking]
        if self.inspection is not None:
            objects.append(self.inspection.channel)
        for worker in self._workers():
            objects.append(worker.process.sentinel)
            if not worker.ready:
                objects.append(worker.channel)
        now = time.monotonic()
        due = min(self._times(), default=None)
        if self.waking in wait(objects, None if due is None else max(due - now, 0)):
            os.read(self.waking, 4096)

    def _times(self) -> Iterator[float]:
        for worker in self._workers():
            yield from (at for at in (worker.end_at, worker.kill_at) if at is not None)
        yield from (at for at, _, _ in self.missing)

    # What is asked for ----------------------------------------------------------------

    def _obey(self) -> None:
        received, self.received = self.received, []
        for number, at in received:
            if number == signal.SIGHUP:
                self.reload = True
            elif self.told_at is not None and at - self.told_at < SAME_WORD:
                continue
            elif self.stopping:
                log.warning("Told again to end; ending at once")
                self._end_at_once()
            else:
                self.told_at = at
                self._stop()

    def _stop(self, status: int = 0) -> None:
        """Have all workers finish, and end after them."""
        self.stopping = True
        self.status = status
        if not status:
            log.info("Ending; requests that were accepted are answered")
        self._drop_inspection()
        self.missing.clear()
        # Whoever is not accepted yet is refused at once, rather than when the last one ends.
        self.leaving = self._workers()
        self.serving, self.coming = [], []
        now = time.monotonic()
        for worker in self.leaving:
            worker.last_call(now, LAST_WORD)
        self.bound.close()

    def _end_at_once(self) -> None:
        self.stopping = True
        self._drop_inspection()
        for worker in self._workers():
            worker.kill()
        for worker in self._workers():
            worker.process.join()
            worker.channel.close()
        self.serving, self.coming, self.leaving = [], [], []

    # Loading --------------------------------------------------------------------------

    def _reload(self) -> None:
        """Begin to load anew, if that was asked for and nothing is being loaded."""
        if self.reload and not (self.stopping or self.inspection or self.coming):
            self.reload = False
            log.info("Reloading the application")
            self._inspect()

    def _inspect(self) -> None:
        settings = self.settings
        port = None if settings.unix_socket else self.bound.getsockname()[1]
        self.inspection = Inspection(self.load, settings.interface, settings.host, port)

    def _drop_inspection(self) -> None:
        if self.inspection is not None:
            self.inspection.end()
            self.inspection = None

    def _look_at_findings(self) -> None:
        if self.inspection is None or not self.inspection.channel.poll():
            return
        found = self.inspection.findings()
        self.inspection = None
        error = found.error
        if not error and found.file:
            error = self.settings.published(Path(found.file), "the application's module")
            error = error and f"Error: {error}"
        if error:
            self._could_not_load(error)
            return
        self._show(found)
        self.interface = found.interface
        self.factory = Factory(self.settings, self.bound, found.interface)
        if found.interface == "asgi":
            # Granian has the threads of WSGI; these are Brim's, and the worker's to start.
            os.environ[SIZE_VARIABLE] = str(self.settings.threads)
        count = self.settings.worker_count
        self.coming = [self._worker(index) for index in range(count)]

    def _show(self, found: Findings) -> None:
        if not self.serving:
            show_settings(self.settings, self.name, found)
        elif found.interface != self.interface:
            log.info("The interface is %s from now on: %s", found.interface, found.reason)

    def _could_not_load(self, error: str) -> None:
        click.secho(error, err=True, fg="red")
        if self.serving:
            log.error("Not reloaded; the workers that are there serve on")
        else:
            self._stop(status=1)

    def _worker(self, index: int, failed: int = 0) -> Worker:
        return Worker(self.factory, self.load, self.bound, index, failed)

    # Workers --------------------------------------------------------------------------

    def _look_at_workers(self) -> None:
        for worker in self._workers():
            if not worker.ready:
                worker.listen()
                if worker.ready and worker in self.serving:
                    log.info("%s serves in its place", worker)
            if not worker.process.is_alive():
                worker.listen()
                worker.process.join()
                worker.channel.close()
                self._ended(worker)
        if self.coming and all(worker.ready for worker in self.coming):
            self._take_over()

    def _take_over(self) -> None:
        first = not (self.serving or self.leaving)
        now = time.monotonic()
        for worker in self.serving:
            worker.last_call(now, LAST_CALL)
        self.leaving += self.serving
        self.serving, self.coming = self.coming, []
        self.missing.clear()
        if first:
            show_url(sockets.url_of(self.bound, self.settings.cert is not None))
        else:
            log.info("Reloaded; %s", ", ".join(map(str, self.serving)))

    def _ended(self, worker: Worker) -> None:
        how = ending(worker.process.exitcode)
        if worker in self.leaving:
            self.leaving.remove(worker)
            if worker.process.exitcode and not worker.late:
                log.error("%s ended badly (%s)", worker, how)
            if worker.late and self.stopping:
                self.status = 1
        elif worker in self.coming:
            self.coming.remove(worker)
            self._give_up(worker, how)
        else:
            self.serving.remove(worker)
            self._replace(worker, how)

    def _give_up(self, worker: Worker, how: str) -> None:
        """Leave everything as it was before these workers came."""
        if not self.serving:
            log.error("Worker %d could not start (%s)", worker.index + 1, how)
            self._stop(status=1)
            return
        log.error(
            "Not reloaded: worker %d could not start (%s). The workers that are there serve on",
            worker.index + 1,
            how,
        )
        now = time.monotonic()
        for other in self.coming:
            other.last_call(now, LAST_WORD)
        self.leaving += self.coming
        self.coming = []

    def _replace(self, worker: Worker, how: str) -> None:
        failed = 0 if worker.ready else worker.failed + 1
        pause = min(0.5 * 2 ** (failed - 1), LONGEST_PAUSE) if failed else 0.0
        log.error("%s ended (%s)%s", worker, how, f"; next in {pause:g} s" if pause else "")
        self.missing.append((time.monotonic() + pause, worker.index, failed))

    def _keep_time(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        for at, index, failed in list(self.missing):
            if at <= now:
                self.missing.remove((at, index, failed))
                self.serving.append(self._worker(index, failed))
        for worker in self.leaving:
            if worker.end_at is not None and worker.end_at <= now:
                worker.end(now, self.settings.graceful_timeout)
            if worker.kill_at is not None and worker.kill_at <= now:
                if not worker.late:
                    timeout = self.settings.graceful_timeout
                    log.error("%s is still busy %g s after it was told to end", worker, timeout)
                worker.hurry(now)
