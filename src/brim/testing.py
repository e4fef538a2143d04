"""Clients that knock on an application's door without a server.

They make requests and read responses; what happens in between is the door's.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from click.testing import CliRunner
from werkzeug.test import Client
from werkzeug.test import EnvironBuilder as WerkzeugEnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

from .commands import ScriptInfo
from .sessions import SessionMixin

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

    from click.testing import Result
    from werkzeug.test import TestResponse

    from .typing import Flask, WSGIEnvironment


class EnvironBuilder(WerkzeugEnvironBuilder):
    """Makes a WSGI environ from a path, with the application's settings as defaults.

    ``subdomain`` is put before ``SERVER_NAME``, ``url_scheme`` replaces
    ``PREFERRED_URL_SCHEME``; neither goes with ``base_url``. Other arguments are those of
    ``werkzeug.test.EnvironBuilder``.
    """

    def __init__(
        self,
        app: Flask,
        path: str = "/",
        base_url: str | None = None,
        subdomain: str | None = None,
        url_scheme: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if base_url is not None and (subdomain or url_scheme):
            raise AssertionError("'base_url' goes neither with 'subdomain' nor with 'url_scheme'.")
        if base_url is None:
            path, base_url = _base_url(app, path, subdomain, url_scheme)
        self.app = app
        super().__init__(path, base_url, *args, **kwargs)

    def json_dumps(self, obj: Any, **kwargs: Any) -> str:
        """Serialise ``json=`` with the application's provider."""
        return self.app.json.dumps(obj, **kwargs)


def _base_url(
    app: Flask, path: str, subdomain: str | None, url_scheme: str | None
) -> tuple[str, str]:
    """Split a path or URL into the path and the base URL that it is below."""
    host = app.config.get("SERVER_NAME") or "localhost"
    if subdomain:
        host = f"{subdomain}.{host}"
    url = urlsplit(path)
    scheme = url_scheme or url.scheme or app.config["PREFERRED_URL_SCHEME"]
    root = app.config["APPLICATION_ROOT"].lstrip("/")
    base_url = f"{scheme}://{url.netloc or host}/{root}"
    path = url.path
    if url.query:
        path = f"{path}?{url.query}"
    return path, base_url


@cache
def _user_agent() -> str:
    from importlib.metadata import version  # noqa: PLC0415 -- slow to load, rarely needed

    return f"Werkzeug/{version('werkzeug')}"


class FlaskClient(Client):
    """A ``werkzeug.test.Client`` that knows the application.

    Used with ``with``, it keeps the context of the last request until the next one or
    the block's end, so that ``request`` and ``session`` can be looked at.
    """

    application: Flask

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preserve_context = False
        self._new_contexts: list[Any] = []
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
        if self._new_contexts:
            # With redirects there are several; the last request's is the one to look at.
            ctx = self._new_contexts.pop()
            if ctx.app_ctx is not ctx:
                # What it shares has to last as long.
                self._context_stack.enter_context(ctx.app_ctx)
            self._context_stack.enter_context(ctx)
            self._new_contexts.clear()
        return response

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


class FlaskCliRunner(CliRunner):
    """A ``click.testing.CliRunner`` for the application's commands."""

    def __init__(self, app: Flask, **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)

    def invoke(self, cli: Any = None, args: Any = None, **kwargs: Any) -> Result:  # type: ignore[override]
        """Run a command, by default ``app.cli``, with ``args``; return its result.

        result = app.test_cli_runner().invoke(args=["init-db"])
        assert result.exit_code == 0
        """
        if cli is None:
            cli = self.app.cli
        if "obj" not in kwargs:
            kwargs["obj"] = ScriptInfo(create_app=lambda: self.app)
        return super().invoke(cli, args, **kwargs)


__all__ = ["EnvironBuilder", "FlaskCliRunner", "FlaskClient"]
