"""The steps as methods of the application: what a subclass may override.

Each runs one step by itself, for whoever calls it, and is what ``super()`` reaches from an
override. A request is not answered by these methods but by the steps; an override is found
when the plans are made (``plan.OVERRIDABLE``) and called in the step's place.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

from ..ctx import AppContext, _cv_ctx, takes_ctx, unset
from . import steps
from .plan import find_error_handler
from .results import make_response
from .run_sync import run_sync

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException

    from ..typing import Request, RequestContext, Response, ResponseReturnValue


class Overridable:
    """The methods of an application that stand for a request's steps.

    Where one takes ``ctx``, it may be called with it, as in Flask 3.2, or without, as in
    Flask 3.1; and overridden with it or without.
    """

    def make_response(self: Any, rv: ResponseReturnValue) -> Response:
        """Turn what a view returned into a response.

        That is a str, bytes, dict, list, generator, response or WSGI callable, or a
        tuple of one with a status, headers, or both.

        Raises ``TypeError`` for anything else. What isn't plain needs a request.
        """
        return make_response(self, rv, _cv_ctx.get(None))

    @takes_ctx
    def full_dispatch_request(self, ctx: RequestContext) -> Response:
        """Answer the current request, errors that have a handler included."""
        return run_sync(steps.full_dispatch(ctx))

    @takes_ctx
    def preprocess_request(self, ctx: RequestContext) -> ResponseReturnValue | None:
        """Call the functions that come before the view; an answer ends them."""
        return run_sync(steps.preprocess(ctx))

    @takes_ctx
    def dispatch_request(self, ctx: RequestContext) -> ResponseReturnValue:
        """Call the view, or raise the error that matching the URL ended in."""
        function, positional, keywords = steps.view_call(ctx)
        result: ResponseReturnValue = function(*positional, **keywords)
        return result

    def raise_routing_exception(self: Any, request: Request) -> NoReturn:
        """Raise the error that matching the request's URL ended in."""
        steps.raise_routing_exception(self, request)

    @takes_ctx
    def make_default_options_response(self, ctx: RequestContext) -> Response:
        """Make the answer to an OPTIONS request that no view takes."""
        return steps.make_default_options_response(ctx)

    @takes_ctx
    def finalize_request(
        self,
        ctx: RequestContext,
        rv: ResponseReturnValue | HTTPException,
        from_error_handler: bool = False,
    ) -> Response:
        """Turn a view's result into a response and call the after-functions."""
        return run_sync(steps.finalize(ctx, rv, from_error_handler))

    @takes_ctx
    def process_response(self, ctx: RequestContext, response: Response) -> Response:
        """Call the after-functions with a response, then save the session."""
        return run_sync(steps.process_response(ctx, response))

    @takes_ctx
    def handle_user_exception(
        self, ctx: RequestContext, e: Exception
    ) -> HTTPException | ResponseReturnValue:
        """Let a registered handler answer an error; raise it if there is none."""
        return run_sync(steps.handle_user_exception(ctx, e))

    @takes_ctx
    def handle_http_exception(
        self, ctx: RequestContext, e: HTTPException
    ) -> HTTPException | ResponseReturnValue:
        """Let a registered handler answer an HTTP error; it is the answer without one."""
        return run_sync(steps.handle_http_exception(ctx, e))

    @takes_ctx
    def handle_exception(self, ctx: RequestContext, e: Exception) -> Response:
        """Log an error that nobody handled and answer 500.

        With ``PROPAGATE_EXCEPTIONS``, by default in debug and testing mode, raise it.
        """
        return run_sync(steps.handle_exception(ctx, e))

    @takes_ctx
    def log_exception(self, ctx: RequestContext, exc_info: Any) -> None:
        """Log an error that nobody handled, with its traceback."""
        steps.log_exception(ctx, exc_info)

    def trap_http_exception(self: Any, e: Exception) -> bool:
        """Tell whether an HTTP error is to be raised rather than answered."""
        return steps.traps(self, e)

    def should_ignore_error(self, error: BaseException | None) -> bool:
        """Tell whether the teardown functions are not to be told of an error."""
        return False

    def _find_error_handler(self: Any, e: Exception, blueprints: list[str]) -> Any:
        return find_error_handler(self, type(e), blueprints)

    @takes_ctx
    def do_teardown_request(self, ctx: RequestContext, exc: BaseException | None = unset) -> None:
        """Call the teardown functions of a request."""
        run_sync(steps.teardown_request(ctx, sys.exc_info()[1] if exc is unset else exc))

    def do_teardown_appcontext(self: Any, *args: Any, **kwargs: Any) -> None:
        """Call the teardown functions of an application context.

        Takes the error to tell them, by default the one that is being handled; as in
        Flask 3.2 after ``ctx``.
        """
        rest = args[1:] if args and isinstance(args[0], AppContext) else args
        exc = rest[0] if rest else kwargs.get("exc", unset)
        run_sync(steps.teardown_appcontext(self, sys.exc_info()[1] if exc is unset else exc))
