"""Waiting under gevent for what another thread of the system does, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.wsgi("what it asks is a process of its own")

BEGIN = """
    from gevent import monkey

    monkey.patch_all()

    import gevent

    from brim.greenlets import make_outcome, start_thread

    sleep = monkey.get_original("time", "sleep")

"""


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BEGIN + program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_a_greenlet_waits_and_others_go_on() -> None:
    assert run(
        """
    at_work = []


    def work(outcome, number):
        at_work.append(number)
        while len(at_work) < 20:
            sleep(0.01)
        outcome.set_result(number)


    def ask(number):
        outcome = make_outcome()
        start_thread(lambda: work(outcome, number), "work")
        return outcome.result()


    asked = [gevent.spawn(ask, number) for number in range(20)]
    gevent.joinall(asked)
    print([one.value for one in asked] == list(range(20)))
    """
    ) == ("True\n")


def test_an_error_is_raised_where_it_is_waited_for() -> None:
    assert run(
        """
    outcome = make_outcome()
    start_thread(lambda: outcome.set_exception(LookupError("not there")), "work")
    try:
        outcome.result()
    except LookupError as error:
        print(error, outcome.done())
    """
    ) == ("not there True\n")


def test_what_comes_before_it_is_waited_for_is_not_lost() -> None:
    assert run(
        """
    outcome = make_outcome()
    start_thread(lambda: outcome.set_result("early"), "work")
    sleep(0.2)
    print(outcome.result())
    """
    ) == ("early\n")


def test_what_comes_when_nobody_waits_any_more_hurts_nobody() -> None:
    assert run(
        """
    outcome = make_outcome()


    def work():
        sleep(0.2)
        outcome.set_result("late")


    start_thread(work, "work")
    with gevent.Timeout(0.05, False):
        outcome.result()
    print(outcome.done())
    while not outcome.done():
        gevent.sleep(0.01)
    gevent.sleep(0.1)
    print("went on")
    """
    ) == ("False\nwent on\n")
