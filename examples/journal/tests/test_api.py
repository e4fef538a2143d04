"""The JSON API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from brim import Flask
from werkzeug.test import TestResponse

from journal.extensions import db
from journal.models import Entry

from .conftest import Client

Write = Callable[..., int]

WHOLE = {"title": "A title", "text": "A text."}
NO_TEXT = "This must be text."
HALF_A_CHARACTER = "This contains a character that is not text."


def create(client: Client, **options: Any) -> TestResponse:
    token = client.token("/entries/new")
    return client.post("/api/entries", headers={"X-CSRFToken": token}, **options)


class TestReading:
    def test_an_empty_journal_is_an_empty_page(self, client: Client) -> None:
        found = client.get("/api/entries").json
        assert (found["items"], found["total"], found["next"]) == ([], 0, None)

    def test_one_entry(self, ada: Client, client: Client, write: Write) -> None:
        write("ada", "Frost", "White.", created=datetime(2026, 11, 17, 8, tzinfo=UTC), cover="x")
        assert client.get("/api/entries/1").json == {
            "id": 1,
            "title": "Frost",
            "text": "White.",
            "author": "ada",
            "created": "2026-11-17T08:00:00+00:00",
            "cover": "/entries/1/cover",
            "url": "/entries/1",
        }

    def test_pages_lead_to_each_other(self, ada: Client, client: Client, write: Write) -> None:
        for day in range(5):
            write("ada", created=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=day))
        seen, link, pages = [], "/api/entries?per_page=2", []
        while link:
            found = client.get(link).json
            seen += [item["id"] for item in found["items"]]
            pages.append((found["page"], found["pages"], found["per_page"], found["total"]))
            link = found["next"]
        assert seen == [5, 4, 3, 2, 1]
        assert pages == [(1, 3, 2, 5), (2, 3, 2, 5), (3, 3, 2, 5)]
        assert found["prev"] == "/api/entries?page=2&per_page=2"

    def test_a_page_has_an_end(self, client: Client) -> None:
        assert client.get("/api/entries").json["per_page"] == 20
        assert client.get("/api/entries?per_page=1000000").json["per_page"] == 50

    @pytest.mark.parametrize("query", ["page=2", "page=x", "per_page=0", f"page={'9' * 20}"])
    def test_a_page_that_is_not_there_is_404(self, query: str, client: Client) -> None:
        response = client.get(f"/api/entries?{query}")
        assert response.status_code == 404
        assert response.json["error"]["code"] == 404

    def test_private_entries_are_their_authors(
        self, ada: Client, grace: Client, write: Write
    ) -> None:
        write("ada", private=True)
        assert ada.get("/api/entries/1").status_code == 200
        assert grace.get("/api/entries/1").status_code == 404
        assert ada.get("/api/entries").json["items"] == []


class TestCreating:
    def test_an_entry_is_made(self, app: Flask, ada: Client) -> None:
        response = create(ada, json={"title": " A  title ", "text": "Größe", "private": True})
        assert (response.status_code, response.location) == (201, "/api/entries/1")
        assert response.json == ada.get(response.location).json
        with app.app_context():
            entry = db.session.get(Entry, 1)
            assert (entry.title, entry.text, entry.private) == ("A title", "Größe", True)
            assert entry.author.name == "ada"

    @pytest.mark.parametrize(
        "sent, fields",
        [
            ({}, {"title": ["Give the entry a title."], "text": ["Write something."]}),
            ({"title": " ", "text": "x"}, {"title": ["Give the entry a title."]}),
            (
                {"title": 5, "text": ["x"]},
                {"title": ["This must be text."], "text": ["This must be text."]},
            ),
            ({"title": None, "text": "x"}, {"title": ["This must be text."]}),
            (
                {"title": "x", "text": "x", "private": "no"},
                {"private": ["This must be true or false."]},
            ),
            (
                {"title": "x", "text": "x", "author": "grace"},
                {"author": ["There is no such field."]},
            ),
            (
                {"title": "\ud800", "text": "x"},
                {"title": ["This contains a character that is not text."]},
            ),
        ],
    )
    def test_fields_that_are_wrong_are_named(
        self, ada: Client, sent: dict[str, Any], fields: dict[str, list[str]]
    ) -> None:
        response = create(ada, json=sent)
        assert response.status_code == 422
        assert response.json["error"] == {
            "code": 422,
            "name": "Unprocessable Entity",
            "description": "Some fields can't be accepted.",
            "fields": fields,
        }
        assert ada.get("/api/entries").json["total"] == 0

    @pytest.mark.parametrize(
        "body, kind, status",
        [
            (b"{", "application/json", 400),
            (b"", "application/json", 400),
            (b"\xff", "application/json", 400),
            (b"[1, 2]", "application/json", 400),
            (b'"text"', "application/json", 400),
            (b"[" * 100_000, "application/json", 400),
            (b"title=x", "text/plain", 415),
        ],
    )
    def test_what_is_no_json_object_is_refused(
        self, ada: Client, body: bytes, kind: str, status: int
    ) -> None:
        response = create(ada, data=body, content_type=kind)
        assert response.status_code == status
        assert response.json["error"]["code"] == status

    def test_a_body_that_is_too_large_is_413(self, ada: Client) -> None:
        response = create(ada, json={"title": "x", "text": "x" * 4 * 1024 * 1024})
        assert (response.status_code, response.json["error"]["code"]) == (413, 413)

    def test_an_account_is_needed(self, client: Client) -> None:
        headers = {"X-CSRFToken": client.token()}
        response = client.post("/api/entries", json={"title": "x", "text": "x"}, headers=headers)
        assert (response.status_code, response.json["error"]["code"]) == (401, 401)

    def test_the_token_is_needed(self, ada: Client) -> None:
        for headers in {}, {"X-CSRFToken": "made up"}:
            response = ada.post("/api/entries", json={"title": "x", "text": "x"}, headers=headers)
            assert (response.status_code, response.json["error"]["code"]) == (400, 400)
