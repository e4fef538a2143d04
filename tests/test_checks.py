from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from brim import Blueprint, Flask, flash, session
from brim.checks import problems
from brim.config import SETTINGS

GOOD_KEY = "b5a6c1d0e7f84f5fa3b2"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return Flask("tests", root_path=str(tmp_path))


def found(app: Flask, **address: Any) -> list[str]:
    return [str(problem) for problem in problems(app, **address)]


def test_nothing_is_wrong_with_a_plain_app(app: Flask) -> None:
    assert found(app) == []
    app.config.update(
        SECRET_KEY=GOOD_KEY,
        SECRET_KEY_2="another",
        SERVER_NAMES=["a", "b"],
        SQLALCHEMY_DATABASE_URI="sqlite://",
        REMEMBER_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SAMESITE="lax",
        SESSION_TYPE="redis",
        ENV="production",
        MAX_CONTENT_LENGTH=16e6,
        PERMANENT_SESSION_LIFETIME=timedelta(days=1),
        TRUSTED_HOSTS=["shop.test", "localhost"],
        SERVER_NAME="shop.test",
        JSON_SORT_KEYS=True,
    )
    app.config["a key of lower case"] = 1
    assert found(app, port=5000) == []


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_is_not_taken_for_another(app: Flask, setting: Any) -> None:
    app.config[setting.name] = setting.default
    assert found(app) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SESSION_COOKIE_SAMSITE", "SESSION_COOKIE_SAMESITE"),
        ("MAX_CONTENT_LENGHT", "MAX_CONTENT_LENGTH"),
        ("SECRETKEY", "SECRET_KEY"),
        ("PREFERED_URL_SCHEME", "PREFERRED_URL_SCHEME"),
    ],
)
def test_a_misspelt_setting_is_named(app: Flask, name: str, meant: str) -> None:
    app.config[name] = "x"
    assert found(app) == [f"{name} is read by nothing. Did you mean {meant}?"]
    # Whoever sets the right one as well means both.
    app.config[meant] = 1 if meant.startswith("MAX") else GOOD_KEY[:0] or "Lax" * 6
    assert not any("is read by nothing" in text for text in found(app))


def test_a_setting_that_flask_dropped_says_what_took_over(app: Flask) -> None:
    app.config.update(
        JSON_SORT_KEYS=False,
        JSON_AS_ASCII=False,
        JSONIFY_MIMETYPE="application/x",
        JSONIFY_PRETTYPRINT_REGULAR=True,
        PRESERVE_CONTEXT_ON_EXCEPTION=True,
    )
    texts = found(app)
    assert [text.partition(" ")[0] for text in texts] == [
        "JSON_AS_ASCII",
        "JSON_SORT_KEYS",
        "JSONIFY_MIMETYPE",
        "JSONIFY_PRETTYPRINT_REGULAR",
        "PRESERVE_CONTEXT_ON_EXCEPTION",
    ]
    assert "Write app.json.sort_keys = False instead." in texts[1]
    # What is wished for is so.
    provider: Any = app.json
    provider.sort_keys = provider.ensure_ascii = provider.compact = False
    provider.mimetype = "application/x"
    assert len(found(app)) == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MAX_CONTENT_LENGTH", "16MB", "is '16MB', which is no number"),
        ("MAX_FORM_PARTS", [], "which is no number"),
        ("PERMANENT_SESSION_LIFETIME", "1h", "which is no span of time"),
        ("SEND_FILE_MAX_AGE_DEFAULT", "1h", "which is no span of time"),
        ("TRUSTED_HOSTS", "localhost", "Write ['localhost']."),
        ("SECRET_KEY_FALLBACKS", "old key", "Write a list."),
        ("SECRET_KEY", 12345, "of type 'int'"),
        ("SECRET_KEY", "Change-Me", "stands in examples"),
        ("SECRET_KEY", b"short", "is short"),
        ("SESSION_COOKIE_SAMESITE", "none", "without SESSION_COOKIE_SECURE"),
        ("SESSION_COOKIE_SAMESITE", "Loose", "which is no value of it"),
        ("SESSION_COOKIE_SAMESITE", True, "which is no value of it"),
        ("APPLICATION_ROOT", "shop", "Write '/shop'."),
        ("SERVER_NAME", "https://shop.test/x", "Write 'shop.test'."),
        ("SERVER_NAME", "shop.test/x", "Write 'shop.test'."),
        ("SERVER_NAME", "/x", "Write the host."),
        ("SERVER_NAME", "localhost:8000", "Write 'localhost:5000'"),
        ("TRUSTED_HOSTS", ["shop.test"], "requests to http://127.0.0.1:5000 get a 400"),
    ],
)
def test_a_value_that_cannot_be_meant_is_named(
    app: Flask, name: str, value: object, said: str
) -> None:
    app.config[name] = value
    [text] = found(app, port=5000)
    assert text.startswith(name)
    assert said in text


