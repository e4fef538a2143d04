from __future__ import annotations

import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import NotFound, RequestedRangeNotSatisfiable
from werkzeug.http import http_date

from brim import Blueprint, Flask, send_file, send_from_directory
from brim.files import get_send_file_max_age, open_instance_resource, open_resource

TIME = 1_700_000_000
TEXT = bytes(range(97, 123)) * 4


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, data in [("page.html", b"<p>"), ("static/a.txt", TEXT), ("secret.txt", b"-")]:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
        os.utime(file, (TIME, TIME))
    return tmp_path


@pytest.fixture
def app(root: Path) -> Flask:
    app = Flask("tests", root_path=str(root), instance_path=str(root / "instance"))
    app.testing = True
    return app


def sent(app: Flask, *args: Any, headers: Any = (), **kwargs: Any) -> Any:
    """Return what ``send_file`` answers to a request with these headers."""
    with app.test_request_context(headers=headers):
        response = send_file(*args, **kwargs)
        response.direct_passthrough = False
        response.get_data()
        response.close()
        return response


# What is sent -----------------------------------------------------------------------


def test_file_is_sent_with_what_is_known_of_it(app: Flask) -> None:
    response = sent(app, "static/a.txt")

    assert response.status_code == 200
    assert type(response) is app.response_class
    assert response.data == TEXT
    etag = response.headers.pop("ETag")
    assert etag.startswith(f'"{TIME}.0-{len(TEXT)}-')
    response.headers.pop("Date")
    assert dict(response.headers) == {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-cache",
        "Content-Disposition": "inline; filename=a.txt",
        "Content-Length": str(len(TEXT)),
        "Content-Type": "text/plain; charset=utf-8",
        "Last-Modified": http_date(TIME),
    }


def test_callers_word_goes_before_what_is_guessed(app: Flask, root: Path) -> None:
    response = sent(
        app,
        root / "page.html",
        mimetype="text/x",
        as_attachment=True,
        download_name="ü.txt",
        conditional=False,
        etag="mine",
        last_modified=0,
        max_age=60,
    )

    assert response.mimetype == "text/x"
    assert response.headers["Content-Disposition"] == (
        "attachment; filename=u.txt; filename*=UTF-8''%C3%BC.txt"
    )
    assert response.get_etag() == ("mine", False)
    assert response.headers["Last-Modified"] == http_date(0)
    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert "Accept-Ranges" not in response.headers


def test_open_file_is_sent_from_where_it_stands(app: Flask) -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(4)

    assert sent(app, file, download_name="n.json").data == b"456789"
    with pytest.raises(TypeError, match="MIME type"):
        sent(app, io.BytesIO())
    with pytest.raises(ValueError, match="binary mode"):
        sent(app, io.StringIO(), mimetype="text/plain")


@pytest.mark.parametrize(
    ("header", "answer"),
    [("bytes=0-3", TEXT[:4]), ("bytes=100-", TEXT[100:]), ("bytes=-5", TEXT[-5:])],
)
def test_range_is_answered_with_that_part(app: Flask, header: str, answer: bytes) -> None:
    response = sent(app, "static/a.txt", headers={"Range": header})

    assert response.status_code == 206
    assert response.data == answer
    assert response.content_length == len(answer)
    assert response.content_range.length == len(TEXT)


def test_range_that_is_not_there_is_refused(app: Flask) -> None:
    with pytest.raises(RequestedRangeNotSatisfiable):
        sent(app, "static/a.txt", headers={"Range": "bytes=900-"})


def test_file_that_has_not_changed_is_not_sent_again(app: Flask) -> None:
    etag = sent(app, "static/a.txt").headers["ETag"]

    for headers in [{"If-None-Match": etag}, {"If-Modified-Since": http_date(TIME)}]:
        with app.test_client().get("/static/a.txt", headers=headers) as response:
            assert (response.status_code, response.data) == (304, b"")

    changed = sent(app, "static/a.txt", headers={"Range": "bytes=0-1", "If-Range": '"old"'})
    assert (changed.status_code, changed.data) == (200, TEXT)


def test_web_server_may_send_the_file(app: Flask, root: Path) -> None:
    app.config["USE_X_SENDFILE"] = True

    response = sent(app, "static/a.txt")

    assert response.headers["X-Sendfile"] == str(root / "static/a.txt")
    assert response.data == b""


@pytest.mark.parametrize("send", [lambda: send_file("a"), lambda: send_from_directory("a", "b")])
def test_sending_needs_a_request(send: Any) -> None:
    with pytest.raises(RuntimeError, match="Working outside of request context"):
        send()


# Directories ------------------------------------------------------------------------


