"""Tasks beside the requests: work that no answer waits for.

Sync functions run on a few threads kept here, coroutine functions on the server's event loop,
or on the one that the process keeps. Each has a context of its own, a snapshot of the one that
it was started from. When a process ends is decided elsewhere (:mod:`brim.lifespan`, or Python's
``atexit``); what becomes of its tasks then stands here.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextvars import copy_context
from copy import copy
from functools import partial
from io import RawIOBase
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, ref

from . import bridge
from .ctx import AppContext, _cv_ctx, current_request_ctx
from .exits import at_exit
from .pools import Pool

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Iterable, Iterator
    from contextvars import Context
    from typing import NoReturn

    from .typing import Flask, RequestContext

#: How many sync tasks of a process run at a time; the others wait for their turn.
THREADS = 16
#: What a coroutine has for its ``finally`` once it is cancelled as the process ends, in seconds.
CLEANING_UP = 1.0

#: Where a request's context keeps what waits for its answer to be sent.


_TOO_LONG = (
    "it had not ended {:g} s after the process was told to."
    " BACKGROUND_TASK_SHUTDOWN_TIMEOUT sets how long that is."
)
_LOOP_ENDED = "the server has ended its event loop, without telling the application before."


class Task:
    """One call of a function, with the context that it runs in."""

    #: Set while it runs as a coroutine.
    _running: asyncio.Task[None] | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _given_up = False

    def __init__(self, call: partial[Any], ctx: AppContext, variables: Context) -> None:
        self.call = call
        self.ctx = ctx
        self.variables = variables
        self.name = _name_of(call.func)
        #: Done when the task has ended, in whatever way.
        self.ended: Future[None] = Future()
        # Nobody who waits for it can cancel it.
        self.ended.set_running_or_notify_cancel()

    def start(self) -> None:
        """Have it run."""
        # The context that it was started from is current in the copy; the task's own replaces it.
        self.variables.run(bridge.keep_home_loop)
        self.variables.run(_cv_ctx.set, None)  # type: ignore[arg-type]
        if bridge.is_async(self.call.func):
            self._loop = self.variables.run(bridge.loop_for_tasks)
            self._loop.call_soon_threadsafe(self._start_on_loop, self._loop)
        else:
            _pool().put(self)

    def work(self) -> None:
        """Run it as a function, on a thread of the pool."""
        self.variables.run(self._run)

    def _run(self) -> None:
        try:
            if not self._given_up:
                with self.ctx:
                    self.call()
        except BaseException as error:
            self._log(error)
        finally:
            self._end()

    def _start_on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._given_up:
            self._end()
        else:
            self._running = loop.create_task(self._run_on_loop(), context=self.variables)

    async def _run_on_loop(self) -> None:
        from asyncio import CancelledError  # noqa: PLC0415 -- loaded by now

        try:
            await self._call_on_loop()
        except CancelledError:
            if not self._given_up:  # or it is told already
                self.ctx.app.logger.warning("Background task %s was cancelled.", self.name)
        except BaseException as error:
            # A SystemExit, too, would reach the server's loop.
            self._log(error)
        finally:
            self._end()

    async def _call_on_loop(self) -> None:
        from . import threads  # noqa: PLC0415 -- asyncio is loaded by now

        failure: BaseException | None = None
        self.ctx.push()
        try:
            await self.call()
        except BaseException as error:
            failure = error
            raise
        finally:
            # Teardown functions may wait for something.
            try:
                await threads.run(copy_context(), self.ctx.pop, failure)
            finally:
                failure = None  # which keeps this frame

    def _log(self, error: BaseException) -> None:
        self.ctx.app.logger.error("Background task %s failed.", self.name, exc_info=error)

    def _end(self) -> None:
        self.ctx.app.background.forget(self)
        self.ended.set_result(None)

    @property
    def can_end(self) -> bool:
        """Whether it may still come to its end: a loop that was stopped takes it no further."""
        return self._loop is None or self._loop.is_running()

    def give_up(self) -> None:
        """Cancel a coroutine; let a function that no thread has begun never begin."""
        self._given_up = True
        if self._loop is not None and self.can_end:
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()


class Background:
    """The tasks of one application in this process; ``app.background``."""

    def __init__(self, app: Flask) -> None:
        self._app = ref(app)
        self._tasks: set[Task] = set()
        #: Requests whose answers are being sent, or held by a test client.
        self._unsent: set[RequestContext] = set()
        _known.add(self)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until no task is left; for tests, and from code that can't await.

        Tasks that wait for an answer which the test client holds, unread, are started now.
        Returns whether all have ended within ``timeout`` seconds; by default there is no limit.

        Raises ``RuntimeError`` on an event loop that has tasks to run: they couldn't go on while
        this waits. :meth:`wait` is for there.
        """
        for ctx in self._unsent.copy():
            self.start_after_response(ctx)
        deadline = None if timeout is None else time.monotonic() + timeout
        while tasks := self._unended():
            if any(bridge.is_running_here(task._loop) for task in tasks if task._loop):
                raise RuntimeError(
                    "'app.background.join()' was called on the event loop that runs the tasks,"
                    " and would wait forever. Write 'await app.background.wait()'."
                )
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            wait_for([task.ended for task in tasks], left)
        return True

    async def wait(self, timeout: float | None = None) -> bool:
        """Wait until no task is left, as :meth:`join` does, while the event loop goes on."""
        import asyncio  # noqa: PLC0415 -- loaded by now

        return await asyncio.to_thread(self.join, timeout)

    def end(self) -> None:
        """Give tasks the setting ``BACKGROUND_TASK_SHUTDOWN_TIMEOUT``, then give them up.

        What is given up is logged, by name.
        """
        app = self._app()
        if app is None or not self._tasks:
            return
        grace: float = app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"]
        self.join(grace)
        left = list(self._tasks)
        for task in left:
            why = _TOO_LONG.format(grace) if task.can_end else _LOOP_ENDED
            app.logger.warning("Background task %s was given up: %s", task.name, why)
            task.give_up()
        wait_for([task.ended for task in left if task._loop and task.can_end], CLEANING_UP)
        self._tasks.difference_update(left)

    def start(self, task: Task) -> None:
        """Start a task."""
        _watch_for_exit()
        self._tasks.add(task)
        try:
            task.start()
        except BaseException:
            self._tasks.discard(task)
            raise

    @property
    def time_to_end(self) -> float:
        """How many seconds :meth:`end` may take."""
        app = self._app()
        if app is None or not self._tasks:
            return 0.0
        grace: float = app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"]
        return grace + CLEANING_UP

    def forget(self, task: Task) -> None:
        """Note that a task has ended."""
        self._tasks.discard(task)

    def _unended(self) -> list[Task]:
        return [task for task in self._tasks.copy() if task.can_end]

    def start_after_response(self, ctx: RequestContext) -> None:
        """Start what waits for the request's answer, which has been sent. Raises nothing.

        For the doors, which ask first whether ``ctx._waiting`` is anything.
        """
        waiting, ctx._waiting = ctx._waiting, None
        self._unsent.discard(ctx)
        for call, variables in waiting or ():
            try:
                self.start(Task(call, snapshot(ctx, with_g=True), variables))
            except Exception:
                app, name = ctx.app, _name_of(call.func)
                app.logger.exception("Background task %s could not be started.", name)

    def keep_until_sent(self, body: Iterable[bytes], ctx: RequestContext) -> SentBody:
        """Return ``body`` so that its end starts the tasks that wait for it."""
        self.expect(ctx)
        return SentBody(body, ctx)

    def expect(self, ctx: RequestContext) -> None:
        """Note that the request's answer is being sent."""
        self._unsent.add(ctx)


