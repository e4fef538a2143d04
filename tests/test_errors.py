"""Errors that several parts raise: what they are, and what they tell."""

from __future__ import annotations

import pytest
from werkzeug.routing import RequestRedirect

from brim import Flask, request
from brim.errors import (
    DebugFilesKeyError,
    FormDataRoutingRedirect,
    UnexpectedUnicodeError,
)
from brim.testing import FlaskClient


@pytest.fixture
def upload(app: Flask, client: FlaskClient) -> FlaskClient:
    app.debug = True

    @app.post("/upload")
    def upload() -> str:
        return request.files["photo"].filename or ""

    @app.post("/folder/")
    @app.post("/deep/folder/", endpoint="deep")
    def folder() -> str:
        return request.form["a"]

    return client


def test_a_form_without_its_encoding_is_explained(upload: FlaskClient) -> None:
    with pytest.raises(DebugFilesKeyError) as raised:
        upload.post("/upload", data={"photo": "cat.png"})
    assert isinstance(raised.value, KeyError)
    assert isinstance(raised.value, AssertionError)
    message = str(raised.value)
    assert "no file contents were transmitted" in message
    assert "'photo'" in message
    assert "application/x-www-form-urlencoded" in message
    assert 'enctype="multipart/form-data"' in message
    assert message.endswith("This was submitted: 'cat.png'")


def test_every_name_that_came_instead_of_a_file_is_told(upload: FlaskClient) -> None:
    with pytest.raises(DebugFilesKeyError) as raised:
        upload.post("/upload", data={"photo": ["cat.png", "dog's.png"]})
    assert str(raised.value).endswith("This was submitted: 'cat.png', \"dog's.png\"")


def test_a_field_that_never_came_is_an_ordinary_key_error(upload: FlaskClient) -> None:
    with pytest.raises(KeyError) as raised:
        upload.post("/upload", data={"other": "x"})
    assert not isinstance(raised.value, DebugFilesKeyError)


def test_without_names_nothing_is_told_of_them(app: Flask) -> None:
    with app.test_request_context("/"):
        error = DebugFilesKeyError(request, "photo")
    assert "submitted" not in str(error)


def test_a_redirect_that_would_lose_the_form_is_explained(
    upload: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Browsers repeat the request after a 308, which is what Werkzeug redirects with.
    monkeypatch.setattr(RequestRedirect, "code", 301)
    with pytest.raises(FormDataRoutingRedirect) as raised:
        upload.post("/folder", data={"a": "b"})
    message = str(raised.value)
    assert "POST" in message
    assert "http://localhost/folder'" in message
    assert "canonical URL 'http://localhost/folder/'" in message
    assert "ends in a slash" in message


def test_only_a_slash_that_is_missing_is_called_so(
    upload: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RequestRedirect, "code", 301)
    with pytest.raises(FormDataRoutingRedirect) as raised:
        upload.post("/deep//folder/", data={"a": "b"})
    message = str(raised.value)
    assert "canonical URL 'http://localhost/deep/folder/'" in message
    assert "ends in a slash" not in message


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_redirects_that_lose_nothing_are_sent(
    app: Flask, upload: FlaskClient, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    app.add_url_rule("/plain/", "plain", lambda: "plain")
    monkeypatch.setattr(RequestRedirect, "code", 301)
    assert upload.open("/plain", method=method).status_code == 301


@pytest.mark.parametrize("code", [307, 308])
def test_redirects_that_keep_the_form_are_sent(
    upload: FlaskClient, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(RequestRedirect, "code", code)
    assert upload.post("/folder", data={"a": "b"}).status_code == code


def test_out_of_debug_mode_the_client_is_redirected(
    app: Flask, upload: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.debug = False
    monkeypatch.setattr(RequestRedirect, "code", 301)
    assert upload.post("/folder", data={"a": "b"}).status_code == 301


def test_mixing_text_and_bytes_is_a_unicode_error() -> None:
    assert issubclass(UnexpectedUnicodeError, UnicodeError)
    assert issubclass(UnexpectedUnicodeError, AssertionError)
