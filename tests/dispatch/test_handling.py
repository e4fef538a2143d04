"""Calls that are made while an error is handled: Python knows of the error in them."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Generator
from typing import Any

import pytest
from werkzeug.exceptions import NotFound

from brim import Flask, Response, abort
from brim.dispatch.handling import call_handling, handling
from brim.dispatch.run_sync import run_sync
from brim.testing import FlaskClient


def handled() -> str | None:
    """Name the class of the error that is being handled."""
    error = sys.exc_info()[1]
    return None if error is None else type(error).__name__


@pytest.fixture
def app(app: Flask) -> Flask:
    app.testing = False
    app.add_url_rule("/fail", "fail", lambda: [][1])
    app.add_url_rule("/abort", "abort", lambda: abort(403))
    return app


@pytest.mark.parametrize(
    ("path", "kind"), [("/fail", "IndexError"), ("/abort", "Forbidden"), ("/none", "NotFound")]
)
@pytest.mark.parametrize("is_async", [False, True])
def test_an_error_handler_knows_which_error_it_handles(
    app: Flask, client: FlaskClient, path: str, kind: str, is_async: bool
) -> None:
    def handle(error: Exception) -> str:
        return f"{handled()} {traceback.format_exc().splitlines()[-1].startswith(('Ind', 'wer'))}"

    async def handle_async(error: Exception) -> str:
        return handle(error)

    seen: list[Any] = []

    @app.after_request
    def after(response: Response) -> Response:
        seen.append(handled())
        return response

    app.teardown_request(lambda error: seen.append(handled()))
    app.register_error_handler(Exception, handle_async if is_async else handle)
    assert client.get(path).text == f"{kind} True"
    # It has been handled by then.
    assert seen == [None, None]


def test_the_handler_of_a_500_knows_what_led_to_it(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    @app.errorhandler(500)
    def handle(error: Any) -> str:
        app.logger.exception("Noted")
        return f"{handled()} {type(error.original_exception).__name__}"

    assert client.get("/fail").text == "IndexError IndexError"
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [IndexError] * 2
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


def test_a_handler_may_raise_again_what_it_handles(app: Flask, client: FlaskClient) -> None:
    errors: list[Exception] = []

    @app.errorhandler(IndexError)
    def handle(error: IndexError) -> str:
        errors.append(error)
        raise

    app.testing = True
    with pytest.raises(IndexError) as raised:
        client.get("/fail")
    assert [raised.value] == errors
    assert raised.value.__context__ is None


def test_an_error_of_a_handler_has_what_it_handled_as_its_context(
    app: Flask, client: FlaskClient
) -> None:
    @app.errorhandler(NotFound)
    def handle(error: NotFound) -> str:
        raise LookupError("in the handler")

    app.testing = True
    with pytest.raises(LookupError) as raised:
        client.get("/none")
    assert isinstance(raised.value.__context__, NotFound)


def test_overridden_steps_know_it_too() -> None:
    seen: list[tuple[str, str | None]] = []

    class Own(Flask):
        def handle_user_exception(self, e: Exception) -> Any:
            seen.append(("user", handled()))
            return super().handle_user_exception(e)

        def handle_exception(self, e: Exception) -> Response:
            seen.append(("exception", handled()))
            return super().handle_exception(e)

        def log_exception(self, exc_info: Any) -> None:
            seen.append(("log", exc_info[0].__name__))

    app = Own(__name__)
    app.get("/")(lambda: [][1])
    assert app.test_client().get("/").status_code == 500
    assert seen == [(name, "IndexError") for name in ("user", "exception", "log")]


def test_in_the_midst_of_another_error(app: Flask, client: FlaskClient) -> None:
    app.register_error_handler(Exception, lambda error: str(handled()))
    try:
        raise LookupError
    except LookupError:
        assert client.get("/none").text == "NotFound"
        assert handled() == "LookupError"


def test_the_error_is_left_as_it_was() -> None:
    def fail() -> Exception:
        try:
            raise KeyError from None
        except KeyError as error:
            return error

    error = fail()
    before = error.__traceback__
    try:
        raise LookupError
    except LookupError:
        assert call_handling(error, handled, (), {}) == "KeyError"
    assert error.__traceback__ is before
    assert error.__context__ is None


def test_steps_are_walked_with_all_their_results_and_errors() -> None:
    def steps() -> Generator[Any, Any, Any]:
        seen = [(yield handled, (), {})]
        try:
            yield int, ("x",), {}
        except ValueError:
            seen.append((yield sorted, ("ba",), {"reverse": True}))
        return seen

    assert run_sync(handling(KeyError(), steps())) == ["KeyError", ["b", "a"]]
