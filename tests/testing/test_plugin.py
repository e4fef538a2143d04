"""The pytest plugin: which application it finds, and that it gives way."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.wsgi("the plugin's clients are made by the application, as others are")

HELLO = """
import click
from brim import Flask

def create_app(name="nobody"):
    app = Flask(__name__)
    app.get("/")(lambda: f"Hello, {name}")
    app.cli.command("greet")(lambda: click.echo("Hello"))
    return app
"""

PASSES = """
def test_client(client):
    assert client.get("/").text == "Hello, {name}"
"""


@pytest.fixture
def project(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.Pytester]:
    """A folder with settings that load the plugin, run in this process."""
    pytester.makepyprojecttoml(
        """
        [tool.pytest.ini_options]
        addopts = ["-p", "brim.testing.plugin", "-p", "no:cacheprovider"]
        filterwarnings = ["error"]
        """
    )
    # What is installed beside pytest is not the subject, and takes its time to load.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield pytester
    for name in set(sys.modules) - before:
        if name in {"app", "wsgi", "hello"}:
            del sys.modules[name]


def test_all_fixtures_of_an_application_in_app_py(project: pytest.Pytester) -> None:
    project.makepyfile(
        app=HELLO,
        test_it="""
            import asyncio

            def test_app(app):
                assert app.testing
                app.add_url_rule("/late", "late", lambda: "late")

            def test_a_factory_is_called_for_each_test(app, client, runner):
                assert client.get("/late").status_code == 404
                assert client.application is app
                assert runner.invoke(args=["greet"]).output == "Hello\\n"

            def test_awaited(app, async_client):
                async def test():
                    return await async_client.get("/")

                assert async_client.application is app
                assert asyncio.run(test()).text == "Hello, nobody"
        """,
    )
    project.runpytest().assert_outcomes(passed=3)


@pytest.mark.parametrize("how", ["option", "setting", "BRIM_APP", "FLASK_APP"])
def test_where_the_application_is_may_be_said(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    said = "src/hello.py:create_app('Ada')"
    project.makepyfile(**{"src/hello": HELLO, "test_it": PASSES.format(name="Ada")})
    options: list[str] = []
    if how == "option":
        options = ["--app", said]
    elif how == "setting":
        options = ["-o", f"brim_app={said}"]
    else:
        monkeypatch.setenv(how, said)
    project.runpytest(*options).assert_outcomes(passed=1)


def test_it_is_looked_for_in_the_root_folder(project: pytest.Pytester) -> None:
    project.makepyfile(**{"wsgi": HELLO, "tests/test_it": PASSES.format(name="nobody")})
    folder = project.path / "tests"
    os.chdir(folder)
    project.runpytest().assert_outcomes(passed=1)


def test_testing_is_on_during_a_test_only(project: pytest.Pytester) -> None:
    project.makepyfile(
        app="from brim import Flask\napp = Flask(__name__)",
        test_it="""
            def test_with(app):
                assert app.testing

            def test_without():
                import app
                assert not app.app.testing
        """,
    )
    project.runpytest().assert_outcomes(passed=2)


def test_fixtures_of_the_project_come_first(project: pytest.Pytester) -> None:
    project.makepyfile(
        conftest=HELLO
        + """
import pytest

@pytest.fixture
def app():
    return create_app("Grace")
""",
        test_it=PASSES.format(name="Grace"),
    )
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("files", "said", "text"),
    [
        ({}, None, "*has no application. Could not find an application.*"),
        ({}, "nowhere", "*Could not import 'nowhere'*"),
        ({"hello": HELLO}, "hello:create_ap", "*Did you mean 'create_app'*"),
        ({"hello": "import not_there"}, "hello", "*No module named 'not_there'*"),
    ],
    ids=["nothing", "no module", "no such name", "import error"],
)
def test_without_an_application_a_test_fails_and_says_what_to_do(
    project: pytest.Pytester, files: dict[str, str], said: str | None, text: str
) -> None:
    project.makepyfile(**files, test_it=PASSES.format(name="nobody"))
    result = project.runpytest(*(["--app", said] if said else []))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([text, "*pytest --app module:name*"])
    result.stdout.no_fnmatch_line("*brim/testing/plugin.py*")


def test_the_fixtures_document_themselves(project: pytest.Pytester) -> None:
    result = project.runpytest("--fixtures", "-v")
    for name in ("app", "client", "async_client", "runner"):
        result.stdout.fnmatch_lines([f"{name} -- *brim/testing/plugin.py*"])
    result.stdout.fnmatch_lines(["*response = await async_client.get(*"])
