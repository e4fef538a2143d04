"""Server-sent events: what an event is on the wire, and the response that sends them.

The format is that of the WHATWG's HTML standard, section "Server-sent events". How a stream
holds its request and ends it is :mod:`brim.streams`'s.
"""

from __future__ import annotations

import asyncio
import re

# Not by `queue`, where gevent puts one that wakes only greenlets of its own thread.
from _queue import SimpleQueue
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache, partial
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response as WerkzeugResponse

from . import json
from .ctx import _cv_ctx
from .greenlets import start_thread
from .streams import AsyncBody, ContextStream, Handed, Hold, Silence, unattended
from .wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Context
    from http import HTTPStatus

#: A comment without text, which clients pass over.
COMMENT = b":\n\n"

#: The first silence is cut off after so many seconds at the latest: servers send the headers with
#: the first bytes, and a browser takes the stream for open when it has the headers.
FIRST_SILENCE = 1.0

#: Those of a response whose view names none. Nginx would collect events until its buffer is full.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_LATER_HEADERS = tuple(_HEADERS.items())
_INIT = WerkzeugResponse.__init__

_LINE_ENDS = re.compile("\r\n|\r|\n")
_END: Any = object()


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of an :class:`EventStream`.

    ``data``: a ``str`` is sent as it is, however many lines it has; anything else as JSON,
    by the application's provider. ``None`` sends no data: browsers then fire no event, but
    take note of ``id`` and ``retry``.

    ``event``: the event's type, which ``addEventListener`` names; ``"message"`` by default.
    ``id``: what the client sends as ``Last-Event-ID`` when it connects again; ``""`` makes
    it forget the last one. ``retry``: milliseconds to wait before that. ``comment``: text
    that clients pass over.

    Raises ``ValueError`` for a line break in ``event`` or ``id``, a NUL in ``id`` and a
    negative ``retry``; ``TypeError`` for values of other types.

        ServerSentEvent({"price": 12}, event="price", id="7")
    """

    data: Any = None
    _: KW_ONLY
    event: str | None = None
    id: str | int | None = None
    retry: int | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        # PERF: most events have data alone; benchmarks/bench_streaming.py.
        if (
            self.event is not None
            or self.id is not None
            or self.retry is not None
            or self.comment is not None
        ):
            self._check()

    def _check(self) -> None:
        _check("event", self.event, str)
        _check("comment", self.comment, str)
        _check("id", self.id, str, int)
        _check("retry", self.retry, int)
        if self.event is not None and _LINE_ENDS.search(self.event):
            raise ValueError(f"The event's type {self.event!r} has a line break, which ends it.")
        if isinstance(self.id, str) and (_LINE_ENDS.search(self.id) or "\0" in self.id):
            raise ValueError(f"The event's id {self.id!r} has a line break or a NUL.")
        if self.retry is not None and self.retry < 0:
            raise ValueError(f"The event's retry is {self.retry}; it is milliseconds, 0 or more.")

    def encode(self) -> bytes:
        """Return the bytes to send: the event's lines and the empty one that ends it."""
        text = ""
        if self.comment is not None:
            text = _lines(": ", self.comment)
        if self.event:
            text += f"event: {self.event}\n"
        if self.id is not None:
            text += f"id: {self.id}\n"
        if self.retry is not None:
            text += f"retry: {self.retry}\n"
        data = self.data
        if data is not None:
            text += _lines("data: ", data if isinstance(data, str) else json.dumps(data))
        return f"{text}\n".encode()


def _lines(name: str, text: str) -> str:
    """Return a field's lines, one for each of the text's.

    >>> _lines("data: ", "a\\nb")
    'data: a\\ndata: b\\n'
    """
    if "\n" not in text and "\r" not in text and type(text) is str:
        return f"{name}{text}\n"
    return "".join([f"{name}{line}\n" for line in _LINE_ENDS.split(text)])


def _check(name: str, value: object, *kinds: type) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, kinds)):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"The event's {name} is {value!r}; it must be {expected}.")


def encode(event: Any) -> bytes:
    """Return the bytes of what an event stream's generator gives."""
    # PERF: the event that most streams send; benchmarks/bench_streaming.py.
    if type(event) is str and "\n" not in event and "\r" not in event:
        return f"data: {event}\n\n".encode()
    if event is None:
        return COMMENT
    made = event if isinstance(event, ServerSentEvent) else ServerSentEvent(event)
    return made.encode()


