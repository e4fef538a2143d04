from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from brim.devserver.debugger import Visitors
from brim.devserver.failed import WAIT, FailedApp, place_of
from brim.discovery import AppImportError, NoAppException


def failure(path: Path, text: str) -> BaseException:
    """What running a file raises."""
    path.write_text(text)
    try:
        exec(compile(text, str(path), "exec"), {"__name__": "shop"})
    except Exception as error:
        return error
    raise AssertionError("nothing raised")


def ask(app: FailedApp, path: str = "/", **given: Any) -> tuple[str, str, str]:
    given.setdefault("environ_base", {"REMOTE_ADDR": "127.0.0.1"})
    body, status, headers = run_wsgi_app(app, EnvironBuilder(path, **given).get_environ())
    return status[:3], headers["Content-Type"], b"".join(body).decode()


def test_a_syntax_error_is_pointed_at(tmp_path: Path) -> None:
    error = failure(tmp_path / "hello.py", "one = 1\nif one\n\tprint('<b>')\n")
    app = FailedApp(error, Visitors("localhost"))
    # What is in the file by the time the page is asked for is something else.
    (tmp_path / "hello.py").write_text("mended")
    status, kind, page = ask(app)
    assert (status, kind) == ("500", "text/html; charset=utf-8")
    assert "<h1>SyntaxError</h1>\n<p>expected &#x27;:&#x27;</p>" in page
    assert f"{tmp_path}/hello.py, line 2</p>" in page
    assert (
        "<mark>    2  if one\n</mark><b>             ^</b>\n    3  \tprint(&#x27;&lt;b&gt;&#x27;)"
        in page
    )
    assert "<script>" in page


def test_any_other_error_is_placed_in_the_apps_own_files(tmp_path: Path) -> None:
    error = failure(tmp_path / "hello.py", "import json\njson.loads('{')\n")
    page = FailedApp(error, Visitors("localhost")).page()
    assert "<mark>    2  json.loads(&#x27;{&#x27;)\n</mark>" in page
    assert "json/decoder.py" in page  # in the traceback


def test_an_error_may_have_no_place(tmp_path: Path) -> None:
    assert place_of(ValueError("x")) is None
    assert place_of(SyntaxError("x")) is None
    assert "<h1>ValueError</h1>\n<p></p>" in FailedApp(ValueError(), Visitors("")).page()
    several = failure(tmp_path / "a.py", "x = f(1 for a in b, \n  2)\n")
    place = place_of(several)
    assert place is not None and place.line == 1
    lines = FailedApp(SyntaxError("bad", ("gone.py", 3, None, None)), Visitors("localhost")).page()
    assert "gone.py, line 3" in lines


def test_an_import_error_is_shown_as_itself() -> None:
    error = ImportError("no shop")
    assert FailedApp(AppImportError("hello", error)).error is error


def test_no_application_has_no_traceback() -> None:
    app = FailedApp(NoAppException("none here"), Visitors("localhost"))
    assert app.report == "Error: none here\n"
    page = app.page()
    assert "<p>none here</p>" in page
    assert "Traceback" not in page


def test_others_are_told_nothing() -> None:
    plain = ("500", "text/plain; charset=utf-8", "Internal Server Error\n")
    error = ValueError("only for the developer")
    app = FailedApp(error, Visitors("localhost"))
    assert ask(app, headers={"Host": "evil.test"}) == plain
    assert ask(app, environ_base={"REMOTE_ADDR": "192.0.2.1"}) == plain
    assert ask(app, f"/?{WAIT}", environ_base={"REMOTE_ADDR": "192.0.2.1"}) == plain
    assert ask(FailedApp(error)) == plain


def test_a_page_is_told_when_the_app_may_be_back() -> None:
    app = FailedApp(ValueError("x"), Visitors("localhost"))
    answers: list[tuple[str, str, str]] = []
    asking = threading.Thread(target=lambda: answers.append(ask(app, f"/?{WAIT}")))
    asking.start()
    assert answers == []
    app.end()
    asking.join()
    assert answers == [("500", "text/plain; charset=utf-8", "")]


@pytest.mark.parametrize(("threaded", "method"), [(False, "GET"), (True, "POST")])
def test_a_page_that_cannot_be_asked_for_again_does_not_wait(threaded: bool, method: str) -> None:
    app = FailedApp(ValueError("x"), Visitors("localhost"), threaded)
    assert "<script>" not in ask(app, method=method)[2]
    if not threaded:
        assert "<h1>ValueError</h1>" in ask(app, f"/?{WAIT}")[2]
