"""Fixtures for pytest: the application and its clients, without a conftest.py.

    # pyproject.toml
    [tool.pytest.ini_options]
    addopts = ["-p", "brim.testing.plugin"]

or ``pytest_plugins = ["brim.testing.plugin"]`` in the conftest.py of the root folder. It isn't
loaded by being installed, since ``client`` and ``app`` are names of other plugins' fixtures too.
A fixture of the same name in a conftest.py or a test file comes before the one here.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest

from ..commands import ScriptInfo
from ..discovery import NoAppException

if TYPE_CHECKING:
    from ..typing import Flask
    from . import AsyncFlaskClient, FlaskClient, FlaskCliRunner

_OPTION = """\
where the application is, as the brim command takes it: 'module' or 'module:name', or \
'module:create_app("test")' for a factory"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--app`` and the setting ``brim_app``."""
    parser.getgroup("brim").addoption("--app", metavar="IMPORT", help=_OPTION)
    parser.addini("brim_app", _OPTION)


@pytest.fixture
def app(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application, with TESTING on.

    It is found as the brim command finds it, from pytest's root folder: what --app says, or
    brim_app in pytest's settings, or the environment variable BRIM_APP or FLASK_APP, or else
    app.py or wsgi.py. A factory is called for each test. An application that is made when its
    module is imported is the same in all tests, with what they registered on it.

        def test_front_page(app):
            with app.test_request_context("/"):
                assert url_for("index") == "/"

    Files such as .env are not read. For an application that is made in another way, write a
    fixture of this name in conftest.py; the other fixtures use it.
    """
    with contextlib.chdir(pytestconfig.rootpath):
        try:
            app = ScriptInfo(_named(pytestconfig), set_debug_flag=False).load_app()
        except NoAppException as error:
            pytest.fail(f"The fixture 'app' has no application. {error.message}\n{_HELP}", False)
    monkeypatch.setitem(app.config, "TESTING", True)
    return app


_HELP = """\
Name it with `pytest --app module:name`, or with `brim_app = "module:name"` in pytest's settings; \
or write a fixture `app` in conftest.py. What imports 'flask' needs `-p brim.as_flask` as well."""


def _named(config: pytest.Config) -> str | None:
    named: str = (
        config.getoption("--app")
        or config.getini("brim_app")
        or os.environ.get("BRIM_APP")
        or os.environ.get("FLASK_APP")
        or ""
    )
    return named or None


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the application, that is one visitor: it keeps cookies.

    def test_front_page(client):
        response = client.get("/")
        assert response.status_code == 200
        assert "Hello" in response.text
    """
    return app.test_client()


@pytest.fixture
def async_client(app: Flask) -> AsyncFlaskClient:
    """A client whose requests are awaited, and answered on the test's own event loop.

    @pytest.mark.anyio  # or what your plugin for coroutines asks for
    async def test_front_page(async_client):
        response = await async_client.get("/")
        assert "Hello" in response.text

        async with async_client.websocket_connect("/echo") as ws:
            await ws.send("hello")
            assert await ws.receive() == "hello"
    """
    return app.async_test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """A runner of the application's commands.

    def test_greet(runner):
        result = runner.invoke(args=["greet", "Ada"])
        assert result.exit_code == 0
        assert result.output == "Hello, Ada!\\n"
    """
    return app.test_cli_runner()