def test_no_value_of_a_key_is_printed(app: Flask) -> None:
    app.config.update(SECRET_KEY="hidden1", SECRET_KEY_FALLBACKS="hidden2")
    assert "hidden" not in "".join(found(app))


def test_a_weak_key_will_do_while_developing(app: Flask) -> None:
    app.config["SECRET_KEY"] = "dev"
    app.debug = True
    assert found(app) == []
    app.debug, app.testing = False, True
    assert found(app) == []


@pytest.mark.parametrize("secure", ["SESSION_COOKIE_SECURE", "SESSION_COOKIE_PARTITIONED"])
def test_a_cookie_for_other_sites_has_to_be_secure(app: Flask, secure: str) -> None:
    app.config.update({"SESSION_COOKIE_SAMESITE": "None", secure: True})
    assert found(app) == []


def test_the_address_counts_where_it_is_served_here(app: Flask) -> None:
    app.config.update(SERVER_NAME="localhost:5000", TRUSTED_HOSTS=["127.0.0.1:5000"])
    assert found(app, port=5000) == []
    app.config["TRUSTED_HOSTS"] = [".localhost"]
    assert found(app, host="localhost", port=5000) == []
    # A proxy may be before it.
    app.config.update(SERVER_NAME="localhost", TRUSTED_HOSTS=None)
    assert found(app, port=5000) == []
    app.config.update(SERVER_NAME="localhost:http", TRUSTED_HOSTS=["shop.test"])
    assert found(app, host="0.0.0.0", port=5000) == []


def test_who_uses_the_session_needs_a_key(app: Flask) -> None:
    def show() -> str:
        return str(session.get("user"))

    def log_in() -> str:
        session["user"] = 1
        return ""

    def say() -> str:
        flash("hello")
        return ""

    app.add_url_rule("/", view_func=show)
    app.add_url_rule("/partial", "partial", type("View", (), {"__call__": show})())
    assert found(app) == []
    app.add_url_rule("/log-in", view_func=log_in)
    [text] = found(app)
    assert text.startswith("SECRET_KEY is not set, and the view 'log_in' writes to the session.")
    del app.view_functions["log_in"]
    app.view_functions["say"] = say
    assert "the view 'say'" in found(app)[0]
    # Another interface may keep sessions without one.
    app.session_interface = type("Stored", (type(app.session_interface),), {})()
    assert found(app) == []


def test_a_static_folder_that_was_named_has_to_be_there(app: Flask, tmp_path: Path) -> None:
    blueprint = Blueprint("shop", "tests", static_folder="assets", root_path=str(tmp_path))
    app.register_blueprint(blueprint)
    [text] = found(app)
    assert "assets' of 'shop' is not there" in text
    (tmp_path / "assets").mkdir()
    assert found(app) == []


def test_what_was_assigned_in_vain_is_named(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.session_cookie_name = "shop"
    monkeypatch.setenv("FLASK_ENV", "development")
    assert found(app) == [
        "FLASK_ENV has no effect since Flask 2.3. Give --debug, or set FLASK_DEBUG=1 instead.",
        "app.session_cookie_name is read by nothing since Flask 2.3."
        ' Use `app.config["SESSION_COOKIE_NAME"]`.',
    ]
    app.debug = True
    assert len(found(app)) == 1


def test_no_application_is_too_odd_to_be_checked(app: Flask) -> None:
    """A check that can't make sense of something doesn't keep it from being served."""

    def view() -> str:
        return ""

    view.__wrapped__ = view  # type: ignore[attr-defined]
    app.add_url_rule("/", view_func=view)
    app.config.update(TRUSTED_HOSTS=5, SERVER_NAME=5, SESSION_COOKIE_SAMESITE="Loose")
    config: dict[Any, Any] = app.config
    config[1] = "one"
    assert [text.partition(" ")[0] for text in found(app, port=5000)] == ["SESSION_COOKIE_SAMESITE"]
