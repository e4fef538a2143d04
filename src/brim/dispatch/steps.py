"""Every decision on a request's way: which step comes next, and what counts as an answer.

No I/O and no await. The functions that make up an application (views, hooks, handlers,
teardowns, overridden steps, the saving of a session) are not called here but yielded as
``(function, args, kwargs)``, and whoever walks the steps sends back what one returned or
throws in what it raised. So one logic serves a thread and an event loop. What can only be
sync in Flask's API is called in place: receivers of signals, the making of a response from a
result, and questions that are answered by yes or no.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from werkzeug.exceptions import (
    BadRequest,
    BadRequestKeyError,
    HTTPException,
    InternalServerError,
)
from werkzeug.routing import RequestRedirect, RoutingException

from .. import logging
from ..errors import FormDataRoutingRedirect
from ..sessions import SecureCookieSessionInterface
from ..signals import (
    appcontext_tearing_down,
    got_request_exception,
    request_finished,
    request_started,
    request_tearing_down,
)
from ..wrappers import Response
from .handling import call_handling, handling
from .results import HTML, is_response, make_ready, make_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from blinker import NamedSignal

    from ..typing import Flask, Request, RequestContext, ResponseReturnValue, SessionMixin
    from .results import Ready

    Answer = HTTPException | ResponseReturnValue

T = TypeVar("T")
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
Steps = Generator[Call, Any, T]

_NONE: dict[str, Any] = {}


class Called:
    """What was come to before any step was taken: the view's result, or an error.

    ``late``: the error was raised with the result at hand, on its way to be a response.
    """

    __slots__ = ("error", "late", "value")

    def __init__(
        self, value: Any = None, error: BaseException | None = None, late: bool = False
    ) -> None:
        self.value = value
        self.error = error
        self.late = late

    def result(self) -> Any:
        """Return what was returned, or raise what was raised."""
        error, self.error = self.error, None
        if error is None:
            return self.value
        try:
            raise error
        finally:
            del error  # which keeps this frame


def lone_view(ctx: RequestContext) -> Callable[..., Any] | None:
    """Return the view, where calling it is all there is to do until its result is there.

    ``None`` where the steps are to be taken. A loop that has called it asks
    :func:`lone_answer`, and if that has none either, goes on with :func:`respond`.

    PERF: no generator is made for most requests; benchmarks/bench_plain.py.
    """
    plan = ctx._plan
    if (
        ctx._method not in plan.lone_methods
        or plan.compiled.outdated
        or request_started.receivers
        or ctx._made is not None
    ):
        return None
    app = ctx.app
    if not app._got_first_request:
        app._got_first_request = True
    return plan.view


def goes_straight(ctx: RequestContext) -> bool:
    """Tell whether no step of the way to a response is replaced, and nobody is told of its start.

    A loop that needs to wait for nothing then calls the before-functions, :func:`view_call` and
    the after-functions one after the other. As soon as something fails, or
    :func:`ends_straight` says no, it goes on with :func:`respond`.

    PERF: no generator is made and resumed for each function; benchmarks/bench_hooks.py.
    """
    plan = ctx._plan
    if not plan.is_straight or plan.compiled.outdated or request_started.receivers:
        return False
    app = ctx.app
    if not app._got_first_request:
        app._got_first_request = True
    return True


def ends_straight(ctx: RequestContext) -> bool:
    """Tell whether the after-functions are the plan's alone: none of the request's own."""
    plan = ctx._plan
    return plan.is_straight and ctx._after is None and not plan.compiled.outdated


def lone_answer(ctx: RequestContext, rv: Any) -> Ready | Response | None:
    """Return what is sent for a lone view's result, where nothing else is to be done with it."""
    plan = ctx._plan
    if (
        ctx._after is not None
        or ctx._waiting is not None
        or request_finished.receivers
        or plan.compiled.outdated
    ):
        return None
    try:
        answer: Ready | Response | None
        if type(rv) is str:
            answer = rv.encode(), HTML
        else:
            answer = rv if is_response(rv) else make_ready(ctx.app, rv)
        if answer is not None and (ctx._cookies or ctx._opened is not None):
            session = session_to_save(ctx)
            if session is not None:
                return with_session(ctx, session, answer)
        return answer
    except Exception:
        # The steps fail in the same way, and know what to do about it.
        return None


