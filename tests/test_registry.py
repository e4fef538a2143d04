"""Registering: the decorators, the tables they fill, and what they refuse."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import Forbidden, HTTPException, NotFound

from brim import Blueprint, Flask
from brim.registry import Scaffold
from brim.testing import FlaskClient


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
def test_a_decorator_for_each_method(app: Flask, client: FlaskClient, method: str) -> None:
    decorate = getattr(app, method)

    @decorate("/x", endpoint="named", defaults={"y": 1})
    def view(y: int) -> str:
        return f"{method} {y}"

    with pytest.raises(TypeError, match=rf"'{method}\(\)' takes no 'methods'; use 'route\(\)'"):
        decorate("/y", methods=["GET"])
    assert client.open("/x", method=method.upper()).text == f"{method} 1"
    assert client.open("/x", method="TRACE").status_code == 405


def test_decorators_return_what_they_decorate() -> None:
    bp = Blueprint("bp", __name__)

    def function(*args: Any) -> Any: ...

    for decorate in (
        *(bp.route("/"), bp.get("/get"), bp.endpoint("e"), bp.errorhandler(404)),
        *(bp.before_request, bp.after_request, bp.teardown_request, bp.context_processor),
        *(bp.url_value_preprocessor, bp.url_defaults, bp.app_template_filter),
        *(bp.before_app_request, bp.app_errorhandler(404), bp.app_template_global("g")),
    ):
        assert decorate(function) is function  # type: ignore[operator]


def test_several_rules_of_one_view(app: Flask, client: FlaskClient) -> None:
    @app.route("/two")
    @app.route("/one")
    def view() -> str:
        return "view"

    assert client.get("/one").text == client.get("/two").text == "view"


def test_where_functions_are_kept(app: Flask) -> None:
    def function(*args: Any) -> Any: ...

    for decorate, table in (
        (app.before_request, app.before_request_funcs),
        (app.after_request, app.after_request_funcs),
        (app.teardown_request, app.teardown_request_funcs),
        (app.url_value_preprocessor, app.url_value_preprocessors),
        (app.url_defaults, app.url_default_functions),
    ):
        decorate(function)
        assert table == {None: [function]}
    app.context_processor(function)
    assert app.template_context_processors[None][-1] is function
    app.errorhandler(404)(function)
    app.register_error_handler(KeyError, function)
    assert app.error_handler_spec == {None: {404: {NotFound: function}, None: {KeyError: function}}}


def test_handlers_by_code_and_by_class(app: Flask, client: FlaskClient) -> None:
    class Own(HTTPException):
        code = 499

    @app.errorhandler(Own)
    def own(error: Own) -> str:
        return "own"

    @app.errorhandler(403)
    def by_code(error: Exception) -> str:
        return "code"

    @app.errorhandler(LookupError)
    def base(error: LookupError) -> str:
        return "base class"

    errors = {"own": Own, "code": Forbidden, "base class": KeyError}

    def fail(name: str) -> str:
        raise errors[name]

    app.get("/<name>")(fail)
    assert [client.get(f"/{name}").text for name in errors] == list(errors)


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        (999, ValueError, "'999' is not a recognized HTTP error code"),
        (NotFound(), TypeError, "is an instance, not a class"),
        ("404", TypeError, "is an instance, not a class"),
        (object, ValueError, "'object' is not a subclass of Exception"),
        (KeyboardInterrupt, ValueError, "'KeyboardInterrupt' is not a subclass of Exception"),
    ],
)
def test_what_no_handler_can_be_registered_for(
    app: Flask, kind: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        app.register_error_handler(kind, lambda error: "")
    with pytest.raises(error, match=words):
        app.errorhandler(kind)(lambda error: "")


@pytest.mark.parametrize(
    ("options", "folder", "url"),
    [
        ({}, "/root/static", "/static"),
        ({"static_folder": "files/"}, "/root/files", "/files"),
        ({"static_folder": Path("a/b")}, "/root/a/b", "/b"),
        ({"static_folder": "/elsewhere/"}, "/elsewhere", "/elsewhere"),
        ({"static_url_path": "/url/"}, "/root/static", "/url"),
        ({"static_url_path": "/"}, "/root/static", ""),
        ({"static_folder": None}, None, None),
        ({"static_folder": None, "static_url_path": "/url"}, None, "/url"),
    ],
    ids=str,
)
def test_the_static_folder_and_its_url(
    options: dict[str, Any], folder: str | None, url: str | None
) -> None:
    app = Flask(__name__, root_path="/root", **options)
    assert (app.static_folder, app.static_url_path) == (folder, url)
    assert app.has_static_folder is (folder is not None)
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    assert rules == ([] if folder is None else [f"{url}/<path:filename>"])


def test_a_static_folder_that_is_set_later(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    bp = Blueprint("bp", __name__)
    with pytest.raises(RuntimeError, match="'static_folder' must be set"):
        bp.send_static_file("a.txt")
    bp.static_folder = str(tmp_path)
    bp.static_url_path = "/files"
    app = Flask(__name__, static_folder=None)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = timedelta(minutes=1)
    app.register_blueprint(bp)
    with app.test_client().get("/files/a.txt") as answer:
        assert (answer.text, answer.cache_control.max_age) == ("text", 60)
    with app.app_context():
        assert bp.get_send_file_max_age("a.txt") == 60


def test_resources_are_read_only(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("caf\xe9", encoding="latin-1")
    app = Flask(__name__, root_path=str(tmp_path))
    with app.open_resource("notes.txt") as file:
        assert file.read() == b"caf\xe9"
    with app.open_resource("notes.txt", "r", "latin-1") as file:
        assert file.read() == "caf\xe9"
    with pytest.raises(ValueError, match="only be opened for reading"):
        app.open_resource("notes.txt", "w")


def test_the_root_is_the_folder_of_the_module() -> None:
    here = str(Path(__file__).parent)
    assert Flask(__name__).root_path == Blueprint("bp", __name__).root_path == here
    loader: Any = Flask(__name__).jinja_loader
    assert loader.searchpath == [str(Path(here, "templates"))]
    assert Blueprint("bp", __name__).jinja_loader is None


def test_a_scaffold_alone_is_no_place_to_register() -> None:
    """What it stands for is decided by the application and the blueprint."""

    class Named(Scaffold):
        name = "own"

    scaffold = Named(__name__)
    assert repr(scaffold) == "<Named 'own'>"
    with pytest.raises(NotImplementedError):
        scaffold.before_request(print)

    class Open(Named):
        def _check_setup_finished(self, f_name: str) -> None: ...

    with pytest.raises(NotImplementedError):
        Open(__name__).add_url_rule("/x")
    assert Open(__name__).cli.name == "own"