class EventStream(Response):
    """A response of server-sent events, which a browser's ``EventSource`` reads.

    ``events``: an iterable or async iterable, mostly a generator, of
    :class:`ServerSentEvent`, or of data alone: ``str``, or anything that becomes JSON.
    ``None`` among them sends a comment.

    ``keep_alive``: after so many seconds of silence a comment is sent, so that proxies keep
    the connection and a client that has left is noticed; ``None`` for never.

        @app.get("/prices")
        def prices():
            def events():
                for price in watch(request.args["name"]):
                    yield ServerSentEvent({"price": price}, event="price")
            return EventStream(events())

    The request's context is kept as by :func:`brim.stream_with_context`: it is current in
    the generator, and the teardown functions run at the stream's end. When the client has
    left, the generator is closed: an async one is cancelled where it waits, a sync one is
    closed as soon as it yields. With ``keep_alive`` a sync generator runs on a thread of
    its own; without, where the server iterates the response.

    The response isn't cached or buffered, unless ``headers`` say otherwise. A view's result
    becomes an :attr:`~brim.Flask.response_class` like any other response.

    Raises ``TypeError`` if ``events`` can't be iterated or is one event, ``ValueError`` for
    a ``keep_alive`` that isn't positive.
    """

    default_mimetype = "text/event-stream"

    def __init__(
        self,
        events: Iterable[Any] | AsyncIterable[Any],
        *,
        keep_alive: float | None = 15.0,
        status: int | str | HTTPStatus = 200,
        headers: Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]] | None = None,
    ) -> None:
        body = _body(events, keep_alive)
        # PERF: a tenth of what Werkzeug's constructor takes; benchmarks/bench_streaming.py.
        if (
            headers is None
            and type(status) is int
            and status == 200
            and type(self) is EventStream
            and self.default_mimetype == "text/event-stream"
            and WerkzeugResponse.__init__ is _INIT
        ):
            self.response = body
            self._plain_content_type = "text/event-stream; charset=utf-8"
            self._later_headers = _LATER_HEADERS
            return
        if headers is None:
            super().__init__(body, status, _HEADERS)
            return
        super().__init__(body, status, headers)
        for name, value in _HEADERS.items():
            self.headers.setdefault(name, value)


def _body(
    events: Iterable[Any] | AsyncIterable[Any], keep_alive: float | None
) -> AsyncBody | ContextStream:
    given: Any = events
    kind: object = type(events)
    is_generator = kind is AsyncGeneratorType
    if not is_generator:
        _check_iterable(given)
    if keep_alive is not None and not keep_alive > 0:
        raise ValueError(f"keep_alive is {keep_alive!r}; it is seconds, more than 0, or None.")
    ctx = _cv_ctx.get(None)
    request_ctx = None if ctx is None else ctx.request_ctx
    if is_generator or isinstance(events, AsyncIterable):
        hold = Hold(request_ctx)
        return EventBody(aiter(given), hold, hold.variables, keep_alive)
    iterator = iter(given)
    hold = Hold(request_ctx)
    if keep_alive is None:
        return _Encoded(iterator, hold)
    # Its thread runs in the hold's variables, so the task that waits for it can't.
    return EventBody(OwnThread(iterator, hold), hold, hold.variables.copy(), keep_alive)


def _check_iterable(events: object) -> None:
    kind = type(events).__name__
    one = (str, bytes, Mapping, ServerSentEvent)
    if isinstance(events, one) or not isinstance(events, (Iterable, AsyncIterable)):
        raise TypeError(
            "EventStream takes an iterable of events, such as what a generator function"
            f" returns when it is called, and not a {kind}."
        )


def _next_encoded(events: Iterator[Any]) -> bytes:
    return encode(next(events))


class _Encoded(ContextStream):
    _step = staticmethod(_next_encoded)


class EventBody(AsyncBody):
    """The events of an async iterator, encoded; in silence a comment.

    A loop that sends it fills the silences itself. For all others :class:`KeptAlive` does.
    """

    def __init__(
        self,
        events: AsyncIterator[Any],
        hold: Hold,
        variables: Context,
        seconds: float | None,
    ) -> None:
        self._events = events
        self._kept_alive = KeptAlive(events, variables, seconds)
        self._seconds = seconds
        super().__init__(self._kept_alive, hold, variables)

    @property
    def silence(self) -> Silence | None:  # type: ignore[override]
        seconds = self._seconds
        if seconds is None or self._kept_alive.has_begun:
            return None
        return _silence_of(seconds)

    def hand_over(self) -> tuple[Handed, Callable[[Any], bytes] | None]:
        if self._iterator is None or self._kept_alive.has_begun:
            return super().hand_over()
        super().hand_over()
        return Handed(self._events), encode