def with_session(
    ctx: RequestContext, session: SessionMixin, answer: Ready | Response
) -> Response | None:
    """Save a session in an answer's cookie; ``None`` where it is saved in another way.

    PERF: that is to sign it, and waits for nothing; benchmarks/bench_session.py.
    """
    save = ctx.app.session_interface.save_session
    if getattr(save, "__func__", None) is not SecureCookieSessionInterface.save_session:
        return None
    if isinstance(answer, tuple):
        answer = Response.of_body(answer[0], answer[1].text)
    save(ctx.app, session, answer)
    return answer


def respond(ctx: RequestContext, called: Called | None = None) -> Steps[Response]:
    """Answer the request, errors included; what no handler may have is raised.

    ``called``: what the functions that were called already have come to.
    """
    try:
        if called is not None:
            if called.late:
                called.result()
        elif (replaced := ctx._plan.overrides.full_dispatch_request) is not None:
            response: Response = yield replaced, (ctx,), _NONE
            return response
        return (yield from full_dispatch(ctx, called))
    except Exception as error:
        return (yield from handling(error, answer_unhandled(ctx, error)))
    except BaseException as error:
        ctx.error = error
        raise


def answer_unhandled(ctx: RequestContext, error: Exception) -> Steps[Response]:
    """Answer an error that nobody handled, as the application has it."""
    ctx.error = error
    ctx.disown_streams()
    replaced = ctx.app._engine.plan_of(ctx).overrides.handle_exception
    if replaced is not None:
        response: Response = yield replaced, (ctx, error), _NONE
        return response
    return (yield from handle_exception(ctx, error))


def answer_error(ctx: RequestContext, error: Exception) -> Steps[Answer]:
    """Answer an error of a view or a before-function, as the application has it."""
    ctx.disown_streams()
    replaced = ctx._plan.overrides.handle_user_exception
    if replaced is not None:
        answer: Answer = yield replaced, (ctx, error), _NONE
        return answer
    return (yield from handle_user_exception(ctx, error))


def answer_for(ctx: RequestContext, error: Exception) -> Steps[Answer]:
    """Answer an error that is being handled here, too: by what is known at once, or the steps.

    PERF: most errors have one handler, or are HTTP errors that have none;
    benchmarks/bench_errors.py.
    """
    plan: Any = ctx._plan
    if not (plan.handles_errors or plan.compiled.outdated or isinstance(error, BadRequestKeyError)):
        handler = None
        is_http = isinstance(error, HTTPException)
        if not is_http or takes_handler(error):  # type: ignore[arg-type]
            handler = plan.handler(ctx.app, error)
        if (handler is not None or is_http) and not (is_http and traps(ctx.app, error)):
            ctx.disown_streams()
            if handler is None:
                return error  # type: ignore[return-value]
            answer: Answer = yield call_handling, (error, handler, (error,), _NONE), _NONE
            return answer
    return (yield from handling(error, answer_error(ctx, error)))


def full_dispatch(ctx: RequestContext, called: Called | None = None) -> Steps[Response]:
    """Before-functions, view, error handlers, after-functions."""
    app = ctx.app
    if not app._got_first_request:
        app._got_first_request = True
    plan = ctx._plan
    overrides = plan.overrides
    rv: Any = None
    try:
        if called is not None:
            rv = called.result()
        else:
            if request_started.receivers:
                app._engine.send(request_started)
            if overrides.preprocess_request is not None:
                rv = yield overrides.preprocess_request, (ctx,), _NONE
            elif not plan.begins_quietly:
                rv = yield from preprocess(ctx)
            if rv is None:
                replaced = overrides.dispatch_request
                rv = yield view_call(ctx) if replaced is None else (replaced, (ctx,), _NONE)
    except Exception as error:
        rv = yield from answer_for(ctx, error)
    try:
        if overrides.finalize_request is not None:
            response: Response = yield overrides.finalize_request, (ctx, rv), _NONE
            return response
        return (yield from finalize(ctx, rv))
    finally:
        # It may be an HTTP error, and those keep the frames that they came through.
        rv = None


