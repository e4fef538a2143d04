"""The client for tests that are coroutines: what it sends is answered on the test's own loop.

It has a :class:`~brim.testing.FlaskClient` do all the work, on a thread, and awaits it. So
cookies, redirects, sessions and what a subclass changes are as they are there.
"""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from .. import bridge
from . import asgi
from .client import WEBSOCKET_TIMEOUT

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable
    from concurrent.futures import Future
    from types import TracebackType

    from werkzeug.test import Cookie, TestResponse

    from ..sessions import SessionMixin
    from ..typing import Flask
    from .client import FlaskClient
    from .websocket import AsyncClientWebsocket

P = ParamSpec("P")
T = TypeVar("T")


class AsyncFlaskClient:
    """A client whose requests are awaited, made by :meth:`brim.Flask.async_test_client`.

        async def test_hello(app):
            client = app.async_test_client()
            response = await client.get("/")
            assert response.text == "Hello"

    Requests go through the ASGI door on the running event loop, so that views, hooks and
    the test may share what is bound to a loop. Several may be under way at once. Cookies,
    redirects and arguments are those of :class:`FlaskClient`; the response is complete when
    it is returned. To read one while it arrives, use :meth:`stream`.

    Used with ``async with``, it keeps the context of the last request until the next one
    or the block's end, so that ``request`` and ``session`` can be looked at.

    A request that is cancelled, as by ``asyncio.timeout``, has its view cancelled.
    """

    def __init__(self, client: FlaskClient) -> None:
        #: The client that makes the requests, an instance of ``app.test_client_class``.
        self.client = client
        client.door = "asgi"
        client._keeps_contexts = False

    @property
    def application(self) -> Flask:
        """The application."""
        return self.client.application

    async def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request and return the response; arguments are :meth:`FlaskClient.open`'s."""
        return await self._open(*args, **{**kwargs, "buffered": True})

    async def _open(self, *args: Any, **kwargs: Any) -> TestResponse:
        self.client._context_stack.close()
        response = await on_thread(self.client.open, *args, **kwargs)
        self.client._keep_context()
        return response

    async def get(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Call :meth:`open` with the method ``GET``."""
        return await self.open(*args, **kwargs, method="GET")

    async def post(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Call :meth:`open` with the method ``POST``."""
        return await self.open(*args, **kwargs, method="POST")

    async def put(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Call :meth:`open` with the method ``PUT``."""
        return await self.open(*args, **kwargs, method="PUT")

    async def patch(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Call :meth:`open` with the method ``PATCH``."""
        return await self.open(*args, **kwargs, method="PATCH")

    async def delete(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Call :meth:`open` with the method ``DELETE``."""
        return await self.open(*args, **kwargs, method="DELETE")

    async def head(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Call :meth:`open` with the method ``HEAD``."""
        return await self.open(*args, **kwargs, method="HEAD")

    async def options(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Call :meth:`open` with the method ``OPTIONS``."""
        return await self.open(*args, **kwargs, method="OPTIONS")

    @asynccontextmanager
    async def stream(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Stream]:
        """Send a request and read the response while it arrives.

            async with client.stream("/events") as stream:
                assert stream.response.status_code == 200
                async for chunk in stream:
                    ...

        Arguments are :meth:`FlaskClient.open`'s. The view's generator is held at each chunk
        until the next is asked for. Leaving the block early is a client that hangs up.
        """
        response = await self._open(*args, **kwargs)
        try:
            yield Stream(response)
        finally:
            await on_thread(response.close)

    @asynccontextmanager
    async def session_transaction(self, *args: Any, **kwargs: Any) -> AsyncGenerator[SessionMixin]:
        """Open the client's session to read and change it before a request.

            async with client.session_transaction() as session:
                session["user"] = 42

        Arguments are those of :meth:`brim.Flask.test_request_context`. The session is saved
        at the block's end, unless it ends with an error.
        """
        transaction = self.client.session_transaction(*args, **kwargs)
        session = await on_thread(transaction.__enter__)
        try:
            yield session
        except BaseException as error:
            await on_thread(transaction.__exit__, type(error), error, error.__traceback__)
            raise
        await on_thread(transaction.__exit__, None, None, None)

    def websocket_connect(
        self,
        *args: Any,
        subprotocols: Iterable[str] = (),
        timeout: float | None = WEBSOCKET_TIMEOUT,
        **kwargs: Any,
    ) -> AsyncClientWebsocket:
        """Return a WebSocket to the application, which ``async with`` connects and closes.

            async with client.websocket_connect("/echo") as ws:
                await ws.send("hello")
                assert await ws.receive() == "hello"

        Arguments are those of :meth:`FlaskClient.websocket_connect`.
        """
        return self.client._websocket(args, kwargs, subprotocols, timeout)

    def set_cookie(self, *args: Any, **kwargs: Any) -> None:
        """Set a cookie, as ``FlaskClient.set_cookie`` does."""
        self.client.set_cookie(*args, **kwargs)

    def get_cookie(self, *args: Any, **kwargs: Any) -> Cookie | None:
        """Return a cookie, as ``FlaskClient.get_cookie`` does."""
        return self.client.get_cookie(*args, **kwargs)

    def delete_cookie(self, *args: Any, **kwargs: Any) -> None:
        """Delete a cookie, as ``FlaskClient.delete_cookie`` does."""
        self.client.delete_cookie(*args, **kwargs)

    async def __aenter__(self) -> AsyncFlaskClient:
        self.client.__enter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.client.__exit__(exc_type, exc_value, tb)


class Stream:
    """A response that is still arriving: ``async for`` gives the chunks of its body."""

    def __init__(self, response: TestResponse) -> None:
        #: Status and headers. Its body isn't there yet, so use neither ``text`` nor ``data``.
        self.response = response
        self._chunks = iter(response.response)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk: bytes | None = await on_thread(self._next)
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    def _next(self) -> Any:
        # A StopIteration couldn't be handed over.
        return next(self._chunks, None)


# Threads -----------------------------------------------------------------------------


async def on_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function on a thread of its own, whose requests come back to the running loop.

    A pool would let only so many requests be under way, and those may wait for each other.
    """
    import asyncio  # noqa: PLC0415 -- `brim routes --match` builds an environ without it
    from concurrent.futures import Future  # noqa: PLC0415

    there = _Loop()
    context = copy_context()
    context.run(bridge.home_loop.set, asyncio.get_running_loop())
    context.run(asgi.runner.set, there.run)
    outcome: Future[T] = Future()

    call = partial(context.run, function, *args, **kwargs)
    waiting = asyncio.wrap_future(outcome)
    thread = threading.Thread(target=_work, args=(call, outcome), name="brim-test-client")
    thread.start()
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        there.cancel()
        await asyncio.wait([waiting])
        waiting.exception()  # asked for, as this was said already
        raise
    finally:
        if outcome.done():
            thread.join()  # which is at its end
        del outcome, waiting  # which an error that it raises has, and which have the error


def _work(call: Callable[[], T], outcome: Future[T]) -> None:
    try:
        outcome.set_result(call())
    except BaseException as error:
        outcome.set_exception(error)
    finally:
        del outcome  # which has the error that has this frame


class _Loop:
    """The test's event loop as one thread sees it: what that has run on it can be cancelled."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return bridge.run(self._tracked(coroutine))

    async def _tracked(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        from asyncio import current_task  # noqa: PLC0415 -- loaded by now

        self._task = current_task()
        if self._cancelled and self._task is not None:
            self._task.cancel()
        try:
            return await coroutine
        finally:
            self._task = None

    def cancel(self) -> None:
        """Cancel what runs, and what would be run next; called on the loop."""
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()
