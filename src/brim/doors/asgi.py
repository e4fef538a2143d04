"""The ASGI door: scopes come in, messages go out (ASGI 3.0).

Requests take the same steps as under WSGI: coroutine functions are awaited on the server's
loop, all others are called on a thread. WebSockets and the process's life have files of
their own.
"""

from __future__ import annotations

from asyncio import get_running_loop
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import bridge, lifespan
from ..bridge import Synced
from ..ctx import RequestContext
from ..dispatch.run_async import run_async
from ..dispatch.steps import Called, answer_unhandled, lone_answer, lone_view, respond
from .ending import pop_async, pop_at_once
from .exchange import Exchange, reads_ahead, takes_short
from .sending import LENGTHS, dropping, length_header, send_by_wsgi, send_response

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..bodies import ReceivedBody
    from ..typing import ASGIReceive, ASGIScope, ASGISend, Flask

    #: What takes the arguments of RequestContext.
    MakeContext = Callable[[Flask, None, None, None, Exchange], RequestContext]


class Door:
    """The ASGI application that answers for ``app``."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    async def __call__(self, scope: ASGIScope, receive: ASGIReceive, send: ASGISend) -> None:
        """Answer one scope."""
        await _serve_own(self.app, scope, receive, send)


async def serve(  # noqa: C901 -- PERF below
    app: Flask,
    scope: ASGIScope,
    receive: ASGIReceive,
    send: ASGISend,
    make_context: MakeContext | None = None,
) -> None:
    """Answer one scope: by ``app.asgi_app``, should that be somebody's own.

    ``make_context``: given where it is known that this is a request, and Brim's to answer. Raises
    ``ValueError`` for a type of scope that isn't known.

    PERF: in one coroutine where a lone coroutine function answers, as each that is awaited costs
    as much as matching; benchmarks/bench_plain.py. Everything else goes on in :func:`_go_on`.
    """
    if make_context is None and (app._engine.replaced or scope["type"] != "http"):
        is_replaced = "asgi_app" in app._engine.replaced
        answer_scope: Any = app.asgi_app if is_replaced else partial(_serve_own, app)
        await answer_scope(scope, receive, send)
        return
    exchange = Exchange(scope, receive, get_running_loop())
    try:
        # Without keywords, which would cost a dict.
        ctx = (make_context or RequestContext)(app, None, None, None, exchange)
        view = failure = called = None
        waiting: tuple[Any, ...] = ()
        try:
            ctx.push()
            if app._to_start is not None:
                await lifespan.ensure_started(app)
            if exchange.may_have_body:
                if takes_short(ctx._plan, exchange, app.config["MAX_CONTENT_LENGTH"]):
                    exchange.take_first(await receive())
                if exchange.may_have_body:
                    waiting = await _prepare(app, ctx, exchange)
            if not waiting:
                view = lone_view(ctx)
        except BaseException as error:
            failure = error
        if isinstance(view, Synced):
            try:
                args = ctx.view_args
                rv = await (view.func(**args) if args else view.func())
            except BaseException as error:
                called = Called(error=error)
            else:
                answer = lone_answer(ctx, rv)
                if (
                    answer is not None
                    and (not exchange.in_use or exchange.at_rest)
                    and pop_at_once(ctx)
                ):
                    if not isinstance(answer, tuple):
                        await _send(app, ctx, answer, exchange, send)
                        return
                    data, kind = answer
                    size = len(data)
                    headers = [kind.asgi, LENGTHS.get(size) or length_header(size)]
                    await send({"type": "http.response.start", "status": 200, "headers": headers})
                    await send({"type": "http.response.body", "body": data})
                    return
                called = Called(rv)
        await _go_on(app, ctx, exchange, send, failure, called, waiting)
    finally:
        # Errors keep this frame, so it may not keep the error.
        failure = called = None
        if exchange.in_use:
            exchange.close()


def _serve_own(
    app: Flask, scope: ASGIScope, receive: ASGIReceive, send: ASGISend
) -> Coroutine[Any, Any, None]:
    kind = scope["type"]
    if kind == "http":
        replaced = app._engine.replaced
        if "wsgi_app" in replaced:
            return _serve_by_wsgi(app, scope, receive, send)
        is_replaced = "request_context" in replaced
        make_context = _users_context if is_replaced else RequestContext
        return serve(app, scope, receive, send, make_context)
    if kind == "lifespan":
        return lifespan.serve(app, scope, receive, send)
    if kind == "websocket":
        from .websocket import serve_asgi  # noqa: PLC0415 -- not every app has WebSockets

        return serve_asgi(app, scope, receive, send)
    raise ValueError(f"There is no answer to an ASGI scope of type {kind!r}.")


def _users_context(
    app: Flask, environ: None, request: None, session: None, exchange: Exchange
) -> RequestContext:
    """Make a context as an application does that has replaced ``request_context``."""
    return app.request_context(exchange.environ)


async def _go_on(
    app: Flask,
    ctx: RequestContext,
    exchange: Exchange,
    send: ASGISend,
    failure: BaseException | None,
    called: Called | None,
    waiting: tuple[Any, ...],
) -> None:
    """Take a request's steps from where they are, end it, and send the answer."""
    try:
        if failure is None:
            response = await run_async(respond(ctx, called), exchange.threads, *waiting)
        else:
            try:
                raise failure
            except Exception as error:
                response = await run_async(answer_unhandled(ctx, error), exchange.threads)
    except BaseException as error:
        _note(ctx, error)
        raise
    finally:
        failure = called = None
        await _pop(app, ctx, exchange)
    await _send(app, ctx, response, exchange, send)