@lru_cache(16)
def _silence_of(seconds: float) -> Silence:
    return Silence(min(seconds, FIRST_SILENCE), seconds, COMMENT)


class KeptAlive:
    """The events of an async iterator, encoded, and a comment whenever there is none.

    All of the iterator's steps, and its closing, run in one task, as if an ``async for``
    took them: timeouts and task groups that it keeps open while it yields belong to that
    task. A step begins when the next event is asked for.
    """

    def __init__(
        self, events: AsyncIterator[Any], variables: Context, seconds: float | None
    ) -> None:
        self._events = events
        self._variables = variables
        self._seconds = seconds
        self._patience = seconds and min(seconds, FIRST_SILENCE)
        self._task: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._is_closing = False

    @property
    def has_begun(self) -> bool:
        """Whether any event was asked for."""
        return self._task is not None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._answer is None:
            loop = asyncio.get_running_loop()
            self._answer = loop.create_future()
            if self._task is None:
                self._asked = asyncio.Event()
                self._task = loop.create_task(self._take(), context=self._variables)
            self._asked.set()
        done, _ = await asyncio.wait({self._answer}, timeout=self._patience)
        self._patience = self._seconds
        if not done:
            return COMMENT
        answer, self._answer = self._answer, None
        return answer.result()

    async def _take(self) -> None:
        try:
            while await self._asked.wait():
                self._asked.clear()
                assert self._answer is not None
                try:
                    self._answer.set_result(encode(await anext(self._events)))
                except asyncio.CancelledError:
                    self._answer.cancel()
                    raise
                except BaseException as error:
                    self._answer.set_exception(error)
                    return
        finally:
            self._is_closing = True
            await _close(self._events)

    async def aclose(self) -> None:
        """End the task, and with it the iterator."""
        task = self._task
        if task is None:
            await _close(self._events)
            return
        if not self._is_closing:
            task.cancel()
        await asyncio.wait({task})
        if self._answer is not None and not self._answer.cancelled():
            self._answer.exception()  # nobody is there any more to be told
        if not task.cancelled():
            task.result()


async def _close(iterator: AsyncIterator[Any]) -> None:
    aclose = getattr(iterator, "aclose", None)
    if aclose is not None:
        await aclose()


class OwnThread:
    """A sync iterator as an async one: its steps, and its closing, on one thread of its own.

    A step can't be interrupted. Where one goes on when the iterator is to be closed, the
    caller doesn't wait: the iterator is closed when the step is through, and holds its
    request until then.
    """

    def __init__(self, iterator: Iterator[Any], hold: Hold) -> None:
        self._iterator = iterator
        self._hold = hold
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._has_thread = False
        self._step: Future[Any] | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        step = self._step = self._begin(partial(next, self._iterator, _END))
        event = await asyncio.wrap_future(step)
        if event is _END:
            raise StopAsyncIteration
        return event

    async def aclose(self) -> None:
        """Close the iterator, or have that done as soon as it yields; end the thread."""
        step = self._step
        closing = self._begin(partial(_close_sync, self._iterator))
        self._work.put(None)
        end = unattended(_end_after(closing, self._hold.renewed()))
        if step is None or step.done():
            await asyncio.shield(end)

    def _begin(self, function: Callable[[], Any]) -> Future[Any]:
        if not self._has_thread:
            # A daemon: a step that never ends doesn't keep the process from ending.
            start_thread(partial(_work_off, self._work), "brim-events")
            self._has_thread = True
        outcome: Future[Any] = Future()
        self._work.put(partial(_do, outcome, self._hold.variables, function))
        return outcome

    def __del__(self) -> None:
        self._work.put(None)


def _work_off(work: SimpleQueue[Callable[[], None] | None]) -> None:
    while (function := work.get()) is not None:
        function()
        del function


def _do(outcome: Future[Any], variables: Context, function: Callable[[], Any]) -> None:
    if outcome.set_running_or_notify_cancel():
        try:
            result = variables.run(function)
        except BaseException as error:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)


def _close_sync(iterator: Iterator[Any]) -> None:
    close = getattr(iterator, "close", None)
    if close is not None:
        close()


async def _end_after(closing: Future[None], hold: Hold) -> None:
    try:
        await asyncio.wrap_future(closing)
    finally:
        await hold.end_async(GeneratorExit())
