from __future__ import annotations

import functools
import os
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

from brim import Blueprint, Flask, current_app
from brim.discovery import (
    AppImportError,
    NoAppException,
    find_app,
    find_app_by_string,
    find_best_app,
    format_user_error,
    is_application,
    likely_modules,
    locate_app,
    prepare_import,
    user_traceback,
)

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write modules into the working directory; none of them stays imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    yield write
    for name in sys.modules.keys() - before:
        del sys.modules[name]


def module(**names: Any) -> types.ModuleType:
    made = types.ModuleType("shop")
    vars(made).update(names)
    return made


def refusal(call: Callable[..., object], *args: object) -> str:
    with pytest.raises(NoAppException) as caught:
        call(*args)
    return caught.value.message


def test_an_application_is_known_by_door_and_settings() -> None:
    assert is_application(Flask("a"))
    assert not is_application(Blueprint("b", __name__))
    assert not is_application(current_app)
    assert not is_application(Flask)
    assert not is_application(types.SimpleNamespace(wsgi_app=print, config={}))


# find_best_app


def test_app_and_application_win_over_other_names() -> None:
    app, other = Flask("a"), Flask("b")
    assert find_best_app(module(other=other, app=app)) is app
    assert find_best_app(module(other=other, application=app)) is app
    assert find_best_app(module(app=None, other=other)) is other


def test_one_application_under_two_names_is_one_application() -> None:
    app = Flask("a")
    assert find_best_app(module(shop=app, site=app)) is app


def test_several_applications_are_all_named() -> None:
    message = refusal(find_best_app, module(one=Flask("a"), two=Flask("b")))
    assert "'one', 'two'" in message and "'shop:one'" in message


def test_a_factory_is_called() -> None:
    assert find_best_app(module(create_app=lambda: Flask("a"))).name == "a"
    assert find_best_app(module(make_app=lambda mode="b": Flask(mode))).name == "b"
    assert find_best_app(module(make_app=functools.partial(Flask, "c"))).name == "c"


def test_a_factory_that_needs_arguments_is_not_called() -> None:
    def create_app(config: str, debug: bool = False) -> Flask:
        raise AssertionError("not reached")

    message = refusal(find_best_app, module(create_app=create_app))
    assert "it takes (config" in message
    assert "missing a required argument: 'config'" in message
    assert "'shop:create_app(...)'" in message


def test_an_error_inside_a_factory_is_the_users_own() -> None:
    def create_app() -> Flask:
        raise TypeError("bad bad factory")

    with pytest.raises(TypeError, match="bad bad factory"):
        find_best_app(module(create_app=create_app))


def test_what_a_decorator_passes_to_a_factory_counts() -> None:
    def with_config(f: Callable[[str], Flask]) -> Callable[[], Flask]:
        @functools.wraps(f)
        def wrapper() -> Flask:
            return f("from the decorator")

        return wrapper

    @with_config
    def create_app(config: str) -> Flask:
        return Flask(config)

    assert find_best_app(module(create_app=create_app)).name == "from the decorator"


def test_nothing_found_says_what_was_looked_for_and_where() -> None:
    message = refusal(find_best_app, module(__file__="/srv/shop.py", create_app=lambda: None))
    assert "module 'shop' (/srv/shop.py)" in message
    assert "'create_app'" in message and "'shop:name'" in message


def test_a_factory_by_another_name_is_suggested() -> None:
    def createapp() -> Flask:
        return Flask("a")

    assert "Did you mean 'shop:createapp'?" in refusal(find_best_app, module(createapp=createapp))


def test_an_application_of_another_flask_is_called_that() -> None:
    foreign = type("Flask", (), {"__module__": "flask.app"})()
    assert "import brim.as_flask" in refusal(find_best_app, module(app=foreign))
    assert "import brim.as_flask" in refusal(find_app_by_string, module(app=foreign), "app")


# find_app_by_string


def create_app(name: str = "plain", *, debug: bool = False) -> Flask:
    app = Flask(name)
    app.debug = debug
    return app


