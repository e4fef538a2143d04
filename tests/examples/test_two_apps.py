"""examples/two_apps.py: what one application has, the other has not."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from brim import Flask
from brim.testing import FlaskClient

ROOT = Path(__file__).parents[2]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setenv("SITE_SECRET_KEY", "of the site")
    monkeypatch.setenv("ADMIN_SECRET_KEY", "of the admin")
    monkeypatch.setenv("ADMIN_PASSWORD", "open sesame")
    app = runpy.run_path(str(ROOT / "examples/two_apps.py"))["app"]
    assert isinstance(app, Flask)
    return app.test_client()


def test_the_site_keeps_its_session_to_itself(client: FlaskClient) -> None:
    assert client.get("/").text == "Welcome. Visit 1."
    answer = client.get("/")
    assert answer.text == "Welcome. Visit 2."
    assert answer.headers["Set-Cookie"].startswith("site_session=")
    assert client.get("/admin/").location == "/admin/login"
    assert client.get_cookie("admin_session", path="/admin") is None


def test_the_admin_lets_in_who_knows_the_password(client: FlaskClient) -> None:
    assert "<form" in client.get("/admin/", follow_redirects=True).text
    for wrong in ({"password": "please"}, {}):
        assert client.post("/admin/login", data=wrong).status_code == 403
    answer = client.post("/admin/login", data={"password": "open sesame"})
    assert answer.location == "/admin/"
    assert client.get("/admin/").text.startswith("Signed in.")
    cookie = client.get_cookie("admin_session", path="/admin")
    assert cookie is not None
    assert (cookie.path, cookie.same_site, cookie.http_only) == ("/admin", "Strict", True)
    assert client.get_cookie("site_session") is None
    # The site knows nothing of it: it does not even receive the cookie.
    assert "Cookie" not in client.get("/").request.headers


def test_nobody_gets_in_where_no_password_is_set(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ADMIN_PASSWORD")
    app = runpy.run_path(str(ROOT / "examples/two_apps.py"))["app"]
    assert app.test_client().post("/admin/login", data={"password": ""}).status_code == 403


def test_each_has_its_own_error_page(client: FlaskClient) -> None:
    answer = client.get("/nothing")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "No such page" in answer.text
    client.post("/admin/login", data={"password": "open sesame"})
    answer = client.get("/admin/nothing")
    assert (answer.status_code, answer.json) == (
        404,
        {"error": "no such record", "path": "/nothing"},
    )


def test_the_command_finds_the_application() -> None:
    """Of the two, the one named `app`, whose middleware serves the other."""
    command = [sys.executable, "-m", "brim", "--app", "examples/two_apps", "routes"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "index" in done.stdout
    assert "login" not in done.stdout
