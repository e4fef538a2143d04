"""Streams: bodies that are made while they are sent, and those that keep their request.

A body is an iterator, or an async iterator that :class:`AsyncBody` makes one of. Either
may hold its request: then it is :class:`Hold` that says what the steps see, and when the
request ends. When a request ends otherwise is :mod:`brim.ctx`'s.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from inspect import isasyncgen
from threading import RLock
from types import coroutine
from typing import TYPE_CHECKING, Any, cast

from . import bridge
from .ctx import _cv_ctx

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from collections.abc import Callable, Coroutine, Generator, Iterator
    from contextvars import Context

    from .typing import RequestContext, Response


#: Streams of one request may end at the same moment on different threads. Reentrant, as the
#: garbage collector may end one while another does.
_lock = RLock()


class Hold:
    """One stream's hold on its request, which isn't torn down before it is let go.

    All steps of the stream run in ``variables``, a copy of the context variables in which
    the request is current. So it is current only while a step runs, on whichever thread
    that is, and a context that is pushed in one step can be popped in a later one. The
    request ends outside that copy: what its before-functions have set, its teardown
    functions can reset.

    Without a request, ``ctx`` being ``None``, there are the variables alone.
    """

    def __init__(self, ctx: RequestContext | None) -> None:
        self._ctx = ctx
        self.variables = copy_context()
        if ctx is not None:
            self._since = ctx._streams_since
            self.variables.run(_cv_ctx.set, ctx)
            with _lock:
                ctx._streams += 1

    def renewed(self) -> Hold:
        """Return another hold, for work that goes on when this one is let go."""
        ctx = self._ctx
        return Hold(ctx if ctx is not None and self._since == ctx._streams_since else None)

    def end(self, error: BaseException | None) -> None:
        """Let go, and end the request if it has been left and nothing else holds it."""
        ended = self._let_go(error)
        if ended is None:
            return
        ctx, steps = ended
        if steps is not None:
            with _ending(ctx):
                ctx.app._engine.walk(steps)
        ctx.tell_popped()

    async def end_async(self, error: BaseException | None) -> None:
        """Do the same on an event loop, where coroutine functions are awaited."""
        ended = self._let_go(error)
        if ended is None:
            return
        ctx, steps = ended
        if steps is not None:
            with _ending(ctx):
                await ctx.app._engine.walk_async(steps, ctx._threads)
        ctx.tell_popped()

    def _let_go(
        self, error: BaseException | None
    ) -> tuple[RequestContext, Generator[Any, Any, None] | None] | None:
        """Let go, once; return the request if it ends by that, and what is left to be done."""
        ctx, self._ctx = self._ctx, None
        if ctx is None or self._since != ctx._streams_since:
            return None
        with _lock:
            ctx._streams -= 1
            is_last = not ctx._streams and ctx._pushed is None
        if not is_last:
            return None
        error, ctx._outcome = error or ctx._outcome, None
        # PERF: mostly that is nothing, and no variable needs to be set for it;
        #   benchmarks/bench_streaming.py.
        steps = ctx.app._engine.ending(ctx, error)
        if steps is None:
            ctx._threads = None
        return ctx, steps


@contextmanager
def _ending(ctx: RequestContext) -> Generator[None, None, None]:
    token = _cv_ctx.set(ctx)
    try:
        yield
    finally:
        _cv_ctx.reset(token)
        ctx._threads = None


class ContextStream:
    """An iterator all of whose steps run with a hold's variables; it ends as that does."""

    #: What a step is.
    _step: Callable[[Any], Any] = next

    def __init__(self, iterator: Iterator[Any], hold: Hold) -> None:
        self._iterator: Iterator[Any] | None = iterator
        self._started = False
        self._hold = hold

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._iterator is None:
            raise StopIteration
        self._started = True
        try:
            return self._hold.variables.run(self._step, self._iterator)
        except BaseException as error:
            self._finish(None if isinstance(error, StopIteration) else error)
            raise

    def close(self) -> None:
        """Close the iterator, and end the request if nothing else keeps it.

        Where it was cut short, the teardown functions get a ``GeneratorExit``.
        """
        self._finish(GeneratorExit() if self._started else None)

    def _finish(self, error: BaseException | None) -> None:
        iterator, self._iterator = self._iterator, None
        if iterator is None:
            return
        try:
            close = getattr(iterator, "close", None)
            if close is not None:
                self._hold.variables.run(close)
        finally:
            self._hold.end(error)

    def __del__(self) -> None:
        # A server that drops a response without closing it breaks PEP 3333; what the
        # request holds is released all the same.
        self.close()