@pytest.mark.parametrize(
    ("text", "name", "debug"),
    [
        ("app", "instance", False),
        ("app()", "instance", False),
        ("create_app", "plain", False),
        (" create_app () ", "plain", False),
        ("create_app('x', debug=True)", "x", True),
        ("create_app('x', )", "x", False),
        ("partly", "partial", False),
        ("Shop", "class", False),
    ],
)
def test_a_name_or_a_call_gives_the_application(text: str, name: str, debug: bool) -> None:
    class Shop(Flask):
        def __init__(self) -> None:
            super().__init__("class")

    shop = module(
        app=Flask("instance"),
        create_app=create_app,
        partly=functools.partial(create_app, "partial"),
        Shop=Shop,
    )
    app = find_app_by_string(shop, text)
    assert (app.name, app.debug) == (name, debug)


@pytest.mark.parametrize("text", ["create_app(", "a.b", "apps[0]", "1", "f()()", "\0"])
def test_what_is_no_name_and_no_call_is_refused(text: str) -> None:
    assert "neither a name nor a call" in refusal(find_app_by_string, module(), text)


@pytest.mark.parametrize("text", ["create_app(x)", "create_app(**{'debug': 1})", "create_app(1+x)"])
def test_arguments_must_be_literals(text: str) -> None:
    shop = module(create_app=create_app)
    assert "must be Python literals" in refusal(find_app_by_string, shop, text)


def test_a_wrong_name_suggests_the_right_one() -> None:
    shop = module(site=Flask("a"), create_app=create_app, tax=19)
    assert "Did you mean 'create_app'?" in refusal(find_app_by_string, shop, "creat_app")
    assert refusal(find_app_by_string, shop, "qqq").endswith("There is 'create_app', 'site'.")
    assert refusal(find_app_by_string, module(tax=19), "qqq").endswith("There is 'tax'.")
    assert refusal(find_app_by_string, module(), "qqq").endswith("module 'shop'.")


def test_wrong_arguments_of_a_factory_show_its_signature() -> None:
    message = refusal(find_app_by_string, module(create_app=create_app), "create_app(1, 2)")
    assert "it takes (name" in message
    assert "too many positional arguments" in message


def test_a_factory_without_a_signature_is_called() -> None:
    # Built-in: inspect can't tell its parameters.
    message = refusal(find_app_by_string, module(make=dict), "make(a=1)")
    assert "returned an object of class 'dict'" in message


def test_a_factory_that_returns_no_application_is_told_what_it_returned() -> None:
    async def later() -> Flask:
        return Flask("a")

    shop = module(forgot=lambda: None, later=later, number=lambda: 3)
    assert "returned None" in refusal(find_app_by_string, shop, "forgot")
    assert "'return app' missing" in refusal(find_app_by_string, shop, "forgot")
    assert "'def' in place of 'async def'" in refusal(find_app_by_string, shop, "later")
    assert "of class 'int'" in refusal(find_app_by_string, shop, "number")


def test_an_application_wrapped_in_middleware_is_told_where_to_wrap() -> None:
    shop = module(app=ProxyFix(Flask("a")), apps=[Flask("b")])
    assert "app.wsgi_app = ProxyFix(app.wsgi_app)" in refusal(find_app_by_string, shop, "app")
    assert "wsgi_app" not in refusal(find_app_by_string, shop, "apps")


# Modules


@pytest.mark.parametrize(
    ("path", "first", "name"),
    [
        ("hello", "", "hello"),
        ("hello.py", "", "hello"),
        ("shop.web", "", "shop.web"),
        ("examples/hello", "examples", "hello"),
        ("src/pkg/__init__.py", "src", "pkg"),
        ("src/pkg/__init__", "src", "pkg"),
        ("src/pkg/inner/mod.py", "src", "pkg.inner.mod"),
    ],
)
def test_a_path_becomes_a_module_and_the_folder_it_is_found_from(
    write: Write, path: str, first: str, name: str
) -> None:
    write("src/pkg/__init__.py", "")
    write("src/pkg/inner/__init__.py", "")
    assert prepare_import(path) == name
    assert sys.path[0] == os.path.realpath(first)
    length = len(sys.path)
    prepare_import(path)
    assert len(sys.path) == length


