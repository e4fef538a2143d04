"""What is called while an error is handled, called as from within an ``except``.

Steps that handle an error are suspended while their calls are made, so Python would not
know of the error in them: ``sys.exc_info()``, ``traceback.format_exc()``,
``logger.exception()`` and a plain ``raise`` in users' error handlers rely on it. Which
error is handled by whom is not decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")


def handling(error: Exception, steps: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
    """Walk ``steps``, and have each of their calls made while ``error`` is handled."""
    try:
        call = next(steps)
        while True:
            try:
                result = yield call_handling, (error, *call), {}
            except BaseException as other:
                raised = [other]
            else:
                call = steps.send(result)
                continue
            call = steps.throw(raised.pop())
    except StopIteration as end:
        value: T = end.value
        return value


def call_handling(
    error: Exception, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call a function with ``error`` as the exception that is being handled."""
    context, traceback = error.__context__, error.__traceback__
    try:
        raise error
    except Exception:
        # It was raised elsewhere; raising it here is to leave no trace.
        error.__context__, error.__traceback__ = context, traceback
        return function(*args, **kwargs)