class SentBody:
    """A WSGI body whose end, or whose closing, starts the tasks that its request has."""

    def __init__(self, body: Iterable[bytes], ctx: RequestContext) -> None:
        self._body = body
        self._ctx = ctx

    def __iter__(self) -> Iterator[bytes]:
        # It doesn't close the body: where it is dropped may be any thread.
        for chunk in self._body:  # noqa: UP028 -- which would pass a close on
            yield chunk
        self.start_tasks()

    def close(self) -> None:
        """Close the body."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self.start_tasks()

    def start_tasks(self) -> None:
        """Start the tasks, once."""
        self._ctx.app.background.start_after_response(self._ctx)

    def __del__(self) -> None:
        # A client in a test may drop its answer, a server may break PEP 3333.
        self.start_tasks()


def after_response(function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Call ``function`` with the arguments once the answer is sent.

    ``function`` may be a coroutine function. It runs whether the client has taken the whole
    answer or has left; after a streamed answer's end; and not at all where an error leaves
    the application, so that there is no answer. Several run side by side. ``request``,
    ``session`` (to be read), ``g`` (a copy, of what the teardown functions have left) and
    context variables are there. Errors are logged.

        @app.post("/orders")
        def order():
            order = save(request.form)
            after_response(send_confirmation, order.id)
            return "Thank you"

    Raises ``RuntimeError`` outside a request, ``TypeError`` for what isn't a function. Called
    from a task, or once the request is over, it starts the function at once.
    """
    ctx = current_request_ctx("'after_response'")
    call = _checked(function, args, kwargs, "after_response")
    while ctx._origin is not None:
        ctx = ctx._origin
    if ctx._pushed is None and not ctx._streams:
        ctx.app.background.start(Task(call, snapshot(ctx, with_g=True), copy_context()))
    else:
        if ctx._waiting is None:
            ctx._waiting = []
        ctx._waiting.append((call, copy_context()))


