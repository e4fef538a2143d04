"""Registering, logging in and out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from brim import Flask
from sqlalchemy import select
from werkzeug import security
from werkzeug.test import TestResponse

from journal import models
from journal.extensions import db
from journal.models import User

from .conftest import PASSWORD, Client, text_of


def register(
    client: Client, name: str, password: str = PASSWORD, confirm: str | None = None
) -> TestResponse:
    fields = {"name": name, "password": password, "confirm": confirm or password}
    return client.send("/accounts/register", fields)


class TestRegister:
    def test_somebody_registers_and_can_log_in(self, app: Flask, client: Client) -> None:
        response = register(client, "ada")
        assert (response.status_code, response.location) == (302, "/accounts/login")
        assert client.log_in("ada").location == "/"
        with app.app_context():
            user = db.session.scalars(select(User)).one()
            assert PASSWORD not in user.password_hash
            assert security.check_password_hash(user.password_hash, PASSWORD)
            assert user.joined.tzinfo is not None

    @pytest.mark.parametrize("name", ["ada", "ADA", "Ada"])
    def test_a_name_is_taken_whatever_its_case(
        self, name: str, ada: Client, client: Client
    ) -> None:
        assert "This name is taken." in text_of(register(client, name))

    @pytest.mark.parametrize(
        "name, password, confirm, message",
        [
            ("ab", PASSWORD, None, "3 to 30 characters"),
            ("a" * 31, PASSWORD, None, "3 to 30 characters"),
            ("no spaces", PASSWORD, None, "letters"),
            ("ad\u0430", PASSWORD, None, "letters"),  # a Cyrillic a
            ("ada\n", PASSWORD, None, "letters"),
            ("ada/../x", PASSWORD, None, "letters"),
            ("ada", "short", None, "8 to 200 characters"),
            ("ada", "x" * 201, None, "8 to 200 characters"),
            ("ada", PASSWORD, "correct house", "differ"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(
        self, app: Flask, client: Client, name: str, password: str, confirm: str, message: str
    ) -> None:
        assert message in text_of(register(client, name, password, confirm))
        with app.app_context():
            assert db.session.scalars(select(User)).all() == []

    def test_who_is_logged_in_needs_no_account(self, ada: Client) -> None:
        assert ada.get("/accounts/register").location == "/"


class TestLogin:
    def test_the_case_of_the_name_does_not_matter(self, ada: Client, client: Client) -> None:
        assert client.log_in("ADA").status_code == 302
        assert client.get("/entries/new").status_code == 200

    def test_a_wrong_password_and_a_wrong_name_look_the_same(
        self, ada: Client, client: Client
    ) -> None:
        for name, password in [("ada", "wrong"), ("nobody", PASSWORD), ("ad%", PASSWORD)]:
            response = client.log_in(name, password)
            assert response.status_code == 200
            assert "The name or the password is wrong." in text_of(response)
        assert client.get("/entries/new").status_code == 302

    def test_a_name_that_nobody_has_costs_a_hash_too(
        self, ada: Client, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed: list[str] = []

        def check(known: str, password: str) -> bool:
            hashed.append(known.rpartition("$")[0].rpartition("$")[0])
            return security.check_password_hash(known, password)

        monkeypatch.setattr(models, "check_password_hash", check)
        client.log_in("ada", "wrong")
        client.log_in("nobody", "wrong")
        assert len(hashed) == 2
        assert hashed[0] == hashed[1]

    def test_nobodys_password_is_no_password(self, client: Client) -> None:
        fields = {"name": "nobody", "password": ""}
        assert client.send("/accounts/login", fields).status_code == 200
        with client.application.app_context():
            assert User.with_password("nobody", "") is None

    def test_a_failure_is_in_the_log(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.log_in("no\nbody", "wrong")
        assert caplog.messages == [r"Failed login as 'no\nbody'"]

    def test_what_the_session_held_before_is_gone(self, ada: Client, client: Client) -> None:
        with client.session_transaction() as session:
            session["planted"] = "by somebody else"
        client.log_in("ada")
        with client.session_transaction() as session:
            assert "planted" not in session
            assert "_user_id" in session

    def test_who_wants_to_be_remembered_is(self, ada: Client, client: Client) -> None:
        assert client.get_cookie("remember_token") is None
        client.log_in("ada", remember="y")
        client.delete_cookie("session")
        assert client.get("/entries/new").status_code == 200

    def test_a_user_who_is_gone_is_logged_out(self, app: Flask, ada: Client) -> None:
        with app.app_context():
            db.session.delete(db.session.scalars(select(User)).one())
            db.session.commit()
        assert ada.get("/entries/new").status_code == 302
        assert ada.get("/").status_code == 200


class TestNext:
    def test_login_leads_back_to_where_one_was_going(self, ada: Client, client: Client) -> None:
        asked = client.get("/entries/new")
        assert asked.location == "/accounts/login?next=/entries/new"
        fields = {"name": "ada", "password": PASSWORD}
        assert client.send(asked.location, fields).location == "/entries/new"

    def test_what_can_only_be_sent_is_nowhere_to_go(self, client: Client) -> None:
        token = client.token()
        response = client.post("/entries/1/delete", data={"csrf_token": token})
        assert response.location == "/accounts/login"

    @pytest.mark.parametrize(
        "target",
        [
            "http://evil.example/",
            "https:evil.example",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "javascript:alert(1)",
            "evil.example",
            "",
        ],
    )
    def test_it_never_leads_to_another_site(self, target: str, ada: Client, client: Client) -> None:
        response = client.post(
            "/accounts/login",
            query_string={"next": target},
            data={"csrf_token": client.token(), "name": "ada", "password": PASSWORD},
        )
        assert (response.status_code, response.location) == (302, "/")
        # Whoever is logged in by then is sent on in the same way.
        assert client.get("/accounts/login", query_string={"next": target}).location == "/"


class TestLogout:
    def test_it_ends_the_session_and_what_was_remembered(self, ada: Client, client: Client) -> None:
        client.log_in("ada", remember="y")
        response = client.post(
            "/accounts/logout", data={"csrf_token": client.token("/entries/new")}
        )
        assert response.location == "/"
        assert client.get_cookie("remember_token") is None
        assert client.get("/entries/new").status_code == 302

    def test_a_link_does_not_log_out(self, ada: Client) -> None:
        assert ada.get("/accounts/logout").status_code == 405
        assert ada.get("/entries/new").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/accounts/register", "/accounts/login", "/accounts/logout", "/entries/new"]
    + ["/entries/1/edit", "/entries/1/delete", "/api/entries"],
)
def test_nothing_is_accepted_without_the_token(
    path: str, ada: Client, write: Callable[..., int]
) -> None:
    write("ada")
    response = ada.post(path, data={"title": "Forged", "text": "Forged"})
    assert response.status_code == 400
    assert "CSRF" in response.text
    assert ada.get("/entries/1").status_code == 200
    assert ada.get("/entries/new").status_code == 200