def preprocess(ctx: RequestContext) -> Steps[ResponseReturnValue | None]:
    """Call the before-functions; return the first answer other than None."""
    plan = ctx._plan
    for function in plan.preprocessors:
        request = ctx.request
        yield function, (request.endpoint, request.view_args), _NONE
    for function in plan.before:
        rv: ResponseReturnValue | None = yield function, (), _NONE
        if rv is not None:
            return rv
    return None


def view_call(ctx: RequestContext) -> Call:
    """Return the call that answers the request, or raise the error of its routing."""
    plan = ctx.app._engine.plan_of(ctx)
    made = ctx._made
    if made is None:
        rule, args, failure = ctx.url_rule, ctx.view_args, ctx.routing_exception
    else:
        # Hooks may have changed these on the request object.
        rule, args, failure = made.url_rule, made.view_args, made.routing_exception
    if failure is not None:
        if plan.overrides.raise_routing_exception is not None:
            return plan.overrides.raise_routing_exception, (ctx, ctx.request), _NONE
        if not isinstance(failure, RequestRedirect):
            try:
                raise failure
            finally:
                del failure, made  # which keep this frame
        raise_routing_exception(ctx.app, ctx.request)
    method: str = ctx._method if made is None else made.method
    if method.upper() == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        replaced = plan.overrides.make_default_options_response
        return replaced or make_default_options_response, (ctx,), _NONE
    if rule is not ctx.url_rule:
        plan = ctx.app._engine.plans[getattr(rule, "endpoint", None)]
    if plan.view is None:
        raise KeyError(plan.endpoint)
    return plan.view, (), args or _NONE


def raise_routing_exception(app: Flask, request: Request) -> NoReturn:
    """Raise the error that matching ended in, explained in debug mode if it loses data."""
    error = request.routing_exception
    assert error is not None
    if (
        app.debug
        and isinstance(error, RequestRedirect)
        and error.code not in {307, 308}
        and request.method not in {"GET", "HEAD", "OPTIONS"}
    ):
        raise FormDataRoutingRedirect(request)
    try:
        raise error
    finally:
        del error  # which keeps this frame


def make_default_options_response(ctx: RequestContext) -> Response:
    """Make the answer to OPTIONS: which methods the URL has."""
    adapter = ctx.url_adapter
    assert adapter is not None
    response = ctx.app.response_class()
    response.allow.update(adapter.allowed_methods())
    return response


def finalize(ctx: RequestContext, rv: Any, from_error_handler: bool = False) -> Steps[Response]:
    """Make the response and let the after-functions have it.

    ``from_error_handler``: what they raise is logged, so that the error page that was
    made is sent.
    """
    app = ctx.app
    overrides = ctx._plan.overrides
    if overrides.make_response is not None:
        response: Response = overrides.make_response(ctx, rv)
    else:
        response = make_response(app, rv, ctx)
    try:
        if overrides.process_response is not None:
            response = yield overrides.process_response, (ctx, response), _NONE
        else:
            response = yield from process_response(ctx, response)
        if request_finished.receivers:
            app._engine.send(request_finished, response=response)
    except Exception:
        if not from_error_handler:
            raise
        app.logger.exception(
            "A response was made for an error, but finishing it failed with another."
        )
    return response


