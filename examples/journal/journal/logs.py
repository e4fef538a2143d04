"""Logging: where records go and what they look like, in one place."""

from __future__ import annotations

from logging import Filter, LogRecord
from logging.config import dictConfig
from urllib.parse import quote

from brim import Flask, has_request_context, request


class RequestLine(Filter):
    """Adds `request_line` to a record: `GET /entries/3`, or `-` outside a request."""

    def filter(self, record: LogRecord) -> bool:
        record.request_line = "-"
        if has_request_context():
            # Quoted: a line end in a path must not look like a record of its own.
            record.request_line = f"{request.method} {quote(request.path)}"
        return True


def init_app(app: Flask) -> None:
    """Send all records of the level LOG_LEVEL and above to the server's error stream."""
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"request_line": {"()": RequestLine}},
            "formatters": {
                "default": {
                    "format": "%(asctime)s %(levelname)s %(name)s [%(request_line)s] %(message)s"
                }
            },
            "handlers": {
                "errors": {
                    "class": "logging.StreamHandler",
                    "stream": "ext://brim.logging.wsgi_errors_stream",
                    "filters": ["request_line"],
                    "formatter": "default",
                }
            },
            "root": {"level": app.config["LOG_LEVEL"], "handlers": ["errors"]},
        }
    )
