"""The app's logger and the handler it falls back to.

Configures nothing beyond one logger per app name: a handler is added only where the
standard library's configuration would let the app's messages fall on the floor. Knows
a context only as something that may hold an environ.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from werkzeug.local import LocalProxy

from .ctx import _cv_ctx

if TYPE_CHECKING:
    from typing import TextIO

    from .typing import Flask


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
