"""The async loop: walks the steps, awaits coroutine functions, has threads call the others.

It decides nothing. A run of sync functions takes one trip to a thread, not one each.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, TypeVar

from ..bridge import Synced, while_handling
from ..sessions import SecureCookieSessionInterface
from .handling import call_handling
from .steps import make_default_options_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..threads import ThreadSide
    from .steps import Call, Steps

T = TypeVar("T")

#: Brim's own, of which none ever waits for anything: no thread is needed for these.
_AT_ONCE = frozenset({make_default_options_response, SecureCookieSessionInterface.save_session})


class _End:
    """What the steps have returned, brought back from a thread."""

    def __init__(self, value: Any) -> None:
        self.value = value


async def run_async(
    steps: Steps[T],
    threads: ThreadSide,
    before_coroutine: Callable[[], Awaitable[None]] | None = None,
    without: Callable[..., Any] | None = None,
) -> T:
    """Walk ``steps`` to their end and return what they return.

    ``before_coroutine`` is awaited once, before the first coroutine function is called,
    ``without`` left aside.
    """
    try:
        call = next(steps)
        while True:
            if _is_coroutine_call(call):
                try:
                    if before_coroutine is not None and call[0] is not without:
                        waiting, before_coroutine = before_coroutine, None
                        await waiting()
                    result = await _begin(call)
                except BaseException as error:
                    # In a list, as a name that stays would keep the error in a circle.
                    raised = [error]
                else:
                    call = steps.send(result)
                    continue
                call = steps.throw(raised.pop())
            elif getattr(call[0], "__func__", call[0]) in _AT_ONCE:
                call = _advance(steps, call)
            else:
                outcome = await _walk_on_thread(steps, call, threads)
                if isinstance(outcome, _End):
                    value: T = outcome.value
                    return value
                call = outcome
    except StopIteration as end:
        value = end.value
        return value
    finally:
        # An error keeps this frame, so the frame may not keep an error.
        call = result = outcome = None  # type: ignore[assignment]


async def _walk_on_thread(steps: Steps[Any], call: Call, threads: ThreadSide) -> Call | _End:
    """Walk sync functions on a thread; return the call that comes next, or the end.

    A cancellation is told to the steps in the place of that call, if there is one.
    """
    brought: list[Call | _End] = []
    try:
        await threads.run(_walk, steps, call, brought)
    except CancelledError as error:
        if not brought or isinstance(brought[0], _End):
            raise
        raised = [error]
    else:
        return brought.pop()
    finally:
        call = None  # type: ignore[assignment]
    try:
        return steps.throw(raised.pop())
    except StopIteration as end:
        return _End(end.value)


def _is_coroutine_call(call: Call) -> bool:
    function = call[0]
    if function is call_handling:
        function = call[1][1]
    return type(function) is Synced


def _begin(call: Call) -> Awaitable[Any]:
    """Call a coroutine function: as from within an ``except`` where an error is handled."""
    function, args, kwargs = call
    if function is call_handling:
        error, handler, args, kwargs = args
        return while_handling(error, handler.func(*args, **kwargs))
    return function.func(*args, **kwargs)  # type: ignore[attr-defined, no-any-return]


def _walk(steps: Steps[Any], call: Call, brought: list[Call | _End]) -> None:
    """Call sync functions, on this thread, and put what comes next into ``brought``.

    That is the call of a coroutine function, or the end.
    """
    try:
        while True:
            call = _advance(steps, call)
            if _is_coroutine_call(call):
                brought.append(call)
                return
    except StopIteration as end:
        brought.append(_End(end.value))
    finally:
        call = None  # type: ignore[assignment]


def _advance(steps: Steps[Any], call: Call) -> Call:
    """Make one call and return the next."""
    function, args, kwargs = call
    try:
        result = function(*args, **kwargs)
    except BaseException as error:
        raised = [error]
    else:
        return steps.send(result)
    finally:
        call = function = args = kwargs = None  # type: ignore[assignment]
    return steps.throw(raised.pop())
