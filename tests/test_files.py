from __future__ import annotations

import io
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from zlib import adler32

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound, RequestedRangeNotSatisfiable
from werkzeug.http import http_date, parse_date
from werkzeug.wsgi import FileWrapper

from brim import Blueprint, Flask, send_file, send_from_directory
from brim.files import get_send_file_max_age, open_instance_resource, open_resource
from brim.small_files import SMALL, SmallFile

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
        answer: Any = send_from_directory("static", "a.txt")
        assert answer == ("static", "a.txt")


# What is not asked of Werkzeug ---------------------------------------------------------

NAMES = ["a.txt", "b.css", "c.js", "d.json", "e.tar.gz", "f.svg", "g h.html", "i", ".j", "k.PNG"]
ETAGS = ["*", '"x"', "{}", "W/{}", '"x", {}', "{},", "x", "", '"a,b"', 'w/"x"']
DAYS = st.sampled_from(["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT", "x"])
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "If-None-Match": st.sampled_from(ETAGS),
        "If-Modified-Since": DAYS,
        "If-Unmodified-Since": DAYS,
        "If-Match": st.sampled_from(ETAGS),
        "If-Range": st.sampled_from(ETAGS),
        "Range": st.sampled_from(["bytes=0-1", "bytes=-3", "bytes=9999999-", "x"]),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.sampled_from(NAMES),
    size=st.sampled_from([0, 1, 20, SMALL, SMALL + 1]),
    time=st.sampled_from([0, 1, TIME, TIME + 0.5, TIME + 0.999999, TIME + 0.1234567]),
    asked=ASKED,
    kept=st.sampled_from([None, 0, 5, -1]),
    method=st.sampled_from(["GET", "HEAD", "POST"]),
    directory=st.booleans(),
)
@example("a.txt", 20, TIME, {"If-None-Match": "{}"}, None, "GET", True)
@example("a.txt", 20, TIME, {}, 5, "HEAD", True)
def test_answer_is_the_one_that_werkzeug_gives(
    app: Flask,
    root: Path,
    name: str,
    size: int,
    time: float,
    asked: dict[str, str],
    kept: int | None,
    method: str,
    directory: bool,
) -> None:
    path = root / "static" / name
    path.write_bytes(b"x" * size)
    os.utime(path, (time, time))
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = kept

    def view() -> Any:
        if directory:
            return send_from_directory("static", name)
        return send_file(path)

    if "it" not in app.view_functions:
        app.add_url_rule("/it", "it", methods=["GET", "POST"])
    app.view_functions["it"] = view
    etag = f'"{os.stat(path).st_mtime}-{size}-{adler32(str(path).encode())}"'
    headers = {key: value.replace("{}", etag) for key, value in asked.items()}

    def answer() -> Any:
        with app.test_request_context(headers=headers, method=method):
            try:
                made = view()
            except RequestedRangeNotSatisfiable:
                return None
            told = (made.status, made.direct_passthrough, made.is_streamed, made.content_length)
            lines = _without_clock(made.headers.to_wsgi_list())
            made.close()
        with app.test_client().open("/it", headers=headers, method=method) as sent:
            return told, lines, sent.status, _without_clock([*sent.headers]), sent.data

    with pytest.MonkeyPatch.context() as patch:
        ours = answer()
        patch.setattr("brim.files._PLAIN_NAME", re.compile("(?!)"))
        theirs = answer()

    assert ours == theirs


def _without_clock(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(line for line in lines if line[0].lower() not in {"date", "expires"})


@pytest.mark.parametrize("kept", [0, 5, -1])
def test_time_to_keep_is_told_as_a_date_too(app: Flask, kept: int) -> None:
    headers = sent(app, "static/a.txt", max_age=kept).headers

    made, expires = (parse_date(headers[name]) for name in ("Date", "Expires"))
    assert made is not None
    assert expires is not None
    assert abs((expires - made).total_seconds() - kept) <= 1


def test_small_file_is_not_held_open(app: Flask) -> None:
    with app.test_request_context():
        response = send_file("static/a.txt")

    body: Any = response.response
    assert type(body) is SmallFile
    assert body.data == TEXT


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_file_that_can_not_be_read_is_an_error_unchanged_too(app: Flask, root: Path) -> None:
    with app.test_client().get("/static/a.txt") as response:
        etag = response.headers["ETag"]
    (root / "static/a.txt").chmod(0)

    with app.test_request_context(headers={"If-None-Match": etag}), pytest.raises(PermissionError):
        send_file("static/a.txt")


def test_server_with_a_way_of_its_own_is_given_the_open_file(app: Flask) -> None:
    given: list[Any] = []

    def wrapper(file: Any, buffer_size: int) -> Any:
        given.append(file)
        return FileWrapper(file, buffer_size)

    with app.test_request_context(environ_overrides={"wsgi.file_wrapper": wrapper}):
        response = send_file("static/a.txt")

    assert given[0].fileno() > 0
    response.close()


def test_content_that_somebody_has_begun_to_read_goes_on_from_there(app: Flask) -> None:
    @app.get("/rest")
    def rest() -> Any:
        response = send_file("static/a.txt")
        cast("Any", response.response).file.seek(100)
        response.content_length = len(TEXT) - 100
        return response

    assert app.test_client().get("/rest").data == TEXT[100:]


def test_what_is_done_to_a_response_with_a_small_file_counts(app: Flask) -> None:
    @app.after_request
    def change(response: Any) -> Any:
        response.headers["X-More"] = "yes"
        response.status_code = 203
        return response

    with app.test_client().get("/static/a.txt") as response:
        assert (response.status_code, response.headers["X-More"]) == (203, "yes")
        assert response.data == TEXT