def process_response(ctx: RequestContext, response: Response) -> Steps[Response]:
    """Call the after-functions, then save the session if it was opened."""
    for function in ctx._after or ():
        response = yield ctx.app.ensure_sync(function), (response,), _NONE
    for function in ctx.app._engine.plan_of(ctx).after:
        response = yield function, (response,), _NONE
    session = session_to_save(ctx)
    if session is not None:
        app = ctx.app
        yield app.session_interface.save_session, (app, session, response), _NONE
    return response


def session_to_save(ctx: RequestContext) -> SessionMixin | None:
    """Return the session that a response may have to bring along; opened, if that is due."""
    app = ctx.app
    interface = app.session_interface
    session = ctx._opened
    if session is None:
        # PERF: other cookies must not cost the making of the request object;
        #   benchmarks/bench_session.py.
        cookies = ctx._cookies
        if not cookies or interface.get_cookie_name(app) not in cookies:
            return None
        if not interface.must_refresh(app, ctx.request):
            return None
        session = ctx._open_session()
    return None if interface.is_null_session(session) else session


def handle_user_exception(ctx: RequestContext, error: Exception) -> Steps[Answer]:
    """Let the handler that is registered for an error answer; raise it if none is."""
    app = ctx.app
    overrides = ctx._plan.overrides
    if isinstance(error, BadRequestKeyError) and (
        app.debug or app.config["TRAP_BAD_REQUEST_ERRORS"]
    ):
        error.show_exception = True
    if isinstance(error, HTTPException):
        trap = overrides.trap_http_exception
        if not (traps(app, error) if trap is None else trap(ctx, error)):
            if overrides.handle_http_exception is not None:
                replaced: Answer = yield overrides.handle_http_exception, (ctx, error), _NONE
                return replaced
            return (yield from handle_http_exception(ctx, error))
    handler = find_handler(ctx, error)
    if handler is None:
        raise error
    answer: ResponseReturnValue = yield handler, (error,), _NONE
    return answer


def handle_http_exception(ctx: RequestContext, error: HTTPException) -> Steps[Answer]:
    """Let the handler of an HTTP error answer; without one the error is the answer."""
    if not takes_handler(error):
        return error
    handler = find_handler(ctx, error)
    if handler is None:
        return error
    answer: ResponseReturnValue = yield handler, (error,), _NONE
    return answer


def takes_handler(error: HTTPException) -> bool:
    """Tell whether an HTTP error is one that handlers are for.

    One without a code carries a response of its own; redirects of the routing are no errors.
    """
    return error.code is not None and not isinstance(error, RoutingException)


def handle_exception(ctx: RequestContext, error: Exception) -> Steps[Response]:
    """Answer 500 to what nobody handled, or raise it where it should be seen."""
    app = ctx.app
    error.__traceback__ = without_dispatch(error.__traceback__)
    exc_info = sys.exc_info()
    app._engine.send(got_request_exception, exception=error)
    propagate = app.config["PROPAGATE_EXCEPTIONS"]
    if propagate is None:
        propagate = app.testing or app.debug
    if propagate:
        raise error
    overrides = ctx._plan.overrides
    if overrides.log_exception is not None:
        yield overrides.log_exception, (ctx, exc_info), _NONE
    else:
        log_exception(ctx, exc_info)
    answer: Any = InternalServerError(original_exception=error)
    handler = find_handler(ctx, answer)
    if handler is not None:
        answer = yield handler, (answer,), _NONE
    if overrides.finalize_request is not None:
        keywords = {"from_error_handler": True}
        response: Response = yield overrides.finalize_request, (ctx, answer), keywords
        return response
    return (yield from finalize(ctx, answer, from_error_handler=True))