def test_file_from_a_directory_is_sent_as_any_other(app: Flask, root: Path) -> None:
    with app.test_request_context(headers={"Range": "bytes=1-2"}):
        for directory in ("static", root / "static"):
            response = send_from_directory(directory, "a.txt", as_attachment=True)
            response.direct_passthrough = False
            assert response.status_code == 206
            assert response.data == b"bc"
            assert response.headers["Content-Disposition"] == "attachment; filename=a.txt"
            response.close()


@pytest.mark.parametrize("path", ["../secret.txt", "missing", "", "/etc/passwd", "a\0.txt"])
def test_what_is_no_file_of_the_directory_is_not_found(app: Flask, path: str) -> None:
    with app.test_request_context(), pytest.raises(NotFound):
        send_from_directory("static", path)


def test_what_the_app_decides_can_not_be_passed(app: Flask) -> None:
    with app.test_request_context():
        response = send_from_directory("static", "a.txt", use_x_sendfile=True)
        assert "X-Sendfile" not in response.headers
        response.close()


# Static folders and how long to keep files --------------------------------------------


@pytest.mark.parametrize(
    ("setting", "seconds", "header"),
    [
        (None, None, "no-cache"),
        (5, 5, "public, max-age=5"),
        (0, 0, "no-cache, max-age=0"),
        (timedelta(hours=1, milliseconds=700), 3600, "public, max-age=3600"),
    ],
)
def test_setting_says_how_long_files_may_be_kept(
    app: Flask, setting: Any, seconds: int | None, header: str
) -> None:
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = setting

    with app.app_context():
        assert get_send_file_max_age("a.txt") == seconds
    assert sent(app, "static/a.txt").headers["Cache-Control"] == header
    with app.test_client().get("/static/a.txt") as response:
        assert response.headers["Cache-Control"] == header


def test_app_and_blueprint_decide_for_their_own_files(root: Path) -> None:
    class OwnFlask(Flask):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 10

    class OwnBlueprint(Blueprint):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 100 if filename == "a.txt" else None

    app = OwnFlask("tests", root_path=str(root))
    blueprint = OwnBlueprint(
        "shop", "tests", url_prefix="/shop", root_path=str(root), static_folder="static"
    )
    app.register_blueprint(blueprint)
    (root / "static/b.txt").touch()
    client = app.test_client()

    def kept(path: str) -> str:
        response = client.get(path)
        response.close()
        return str(response.headers["Cache-Control"])

    assert kept("/static/a.txt") == "public, max-age=10"
    assert kept("/shop/static/a.txt") == "public, max-age=100"
    # A blueprint that doesn't say leaves it to the app.
    assert kept("/shop/static/b.txt") == "public, max-age=10"


def test_static_file_is_served_and_others_are_not(app: Flask) -> None:
    client = app.test_client()

    with client.get("/static/a.txt") as response:
        assert response.data == TEXT
    assert client.get("/static/../secret.txt").status_code == 404
    assert client.get("/static/none.txt").status_code == 404


def test_without_a_static_folder_nothing_is_served(root: Path) -> None:
    app = Flask("tests", root_path=str(root), static_folder=None)

    with (
        app.test_request_context(),
        pytest.raises(RuntimeError, match="'static_folder' must be set to serve static files"),
    ):
        app.send_static_file("a.txt")


# Resources --------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["r", "rt", "rb"])
def test_resource_is_opened_for_reading(tmp_path: Path, mode: str) -> None:
    (tmp_path / "note").write_text("föö", encoding="utf-8")

    with open_resource(str(tmp_path), "note", mode) as file:
        assert file.read() == ("föö" if mode != "rb" else "föö".encode())


@pytest.mark.parametrize("mode", ["w", "a", "x", "r+", "wb", "br", ""])
def test_resource_is_not_opened_for_anything_else(tmp_path: Path, mode: str) -> None:
    with pytest.raises(ValueError, match="opened for reading"):
        open_resource(str(tmp_path), "note", mode)


def test_text_may_be_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes("föö".encode("utf-16"))

    with open_resource(str(tmp_path), "note", "r", encoding="utf-16") as file:
        assert file.read() == "föö"
    with open_resource(str(tmp_path), "note", "rb", encoding="ignored") as file:
        assert file.read() == "föö".encode("utf-16")


def test_instance_resource_is_written_and_read(app: Flask, tmp_path: Path) -> None:
    os.mkdir(app.instance_path)

    with open_instance_resource(app.instance_path, "note", "w") as file:
        file.write("föö")
    with app.open_instance_resource("note") as file:
        assert file.read() == "föö".encode()
    with open_instance_resource(app.instance_path, "note", "r", encoding="latin-1") as file:
        assert file.read() == "föö".encode().decode("latin-1")


def test_werkzeugs_functions_may_be_replaced(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """By tests of extensions, which reach them through Flask's module."""
    monkeypatch.setattr("brim.helpers.werkzeug.utils.send_from_directory", lambda *a, **k: a)
    with app.test_request_context():
        assert send_from_directory("static", "a.txt") == ("static", "a.txt")
