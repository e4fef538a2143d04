from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Rule

from brim import Blueprint, Flask
from brim.cli.locations import as_written, shortened, view_location
from brim.views import MethodView, View


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def plain() -> str:
    return ""


class Plain(View):
    decorators = [decorated]


class Thing(MethodView):
    def get(self) -> str:
        return ""

    @decorated
    def post(self) -> str:
        return ""


class Callable_:
    def __call__(self) -> str:
        return ""

    def method(self) -> str:
        return ""


def rule_of(app: Flask, endpoint: str) -> Rule:
    return next(rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint)


@pytest.mark.parametrize(
    ("view", "written"),
    [
        (plain, plain),
        (decorated(decorated(plain)), plain),
        (partial(partial(decorated(plain)), 1), plain),
        (Plain.as_view("plain"), Plain),
        (decorated(Thing.as_view("thing")), Thing),
        (Callable_(), Callable_.__call__),
        (Callable_().method, Callable_.method),
        (len, len),
    ],
)
def test_what_was_written_is_found_beneath_what_wraps_it(view: Any, written: Any) -> None:
    assert as_written(view) is written


def test_a_decorator_that_wraps_itself_is_no_endless_way() -> None:
    def view() -> None: ...

    view.__wrapped__ = view  # type: ignore[attr-defined]
    assert as_written(view) is view


def test_a_view_is_told_by_file_and_line(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path(__file__)
    monkeypatch.chdir(here.parent)
    app.add_url_rule("/", "index", decorated(plain))
    app.add_url_rule("/thing", view_func=Thing.as_view("thing"))
    lines = here.read_text().splitlines()
    index, thing = rule_of(app, "index"), rule_of(app, "thing")

    def line(text: str, before: int = 0) -> str:
        return f"{here.name}:{lines.index(text) + 1 - before}"

    assert view_location(app, index) == line("def plain() -> str:")
    assert view_location(app, thing) == line("class Thing(MethodView):")
    for method in ("GET", "HEAD"):
        assert view_location(app, thing, method) == line("    def get(self) -> str:")
    # A function begins with its decorators.
    assert view_location(app, thing, "POST") == line("    def post(self) -> str:", before=1)
    assert view_location(app, thing, "PUT") == line("class Thing(MethodView):")


def test_what_has_no_file_is_told_by_name(app: Flask) -> None:
    names: dict[str, Any] = {"__name__": "made"}
    exec("def view(): ...\nclass Thing: ...", names)
    app.add_url_rule("/1", "built in", len)
    app.add_url_rule("/2", "made", names["view"])
    app.add_url_rule("/3", "class", names["Thing"])
    app.add_url_rule("/4", "nothing")
    told = [view_location(app, rule_of(app, e)) for e in ("built in", "made", "class", "nothing")]
    assert told == ["builtins.len", "made.view", "made.Thing", "(no view)"]


def test_static_files_are_told_by_their_folder(folder: Path) -> None:
    app = Flask("a", root_path=str(folder))
    app.register_blueprint(
        Blueprint("shop", "shop", root_path=str(folder / "shop"), static_folder="files")
    )
    assert view_location(app, rule_of(app, "static")) == f"(files in static{os.sep})"
    shop = rule_of(app, "shop.static")
    assert view_location(app, shop) == f"(files in {Path('shop', 'files')}{os.sep})"
    app.view_functions["static"] = plain
    assert view_location(app, rule_of(app, "static")).startswith(__file__)


def test_rules_without_a_view_of_their_own_say_what_they_are_for(app: Flask) -> None:
    app.add_url_rule("/old", "old", redirect_to="/new")
    app.add_url_rule("/computed", "computed", redirect_to=lambda adapter: "/")
    app.add_url_rule("/built", "built", build_only=True)
    assert view_location(app, rule_of(app, "old")) == "(redirects to /new)"
    assert view_location(app, rule_of(app, "computed")).startswith(f"(redirects to {__file__}:")
    assert view_location(app, rule_of(app, "built")) == "(for url_for alone)"


def test_a_library_is_told_from_its_folder_and_others_from_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    libraries = folder / "venv" / "site-packages"
    monkeypatch.syspath_prepend(str(libraries))
    assert shortened(str(libraries / "lib" / "views.py")) == str(Path("lib", "views.py"))
    assert shortened(str(folder / "shop" / "views.py")) == str(Path("shop", "views.py"))
    assert shortened("/elsewhere/views.py") == os.path.abspath("/elsewhere/views.py")
