"""What a view may return, turned into a response; or an error that says what it may.

Knows nothing of hooks or errors' handlers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response as WerkzeugResponse

from ..errors import NO_REQUEST_CONTEXT
from ..wrappers import Response

if TYPE_CHECKING:
    from ..typing import AppContext, Flask, Request

_TUPLE_FORMS = """\
The view function for {endpoint!r} did not return a valid response. The tuple must have the \
form (body, status, headers), (body, status), or (body, headers), and this one has {count} \
items."""

_NOTHING = """\
The view function for {endpoint!r} did not return a valid response. The function either \
returned None or ended without a return statement."""

_NOT_A_RESPONSE = """\
{problem}
The view function for {endpoint!r} did not return a valid response. The return type must be \
a string, dict, list, tuple with headers or status, Response instance, or WSGI callable, \
but it was a {kind}."""


def make_response(ctx: AppContext, rv: Any) -> Response:
    """Turn a view's result into an ``app.response_class``.

    Raises ``TypeError`` for what can't be one.
    """
    app = ctx.app
    if type(rv) is str and app.response_class is Response:
        return Response.of_body(rv.encode(), "text/html; charset=utf-8")
    status: Any = None
    headers: Any = None
    if isinstance(rv, tuple):
        rv, status, headers = _take_apart(ctx, rv)
    response, status = _make(ctx, app, rv, status)
    if status is not None:
        if isinstance(status, (str, bytes, bytearray)):
            response.status = status  # type: ignore[assignment]
        else:
            response.status_code = status
    if headers:
        response.headers.update(headers)
    return response


def _take_apart(ctx: AppContext, rv: Any) -> tuple[Any, Any, Any]:
    if len(rv) == 3:
        body, status, headers = rv
        return body, status, headers
    if len(rv) == 2:
        body, extra = rv
        if isinstance(extra, (Headers, dict, tuple, list)):
            return body, None, cast("Any", extra)
        return body, extra, None
    raise TypeError(_TUPLE_FORMS.format(endpoint=_endpoint(ctx), count=len(rv)))


def _make(ctx: AppContext, app: Flask, rv: Any, status: Any) -> tuple[Response, Any]:
    """Return the response, and the status that is still to be set on it."""
    if rv is None:
        raise TypeError(_NOTHING.format(endpoint=_endpoint(ctx)))
    if isinstance(rv, app.response_class):
        return rv, status
    if isinstance(rv, (str, bytes, bytearray, Iterator)):
        # With the status given here, a response class may choose its own default.
        return app.response_class(rv, status=status), None  # type: ignore[arg-type]
    if isinstance(rv, (dict, list)):
        return app.json.response(rv), status
    if isinstance(rv, WerkzeugResponse) or callable(rv):
        try:
            return app.response_class.force_type(rv, _request(ctx).environ), status  # type: ignore[return-value]
        except TypeError as error:
            raise _not_a_response(ctx, rv, str(error)) from error
    raise _not_a_response(ctx, rv, "")


def _not_a_response(ctx: AppContext, rv: Any, problem: str) -> TypeError:
    message = _NOT_A_RESPONSE.format(
        problem=problem, endpoint=_endpoint(ctx), kind=type(rv).__name__
    )
    return TypeError(message.lstrip())


def _endpoint(ctx: AppContext) -> str | None:
    return _request(ctx).endpoint


def _request(ctx: AppContext) -> Request:
    # Only what isn't a plain result needs one; outside a request that can't be had.
    request_ctx = ctx.request_ctx
    if request_ctx is None:
        raise RuntimeError(NO_REQUEST_CONTEXT)
    return request_ctx.request