async def _pop(app: Flask, ctx: RequestContext, exchange: Exchange) -> None:
    environ = exchange.made_environ
    if environ is not None and "werkzeug.debug.preserve_context" in environ:
        environ["werkzeug.debug.preserve_context"](ctx)
    if exchange.used_threads or not pop_at_once(ctx):
        await pop_async(app, ctx, exchange.threads)


def _note(ctx: RequestContext, error: BaseException) -> None:
    """Note how a request has ended that has no answer."""
    # Of a cancellation that came while nothing of the application's was called, too.
    if ctx.error is None:
        ctx.error = error
    # A stream that was made is lost with its response.
    ctx.disown_streams()


async def _prepare(app: Flask, ctx: RequestContext, exchange: Exchange) -> tuple[Any, ...]:
    """Wait for the body as far as it goes into memory.

    Returns what :func:`run_async` is told of the rest: how to wait for it, and the view that
    needs no waiting for; nothing if all is there.
    """
    plan = ctx._plan
    body = exchange.body
    if reads_ahead(plan, exchange) and not plan.hides_coroutine:
        await body.begin(app.config["MAX_CONTENT_LENGTH"])
    if plan.hides_coroutine:
        await _keep(app, ctx, body)
    if not body.pending:
        return ()
    return partial(_keep, app, ctx, body), plan.view if plan.reads_stream else None


async def _send(
    app: Flask, ctx: RequestContext, response: Any, exchange: Exchange, send: ASGISend
) -> None:
    if exchange.may_have_body:
        send = dropping(exchange.body, send)
    # The context is left, by which the loop is found until then.
    bridge.home_loop.set(exchange.loop)
    if ctx._waiting is not None:
        app.background.expect(ctx)
    try:
        await send_response(response, ctx, exchange, send)
    finally:
        if ctx._waiting is not None:
            app.background.start_after_response(ctx)
    if exchange.may_have_body:
        await exchange.body.finish()


async def _keep(app: Flask, ctx: RequestContext, body: ReceivedBody) -> None:
    """Wait for the body, as far as the request has a use for it."""
    request = ctx._made
    # A class of requests need not know of limits.
    limit: int | None = (
        app.config["MAX_CONTENT_LENGTH"]
        if request is None
        else getattr(request, "max_content_length", None)
    )
    await body.keep(limit)


async def _serve_by_wsgi(
    app: Flask, scope: ASGIScope, receive: ASGIReceive, send: ASGISend
) -> None:
    """Answer by ``app.wsgi_app``, which the user has wrapped in WSGI middleware."""
    loop = get_running_loop()
    bridge.home_loop.set(loop)
    exchange = Exchange(scope, receive, loop)
    environ, body, threads = exchange.environ, exchange.body, exchange.threads

    def called() -> None:
        if "brim.holds_request" not in environ:
            threads.leave()

    try:
        if app._to_start is not None:
            await lifespan.ensure_started(app)
        if body.pending and not app._engine.reads_streams:
            await body.begin(app.config["MAX_CONTENT_LENGTH"])
        await send_by_wsgi(app.wsgi_app, exchange, dropping(body, send), called)
        await body.finish()
    finally:
        exchange.close()
