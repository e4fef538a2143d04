"""The life of a process: what runs before its first request, and what after its last.

An ASGI server announces both (the lifespan protocol, ASGI 3.0); otherwise the first request is
the sign to start, and Python's exit the sign to end. What runs, and in which order, is
decided once, in steps that a thread or an event loop walks.
"""

from __future__ import annotations

import os
import threading
from contextvars import Context, ContextVar
from inspect import isasyncgenfunction
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakSet, ref

from . import bridge
from .dispatch.run_sync import run_sync
from .exits import at_exit
from .lazy import lazy
from .registry import setupmethod

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
    from concurrent.futures import Future

    from .background import Background
    from .dispatch.steps import Steps
    from .typing import ASGIReceive, ASGISend, Flask

F = TypeVar("F", bound="Callable[..., Any]")

BEFORE, AFTER, WHILE = "before_serving", "after_serving", "while_serving"

#: Whose functions are being run: a start-up function may itself send requests.
_starting: ContextVar[Lifespan | None] = ContextVar("brim.lifespan", default=None)


class Lifespan:
    """What an application does once in each process; ``app.lifespan``.

    As a context manager it starts the application and ends it, which is for tests:

        with app.lifespan:
            app.test_client().get("/")
    """

    def __init__(self, app: Flask) -> None:
        self._app = ref(app)
        self._functions: list[tuple[str, Callable[..., Any]]] = []
        self._reset()
        _known.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        #: The start: under way, or done. None before, and after one that failed.
        self._start: Future[None] | None = None
        #: The generators that wait at their ``yield``: how each goes on, by its place.
        self._waiting: dict[int, Callable[[], Any]] = {}
        # One for both ends, so that what is set at the start can be reset at the end.
        self._context = Context()

    @property
    def app(self) -> Flask:
        """The application."""
        app = self._app()
        assert app is not None
        return app

    @property
    def functions(self) -> tuple[tuple[str, Callable[..., Any]], ...]:
        """What is registered: the name of the decorator, and the function."""
        return tuple(self._functions)

    def add(self, kind: str, function: F) -> F:
        """Register a function; ``kind`` is the name of the decorator."""
        if self._start is not None:
            self.app._refuse_setup(
                kind, "application", "It has already run what it runs before it serves."
            )
        self._functions.append((kind, function))
        self.app._to_start = self
        return function

    # From a thread ----------------------------------------------------------------------

    def start(self) -> None:
        """Run the start-up functions, unless that is done; wait if another thread does it.

        What one of them raises is raised, and the next call tries again.
        """
        if _starting.get() is self:
            return
        start = self._claim()
        if start is not None:
            _raise_if_failed(start.exception())
            return
        if any(_is_async(function) for _, function in self._functions):
            # Python 3.12 starts no thread any more at the end, when it would first be needed.
            bridge.loop_for_tasks()
        try:
            self._context.run(self._run, self._begin())
        except BaseException as error:
            self._failed(error)
            raise
        self._started()

    def stop(self) -> None:
        """End background tasks, then run what is to run after the last request, once.

        Errors are logged, and the other functions run. Requests that come later do not start
        the application again; :meth:`start` does.
        """
        end_tasks = self._background_end()
        end_tasks()
        if self._let_go():
            self._context.run(self._run, self._finish())
            end_tasks()

    def _background_end(self) -> Callable[[], None]:
        # Most applications have no tasks, and load nothing for them.
        background: Background | None = vars(self.app).get("background")
        return _do_nothing if background is None else background.end

    def _run(self, steps: Steps[None]) -> None:
        if not self._functions:
            return
        token = _starting.set(self)
        try:
            with self.app.app_context():
                run_sync(steps)
        finally:
            _starting.reset(token)

    def __enter__(self) -> Lifespan:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    # From an event loop -----------------------------------------------------------------

    async def start_here(self) -> bool:
        """Run the start-up functions as :meth:`start` does, from the server's loop.

        Returns whether it was this call that ran them.
        """
        import asyncio  # noqa: PLC0415 -- loaded by now

        start = self._claim()
        if start is not None:
            waiting = asyncio.wrap_future(start)
            await asyncio.wait([waiting])
            _raise_if_failed(waiting.exception())
            return False
        try:
            await self._run_here(self._begin())
        except BaseException as error:
            self._failed(error)
            raise
        self._started()
        return True

    async def stop_here(self) -> None:
        """End as :meth:`stop` does, from the server's loop."""
        import asyncio  # noqa: PLC0415 -- loaded by now

        end_tasks = self._background_end()
        # On a thread, as tasks need the loop to come to their end.
        await asyncio.to_thread(end_tasks)
        if self._let_go():
            await self._run_here(self._finish())
            await asyncio.to_thread(end_tasks)

    async def _run_here(self, steps: Steps[None]) -> None:
        from .dispatch.run_async import run_async  # noqa: PLC0415 -- asyncio is loaded by now
        from .threads import ThreadSide  # noqa: PLC0415

        if not self._functions:
            return
        token = _starting.set(self)
        threads = ThreadSide()
        ctx = self.app.app_context()
        failure: BaseException | None = None
        ctx.push()
        try:
            await run_async(steps, threads)
        except BaseException as error:
            failure = error
            raise
        finally:
            try:
                await threads.run(ctx.pop, failure)
            finally:
                failure = None  # which keeps this frame
                _starting.reset(token)

    # What happens in which order --------------------------------------------------------

    def _begin(self) -> Steps[None]:
        """Start in the order of registration; end what had begun if something fails."""
        app = self.app
        try:
            for place, (kind, function) in enumerate(self._functions):
                if kind == BEFORE:
                    yield app.ensure_sync(function), (), {}
                elif kind == WHILE:
                    go_on = app.ensure_sync(_stepper(function))
                    if not (yield go_on, (), {}):
                        raise RuntimeError(
                            f"The while_serving function {_name_of(function)} ended without a"
                            " 'yield', which is where the application serves."
                        )
                    self._waiting[place] = go_on
        except BaseException:
            yield from self._finish(failed=True)
            raise

    def _finish(self, failed: bool = False) -> Steps[None]:
        """End in the reverse order. ``failed``: only what had begun at the start."""
        app = self.app
        for place, (kind, function) in reversed(list(enumerate(self._functions))):
            go_on = self._waiting.pop(place, None)
            try:
                if go_on is not None:
                    if (yield go_on, (), {}):
                        raise RuntimeError("It yielded a second time.")
                elif kind == AFTER and not failed:
                    yield app.ensure_sync(function), (), {}
            except Exception:
                app.logger.exception("The %s function %s failed.", kind, _name_of(function))

    # Once -------------------------------------------------------------------------------

    def _claim(self) -> Future[None] | None:
        """Return the start that another has begun; ``None`` if it is the caller's to do."""
        from concurrent.futures import Future  # noqa: PLC0415 -- many have nothing to start

        with self._lock:
            if self._start is not None:
                return self._start
            self._start = Future()
            self._start.set_running_or_notify_cancel()
            return None

    def _started(self) -> None:
        _watch_for_exit()
        start, self.app._to_start = self._start, None
        if start is not None:
            start.set_result(None)

    def _failed(self, error: BaseException) -> None:
        with self._lock:
            start, self._start = self._start, None
        if start is not None:
            start.set_exception(error)

    def _let_go(self) -> bool:
        """Tell whether there is something to end, from now on no more."""
        with self._lock:
            if self._start is None or not self._start.done():
                return False
            self._start = None
            return True

    def forget(self) -> None:
        """Note that this is another process: nothing has started in it."""
        _of_parent.append(self._waiting)
        self._reset()
        app = self._app()
        if app is not None and self._functions:
            app._to_start = self


