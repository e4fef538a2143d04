"""The application as a whole: its settings, its headers, its log, and the check it runs behind."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from brim import Flask
from werkzeug.test import create_environ

from journal import create_app
from journal.config import ConfigError, Testing
from journal.extensions import db
from journal.models import User

from .conftest import PASSWORD, Client, settings_for

LOGIN = "/accounts/login"


def test_the_tests_go_by_the_validator(app: Flask) -> None:
    environ = create_environ("/")
    del environ["SERVER_NAME"]
    with pytest.raises(AssertionError, match="SERVER_NAME"):
        app(environ, lambda status, headers, exc_info=None: None)


class TestSettings:
    @pytest.fixture(autouse=True)
    def _data(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JOURNAL_DATA", str(tmp_path))
        monkeypatch.delenv("JOURNAL_CONFIG", raising=False)
        monkeypatch.delenv("JOURNAL_SECRET_KEY", raising=False)

    def test_development_is_the_default(self) -> None:
        assert create_app().config["SECRET_KEY"] == "only for development"

    def test_a_variable_chooses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JOURNAL_CONFIG", "testing")
        assert create_app().testing

    def test_an_argument_chooses_before_the_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JOURNAL_CONFIG", "nonsense")
        assert create_app("testing").testing
        assert create_app(Testing).testing

    def test_a_name_that_is_none_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="development, testing, production"):
            create_app("prodution")

    @pytest.mark.parametrize("key", [None, "", "short"])
    def test_production_needs_a_key_and_says_how_to_make_one(
        self, key: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if key is not None:
            monkeypatch.setenv("JOURNAL_SECRET_KEY", key)
        with pytest.raises(ConfigError, match="JOURNAL_SECRET_KEY.*python -c"):
            create_app("production")

    def test_production_keeps_its_cookies_to_https(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JOURNAL_SECRET_KEY", "k" * 32)
        app = create_app("production")
        app.test_client_class = Client
        with app.app_context():
            db.create_all()
            user = User(name="ada")
            user.set_password(PASSWORD)
            db.session.add(user)
            db.session.commit()
            db.engine.dispose()
        client = app.test_client()
        site: dict[str, Any] = {"base_url": "https://localhost"}
        found = re.search(r'name="csrf_token"[^>]*value="(.+?)"', client.get(LOGIN, **site).text)
        assert found
        fields = {"name": "ada", "password": PASSWORD, "remember": "y", "csrf_token": found[1]}
        # The browser says where the form was, as the journal asks it to.
        site["headers"] = {"Referer": f"https://localhost{LOGIN}"}
        response = client.post(LOGIN, data=fields, **site)
        cookies = response.headers.getlist("Set-Cookie")
        assert sorted(cookie.partition("=")[0] for cookie in cookies) == [
            "remember_token",
            "session",
        ]
        for cookie in cookies:
            assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
        with app.app_context():
            db.engine.dispose()

    def test_the_data_goes_where_the_variable_says(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("JOURNAL_DATA", "deeper/down?a%20b")
        app = create_app("testing")
        data = tmp_path / "deeper/down?a%20b"
        assert app.config["COVERS"] == data / "covers"
        assert app.config["COVERS"].is_dir()
        with app.app_context():
            db.create_all()
            db.engine.dispose()
        assert (data / "journal.sqlite").exists()


class TestHeaders:
    def test_pages_say_what_a_browser_may_load(self, client: Client) -> None:
        for page in "/", "/nowhere":
            headers = client.get(page).headers
            policy = headers["Content-Security-Policy"].split("; ")
            assert {"default-src 'self'", "script-src 'self'", "style-src 'self'"} < set(policy)
            assert "frame-ancestors 'none'" in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"

    def test_json_has_no_policy_for_pages(self, client: Client) -> None:
        headers = client.get("/api/entries").headers
        assert "Content-Security-Policy" not in headers
        assert headers["X-Content-Type-Options"] == "nosniff"


class TestLog:
    def test_records_name_their_request(
        self, app: Flask, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with app.test_request_context("/entries/3%0A2026 INFO forged", method="POST"):
            app.logger.warning("Something was odd")
        app.logger.warning("Outside")
        inside, outside = capsys.readouterr().err.splitlines()
        line = "POST /entries/3%0A2026%20INFO%20forged"
        assert inside.endswith(f"WARNING journal [{line}] Something was odd")
        assert outside.endswith("WARNING journal [-] Outside")

    def test_there_is_one_handler_however_many_applications(
        self, app: Flask, tmp_path: Path
    ) -> None:
        create_app(settings_for(tmp_path))
        ours = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
        assert len(ours) == 1
        assert not app.logger.handlers
