"""The pages of HTTP errors: what Werkzeug's own classes answer, put together once.

Knows no hooks, no handlers and no request. An error that has any way of its own to answer,
by its class, by a patch or by an attribute, is left to itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, default_exceptions

from ..wrappers import Response

if TYPE_CHECKING:
    from ..typing import WSGIEnvironment

_HTML = "text/html; charset=utf-8"

_KNOWN = frozenset(default_exceptions.values())
_call = HTTPException.__call__
_get_response = HTTPException.get_response
_get_body = HTTPException.get_body
_get_description = HTTPException.get_description
_get_headers = HTTPException.get_headers
_name = HTTPException.name
_WAYS = frozenset({"get_response", "get_body", "get_description", "get_headers", "name", "code"})
#: Whether all of this is Werkzeug's. What was patched earlier may answer as it likes.
_ORIGINAL = all(
    way.__module__ == HTTPException.__module__
    for way in (_call, _get_response, _get_body, _get_description, _get_headers)
)

#: By class of errors: the description and the code that a body was made of, and that body.
_bodies: dict[type[HTTPException], tuple[str | None, int | None, bytes]] = {}


def page_of(error: HTTPException, environ: WSGIEnvironment) -> Response | None:
    """Return the response that ``error.get_response(environ)`` is.

    ``None`` where nobody but the error itself can tell.

    PERF: a tenth of what asking it costs; benchmarks/bench_errors.py.
    """
    kind = type(error)
    if (
        kind not in _KNOWN
        or error.response is not None
        or not error.__dict__.keys().isdisjoint(_WAYS)
        or kind.get_body is not _get_body
        or kind.get_description is not _get_description
        or kind.get_response is not _get_response
        or kind.__call__ is not _call
        or kind.name is not _name
        or not _ORIGINAL
    ):
        return None
    description, code = error.description, error.code
    made = _bodies.get(kind)
    if made is not None and made[0] is description and made[1] == code:
        body = made[2]
    else:
        body = error.get_body(environ).encode()
        if description is kind.description:
            _bodies[kind] = description, code, body
    response = Response.of_body(body, _HTML, code)
    if kind.get_headers is not _get_headers:
        response.headers = Headers(error.get_headers(environ))
        response.headers["Content-Length"] = str(len(body))
    return response
