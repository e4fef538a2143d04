"""What the journal's tests share: the application behind a validator, and people who use it."""

from __future__ import annotations

import html
import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from brim import Flask
from brim.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from PIL import Image
from werkzeug.test import TestResponse

from journal import create_app
from journal.config import Testing
from journal.extensions import db
from journal.models import Entry, User

PASSWORD = "correct horse"


class Client(FlaskClient):
    """A client that reads each answer to its end, and closes it, as a server does."""

    def open(self, *args: Any, **options: Any) -> TestResponse:
        return super().open(*args, **{"buffered": True, **options})

    def token(self, page: str = "/accounts/login") -> str:
        """The CSRF token in a page's form."""
        text = self.get(page).text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text)
        assert found, f"{page} has no form:\n{text}"
        return found[1]

    def send(self, page: str, fields: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Fill in the form of a page and send it."""
        data = {"csrf_token": self.token(page), **(fields or {})}
        return self.post(page, data=data, **options)

    def log_in(self, name: str, password: str = PASSWORD, **fields: str) -> TestResponse:
        """Log in by the form."""
        return self.send("/accounts/login", {"name": name, "password": password, **fields})


def settings_for(folder: Path) -> type[Testing]:
    """The settings for tests, with the data in this folder."""
    return type("Settings", (Testing,), {"DATA": folder})


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Keeps compiled templates from one test's application to the next one's."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with empty tables, of which each test gets a copy."""
    folder = tmp_path_factory.mktemp("database")
    app = create_app(settings_for(folder))
    with app.app_context():
        db.create_all()
        db.engine.dispose()
    return folder / "journal.sqlite"


@pytest.fixture
def app(tmp_path: Path, database: Path, compiled: FileSystemBytecodeCache) -> Iterator[Flask]:
    app = create_app(settings_for(tmp_path))
    app.test_client_class = Client
    app.jinja_env.bytecode_cache = compiled
    # Each request of each test goes by this check that both sides keep to WSGI (PEP 3333).
    app.wsgi_app = validator(app.wsgi_app)  # type: ignore[method-assign]
    shutil.copy(database, tmp_path)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> Client:
    """Somebody who has not logged in."""
    return app.test_client()


@pytest.fixture
def person(app: Flask) -> Callable[[str], Client]:
    """Makes an account, and a client that is logged in by it."""

    def make(name: str) -> Client:
        with app.app_context():
            user = User(name=name)
            user.set_password(PASSWORD)
            db.session.add(user)
            db.session.commit()
        client = app.test_client()
        assert client.log_in(name).status_code == 302
        return client

    return make


@pytest.fixture
def ada(person: Callable[[str], Client]) -> Client:
    return person("ada")


@pytest.fixture
def grace(person: Callable[[str], Client]) -> Client:
    return person("grace")


@pytest.fixture
def write(app: Flask) -> Callable[..., int]:
    """Puts an entry into the database; returns its id."""

    def put(author: str, title: str = "A title", text: str = "A text.", **fields: Any) -> int:
        with app.app_context():
            user = db.session.query(User).filter_by(name=author).one()
            entry = Entry(title=title, text=text, author_id=user.id, **fields)
            db.session.add(entry)
            db.session.commit()
            return entry.id

    return put


@pytest.fixture
def covers(app: Flask) -> Callable[[], list[Path]]:
    """Lists the files in the folder of covers."""
    return lambda: sorted(app.config["COVERS"].iterdir())


def picture(
    kind: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **save: Any
) -> bytes:
    """A picture as a file's contents."""
    file = io.BytesIO()
    Image.new(mode, size, 200 if mode == "L" else "teal").save(file, kind, **save)
    return file.getvalue()


def upload(content: bytes, name: str = "cover.png") -> tuple[io.BytesIO, str]:
    """A file as the test client sends it."""
    return io.BytesIO(content), name


def text_of(response: TestResponse) -> str:
    """What a page says: no tags, one space between words."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", response.text)).split())
