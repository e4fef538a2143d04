"""Threads that take up one call after another: bounded, and no hindrance to a process's end.

Nothing here knows what is called, or of event loops.
"""

from __future__ import annotations

import threading
from contextvars import Context
from queue import SimpleQueue
from typing import Protocol


class Job(Protocol):
    """What a pool's thread takes up."""

    def work(self) -> None:
        """Make the call. Raises nothing."""


class Pool:
    """Threads that are started as they are needed, ``size`` at most, and then kept.

    They are daemons: a view that never returns doesn't keep a process from ending.

    PERF: half the time of a trip by ``concurrent.futures``, whose future has a lock of its
    own and is chained to one of asyncio's; benchmarks/bench_async.py.
    """

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self.name = name
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._started = 0
        self._lock = threading.Lock()

    def put(self, job: Job) -> None:
        """Have a thread take up ``job``, as soon as one is free.

        Raises ``RuntimeError`` if there is no thread, and the interpreter, which is ending,
        starts none any more.
        """
        self._jobs.put(job)
        if self._started < self.size and not self._idle.acquire(blocking=False):
            self._start_thread()

    def _start_thread(self) -> None:
        with self._lock:
            if self._started == self.size:
                return
            name = f"{self.name}-{self._started + 1}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            try:
                # In an empty context, as a thread may keep the one that it is started in.
                Context().run(thread.start)
            except RuntimeError:
                if not self._started:
                    raise
                return
            self._started += 1

    def end(self) -> None:
        """Let its threads end once they have done what they were given."""
        with self._lock:
            for _ in range(self._started):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.work()
            # Not kept while this thread waits for the next.
            del job
            if self._started < self.size:
                self._idle.release()
