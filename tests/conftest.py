"""What every test may ask for: a clean environment, an app, and a client of that app.

Fixtures that only one file of tests needs live in that file.

What is tested by requests in this process is tested through both doors: each test of a file that
makes any runs twice, ``test_x[wsgi]`` and ``test_x[asgi]``. One that is about a door, or asks for
what the other can't do, says so: ``@pytest.mark.wsgi("the reason")``. ``--door wsgi`` runs the
first half only.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from brim import Flask
    from brim.testing import FlaskClient
    from tests.support import Log


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--door",
        choices=["wsgi", "asgi", "both"],
        default="both",
        help="the door that requests in this process go through",
    )


@cache
def _makes_requests(file: Path) -> bool:
    text = file.read_text(encoding="utf-8")
    return bool(re.search(r"\btest_client\(|\bknock\(|\bclient: FlaskClient", text))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if _makes_requests(metafunc.definition.path):
        door = metafunc.config.getoption("door")
        doors = ["wsgi", "asgi"] if door == "both" else [door]
        metafunc.parametrize("_door", doors, indirect=True, ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if _is_only_for_the_other_door(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _is_only_for_the_other_door(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("wsgi")
    if marker is None:
        return False
    if not (len(marker.args) == 1 and isinstance(marker.args[0], str) and marker.args[0].strip()):
        raise pytest.UsageError(f"{item.nodeid}: '@pytest.mark.wsgi' needs a reason.")
    call = getattr(item, "callspec", None)
    return call is not None and call.params.get("_door") == "asgi"


@pytest.fixture(autouse=True)
def _door(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every client, and :func:`tests.support.knock`, go through the test's door."""
    if getattr(request, "param", "wsgi") == "asgi":
        from brim.testing import FlaskClient

        monkeypatch.setattr(FlaskClient, "door", "asgi")


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