def without_dispatch(traceback: TracebackType | None) -> TracebackType | None:
    """Leave out the frames between the user's: the walk over the steps is the same for all.

    An error of the steps' own keeps them.
    """
    frames: list[TracebackType] = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    below: TracebackType | None = None
    if frames and _is_walk(frames[-1]):
        return frames[0]
    for frame in reversed(frames):
        if not _is_walk(frame):
            below = TracebackType(below, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return below


def _is_walk(frame: TracebackType) -> bool:
    names = frame.tb_frame.f_globals
    return names.get("__package__") == __package__ or names.get("__name__") in _WALKS


#: Outside this folder: where a replaced step calls on to the original; waiting for a coroutine.
_WALKS = frozenset({"brim.ctx", "brim.bridge", "brim.doors.asgi", "concurrent.futures._base"})


def log_exception(ctx: RequestContext, exc_info: Any) -> None:
    """Log one record with the request line, the endpoint and the traceback."""
    logging.log_exception(ctx.app, ctx.request, exc_info)


def traps(app: Flask, error: Exception) -> bool:
    """Tell whether the settings ask for an HTTP error to be raised, not answered."""
    config = app.config
    if config["TRAP_HTTP_EXCEPTIONS"]:
        return True
    bad_requests = config["TRAP_BAD_REQUEST_ERRORS"]
    if bad_requests is None and app.debug and isinstance(error, BadRequestKeyError):
        return True
    return bool(bad_requests) and isinstance(error, BadRequest)


def find_handler(ctx: RequestContext, error: Exception) -> Any:
    """Return the handler that takes ``error`` on this request's endpoint, if any."""
    plan = ctx.app._engine.plan_of(ctx)
    if plan.overrides._find_error_handler is not None:
        found = plan.overrides._find_error_handler(ctx, error, ctx.request.blueprints)
        return None if found is None else ctx.app.ensure_sync(found)
    return plan.handler(ctx.app, error)


def end(ctx: RequestContext, exc: BaseException | None) -> Steps[None]:
    """End the request: teardown functions, files; then those of the application.

    All of them run. What they raise is raised when the last is through.
    """
    overrides = ctx.app._engine.plan_of(ctx).overrides
    errors: list[BaseException] = []
    try:
        if overrides.do_teardown_request is not None:
            yield overrides.do_teardown_request, (ctx, exc), _NONE
        elif ctx._plan.teardown or request_tearing_down.receivers:
            yield from teardown_request(ctx, exc)
    except BaseException as error:
        errors.append(error)
    request = ctx._made
    try:
        # Not every class of requests has files to close.
        close = getattr(request, "close", None)
        if close is not None:
            close()
    except BaseException as error:
        errors.append(error)
    if ctx._shared is None:
        # From here on the application's context is left, as in Flask.
        ctx._request_ended = True
        try:
            if overrides.do_teardown_appcontext is not None:
                yield overrides.do_teardown_appcontext, (ctx, exc), _NONE
            elif ctx._plan.teardown_app or appcontext_tearing_down.receivers:
                yield from teardown_appcontext(ctx.app, exc)
        except BaseException as error:
            errors.append(error)
    raise_collected(errors)


def teardown_request(ctx: RequestContext, exc: BaseException | None) -> Steps[None]:
    """Call the teardown functions of the request's blueprints and the application."""
    return _tear_down(ctx.app, ctx._plan.teardown, request_tearing_down, exc)


def teardown_appcontext(app: Flask, exc: BaseException | None) -> Steps[None]:
    """Call the teardown functions of the application's context."""
    functions = app._engine.plans[None].teardown_app
    return _tear_down(app, functions, appcontext_tearing_down, exc)


def _tear_down(
    app: Flask,
    functions: Iterable[Callable[..., Any]],
    signal: NamedSignal,
    exc: BaseException | None,
) -> Steps[None]:
    errors: list[BaseException] = []
    for function in functions:
        try:
            yield function, (exc,), _NONE
        except BaseException as error:
            errors.append(error)
    if signal.receivers:
        try:
            app._engine.send(signal, exc=exc)
        except BaseException as error:
            errors.append(error)
    raise_collected(errors)


def raise_collected(errors: list[BaseException]) -> None:
    """Raise what was collected: nothing, the one error, or all of them as a group."""
    if not errors:
        return
    if len(errors) == 1:
        raise errors[0]
    raise BaseExceptionGroup("Several teardown functions failed.", errors)