def _raise_if_failed(error: BaseException | None) -> None:
    if error is not None:
        raise RuntimeError(
            "Another request was running the application's start-up functions, and one failed."
        ) from error


def _stepper(function: Callable[..., Any]) -> Callable[[], Any]:
    """Call a generator function; return what takes it on, and tells if it has yielded."""
    generator = function()
    if hasattr(generator, "__anext__"):
        return _async_stepper(generator)
    if not hasattr(generator, "__next__"):
        if hasattr(generator, "close"):
            generator.close()  # a coroutine would warn that it was never awaited
        raise TypeError(
            f"The while_serving function {_name_of(function)} must be a generator function,"
            " with one 'yield' where the application serves."
        )
    return _sync_stepper(generator)


def _sync_stepper(generator: Generator[Any, None, None]) -> Callable[[], bool]:
    def step() -> bool:
        try:
            next(generator)
        except StopIteration:
            return False
        return True

    return step


def _async_stepper(
    generator: AsyncGenerator[Any, None],
) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def step() -> bool:
        try:
            await anext(generator)
        except StopAsyncIteration:
            return False
        return True

    return step


def _is_async(function: Callable[..., Any]) -> bool:
    return bridge.is_async(function) or isasyncgenfunction(function)


def _do_nothing() -> None:
    pass


def _name_of(function: Any) -> str:
    return repr(getattr(function, "__qualname__", function))


