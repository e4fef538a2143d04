"""Streams that keep their request: what is sent bit by bit, with the context of its view.

When a request ends otherwise is :mod:`brim.ctx`'s.
"""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from .ctx import _cv_ctx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .typing import RequestContext


class ContextStream:
    """An iterator whose every step runs with a request's context current.

    The context is current only while a step runs, on whichever thread that is, and
    never stays behind between steps. It isn't torn down before the stream is closed;
    if the request has ended by then, closing the stream ends it.

    All steps share a copy of the context variables, so that a context that the iterator
    pushes in one step can be popped in a later one. The request ends outside that copy:
    what its before-functions have set, its teardown functions can reset.
    """

    def __init__(self, ctx: RequestContext, iterator: Iterator[Any]) -> None:
        self._ctx: RequestContext | None = ctx
        self._iterator = iterator
        self._started = False
        self._since = ctx._streams_since
        self._variables = copy_context()
        self._variables.run(_cv_ctx.set, ctx)
        ctx._streams += 1

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._ctx is None:
            raise StopIteration
        self._started = True
        try:
            return self._variables.run(next, self._iterator)
        except BaseException as error:
            self._finish(None if isinstance(error, StopIteration) else error)
            raise

    def close(self) -> None:
        """Close the iterator, and end the request if nothing else keeps it.

        Where it was cut short, the teardown functions get a ``GeneratorExit``.
        """
        if self._ctx is not None:
            self._finish(GeneratorExit() if self._started else None)

    def _finish(self, error: BaseException | None) -> None:
        ctx, self._ctx = self._ctx, None
        if ctx is None:
            return
        try:
            close = getattr(self._iterator, "close", None)
            if close is not None:
                self._variables.run(close)
        finally:
            if self._since == ctx._streams_since:
                ctx._streams -= 1
                if not ctx._streams and ctx._pushed is None:
                    self._end(ctx, error)

    def _end(self, ctx: RequestContext, error: BaseException | None) -> None:
        """End the request, with its context current."""
        error, ctx._outcome = error or ctx._outcome, None
        token = _cv_ctx.set(ctx)
        try:
            ctx.app._engine.end(ctx, error)
        finally:
            _cv_ctx.reset(token)
        ctx.tell_popped()

    def __del__(self) -> None:
        # A server that drops a response without closing it breaks PEP 3333; what the
        # request holds is released all the same.
        self.close()
