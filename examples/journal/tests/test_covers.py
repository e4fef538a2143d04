"""Cover pictures: what is accepted, what is stored, what is left in the folder."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from brim import Flask
from PIL import Image
from sqlalchemy import text
from werkzeug.test import TestResponse

from journal.covers import CoverError, read
from journal.extensions import db
from journal.models import Entry

from .conftest import Client, picture, text_of, upload

Covers = Callable[[], list[Path]]
FIELDS = {"title": "A title", "text": "A text."}


def write_with(client: Client, content: bytes, name: str = "cover.png") -> TestResponse:
    return client.send("/entries/new", {**FIELDS, "cover": upload(content, name)})


class TestAccepted:
    @pytest.mark.parametrize(
        "kind, name, mode",
        [
            ("JPEG", "a.jpg", "RGB"),
            ("JPEG", "a.JPEG", "CMYK"),
            ("PNG", "a.png", "RGBA"),
            ("PNG", "a.png", "1"),
            ("GIF", "a.gif", "P"),
            ("WEBP", "a.webp", "RGB"),
            # The contents count, not the name.
            ("PNG", "a.jpg", "RGB"),
        ],
    )
    def test_each_kind_is_stored_as_webp(
        self, app: Flask, ada: Client, covers: Covers, kind: str, name: str, mode: str
    ) -> None:
        assert write_with(ada, picture(kind, mode=mode), name).status_code == 302
        (file,) = covers()
        with Image.open(file) as stored:
            assert (stored.format, stored.size) == ("WEBP", (40, 30))
        with app.app_context():
            entry = db.session.get(Entry, 1)
            assert (entry.cover, entry.cover_width, entry.cover_height) == (file.name, 40, 30)

    def test_a_large_picture_becomes_smaller(self, ada: Client, covers: Covers) -> None:
        write_with(ada, picture(size=(3200, 400)))
        with Image.open(covers()[0]) as stored:
            assert stored.size == (1600, 200)

    def test_one_that_is_kept_in_a_temporary_file_on_its_way(
        self, ada: Client, covers: Covers
    ) -> None:
        file = io.BytesIO()
        Image.effect_noise((1200, 1000), 60).save(file, "PNG")
        assert file.tell() > 1_000_000
        assert send_large(ada, file.getvalue()).status_code == 302
        assert len(covers()) == 1

    def test_a_photograph_stands_upright_and_tells_no_place(
        self, ada: Client, covers: Covers
    ) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by a quarter
        exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)  # a latitude
        write_with(ada, picture("JPEG", exif=exif), "a.jpg")
        with Image.open(covers()[0]) as stored:
            assert stored.size == (30, 40)
            assert not stored.getexif()

    def test_transparency_is_kept(self, ada: Client, covers: Covers) -> None:
        file = io.BytesIO()
        Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(file, "PNG")
        write_with(ada, file.getvalue())
        with Image.open(covers()[0]) as stored:
            assert stored.mode == "RGBA"


class TestRefused:
    @pytest.mark.parametrize(
        "content, name, message",
        [
            (picture(), "cover.txt", "Choose a JPEG, PNG, WebP or GIF file."),
            (picture(), "cover", "Choose a JPEG, PNG, WebP or GIF file."),
            (b"<svg/>", "cover.svg", "Choose a JPEG, PNG, WebP or GIF file."),
            (picture("TIFF"), "cover.png", "not a picture, or is damaged"),
            (b"<script>alert(1)</script>", "cover.png", "not a picture, or is damaged"),
            (b"", "cover.png", "not a picture, or is damaged"),
            (picture("PNG", (300, 300))[:-60], "cover.png", "not a picture, or is damaged"),
            (picture("JPEG", (300, 300))[:-60], "cover.jpg", "not a picture, or is damaged"),
            (picture("PNG", (8000, 5001), "1"), "cover.png", "too many pixels"),
            (picture("PNG", (12000, 12000), "1"), "cover.png", "too many pixels"),
            (picture("PNG", (20000, 20000), "1"), "cover.png", "too many pixels"),
        ],
        ids="txt bare svg tiff script empty short-png short-jpeg 40M 144M 400M".split(),
    )
    def test_what_is_no_cover_is_said_at_the_field(
        self, ada: Client, covers: Covers, content: bytes, name: str, message: str
    ) -> None:
        response = write_with(ada, content, name)
        assert response.status_code == 200
        assert message in text_of(response)
        assert covers() == []
        assert ada.get("/entries/1").status_code == 404

    def test_damage_of_any_kind_is_refused_and_no_error(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
        whole = [picture(kind, exif=exif) for kind in ("JPEG", "PNG", "WEBP")] + [picture("GIF")]
        chance = random.Random(3)
        refused = 0
        for _ in range(600):
            content = bytearray(chance.choice(whole))
            for _ in range(chance.choice([1, 3, 20])):
                content[chance.randrange(len(content))] = chance.randrange(256)
            try:
                assert max(read(io.BytesIO(content)).size) <= 1600
            except CoverError:
                refused += 1
        assert refused > 100

    def test_an_upload_that_is_too_large_gets_a_page(self, ada: Client, covers: Covers) -> None:
        response = send_large(ada, b"x" * 4 * 1024 * 1024)
        assert response.status_code == 413
        assert "4 MiB are the most" in text_of(response)
        assert covers() == []


def send_large(client: Client, content: bytes) -> TestResponse:
    """Write an entry with this cover.

    The form is written out by hand: one of this size the test client would put into a temporary
    file that nobody closes.
    """
    parts = {
        "csrf_token": client.token("/entries/new").encode(),
        "title": b"A title",
        "text": b"A text.",
        'cover"; filename="cover.png': content,
    }
    body = b"".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + part + b"\r\n"
        for name, part in parts.items()
    )
    body += b"--x--\r\n"
    return client.post("/entries/new", data=body, content_type="multipart/form-data; boundary=x")


class TestFiles:
    """What is in the folder follows what is in the database."""

    def test_a_replaced_cover_is_removed(self, ada: Client, covers: Covers) -> None:
        write_with(ada, picture())
        (before,) = covers()
        ada.send("/entries/1/edit", {**FIELDS, "cover": upload(picture("GIF"), "new.gif")})
        (after,) = covers()
        assert after != before

    def test_a_cover_stays_where_nothing_is_said_of_it(self, ada: Client, covers: Covers) -> None:
        write_with(ada, picture())
        before = covers()
        ada.send("/entries/1/edit", FIELDS)
        assert covers() == before
        assert ada.get("/entries/1/cover").status_code == 200

    def test_a_cover_can_be_taken_away(self, app: Flask, ada: Client, covers: Covers) -> None:
        write_with(ada, picture())
        ada.send("/entries/1/edit", {**FIELDS, "remove_cover": "y"})
        assert covers() == []
        assert ada.get("/entries/1/cover").status_code == 404
        with app.app_context():
            entry = db.session.get(Entry, 1)
            assert entry.cover is entry.cover_width is entry.cover_height is None

    def test_deleting_an_entry_deletes_its_cover(self, ada: Client, covers: Covers) -> None:
        write_with(ada, picture())
        ada.post("/entries/1/delete", data={"csrf_token": ada.token("/entries/1")})
        assert covers() == []

    def test_a_refused_form_leaves_the_old_cover(self, ada: Client, covers: Covers) -> None:
        write_with(ada, picture())
        before = covers()
        for sent in [{**FIELDS, "cover": upload(b"no")}, {"text": "", "cover": upload(picture())}]:
            assert ada.send("/entries/1/edit", sent).status_code == 200
        assert covers() == before

    @pytest.mark.parametrize("change", ["INSERT", "UPDATE"])
    def test_a_failed_commit_leaves_things_as_they_were(
        self, app: Flask, ada: Client, covers: Covers, change: str
    ) -> None:
        write_with(ada, picture())
        before = covers()
        with app.app_context():
            trigger = (
                f"CREATE TRIGGER no BEFORE {change} ON entry BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
            db.session.execute(text(trigger))
            db.session.commit()
        app.config["PROPAGATE_EXCEPTIONS"] = False
        path = "/entries/new" if change == "INSERT" else "/entries/1/edit"
        response = ada.send(path, {**FIELDS, "cover": upload(picture("GIF"), "new.gif")})
        assert response.status_code == 500
        assert covers() == before
        assert ada.get("/entries/1/cover").status_code == 200

    def test_a_file_that_is_gone_is_404(self, ada: Client, covers: Covers) -> None:
        write_with(ada, picture())
        covers()[0].unlink()
        assert ada.get("/entries/1/cover").status_code == 404
        assert ada.send("/entries/1/edit", {**FIELDS, "remove_cover": "y"}).status_code == 302


class TestSending:
    def test_a_cover_is_sent_once_while_it_stays_the_same(
        self, ada: Client, client: Client
    ) -> None:
        write_with(ada, picture())
        first = client.get("/entries/1/cover")
        assert (first.status_code, first.mimetype) == (200, "image/webp")
        assert first.cache_control.no_cache and first.cache_control.private
        again = client.get("/entries/1/cover", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        ada.send("/entries/1/edit", {**FIELDS, "cover": upload(picture("GIF"), "new.gif")})
        other = client.get("/entries/1/cover", headers={"If-None-Match": first.headers["ETag"]})
        assert other.status_code == 200

    def test_the_cover_of_a_private_entry_is_private(
        self, ada: Client, grace: Client, client: Client
    ) -> None:
        sent = {**FIELDS, "private": "y", "cover": upload(picture())}
        ada.send("/entries/new", sent)
        assert ada.get("/entries/1/cover").status_code == 200
        assert grace.get("/entries/1/cover").status_code == 404
        assert client.get("/entries/1/cover").status_code == 404

    def test_head_and_ranges(self, ada: Client, client: Client) -> None:
        write_with(ada, picture())
        head = client.head("/entries/1/cover")
        whole = client.get("/entries/1/cover").data
        assert (head.data, head.content_length) == (b"", len(whole))
        part = client.get("/entries/1/cover", headers={"Range": "bytes=4-9"})
        assert (part.status_code, part.data) == (206, whole[4:10])
