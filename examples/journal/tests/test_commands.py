"""The command line: tables, sample, shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brim import Flask
from PIL import ImageChops
from sqlalchemy import inspect, text

from journal import create_app
from journal.extensions import db
from journal.models import Entry, User
from journal.sample import pictures

from .conftest import Client, settings_for


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Flask]:
    """An application without tables."""
    app = create_app(settings_for(tmp_path / "bare"))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def run(bare: Flask) -> Callable[..., str]:
    """Runs a command in the bare application; returns what it printed."""

    def run(*words: str, code: int = 0) -> str:
        result = bare.test_cli_runner().invoke(args=words)
        assert result.exit_code == code, result.output
        return result.output

    return run


class TestMigrations:
    def test_they_make_the_tables_of_the_models(self, bare: Flask, run: Callable[..., str]) -> None:
        run("db", "upgrade")
        run("db", "check")
        with bare.app_context():
            names = inspect(db.engine).get_table_names()
            db.session.execute(text("ALTER TABLE entry DROP COLUMN edited"))
            db.session.commit()
        assert sorted(names) == ["alembic_version", "entry", "user"]
        # The check would have noticed.
        run("db", "check", code=1)

    def test_names_are_unique_whatever_their_case(
        self, bare: Flask, run: Callable[..., str]
    ) -> None:
        run("db", "upgrade")
        with bare.app_context():
            db.session.add_all(
                [User(name="ada", password_hash=""), User(name="ADA", password_hash="")]
            )
            with pytest.raises(Exception, match="UNIQUE constraint failed"):
                db.session.commit()

    def test_they_can_be_taken_back(self, bare: Flask, run: Callable[..., str]) -> None:
        run("db", "upgrade")
        run("db", "downgrade")
        with bare.app_context():
            assert inspect(db.engine).get_table_names() == ["alembic_version"]

    def test_they_can_be_printed_as_sql(self, run: Callable[..., str]) -> None:
        assert "CREATE TABLE entry" in run("db", "upgrade", "--sql")

    def test_the_log_works_on_after_them(
        self, bare: Flask, run: Callable[..., str], caplog: pytest.LogCaptureFixture
    ) -> None:
        run("db", "upgrade")
        bare.logger.warning("Still here")
        assert "Still here" in caplog.messages


class TestSample:
    def test_it_fills_an_empty_journal(self, bare: Flask, run: Callable[..., str]) -> None:
        run("db", "upgrade")
        assert "correct horse" in run("sample")
        with bare.app_context():
            entries = db.session.query(Entry).all()
            assert len(entries) == 14
            assert {entry.author.name for entry in entries} == {"ada", "grace"}
            assert any(entry.private for entry in entries)
            covers = [entry for entry in entries if entry.cover]
        files = {file.name for file in bare.config["COVERS"].iterdir()}
        assert files == {entry.cover for entry in covers}
        bare.test_client_class = Client
        client = bare.test_client()
        assert client.log_in("ada").status_code == 302
        assert client.get("/?page=3").status_code == 200
        assert client.get(f"/entries/{covers[0].id}/cover").mimetype == "image/webp"

    def test_it_leaves_a_journal_alone_that_is_not_empty(
        self, bare: Flask, run: Callable[..., str]
    ) -> None:
        run("db", "upgrade")
        with bare.app_context():
            db.session.add(User(name="somebody", password_hash=""))
            db.session.commit()
        assert "is not empty" in run("sample", code=1)
        assert run("sample", "--if-empty") == ""
        with bare.app_context():
            assert db.session.query(Entry).count() == 0

    def test_it_is_not_for_production(self, bare: Flask, run: Callable[..., str]) -> None:
        run("db", "upgrade")
        bare.config["SESSION_COOKIE_SECURE"] = True
        assert "not in production" in run("sample", code=1)

    def test_it_says_what_makes_the_tables(self, run: Callable[..., str]) -> None:
        assert "db upgrade" in run("sample", code=1)

    def test_a_picture_is_the_same_each_time(self) -> None:
        one, same, other = (pictures.draw("dawn", seed) for seed in (1, 1, 2))
        assert one.size == (1200, 800)
        assert ImageChops.difference(one, same).getbbox() is None
        assert ImageChops.difference(one, other).getbbox() is not None


def test_the_shell_knows_the_models(app: Flask) -> None:
    with app.app_context():
        names = app.make_shell_context()
    assert (names["db"], names["User"], names["Entry"]) == (db, User, Entry)
