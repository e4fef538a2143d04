"""Threads that take up one call after another: how many there are, and which."""

from __future__ import annotations

import threading
from collections.abc import Callable

from brim.pools import Pool


class Job:
    """A call for a pool."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.work = call


def test_a_pool_starts_no_more_threads_than_it_may() -> None:
    pool = Pool(2, "name")
    together = threading.Barrier(2)
    names: set[str] = set()
    done = threading.Semaphore(0)

    def call() -> None:
        together.wait(10)
        names.add(threading.current_thread().name)
        done.release()

    for _ in range(6):
        pool.put(Job(call))
    for _ in range(6):
        assert done.acquire(timeout=10)
    assert names == {"name-1", "name-2"}


def test_a_call_that_waits_is_taken_up_by_the_next_free_thread() -> None:
    pool = Pool(1, "name")
    goes_on = threading.Event()
    order: list[int] = []
    done = threading.Event()
    pool.put(Job(lambda: goes_on.wait(10)))
    for number in range(3):
        pool.put(Job(lambda number=number: order.append(number)))  # type: ignore[misc]
    pool.put(Job(done.set))
    goes_on.set()
    assert done.wait(10)
    assert order == [0, 1, 2]


def test_its_threads_keep_no_process_from_ending() -> None:
    pool = Pool(1, "name")
    daemons: list[bool] = []
    done = threading.Event()

    def call() -> None:
        daemons.append(threading.current_thread().daemon)
        done.set()

    pool.put(Job(call))
    assert done.wait(10)
    assert daemons == [True]
