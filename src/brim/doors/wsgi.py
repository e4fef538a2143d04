"""The WSGI door (PEP 3333): an environ comes in, an iterable of bytes goes out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..bodies import keep_ahead, may_have_body
from ..dispatch.run_sync import answer_sync, run_sync
from ..dispatch.steps import answer_unhandled
from ..wrappers import Response
from .ending import failure_of, pop_at_once

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..dispatch.results import Ready
    from ..typing import Flask, RequestContext, StartResponse, WSGIEnvironment


def serve(app: Flask, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request."""
    if "brim.handshake" in environ:
        # Of a WebSocket under ASGI, which went through the middleware to be found out here.
        environ.pop("brim.handshake").append((app, environ))
        start_response("101 Switching Protocols", [])
        return []
    ctx = app.request_context(environ)
    try:
        response = _respond(app, ctx, environ)
        if isinstance(response, tuple):
            data, kind = response
            start_response("200 OK", [kind.wsgi, ("Content-Length", str(len(data)))])
            body: Iterable[bytes] = [data]
        else:
            ready = response.as_wsgi(ctx._method) if type(response) is Response else None
            if ready is None:
                body = response(environ, start_response)
            else:
                start_response(ready[0], ready[1])
                body = ready[2]
    finally:
        if "werkzeug.debug.preserve_context" in environ:
            environ["werkzeug.debug.preserve_context"](ctx)
        if not pop_at_once(ctx):
            ctx.pop(failure_of(app, ctx))
    if ctx._waiting is not None or ctx._streams:
        environ["brim.holds_request"] = True
        return app.background.keep_until_sent(body, ctx)
    return body


def _respond(app: Flask, ctx: RequestContext, environ: WSGIEnvironment) -> Ready | Response:
    """Take the request's steps; return the answer, or another WSGI callable."""
    try:
        ctx.push()
        if app._to_start is not None:
            app.lifespan.start()
    except Exception as error:
        return run_sync(answer_unhandled(ctx, error))
    plan = ctx._plan
    if plan.for_websockets:
        from .upgrade import serve_wsgi  # noqa: PLC0415 -- brings in wsproto

        connection: Any = partial(serve_wsgi, app, ctx)
        return connection  # type: ignore[no-any-return]
    if plan.needs_body and may_have_body(environ):
        keep_ahead(environ, app.config["MAX_CONTENT_LENGTH"])
    return answer_sync(ctx)