@dataclass(frozen=True, slots=True)
class Silence:
    """What is sent where a stream has nothing for so many seconds: ``first``, then ``later``."""

    first: float
    later: float
    filler: bytes


class AsyncBody:
    """A response's body that an async iterable makes, to be iterated either way.

    An event loop iterates it with ``async for`` and ends it with ``aclose()``. A thread
    iterates it with ``for`` and ends it with ``close()``: each step is then run on a loop
    by :func:`brim.bridge.run`. All steps run in one ``contextvars.Context``, so that what
    one sets another finds and can reset.

    Whoever sends it from a loop had better do so by :meth:`hand_over`: then a chunk
    goes through nothing but the iterator.

    ``hold``: what ends with the body; by default nothing does. ``variables``: that
    ``Context``; by default a copy of the one in which the first step is asked for.
    """

    #: What is to be sent where there is nothing else for some time.
    silence: Silence | None = None

    def __init__(
        self,
        iterable: AsyncIterable[Any],
        hold: Hold | None = None,
        variables: Context | None = None,
    ) -> None:
        self._iterator: AsyncIterator[Any] | None = None
        self._hold = hold
        self._variables = variables
        self._loop: AbstractEventLoop | None = None
        self._error: BaseException | None = None
        self._iterator = aiter(iterable)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if self._iterator is None:
            raise StopAsyncIteration
        try:
            return await self._step()
        except BaseException as error:
            if not isinstance(error, StopAsyncIteration):
                self._error = error
            raise

    async def aclose(self) -> None:
        """Close the iterator; where it holds a request, end that if nothing else does.

        It isn't ended before, as who cancels a step doesn't mean the teardown functions.
        These get the error that the iterator ended with, or a ``GeneratorExit`` where it
        was cut short.
        """
        error, self._error = self._error or self._cut_short, None
        try:
            if self._iterator is not None:
                await self._shut()
        finally:
            hold, self._hold = self._hold, None
            if hold is not None:
                await hold.end_async(error)

    def hand_over(self) -> tuple[Handed, Callable[[Any], bytes] | None]:
        """Give away the iterator, to be iterated and closed by one task, in :attr:`variables`.

        Timeouts and task groups may then stay open in it while it yields. :meth:`aclose` is
        still due, for what the body holds; :meth:`fail` tells it how the iterator ended. The
        second is what encodes an item, if it isn't for bytes and text.

        PERF: a chunk costs a third of what it does by ``async for`` over the body, which has
        to enter the variables and leave them each time; benchmarks/bench_streaming.py.
        """
        from asyncio import get_running_loop  # noqa: PLC0415 -- loaded by now

        self._loop = get_running_loop()
        iterator, self._iterator = self._iterator or _nothing(), None
        return Handed(iterator), None

    def fail(self, error: BaseException) -> None:
        """Note the error that the iterator ended with, or that it was cut short."""
        self._error = error

    @property
    def variables(self) -> Context:
        """The ``Context`` of all steps."""
        if self._variables is None:
            # Not before the first step: until then the request of the view is current.
            self._variables = copy_context()
        return self._variables

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._iterator is None:
            raise StopIteration
        try:
            return bridge.run(self._step())
        except StopAsyncIteration:
            self._end(None)
            raise StopIteration from None
        except BaseException as error:
            self._end(error)
            raise

    def close(self) -> None:
        """Do what :meth:`aclose` does, from a thread."""
        error, self._error = self._error or self._cut_short, None
        try:
            if self._loop is None and isasyncgen(self._iterator):
                self._iterator = None  # nothing of it has run: it has nothing to close
            elif self._iterator is not None:
                bridge.run(self._shut())
        finally:
            self._end(error)

    async def _step(self) -> Any:
        from asyncio import get_running_loop  # noqa: PLC0415 -- loaded by now

        assert self._iterator is not None
        self._loop = get_running_loop()
        try:
            return await within(self.variables, _next(self._iterator))
        except BaseException:
            await self._shut()
            raise

    async def _shut(self) -> None:
        iterator, self._iterator = self._iterator, None
        aclose = getattr(iterator, "aclose", None)
        if aclose is not None:
            await within(self.variables, _call(aclose))

    @property
    def _cut_short(self) -> GeneratorExit | None:
        return None if self._loop is None or self._iterator is None else GeneratorExit()

    def _end(self, error: BaseException | None) -> None:
        hold, self._hold = self._hold, None
        if hold is not None:
            hold.end(error)

    def __del__(self) -> None:
        # Dropped without a close, possibly on a thread that must not wait for the loop.
        if self._iterator is None and self._hold is None:
            return
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_close_unattended, self)
        else:
            self._iterator = None
            self._end(None)


