"""The package's public names, and that each is loaded when it is first asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import brim

# What Flask 3.1.3 exports.
FLASKS_NAMES = """
    Blueprint Config Flask Request Response abort after_this_request appcontext_popped
    appcontext_pushed appcontext_tearing_down before_render_template
    copy_current_request_context current_app flash g get_flashed_messages
    get_template_attribute got_request_exception has_app_context has_request_context json
    jsonify make_response message_flashed redirect render_template render_template_string
    request request_finished request_started request_tearing_down send_file
    send_from_directory session signals stream_template stream_template_string
    stream_with_context template_rendered url_for
""".split()


def run(code: str) -> str:
    """Run ``code`` in an interpreter of its own; return what it prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_flasks_names_are_there() -> None:
    assert [name for name in FLASKS_NAMES if not hasattr(brim, name)] == []


@pytest.mark.parametrize("name", brim.__all__)
def test_a_name_is_its_homes(name: str) -> None:
    home = brim._HOME_OF.get(name)
    expected = import_module("brim.json") if home is None else import_module(f"brim.{home}")
    assert getattr(brim, name) is (expected if home is None else getattr(expected, name))
    assert name in dir(brim)


def test_checkers_are_told_of_the_same_names() -> None:
    """The imports under TYPE_CHECKING, the homes and ``__all__`` agree."""
    tree = ast.parse(Path(brim.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    told = {
        alias.asname: node.module or alias.name
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
    }
    assert told == {**brim._HOME_OF, "json": "json"}
    assert sorted(told) == sorted(brim.__all__)


@pytest.mark.parametrize("name", sorted(brim._MODULES))
def test_modules_are_attributes(name: str) -> None:
    assert getattr(brim, name) is import_module(f"brim.{name}")


def test_what_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'brim' has no attribute 'nothing'"):
        brim.nothing  # noqa: B018


def test_versions() -> None:
    """Extensions ask for Flask's."""
    assert brim.__version__ == "3.1.3"
    assert brim.__brim_version__.count(".") == 2


def test_importing_the_package_loads_nothing_else() -> None:
    code = """
import sys
before = set(sys.modules)
import brim
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(new - set(sys.stdlib_module_names)), "brim.app" in sys.modules)
"""
    assert run(code) == "['brim'] False"


def test_a_name_loads_its_home_and_not_the_rest() -> None:
    code = """
import sys, brim
brim.signals.request_started
print("brim.app" in sys.modules, "werkzeug" in sys.modules)
brim.Flask
print("click" in sys.modules, "brim.testing" in sys.modules, "asyncio" in sys.modules)
"""
    assert run(code).split() == ["False", "False", "False", "False", "False"]


def test_an_application_without_templates_loads_no_jinja() -> None:
    code = (
        "import sys\n"
        "from brim import Flask\n"
        "app = Flask(__name__)\n"
        "app.add_url_rule('/', 'index', lambda: 'plain')\n"
        "start = lambda status, headers: None\n"
        "environ = {'REQUEST_METHOD': 'GET', 'PATH_INFO': '/', 'HTTP_HOST': 'a',\n"
        "           'wsgi.url_scheme': 'http'}\n"
        "assert b''.join(app(environ, start)) == b'plain'\n"
        "assert 'jinja2' not in sys.modules\n"
        "assert Flask.jinja_environment is app.jinja_environment\n"
        "assert app.jinja_environment.__module__ == 'brim.templating'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
