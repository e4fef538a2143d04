"""What every test may ask for: a clean environment, an app, and a client of that app.

Fixtures that only one file of tests needs live in that file.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from brim import Flask
    from brim.testing import FlaskClient
    from tests.support import Log


@pytest.fixture(autouse=True)
def _outer_environment_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """No FLASK_* or BRIM_* variable of the developer's shell reaches a test."""
    for name in list(os.environ):
        if name.startswith(("FLASK_", "BRIM_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_context_is_left_behind() -> Iterator[None]:
    """A test that pushes a context pops it: a leaked one would answer for the next test."""
    yield
    # Where no test imported the module, nothing can have pushed a context.
    if (module := sys.modules.get("brim.ctx")) is None:
        return
    left = []
    while (ctx := module._cv_ctx.get(None)) is not None:
        left.append(ctx)
        ctx.pop()
    assert left == []


@pytest.fixture(autouse=True)
def _the_apps_logger_begins_anew() -> Iterator[None]:
    """Loggers outlive the app that made them; the next app of that name gets a plain one."""
    yield
    logger = logging.getLogger("tests")
    logger.disabled = False
    logger.setLevel(logging.NOTSET)
    logger.handlers.clear()


@pytest.fixture
def app() -> Flask:
    from brim import Flask

    app = Flask("tests", root_path=os.path.dirname(__file__))
    app.config.update(TESTING=True, SECRET_KEY="a key for tests")
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def log(app: Flask) -> Log:
    """Notes how contexts end: what the teardown functions are told, and what they see."""
    from brim import has_request_context

    log: Log = []

    @app.teardown_request
    def teardown_request(error: BaseException | None) -> None:
        log.append(("request", error and type(error), has_request_context()))

    @app.teardown_appcontext
    def teardown_appcontext(error: BaseException | None) -> None:
        log.append(("app", error and type(error), has_request_context()))

    return log