def keep_request(
    ctx: RequestContext, iterable: Iterable[Any] | AsyncIterable[Any]
) -> ContextStream | AsyncBody:
    """Return a stream of what an iterable gives, that holds its request.

    Raises ``TypeError`` for what can't be iterated.
    """
    if isinstance(iterable, AsyncIterable):
        hold = Hold(ctx)
        return AsyncBody(iterable, hold, hold.variables)
    return ContextStream(iter(iterable), Hold(ctx))


def as_body(body: Any) -> Any:
    """Return what a response iterates for ``body``: itself, unless it is async only."""
    if isinstance(body, AsyncIterable) and not isinstance(body, Iterable):
        return AsyncBody(body)  # pyright: ignore[reportUnknownArgumentType]
    return body


#: A loop itself keeps its tasks by weak references only.
_unattended: set[Task[None]] = set()


def unattended(work: Coroutine[Any, Any, None]) -> Task[None]:
    """Begin a coroutine on the running loop, also if nobody waits for it.

    Its error is logged then, by the loop.
    """
    from asyncio import get_running_loop  # noqa: PLC0415 -- loaded by now

    task = get_running_loop().create_task(work)
    _unattended.add(task)
    task.add_done_callback(_unattended.discard)
    return task


def _close_unattended(body: AsyncBody) -> None:
    unattended(body.aclose())


class Handed:
    """An async iterator for ``async for``, also one that has no ``__aiter__`` itself."""

    __slots__ = ("_iterator",)

    def __init__(self, iterator: AsyncIterator[Any]) -> None:
        self._iterator = iterator

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._iterator

    async def close(self) -> None:
        """Close it, if it can be closed."""
        aclose = getattr(self._iterator, "aclose", None)
        if aclose is not None:
            await aclose()


async def _nothing() -> AsyncIterator[Any]:
    """An async iterator without items."""
    return
    yield


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator)


async def _call(function: Any) -> Any:
    return await function()


@coroutine
def within(
    context: Context,
    work: Coroutine[Any, Any, Any],
    waits: Callable[[], None] | None = None,
) -> Generator[Any, Any, Any]:
    """Await a coroutine, each of whose steps is to run in ``context``.

    ``waits`` is called once, if it waits for anything.
    """
    run, send = context.run, work.send
    call: Callable[[Any], Any] = send
    value: Any = None
    while True:
        try:
            waited_for = run(call, value)
        except StopIteration as end:
            return end.value
        finally:
            # An error keeps this frame, so the frame may not keep an error.
            value = None
        if waits is not None:
            waits()
            waits = None
        try:
            value = yield waited_for
            call = send
        except GeneratorExit:
            context.run(work.close)
            raise
        except BaseException as error:
            call, value = work.throw, error


class StreamedBody:
    """A response's body for a WSGI server: encoded where it is text.

    PERF: a chunk goes through one generator, not two and a method; benchmarks/bench_streaming.py.
    """

    def __init__(self, response: Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        # Nothing in it closes anything: where it is dropped may be any thread.
        for chunk in cast("Iterable[bytes | str]", self._response.response):
            yield chunk.encode() if isinstance(chunk, str) else chunk

    def close(self) -> None:
        """Close the response."""
        self._response.close()
