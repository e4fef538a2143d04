"""Threads that take up one call after another: bounded, and no hindrance to a process's end.

Nothing here knows what is called, or of event loops.
"""

from __future__ import annotations

import threading
from collections import deque
from contextvars import Context
from queue import SimpleQueue
from typing import Protocol


class Job(Protocol):
    """What a pool's thread takes up."""

    def work(self) -> None:
        """Make the call. Raises nothing."""


class Seat:
    """A thread that is kept for one user's jobs, from the first of them to :meth:`Pool.leave`."""

    worker: Worker | None = None


class Worker:
    """One thread of a pool, and the job that it is given next."""

    def __init__(self, pool: Pool, name: str) -> None:
        self.pool = pool
        self.jobs: SimpleQueue[tuple[Job, Seat | None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        # In an empty context, as a thread may keep the one that it is started in.
        Context().run(self._thread.start)

    def _work(self) -> None:
        while (given := self.jobs.get()) is not None:
            job, seat = given
            if seat is not None:
                seat.worker = self
            job.work()
            if seat is None:
                self.pool.free(self)
            else:
                self.pool.rest()
            # Not kept while this thread waits for the next.
            del given, job, seat


#: How many threads a pool may have, those included that wait for their seat's next job.
MOST = 2000


class Pool:
    """Threads that are started as they are needed, ``size`` at most, and then kept.

    A thread whose seat is taken and has nothing to do isn't counted, so that who waits for
    something else stands in nobody's way; :data:`MOST` bounds all of them.

    They are daemons: a view that never returns doesn't keep a process from ending.

    PERF: half the time of a trip by ``concurrent.futures``, whose future has a lock of its
    own and is chained to one of asyncio's; benchmarks/bench_async.py.
    """

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self.name = name
        self._lock = threading.Lock()
        self._started = 0
        self._resting = 0
        self._idle: list[Worker] = []
        self._waiting: deque[tuple[Job, Seat | None]] = deque()
        self._ends = False

    def put(self, job: Job, seat: Seat | None = None) -> None:
        """Have a thread take up ``job``, as soon as one is free; with a ``seat`` always the same.

        Raises ``RuntimeError`` if there is no thread, and the interpreter, which is ending,
        starts none any more.
        """
        if seat is not None and seat.worker is not None:
            with self._lock:
                self._resting -= 1
            seat.worker.jobs.put((job, seat))
            return
        with self._lock:
            worker = self._idle.pop() if self._idle else self._start_worker()
            if worker is None:
                self._waiting.append((job, seat))
                return
        worker.jobs.put((job, seat))

    def _start_worker(self) -> Worker | None:
        if self._started - self._resting >= self.size or self._started >= MOST:
            return None
        worker = Worker(self, f"{self.name}-{self._started + 1}")
        try:
            worker.start()
        except RuntimeError:
            if not self._started:
                raise
            return None
        self._started += 1
        return worker

    def leave(self, seat: Seat) -> None:
        """Give up a seat none of whose jobs is left."""
        worker, seat.worker = seat.worker, None
        if worker is not None:
            with self._lock:
                self._resting -= 1
            self.free(worker)

    def rest(self) -> None:
        """Note that a worker has done its seat's job, and let another take up what waits."""
        with self._lock:
            self._resting += 1
            worker = self._start_worker() if self._waiting else None
            if worker is None:
                return
            given = self._waiting.popleft()
        worker.jobs.put(given)

    def free(self, worker: Worker) -> None:
        """Give a worker the next of the jobs that wait, or let it wait itself."""
        with self._lock:
            if not self._waiting:
                if self._ends or self._started - self._resting > self.size:
                    self._started -= 1
                    worker.jobs.put(None)
                else:
                    self._idle.append(worker)
                return
            given = self._waiting.popleft()
        worker.jobs.put(given)

    def end(self) -> None:
        """Let its threads end once they have done what they were given."""
        with self._lock:
            self._ends = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.jobs.put(None)
