from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest

from brim import Flask, Request
from brim.logging import (
    create_logger,
    default_handler,
    has_level_handler,
    log_exception,
    request_line,
    wsgi_errors_stream,
)


@contextmanager
def root_handlers(*handlers: logging.Handler) -> Iterator[None]:
    """Have these handlers on the root logger, without pytest's own."""
    before = logging.root.handlers[:]
    logging.root.handlers[:] = handlers
    try:
        yield
    finally:
        logging.root.handlers[:] = before


@pytest.fixture
def logger(app: Flask) -> Iterator[logging.Logger]:
    logger = logging.getLogger(app.name)
    yield logger
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


def test_logger_of_the_apps_name_gets_a_handler_once(app: Flask, logger: logging.Logger) -> None:
    with root_handlers():
        assert create_logger(app) is logger
        assert create_logger(app) is logger

    assert logger.handlers == [default_handler]
    assert logger.level == logging.NOTSET


def test_debug_mode_sets_a_level_where_none_is(app: Flask, logger: logging.Logger) -> None:
    app.debug = True

    assert create_logger(app).level == logging.DEBUG

    logger.setLevel(logging.ERROR)
    assert create_logger(app).level == logging.ERROR


def test_configured_logging_is_left_alone(app: Flask, logger: logging.Logger) -> None:
    with root_handlers(logging.StreamHandler()):
        create_logger(app)

    assert logger.handlers == []


@pytest.mark.parametrize(
    ("logger_level", "handler_level", "taken"),
    [
        (logging.INFO, logging.NOTSET, True),
        (logging.INFO, logging.INFO, True),
        (logging.INFO, logging.WARNING, False),
        (logging.NOTSET, logging.WARNING, True),
        (logging.NOTSET, logging.ERROR, False),
    ],
)
@pytest.mark.parametrize("on_parent", [False, True])
def test_handler_counts_if_it_takes_the_loggers_level(
    logger: logging.Logger, logger_level: int, handler_level: int, taken: bool, on_parent: bool
) -> None:
    """A logger without a level has the root's, WARNING."""
    child = logger.getChild("views") if on_parent else logger
    handler = logging.StreamHandler()
    handler.setLevel(handler_level)
    logger.addHandler(handler)
    logger.setLevel(logger_level)

    with root_handlers():
        assert has_level_handler(child) is taken


def test_handlers_beyond_propagation_do_not_count(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with root_handlers(logging.StreamHandler()):
        assert has_level_handler(logger)
        monkeypatch.setattr(logger, "propagate", False)
        assert not has_level_handler(logger)


def test_errors_go_where_the_server_wants_them(app: Flask) -> None:
    stream = StringIO()

    assert wsgi_errors_stream._get_current_object() is sys.stderr  # type: ignore[attr-defined]
    with app.app_context():
        assert wsgi_errors_stream._get_current_object() is sys.stderr  # type: ignore[attr-defined]
    with app.test_request_context(errors_stream=stream):
        assert wsgi_errors_stream._get_current_object() is stream  # type: ignore[attr-defined]


def test_server_without_an_errors_stream_leaves_stderr(app: Flask) -> None:
    with app.test_request_context() as ctx:
        del ctx.request.environ["wsgi.errors"]
        assert wsgi_errors_stream._get_current_object() is sys.stderr  # type: ignore[attr-defined]


def test_message_says_when_how_bad_and_where(app: Flask, logger: logging.Logger) -> None:
    stream = StringIO()

    @app.route("/")
    def index() -> str:
        app.logger.error("no %s left", "soap")
        return ""

    with root_handlers():
        app.test_client().get("/", errors_stream=stream)

    assert stream.getvalue().endswith("] ERROR in test_logging: no soap left\n")


@pytest.mark.parametrize(
    ("path", "query", "line"),
    [
        ("/", "", "GET / HTTP/1.1"),
        ("/a b/\u00e9", "q=1&r=%20+", "GET /a%20b/%C3%A9?q=1&r=%20+ HTTP/1.1"),
        ("/a\nERROR\x1b[2J", "x=\r\n", "GET /a%0AERROR%1B%5B2J?x=%0D%0A HTTP/1.1"),
    ],
)
def test_the_request_line_is_one_line_whatever_a_client_sends(
    app: Flask, path: str, query: str, line: str
) -> None:
    environ = app.test_request_context().request.environ
    environ |= {"PATH_INFO": path.encode().decode("latin-1"), "QUERY_STRING": query}

    assert request_line(Request(environ)) == line

    environ["SCRIPT_NAME"] = "/shop"
    assert request_line(Request(environ)) == line.replace("/", "/shop/", 1)


def test_an_unhandled_error_is_one_record_on_one_line(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with app.test_request_context("/no%0Awhere", method="PUT") as ctx:
        log_exception(app, ctx.request, (None, None, None))

    [record] = caplog.records
    assert record.module == "app"
    assert record.getMessage() == (
        "Exception on /no%0Awhere [PUT]: PUT /no%0Awhere HTTP/1.1, no endpoint"
    )


def test_the_record_of_an_unhandled_error_is_the_applications(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    app.testing = False
    app.add_url_rule("/", "fails", lambda: [][1])
    app.test_client().get("/")

    [record] = caplog.records
    assert (record.module, record.funcName) == ("app", "_log_error")