class LifespanMethods:
    """The methods of :class:`brim.Flask` about the life of a process, and tasks in it."""

    #: The lifespan, where it has functions to run that have not run in this process.
    _to_start: Lifespan | None = None

    @lazy
    def lifespan(self) -> Lifespan:
        """What runs before the first request and after the last, once in each process."""
        return Lifespan(cast("Flask", self))

    @lazy
    def background(self) -> Background:
        """The tasks that run beside the requests in this process."""
        from .background import Background  # noqa: PLC0415 -- most applications have no tasks

        return Background(cast("Flask", self))

    @setupmethod
    def before_serving(self, f: F) -> F:
        """Call ``f`` once in each process, before its first request.

        ``f`` may be a coroutine function. It runs in an application context, without a
        request; several run in the order in which they are registered. An error keeps an ASGI
        server from starting; under WSGI it is the answer to the request that came first, and
        the next request tries again.
        """
        return self.lifespan.add(BEFORE, f)

    @setupmethod
    def after_serving(self, f: F) -> F:
        """Call ``f`` once in each process, after its last request.

        ``f`` may be a coroutine function. It runs in an application context, after background
        tasks have ended or were given up; several run in the reverse order. Errors are logged.
        A process that was killed, or never had a request, runs none.
        """
        return self.lifespan.add(AFTER, f)

    @setupmethod
    def while_serving(self, f: F) -> F:
        """Run a generator function around a process's life, with one ``yield``.

        What stands before the ``yield`` runs as :meth:`before_serving` has it, what follows as
        :meth:`after_serving` has it, and also if a later start-up function fails.

            @app.while_serving
            async def connect():
                async with create_pool(app.config["DATABASE"]) as app.pool:
                    yield
        """
        return self.lifespan.add(WHILE, f)

    def add_background_task(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Start ``function`` beside the requests, now, without waiting for it.

        Coroutine functions run on the event loop, others on a thread. In a request the task
        has ``request`` and ``session`` (to be read) of it, and a ``g`` of its own, which is
        empty; elsewhere it has an application context. Context variables are there. Errors are
        logged. When the process ends, the setting ``BACKGROUND_TASK_SHUTDOWN_TIMEOUT`` says how
        long a task has.

        Raises ``TypeError`` for what isn't a function. :func:`brim.after_response` starts a
        function when the answer is sent.
        """
        from .background import add_task  # noqa: PLC0415 -- most applications have no tasks

        add_task(cast("Flask", self), function, args, kwargs)


# The doors ------------------------------------------------------------------------------


async def serve(app: Flask, scope: Any, receive: ASGIReceive, send: ASGISend) -> None:
    """Follow a server's lifespan protocol: start, wait for its word, end.

    Where a start-up function fails, its error is logged and the server is told, which then
    serves nothing.
    """
    import asyncio  # noqa: PLC0415 -- loaded by now

    bridge.home_loop.set(asyncio.get_running_loop())
    await receive()
    try:
        await app.lifespan.start_here()
    except Exception as error:
        app.logger.exception("The application could not be started.")
        await send(
            {"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"}
        )
        return
    await send({"type": "lifespan.startup.complete"})
    try:
        await receive()
    finally:
        await app.lifespan.stop_here()
    await send({"type": "lifespan.shutdown.complete"})


async def ensure_started(app: Flask) -> None:
    """Start the application at the first request, where the server has announced nothing.

    What a start-up function raises is raised. Without such functions, or once they have run,
    it costs the look at one attribute.
    """
    if app._to_start is not None and _starting.get() is not app._to_start:
        import asyncio  # noqa: PLC0415 -- loaded by now

        loop = asyncio.get_running_loop()
        begun: asyncio.Future[None] = loop.create_future()
        keeper = loop.create_task(_keep(app.lifespan, begun), context=Context())
        _keepers.add(keeper)
        keeper.add_done_callback(_keepers.discard)
        await asyncio.shield(begun)


async def _keep(lifespan: Lifespan, begun: asyncio.Future[None]) -> None:
    """Start, stay, and end when the server ends its loop, by which it cancels all tasks."""
    import asyncio  # noqa: PLC0415 -- loaded by now

    loop = asyncio.get_running_loop()
    bridge.home_loop.set(loop)
    try:
        keeps = await lifespan.start_here()
    except Exception as error:
        begun.set_exception(error)
        return
    begun.set_result(None)
    if keeps:
        try:
            await loop.create_future()
        finally:
            await lifespan.stop_here()


# The process ----------------------------------------------------------------------------

_known: WeakSet[Lifespan] = WeakSet()
_keepers: set[asyncio.Task[None]] = set()
#: Generators of the parent process. Dropped, they would run their ``finally`` here.
_of_parent: list[Any] = []
_watches_for_exit = False


def _watch_for_exit() -> None:
    global _watches_for_exit
    if not _watches_for_exit:
        _watches_for_exit = True
        at_exit(_stop_all)


def _stop_all() -> None:
    for lifespan in list(_known):
        if lifespan._app() is not None:
            lifespan.stop()


def _forget_all() -> None:
    global _watches_for_exit
    _watches_for_exit = False
    for lifespan in list(_known):
        lifespan.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
