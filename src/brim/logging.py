"""The app's logger, the handler it falls back to, and the record of an unhandled error.

Configures nothing beyond one logger per app name: a handler is added only where the
standard library's configuration would let the app's messages fall on the floor. Knows
a context only as something that may hold an environ.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.local import LocalProxy

from .ctx import _cv_ctx

if TYPE_CHECKING:
    from typing import TextIO

    from .typing import Flask, Request


def _errors_stream() -> TextIO:
    ctx = _cv_ctx.get(None)
    request_ctx: Any = None if ctx is None else ctx.request_ctx
    if request_ctx is not None:
        # Not every door has the server's stream to offer.
        stream: TextIO | None = request_ctx.environ.get("wsgi.errors")
        if stream is not None:
            return stream
    return sys.stderr


#: Where the server wants errors written: the current request's ``wsgi.errors``, or
#: ``sys.stderr`` outside a request. In a ``dictConfig`` it is named as
#: ``"ext://brim.logging.wsgi_errors_stream"``.
wsgi_errors_stream: TextIO = LocalProxy(_errors_stream)  # type: ignore[assignment]

#: The handler an app's logger gets when nothing else would take its messages.
default_handler = logging.StreamHandler(wsgi_errors_stream)
default_handler.setFormatter(
    logging.Formatter("[%(asctime)s] %(levelname)s in %(module)s: %(message)s")
)


def has_level_handler(logger: logging.Logger) -> bool:
    """Say whether some handler takes messages of the logger's level.

    Handlers of the logger itself count, and those of its parents as far up as
    messages propagate.
    """
    level = logger.getEffectiveLevel()
    current: logging.Logger | None = logger
    while current is not None:
        if any(handler.level <= level for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


def create_logger(app: Flask) -> logging.Logger:
    """Return the logger named ``app.name``, ready to be written to.

    In debug mode a logger without a level is set to ``DEBUG``. ``default_handler`` is
    added if no handler would take the logger's messages, so configure logging before
    ``app.logger`` is first read to do without it.
    """
    logger = logging.getLogger(app.name)
    if app.debug and not logger.level:
        logger.setLevel(logging.DEBUG)
    if not has_level_handler(logger):
        logger.addHandler(default_handler)
    return logger


def log_exception(app: Flask, request: Request, exc_info: Any) -> None:
    """Log one record: path, method, request line, endpoint, traceback.

    The path is the decoded one, as in Flask. It and the request line are kept to one line
    and to printable characters, as a client chooses them.
    """
    path, line = request.path, request_line(request)
    endpoint = request.endpoint
    app._log_error(
        "Exception on %s [%s]: %s, %s",
        path if path.isprintable() else quote(path),
        request.method,
        line,
        "no endpoint" if endpoint is None else f"endpoint {endpoint!r}",
        exc_info=exc_info,
    )


def request_line(request: Request) -> str:
    """Return what the request began with, such as ``GET /search?q=cup HTTP/1.1``.

    Source: RFC 9112, section 3, with the path encoded anew, below the script's root.
    """
    target = quote(request.root_path + request.path)
    query = request.query_string
    if query:
        # Sent as it is by a client, which may be a hostile one.
        target += "?" + quote(query, safe=_IN_QUERIES)
    protocol = request.environ.get("SERVER_PROTOCOL", "")
    return f"{request.method} {target} {protocol}".rstrip()


#: What a query holds as itself (RFC 3986, section 3.4), and what is encoded already.
_IN_QUERIES = "/?:@!$&'()*+,;=%"
