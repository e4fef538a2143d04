"""The sync loop: it calls what is yielded, and hands back what came of it."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Generator
from typing import Any

import pytest

from brim.dispatch.run_sync import run_sync

Call = Generator[Any, Any, Any]


def test_steps_without_a_call() -> None:
    def steps() -> Call:
        return 1
        yield

    assert run_sync(steps()) == 1


def test_results_are_sent_in() -> None:
    def steps() -> Call:
        one = yield max, (1, 2), {}
        other = yield sorted, ([1, 2],), {"reverse": True}
        return one, other

    assert run_sync(steps()) == (2, [2, 1])


def test_errors_are_thrown_in() -> None:
    def steps() -> Call:
        try:
            yield int, ("x",), {}
        except ValueError:
            pass
        return (yield int, ("1",), {})

    assert run_sync(steps()) == 1


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_errors_that_the_steps_leave_alone_come_out(kind: type[BaseException]) -> None:
    def fail() -> None:
        raise kind("out")

    def steps() -> Call:
        yield fail, (), {}

    with pytest.raises(kind, match="out"):
        run_sync(steps())


def test_errors_of_the_steps_come_out() -> None:
    def steps() -> Call:
        yield int, (), {}
        raise LookupError("steps")

    with pytest.raises(LookupError, match="steps"):
        run_sync(steps())


def test_a_stop_iteration_of_a_function_is_an_error_like_any_other() -> None:
    def steps() -> Call:
        try:
            yield next, (iter(()),), {}
        except StopIteration:
            return "thrown in"

    assert run_sync(steps()) == "thrown in"


def test_an_error_that_was_thrown_in_is_handled_only_where_the_steps_do() -> None:
    seen: list[BaseException | None] = []

    def note() -> None:
        seen.append(sys.exc_info()[1])

    def steps() -> Call:
        try:
            yield int, ("x",), {}
        except ValueError:
            note()
        note()
        yield note, (), {}

    run_sync(steps())
    assert isinstance(seen[0], ValueError)
    assert seen[1:] == [None, None]


def test_errors_are_freed_without_the_garbage_collector() -> None:
    class OwnError(Exception):
        pass

    errors: list[weakref.ref[OwnError]] = []

    def fail() -> None:
        raise OwnError

    def steps() -> Call:
        try:
            yield fail, (), {}
        except OwnError as error:
            errors.append(weakref.ref(error))
            # As error handlers are called.
            yield repr, (error,), {}

    gc.disable()
    try:
        run_sync(steps())
        assert errors[0]() is None
    finally:
        gc.enable()