def test_a_file_of_another_folder_is_found_by_its_path(write: Write) -> None:
    write("examples/hello.py", "from brim import Flask\napp = Flask('hi')\nsecond = Flask('2')")
    app = find_app("examples/hello")
    assert app is not None and app.name == "hi"
    second = find_app(f"{os.path.realpath('examples/hello.py')}:second")
    assert second is not None and second.name == "2"


def test_wsgi_and_app_are_found_without_being_named(write: Write) -> None:
    assert find_app(None) is None
    write("app.py", "from brim import Flask\nsite = Flask('from app.py')")
    app = find_app(None)
    assert app is not None and app.name == "from app.py"
    write("wsgi.py", "from brim import Flask\nsite = Flask('from wsgi.py')")
    app = find_app("")
    assert app is not None and app.name == "from wsgi.py"


def test_a_missing_folder_is_not_replaced_by_another(write: Write) -> None:
    write("hello.py", "from brim import Flask\napp = Flask('wrong one')")
    assert "no folder" in refusal(find_app, "exampels/hello")
    assert "exampels" not in sys.path[0]


def test_a_missing_module_suggests_one_that_is_there(write: Write) -> None:
    write("hello.py", "")
    write("helloo.txt", "")
    write("shop/__init__.py", "")
    write("shop/website.py", "")
    assert "Did you mean 'hello'?" in refusal(find_app, "helo")
    assert "Did you mean 'shop.website'?" in refusal(find_app, "shop.website2")
    assert "Did you mean" not in refusal(find_app, "qqqqq")
    assert "'hello' is not a package" in refusal(find_app, "hello.web")
    assert "relative import" in refusal(find_app, ".hello")


def test_a_missing_module_is_none_on_request_and_a_broken_one_is_not(write: Write) -> None:
    write("broken.py", "import not_installed")
    prepare_import("broken")
    assert locate_app("not_there", None, raise_if_not_found=False) is None
    with pytest.raises(AppImportError):
        locate_app("broken", None, raise_if_not_found=False)


def test_an_import_error_of_the_users_is_shown_with_his_traceback_only(write: Write) -> None:
    write("helper.py", "import not_installed")
    write("shop.py", "import helper")
    with pytest.raises(AppImportError) as caught:
        find_app("shop")
    message = caught.value.format_message()
    assert "'shop'" in message
    assert "helper.py" in message and "No module named 'not_installed'" in message
    assert "importlib" not in message and "discovery.py" not in message
    assert isinstance(caught.value.error, ImportError)


@pytest.mark.parametrize("code", ["raise ValueError('mine')", "raise TypeError('mine')", "1 / 0"])
def test_any_other_error_of_the_users_is_passed_on(write: Write, code: str) -> None:
    write("shop.py", code)
    with pytest.raises((ValueError, TypeError, ZeroDivisionError)) as caught:
        find_app("shop")
    shown = format_user_error(caught.value).splitlines()
    assert shown[0].startswith("Traceback")
    # The test's own frame is the user's here.
    assert any("shop.py" in line for line in shown)


def test_a_syntax_error_is_shown_by_its_file_alone(write: Write) -> None:
    file = write("shop.py", "x = (")
    try:
        prepare_import("shop")
        exec("import shop", {"__name__": "brim.stand_in"})
    except SyntaxError as error:
        # Raised before any code of the user's ran.
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        assert user_traceback(error) is None
        assert format_user_error(error).splitlines()[0] == f'  File "{file}", line 1'
    else:
        pytest.fail("no SyntaxError")


def test_an_error_of_brims_own_keeps_all_its_frames() -> None:
    try:
        exec("1 / 0", {"__name__": "brim.stand_in"})
    except ZeroDivisionError as error:
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        assert user_traceback(error) is None
        assert "<string>" in format_user_error(error)


def test_modules_that_make_an_application_are_found_by_their_text(write: Write) -> None:
    write("notes.py", "# about flasks")
    write("main.py", "from flask import Flask\nserver = Flask(__name__)")
    write("shop/__init__.py", "def create_app():\n    return flask.Flask('shop')")
    os.mkdir("unreadable.py")
    assert likely_modules(Path.cwd()) == ["main", "shop"]
