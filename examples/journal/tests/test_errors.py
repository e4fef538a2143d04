"""Errors: a page for people, JSON below /api, one record for what nobody expected."""

from __future__ import annotations

import logging

import pytest
from brim import Flask, abort
from sqlalchemy import text
from werkzeug.exceptions import TooManyRequests

from journal.extensions import db

from .conftest import Client, text_of


@pytest.fixture
def broken(app: Flask) -> Flask:
    """The application with views that fail, and without the shortcuts that tests have."""
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/broken")
    @app.get("/api/broken", endpoint="api-broken")
    def broken() -> None:
        raise RuntimeError("the secret of the day")

    @app.get("/busy")
    def busy() -> None:
        raise TooManyRequests(retry_after=30)

    @app.get("/status/<int:code>")
    def status(code: int) -> None:
        abort(code)

    return app


@pytest.mark.parametrize("code", [400, 403, 404, 405, 413, 429, 500])
def test_people_get_a_page(code: int, broken: Flask, client: Client) -> None:
    response = client.get(f"/status/{code}")
    assert (response.status_code, response.mimetype) == (code, "text/html")
    assert str(code) in text_of(response)


def test_below_api_it_is_json(client: Client) -> None:
    response = client.get("/api/nothing")
    assert (response.status_code, response.mimetype) == (404, "application/json")
    assert response.json["error"] == {
        "code": 404,
        "name": "Not Found",
        "description": response.json["error"]["description"],
    }
    assert client.get("/apiary").mimetype == "text/html"


def test_headers_that_belong_to_an_error_are_kept(broken: Flask, client: Client) -> None:
    assert set(client.put("/").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert "POST" in client.put("/api/entries").headers["Allow"]
    assert client.get("/busy").headers["Retry-After"] == "30"


@pytest.mark.parametrize("path", ["/broken", "/api/broken"])
def test_what_nobody_expected_is_logged_once_and_told_to_nobody(
    path: str, broken: Flask, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get(path)
    assert response.status_code == 500
    assert "secret" not in response.text and "RuntimeError" not in response.text
    assert (response.mimetype == "application/json") is path.startswith("/api")
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info and "the secret of the day" in str(record.exc_info[1])
    assert path in record.getMessage()


def test_an_error_page_that_fails_too_becomes_a_plain_one(
    broken: Flask, ada: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with broken.app_context():
        db.session.execute(text("DROP TABLE entry"))
        db.session.execute(text("DROP TABLE user"))
        db.session.commit()
    response = ada.get("/")
    assert response.status_code == 500
    assert "Internal Server Error" in text_of(response)
    assert "no such table" not in response.text
    assert "The page for an error failed as well" in caplog.messages


def test_a_redirect_is_no_error(app: Flask, client: Client) -> None:
    app.add_url_rule("/folder/", "folder", lambda: "inside")
    response = client.get("/folder")
    assert (response.status_code, response.headers["Location"]) == (308, "http://localhost/folder/")


def test_a_form_without_its_token_says_what_to_do(ada: Client) -> None:
    page = text_of(ada.post("/entries/new", data={"title": "x"}))
    assert "load the page again and send it once more" in page
