"""The tables: people, and the entries they write. Who may read or change what is decided here."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache

from brim import abort, current_app
from flask_login import UserMixin
from flask_sqlalchemy.pagination import Pagination
from sqlalchemy import DateTime, Dialect, ForeignKey, Select, String, Text, TypeDecorator, select
from sqlalchemy.orm import Mapped, mapped_column, relationship
from werkzeug.security import check_password_hash, generate_password_hash

from .extensions import db, login_manager


class UTCDateTime(TypeDecorator[datetime]):
    """A moment. SQLite forgets the time zone; what is read is in UTC again."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


class User(UserMixin, db.Model):
    """Somebody with an account."""

    id: Mapped[int] = mapped_column(primary_key=True)
    # NOCASE: to the database, Ada and ada are the same name, in `==` and in the constraint.
    name: Mapped[str] = mapped_column(String(30, collation="NOCASE"), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    joined: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    def set_password(self, password: str) -> None:
        """Keep the password's hash; the password itself is kept nowhere."""
        method = current_app.config["PASSWORD_METHOD"]
        self.password_hash = generate_password_hash(password, method)

    @staticmethod
    def with_password(name: str, password: str) -> User | None:
        """The user of this name, if that is the password."""
        user = db.session.scalar(select(User).where(User.name == name))
        # Without such a user, hash all the same: the time must not tell which names there are.
        known = user.password_hash if user else _nobodys(current_app.config["PASSWORD_METHOD"])
        return user if check_password_hash(known, password) and user else None


@cache
def _nobodys(method: str) -> str:
    """A hash to compare with where there is no user."""
    return generate_password_hash("", method)


@login_manager.user_loader
def load_user(user_id: str) -> User | None:
    """The user whose id is in the session."""
    return db.session.get(User, int(user_id))


class Entry(db.Model):
    """A text with a title, and a picture if there is one."""

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    #: The file's name in the folder of covers.
    cover: Mapped[str | None] = mapped_column(String(40))
    cover_width: Mapped[int | None]
    cover_height: Mapped[int | None]
    private: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(UTCDateTime, default=now, index=True)
    edited: Mapped[datetime | None] = mapped_column(UTCDateTime)
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    # Every page names the author: fetch both by one query.
    author: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    @property
    def paragraphs(self) -> list[str]:
        """The text's paragraphs; blank lines part them."""
        return re.split(r"\n\s*\n", self.text.strip())

    @staticmethod
    def find(entry_id: int, reader: object) -> Entry:
        """The entry, if `reader` may read it; else 404: what is private isn't there for others."""
        try:
            entry = db.session.get(Entry, entry_id)
        except OverflowError:  # the number is too large for SQLite
            entry = None
        if entry is None or (entry.private and entry.author != reader):
            abort(404)
        return entry

    @staticmethod
    def public() -> Select[tuple[Entry]]:
        """What anyone may read."""
        return select(Entry).where(Entry.private.is_(False))

    @staticmethod
    def by(author: User, reader: object) -> Select[tuple[Entry]]:
        """What `author` wrote and `reader` may read."""
        all_entries = select(Entry) if author == reader else Entry.public()
        return all_entries.where(Entry.author_id == author.id)


def newest_first(entries: Select[tuple[Entry]], per_page: int | None = None) -> Pagination:
    """The page of entries that the query string asks for (`?page=2`); 404 if there is no such page.

    Without `per_page`, the query string says that as well: 20 by default, at most 50.
    """
    ordered = entries.order_by(Entry.created.desc(), Entry.id.desc())
    try:
        return db.paginate(ordered, per_page=per_page, max_per_page=50)
    except OverflowError:  # the number is too large for SQLite
        abort(404)
