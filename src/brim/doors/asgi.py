"""The ASGI door: scopes come in, messages go out (ASGI 3.0).

Requests take the same steps as under WSGI: coroutine functions are awaited on the server's
loop, all others are called on a thread. WebSockets and the process's life have files of
their own.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from .. import bridge, lifespan
from ..bodies import ReceivedBody
from ..dispatch.run_async import run_async
from ..dispatch.steps import answer_unhandled, respond
from ..threads import ThreadSide
from ..wrappers import Response
from .ending import pop_async
from .scope import environ_of
from .sending import send_by_wsgi, send_response

if TYPE_CHECKING:
    from ..typing import (
        ASGIMessage,
        ASGIReceive,
        ASGIScope,
        ASGISend,
        Flask,
        RequestContext,
        WSGIEnvironment,
    )


class Door:
    """The ASGI application that answers for ``app``."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    async def __call__(self, scope: ASGIScope, receive: ASGIReceive, send: ASGISend) -> None:
        """Answer one scope."""
        await serve(self.app, scope, receive, send)


async def serve(app: Flask, scope: ASGIScope, receive: ASGIReceive, send: ASGISend) -> None:
    """Answer one scope.

    Raises ``ValueError`` for a type of scope that isn't known.
    """
    kind = scope["type"]
    if kind == "http":
        await _serve_http(app, scope, receive, send)
    elif kind == "lifespan":
        await lifespan.serve(app, scope, receive, send)
    elif kind == "websocket":
        from .websocket import serve_asgi  # noqa: PLC0415 -- not every app has WebSockets

        await serve_asgi(app, scope, receive, send)
    else:
        raise ValueError(f"There is no answer to an ASGI scope of type {kind!r}.")


async def _serve_http(app: Flask, scope: ASGIScope, receive: ASGIReceive, send: ASGISend) -> None:
    loop = asyncio.get_running_loop()
    bridge.home_loop.set(loop)
    environ = environ_of(scope)
    body = environ["wsgi.input"] = ReceivedBody(receive, loop, environ)
    threads = ThreadSide()
    try:
        if app._wraps_wsgi:
            if app._to_start is not None:
                await lifespan.ensure_started(app)
            await _serve_by_wsgi(app, environ, body, threads, send)
        else:
            await _serve_request(app, app.request_context(environ), body, threads, send)
        await body.finish()
    finally:
        threads.leave()
        body.close()


async def _serve_request(
    app: Flask, ctx: RequestContext, body: ReceivedBody, threads: ThreadSide, send: ASGISend
) -> None:
    response = await _answer(app, ctx, body, threads)
    if "_after_response" in ctx.__dict__:
        app.background.expect(ctx)
    if body.pending:
        send = partial(_send_dropping, send, body)
    try:
        await send_response(response, ctx.environ, body, threads, send)
    finally:
        if "_after_response" in ctx.__dict__:
            app.background.start_after_response(ctx)


async def _answer(
    app: Flask, ctx: RequestContext, body: ReceivedBody, threads: ThreadSide
) -> Response:
    """Take the request's steps, and end it."""
    try:
        try:
            ctx.push()
            if app._to_start is not None:
                await lifespan.ensure_started(app)
        except Exception as error:
            return await run_async(answer_unhandled(ctx, error), threads)
        plan = ctx._plan
        if not body.pending:
            return await run_async(respond(ctx), threads)
        if plan.hides_coroutine:
            await _keep(app, ctx, body)
        elif plan.view is not None and not plan.reads_stream and "HTTP_EXPECT" not in ctx.environ:
            await body.begin(app.config["MAX_CONTENT_LENGTH"])
        keep = partial(_keep, app, ctx, body)
        return await run_async(
            respond(ctx), threads, keep, plan.view if plan.reads_stream else None
        )
    except BaseException as error:
        # Of a cancellation that came while nothing of the application's was called, too.
        if ctx.error is None:
            ctx.error = error
        # A stream that was made is lost with its response.
        ctx.disown_streams()
        raise
    finally:
        environ = ctx.environ
        if "werkzeug.debug.preserve_context" in environ:
            environ["werkzeug.debug.preserve_context"](ctx)
        await pop_async(app, ctx, threads)


async def _keep(app: Flask, ctx: RequestContext, body: ReceivedBody) -> None:
    """Wait for the body, as far as the request has a use for it."""
    request = ctx.__dict__.get("request")
    # A class of requests need not know of limits.
    limit: int | None = (
        app.config["MAX_CONTENT_LENGTH"]
        if request is None
        else getattr(request, "max_content_length", None)
    )
    await body.keep(limit)


async def _serve_by_wsgi(
    app: Flask,
    environ: WSGIEnvironment,
    body: ReceivedBody,
    threads: ThreadSide,
    send: ASGISend,
) -> None:
    """Answer by ``app.wsgi_app``, which the user has wrapped in WSGI middleware."""
    if body.pending and not app._engine.reads_streams:
        await body.begin(app.config["MAX_CONTENT_LENGTH"])

    def called() -> None:
        if "brim.holds_request" not in environ:
            threads.leave()

    send = partial(_send_dropping, send, body)
    await send_by_wsgi(app.wsgi_app, environ, body, threads, send, called)


async def _send_dropping(send: ASGISend, body: ReceivedBody, message: ASGIMessage) -> None:
    """Send a message; with the last one, what nobody has read of the body is dropped."""
    last = message["type"] == "http.response.body" and not message.get("more_body", False)
    if last and body.pending:
        body.start_dropping()
    await send(message)
