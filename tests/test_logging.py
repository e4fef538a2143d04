from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest

from brim import Flask
from brim.logging import create_logger, default_handler, has_level_handler, wsgi_errors_stream


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