def start_after_response(ctx: RequestContext) -> None:
    """Start what waits for the end of the request, if anything does. Raises nothing."""
    if ctx._waiting is not None:
        ctx.app.background.start_after_response(ctx)


def add_task(
    app: Flask, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Start a function at once; this is :meth:`brim.Flask.add_background_task`."""
    call = _checked(function, args, kwargs, "add_background_task")
    current = _cv_ctx.get(None)
    request_ctx = None if current is None else current.request_ctx
    if request_ctx is not None and request_ctx.app is app:
        ctx: AppContext = snapshot(request_ctx, with_g=False)
    else:
        ctx = app.app_context()
    app.background.start(Task(call, ctx, copy_context()))


def snapshot(ctx: RequestContext, with_g: bool) -> RequestContext:
    """Return a context of the same request, that outlives it.

    ``with_g``: with a copy of ``g``. While the request goes on there must be none: what the
    teardown functions find in it they would close under the request's hands.
    """
    taken = ctx.copy()
    request = taken.request = copy(ctx.request)
    # Its files are the request's to close, and its body is what arrives for the request.
    request.close = _do_nothing  # type: ignore[method-assign]
    environ = ctx.environ
    if environ.get("CONTENT_LENGTH", "0").strip("0") or "HTTP_TRANSFER_ENCODING" in environ:
        request.stream = GoneBody()  # type: ignore[assignment]
    if with_g:
        taken.g = copy(ctx.g)
    return taken


def _do_nothing() -> None:
    pass


class GoneBody(RawIOBase):
    """The body of a request that is over, or that another reads: an error says so."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> NoReturn:
        raise RuntimeError(
            "A background task read its request's body, which arrives for the request alone."
            " Read it in the view, and pass on what the task needs."
        )


def _checked(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], caller: str
) -> partial[Any]:
    if callable(function):
        return partial(function, *args, **kwargs)
    close = getattr(function, "close", None)
    name = getattr(function, "__name__", None)
    if close is None or name is None:
        raise TypeError(f"'{caller}' takes a function and its arguments, not {function!r}.")
    coroutine: Coroutine[Any, Any, Any] = function
    coroutine.close()  # it would warn that it was never awaited
    raise TypeError(
        f"'{caller}' takes a function and its arguments, not a coroutine. Write"
        f" {caller}({name}, ...) instead of {caller}({name}(...))."
    )


def _name_of(function: Any) -> str:
    while isinstance(function, partial):
        function = function.func
    name: str | None = getattr(function, "__qualname__", None)
    return repr(function) if name is None else f"{function.__module__}.{name}"


# One pool per process, and what the process has to see to when it ends ------------------

_lock = threading.Lock()
_the_pool: Pool | None = None
_known: WeakSet[Background] = WeakSet()
_watches_for_exit = False


def _pool() -> Pool:
    global _the_pool
    with _lock:
        if _the_pool is None:
            _the_pool = Pool(THREADS, "brim-background")
        return _the_pool


def _watch_for_exit() -> None:
    global _watches_for_exit
    if not _watches_for_exit:
        _watches_for_exit = True
        at_exit(_end_all)


def _end_all() -> None:
    for background in list(_known):
        background.end()


def _forget_all() -> None:
    # The tasks are the parent's, and its threads did not come along into the child process.
    global _the_pool, _lock, _watches_for_exit
    _watches_for_exit = False
    _the_pool = None
    _lock = threading.Lock()
    for background in list(_known):
        background._tasks = set()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
