"""Reading and writing entries in the pages; who may do what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from brim import Flask

from journal.entries import date, iso
from journal.extensions import db
from journal.models import Entry

from .conftest import Client, text_of

Write = Callable[..., int]


class TestIndex:
    def test_an_empty_journal_has_a_page(self, client: Client) -> None:
        assert client.get("/").status_code == 200

    def test_it_shows_six_of_the_newest_to_a_page(
        self, ada: Client, client: Client, write: Write
    ) -> None:
        day = datetime(2026, 11, 1, tzinfo=UTC)
        for number in range(8):
            write("ada", title=f"Number-{number}", created=day + timedelta(days=number))
        first, second = (client.get(f"/?page={page}").text for page in (1, 2))
        places = [first.index(f"Number-{number}") for number in (7, 6, 5, 4, 3, 2)]
        assert places == sorted(places)
        assert "Number-1" not in first
        assert second.index("Number-1") < second.index("Number-0")

    @pytest.mark.parametrize("page", ["2", "0", "-1", "x", "", "9" * 20, "9" * 5000])
    def test_a_page_that_is_not_there_is_404(
        self, page: str, ada: Client, client: Client, write: Write
    ) -> None:
        write("ada")
        assert client.get(f"/?page={page}").status_code == 404

    def test_private_entries_are_on_their_authors_page_only(
        self, ada: Client, grace: Client, client: Client, write: Write
    ) -> None:
        write("ada", title="Secret", private=True)
        write("ada", title="Open")
        for reader in ada, grace, client:
            assert "Secret" not in reader.get("/").text
            assert ("Secret" in reader.get("/by/ada").text) is (reader is ada)
            assert "Open" in reader.get("/by/ADA").text
            assert "Open" not in reader.get("/by/grace").text

    @pytest.mark.parametrize("name", ["nobody", "%FF", "%00", "ad%25"])
    def test_a_name_that_nobody_has_is_404(self, name: str, ada: Client) -> None:
        assert ada.get(f"/by/{name}").status_code == 404


class TestShow:
    def test_anyone_reads_what_is_public(self, ada: Client, client: Client, write: Write) -> None:
        id = write("ada", title="<b>Frost</b>", text="One.\n\n \nTwo.")
        page = client.get(f"/entries/{id}")
        assert "&lt;b&gt;Frost&lt;/b&gt;" in page.text
        assert "One." in page.text and "Two." in page.text

    def test_private_is_not_there_for_others(
        self, ada: Client, grace: Client, client: Client, write: Write
    ) -> None:
        id = write("ada", private=True, cover="x.webp")
        assert ada.get(f"/entries/{id}").status_code == 200
        assert client.get(f"/entries/{id}").status_code == 404
        for path in "", "/cover", "/edit":
            assert grace.get(f"/entries/{id}{path}").status_code == 404

    @pytest.mark.parametrize("id", ["7", "9" * 30, "-1", "x"])
    def test_what_is_not_there_is_404(self, id: str, client: Client) -> None:
        assert client.get(f"/entries/{id}").status_code == 404
        assert client.get(f"/entries/{id}/cover").status_code == 404


class TestWriting:
    def test_an_entry_is_written_changed_and_deleted(self, app: Flask, ada: Client) -> None:
        sent = {"title": " First\tfrost ", "text": "One.\r\n\r\nTwo.\r\n", "private": "y"}
        response = ada.send("/entries/new", sent)
        assert (response.status_code, response.location) == (302, "/entries/1")
        with app.app_context():
            entry = db.session.get(Entry, 1)
            assert (entry.title, entry.paragraphs) == ("First frost", ["One.", "Two."])
            assert entry.private and entry.edited is None and entry.author.name == "ada"
            assert entry.created.tzinfo is UTC

        response = ada.send("/entries/1/edit", {"title": "Frost", "text": "None."})
        assert response.location == "/entries/1"
        with app.app_context():
            entry = db.session.get(Entry, 1)
            assert (entry.title, entry.text, entry.private) == ("Frost", "None.", False)
            assert entry.edited >= entry.created

        response = ada.post("/entries/1/delete", data={"csrf_token": ada.token("/entries/1")})
        assert response.location == "/"
        assert "The entry is deleted." in text_of(ada.get("/"))
        assert ada.get("/entries/1").status_code == 404

    @pytest.mark.parametrize(
        "title, text, message",
        [
            ("", "A text.", "Give the entry a title."),
            ("   ", "A text.", "Give the entry a title."),
            ("x" * 121, "A text.", "Keep the title to 120 characters."),
            ("A\0title", "A text.", "not text"),
            ("A title", " \r\n ", "Write something."),
            ("A title", "x" * 50_001, "50,000 characters"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_stored(
        self, app: Flask, ada: Client, title: str, text: str, message: str
    ) -> None:
        response = ada.send("/entries/new", {"title": title, "text": text})
        assert response.status_code == 200
        assert message in text_of(response)
        with app.app_context():
            assert db.session.query(Entry).count() == 0

    def test_a_form_begins_with_what_there_is(self, ada: Client, write: Write) -> None:
        id = write("ada", title="Before", text="Then.")
        page = ada.get(f"/entries/{id}/edit").text
        assert 'value="Before"' in page and "Then." in page

    @pytest.mark.parametrize("action", ["edit", "delete"])
    def test_only_the_author_may_change_an_entry(
        self, action: str, ada: Client, grace: Client, client: Client, write: Write
    ) -> None:
        id = write("ada", title="Mine")
        path = f"/entries/{id}/{action}"
        for other, status in [(grace, 403), (client, 302)]:
            token = other.token("/entries/new" if other is grace else "/accounts/login")
            response = other.post(path, data={"csrf_token": token, "title": "No", "text": "No"})
            assert response.status_code == status
        assert "Mine" in client.get(f"/entries/{id}").text
        assert grace.get(path).status_code == (403 if action == "edit" else 405)


class TestFilters:
    moment = datetime(2026, 11, 1, 23, 30, 5, 12, tzinfo=timezone(timedelta(hours=-2)))

    def test_dates_for_people_and_for_machines(self) -> None:
        assert date(self.moment) == "1 November 2026"
        assert iso(self.moment) == "2026-11-01T23:30:05-02:00"

    def test_a_moment_is_the_same_after_the_database(
        self, app: Flask, ada: Client, write: Write
    ) -> None:
        id = write("ada", created=self.moment)
        with app.app_context():
            assert db.session.get(Entry, id).created == self.moment
