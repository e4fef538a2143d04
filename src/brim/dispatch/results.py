"""What a view may return, turned into a response; or an error that says what it may.

Knows nothing of hooks or errors' handlers.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from ..errors import NO_REQUEST_CONTEXT
from ..json.provider import ContentType
from ..streams import as_body
from ..wrappers import Response
from .pages import page_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import AppContext, Flask

HTML = ContentType("text/html; charset=utf-8")

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


#: What is taken for these before it is taken for a response.
_TAKEN_BEFORE = (tuple, str, bytes, bytearray, Iterator, AsyncIterable)

#: Body and content type of an answer with status 200 and no other headers.
Ready = tuple[bytes, ContentType]


def makes_plain_responses(app: Flask) -> bool:
    """Tell whether nothing of the application's own is in its responses."""
    return (
        app.response_class is Response
        and Response.default_mimetype == "text/html"
        and Response.default_status == 200
    )


def make_ready(app: Flask, rv: Any) -> Ready | None:
    """Return what is sent for a plain result, where nobody is to see a response object.

    ``None`` for what only :func:`make_response` knows, or refuses. Raises what serialising
    raises. For applications that :func:`makes_plain_responses` alone.

    PERF: a third of what making a response and taking it apart costs; benchmarks/bench_plain.py.
    """
    kind: Any = type(rv)  # pyright: ignore[reportUnknownVariableType]
    if kind is str:
        return rv.encode(), HTML
    if kind is dict or kind is list:
        ready: Callable[..., Ready | None] | None = getattr(app.json, "_ready", None)
        return None if ready is None else ready(rv, app.debug)
    return None


def is_response(rv: Any) -> bool:
    """Tell whether :func:`make_response` gives a result back as it is.

    For applications that :func:`makes_plain_responses` alone.
    """
    return isinstance(rv, Response) and not isinstance(rv, _TAKEN_BEFORE)


def make_response(app: Flask, rv: Any, ctx: AppContext | None) -> Response:
    """Turn a view's result into an ``app.response_class``.

    ``ctx``: the current context, whose request WSGI callables are called with.

    Raises ``TypeError`` for what can't be a response.
    """
    status: Any = None
    headers: Any = None
    if isinstance(rv, tuple):
        rv, status, headers = _take_apart(ctx, rv)  # pyright: ignore[reportUnknownArgumentType]
    if headers is None and (status is None or type(status) is int) and makes_plain_responses(app):
        ready = make_ready(app, rv)
        if ready is not None:
            return Response.of_body(ready[0], ready[1].text, 200 if status is None else status)
    if isinstance(rv, (str, bytes, bytearray, Iterator, AsyncIterable)):
        # Given these at once, a response class can choose its own defaults. The headers may
        # be a constant of the user's, and the response is going to add to them.
        if isinstance(headers, Headers):
            headers = headers.copy()
        return app.response_class(as_body(rv), status=status, headers=headers)
    response = _make(app, rv, ctx)
    if status is not None:
        if isinstance(status, (str, bytes, bytearray)):
            response.status = status  # type: ignore[assignment]
        else:
            response.status_code = status
    if headers:
        response.headers.update(headers)
    return response


def _take_apart(ctx: AppContext | None, rv: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    if len(rv) == 3:
        return rv
    if len(rv) == 2:
        body, extra = rv
        if isinstance(extra, (Headers, dict, tuple, list)):
            return body, None, cast("Any", extra)
        return body, extra, None
    raise TypeError(_TUPLE_FORMS.format(endpoint=_endpoint(ctx), count=len(rv)))


def _make(app: Flask, rv: Any, ctx: AppContext | None) -> Response:
    if rv is None:
        raise TypeError(_NOTHING.format(endpoint=_endpoint(ctx)))
    if isinstance(rv, app.response_class):
        return rv
    if isinstance(rv, (dict, list)):
        return app.json.response(rv)
    if isinstance(rv, WerkzeugResponse) or callable(rv):
        request_ctx = None if ctx is None else ctx.request_ctx
        if request_ctx is None:
            raise RuntimeError(NO_REQUEST_CONTEXT)
        environ = request_ctx.environ
        if isinstance(rv, HTTPException) and type(rv).__call__ is HTTPException.__call__:
            page = page_of(rv, environ) if app.response_class is Response else None
            if page is not None:
                return page
            # Called as the WSGI application that it is, it would make the same and send it;
            # what is sent would be read into a response again.
            rv = rv.get_response(environ)
        try:
            return app.response_class.force_type(rv, environ)  # type: ignore[return-value]
        except TypeError as error:
            raise _not_a_response(ctx, rv, str(error)) from error
    raise _not_a_response(ctx, rv, "")


def _not_a_response(ctx: AppContext | None, rv: Any, problem: str) -> TypeError:
    message = _NOT_A_RESPONSE.format(
        problem=problem, endpoint=_endpoint(ctx), kind=type(rv).__name__
    )
    return TypeError(message.lstrip())


def _endpoint(ctx: AppContext | None) -> str | None:
    request_ctx = None if ctx is None else ctx.request_ctx
    return None if request_ctx is None else request_ctx.request.endpoint
