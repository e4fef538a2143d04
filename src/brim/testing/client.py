"""The client that code without ``await`` uses: cookies, redirects, sessions, kept contexts.

It makes requests and reads responses; what happens in between is the door's. How an ASGI
application is called is :mod:`brim.testing.asgi`'s.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from copy import copy
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, cast

from werkzeug.test import Client, run_wsgi_app
from werkzeug.test import EnvironBuilder as WerkzeugEnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

from ..sessions import SessionMixin
from . import asgi
from .builder import EnvironBuilder
from .websocket import AsyncClientWebsocket, ClientWebsocket, websocket_scope

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from types import TracebackType

    from werkzeug.datastructures import Headers
    from werkzeug.test import TestResponse

    from ..typing import Flask, WSGIEnvironment

Door = Literal["wsgi", "asgi"]

#: How many seconds a WebSocket waits for the application if it isn't told otherwise.
WEBSOCKET_TIMEOUT = 5.0


@cache
def _user_agent() -> str:
    from importlib.metadata import version  # noqa: PLC0415 -- slow to load, rarely needed

    return f"Werkzeug/{version('werkzeug')}"


class FlaskClient(Client):
    """A ``werkzeug.test.Client`` that knows the application.

    Used with ``with``, it keeps the context of the last request until the next one or
    the block's end, so that ``request`` and ``session`` can be looked at.

    ``door``: which door it knocks on, ``"wsgi"`` or ``"asgi"``; by default the attribute
    :attr:`door` says so. Behind the second, the application runs on an event loop of the
    process, as under an ASGI server. Other arguments are those of ``werkzeug.test.Client``.
    """

    application: Flask

    #: The door that a client knocks on if it isn't told otherwise.
    door: Door = "wsgi"

    def __init__(self, *args: Any, door: Door | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if door is not None:
            self.door = door
        if self.door not in {"wsgi", "asgi"}:
            raise ValueError(f"There is no door {self.door!r}: it is 'wsgi' or 'asgi'.")
        self.preserve_context = False
        self._new_contexts: list[Any] = []
        # An asynchronous client keeps contexts in its own task, not on the thread of `open`.
        self._keeps_contexts = True
        self._context_stack = ExitStack()
        self.environ_base: dict[str, Any] = {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": _user_agent(),
        }

    @contextmanager
    def session_transaction(self, *args: Any, **kwargs: Any) -> Generator[SessionMixin]:
        """Open the client's session to read and change it before a request.

            with client.session_transaction() as session:
                session["user"] = 42

        Arguments are those of :meth:`brim.Flask.test_request_context`. The session is
        saved at the block's end.
        """
        if self._cookies is None:
            raise TypeError(
                "Cookies are disabled. Create a client with 'use_cookies=True' to have sessions."
            )
        app = self.application
        ctx = app.test_request_context(*args, **kwargs)
        self._add_cookies_to_wsgi(ctx.request.environ)
        with ctx:
            session = app.session_interface.open_session(app, ctx.request)
        if session is None:
            raise RuntimeError("Session backend did not open a session.")
        yield session
        response = app.response_class()
        if app.session_interface.is_null_session(session):
            return
        with ctx:
            app.session_interface.save_session(app, session, response)
        self._update_cookies_from_response(
            ctx.request.host.partition(":")[0],
            ctx.request.path,
            response.headers.getlist("Set-Cookie"),
        )

    def _copy_environ(self, other: WSGIEnvironment) -> WSGIEnvironment:
        environ = {**self.environ_base, **other}
        if self.preserve_context:
            environ["werkzeug.debug.preserve_context"] = self._new_contexts.append
        return environ

    def _request_from_builder_args(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> WerkzeugRequest:
        """Make the request from what :meth:`open` takes: a builder, environ or request."""
        first: Any = args[0] if args and not kwargs else None
        if isinstance(first, WerkzeugEnvironBuilder):
            builder = copy(first)
            builder.environ_base = self._copy_environ(dict(builder.environ_base or {}))
            return builder.get_request()
        if isinstance(first, dict):
            builder = EnvironBuilder.from_environ(
                cast("WSGIEnvironment", first),
                app=self.application,
                environ_base=self._copy_environ({}),
            )
        elif isinstance(first, WerkzeugRequest):
            request = copy(first)
            request.environ = self._copy_environ(request.environ)
            return request
        else:
            kwargs["environ_base"] = self._copy_environ(kwargs.get("environ_base", {}))
            builder = EnvironBuilder(self.application, *args, **kwargs)
        try:
            return builder.get_request()
        finally:
            builder.close()

    def run_wsgi_app(
        self, environ: WSGIEnvironment, buffered: bool = False
    ) -> tuple[Iterable[bytes], str, Headers]:
        """Send one request through the door, with the cookies that it should have."""
        if self.door == "wsgi":
            return super().run_wsgi_app(environ, buffered=buffered)
        self._add_cookies_to_wsgi(environ)
        app = asgi.as_wsgi(self.application)
        answer = run_wsgi_app(app, environ, buffered=buffered)
        self._keep_cookies(environ, answer[2])
        return answer

    def websocket_connect(
        self,
        *args: Any,
        subprotocols: Iterable[str] = (),
        timeout: float | None = WEBSOCKET_TIMEOUT,
        **kwargs: Any,
    ) -> ClientWebsocket:
        """Return a WebSocket to the application, which ``with`` connects and closes.

            with client.websocket_connect("/echo") as ws:
                ws.send("hello")
                assert ws.receive() == "hello"

        ``subprotocols``: what is offered, the first most wanted. ``timeout``: the most seconds
        to wait for the application, ``None`` for no end. Other arguments are those of
        :class:`EnvironBuilder`; cookies are sent, and kept. It goes by ASGI, whichever the
        client's door is.

        Connecting raises :exc:`WebsocketRejected` if the application refuses.
        """
        return ClientWebsocket(self._websocket(args, kwargs, subprotocols, timeout))

    def _websocket(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        subprotocols: Iterable[str],
        timeout: float | None,
    ) -> AsyncClientWebsocket:
        request = self._request_from_builder_args(args, kwargs)
        environ = request.environ
        self._add_cookies_to_wsgi(environ)

        def refusal(status: int, headers: Headers, body: bytes) -> TestResponse:
            self._keep_cookies(environ, headers)
            return self.response_wrapper([body], asgi.status_line(status), headers, request=request)

        return AsyncClientWebsocket(
            self.application,
            websocket_scope(environ, subprotocols),
            timeout=timeout,
            provider=self.application.json,
            accepted=partial(self._keep_cookies, environ),
            refusal=refusal,
        )

    def _keep_cookies(self, environ: WSGIEnvironment, headers: Headers) -> None:
        host = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
        self._update_cookies_from_response(
            host.partition(":")[0], environ["PATH_INFO"], headers.getlist("Set-Cookie")
        )

    def open(
        self,
        *args: Any,
        buffered: bool = False,
        follow_redirects: bool = False,
        **kwargs: Any,
    ) -> TestResponse:
        """Send a request and return the response.

        Takes the arguments of :class:`EnvironBuilder`, or a builder, environ or request.
        """
        request = self._request_from_builder_args(args, kwargs)
        # The contexts of the request before this one were kept long enough.
        self._context_stack.close()
        response = super().open(request, buffered=buffered, follow_redirects=follow_redirects)
        response.json_module = self.application.json  # type: ignore[assignment]
        if self._keeps_contexts:
            self._keep_context()
        return response

    def _keep_context(self) -> None:
        """Push the context of the last request again, to be looked at."""
        if not self._new_contexts:
            return
        # With redirects there are several; the last request's is the one to look at.
        ctx = self._new_contexts.pop()
        if ctx.app_ctx is not ctx:
            # What it shares has to last as long.
            self._context_stack.enter_context(ctx.app_ctx)
        self._context_stack.enter_context(ctx)
        self._new_contexts.clear()

    def __enter__(self) -> FlaskClient:
        if self.preserve_context:
            raise RuntimeError("A client can't be entered twice: it is in a 'with' block already.")
        self.preserve_context = True
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.preserve_context = False
        self._context_stack.close()
