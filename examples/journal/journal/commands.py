"""What `brim --app journal` can do beside serving, and what its shell knows."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from brim import Flask, current_app
from brim.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from . import covers
from .extensions import db
from .models import Entry, User
from .sample import pictures

SAMPLE = Path(__file__).parent / "sample" / "entries.toml"
#: The sample's last day. A fixed one, so that the sample is the same whenever it is made.
LAST_DAY = datetime(2026, 11, 20, tzinfo=UTC)
PASSWORD = "correct horse"


def init_app(app: Flask) -> None:
    """Add the commands and the shell's names."""
    app.cli.add_command(sample)
    app.shell_context_processor(lambda: {"db": db, "User": User, "Entry": Entry})


@click.command
@click.option("--if-empty", is_flag=True, help="Leave a journal that isn't empty, and say nothing.")
@with_appcontext
def sample(if_empty: bool) -> None:
    """Fill an empty journal with two people and what they wrote."""
    if current_app.config["SESSION_COOKIE_SECURE"]:
        raise click.ClickException("Everybody knows the sample's password: not in production.")
    try:
        empty = db.session.scalar(select(User.id).limit(1)) is None
    except OperationalError as error:
        raise click.ClickException(
            "The database has no tables. Make them with `brim --app journal db upgrade`."
        ) from error
    if not empty and if_empty:
        return
    if not empty:
        raise click.ClickException(
            "The journal is not empty, and is left as it is. The sample is for a new one:"
            " set JOURNAL_DATA to another folder."
        )

    people = {
        name: User(name=name, joined=LAST_DAY - timedelta(days=60)) for name in ["ada", "grace"]
    }
    for person in people.values():
        person.set_password(PASSWORD)
    db.session.add_all(people.values())

    written = tomllib.loads(SAMPLE.read_text(encoding="utf-8"))["entry"]
    for told in written:
        entry = Entry(
            title=told["title"],
            text=told["text"].strip(),
            private=told.get("private", False),
            author=people[told["author"]],
            created=LAST_DAY - timedelta(days=told["days_ago"]) + timedelta(hours=told["hour"]),
        )
        if "cover" in told:
            picture = pictures.draw(told["cover"], seed=told["days_ago"])
            entry.cover = covers.store(picture)
            entry.cover_width, entry.cover_height = picture.size
        db.session.add(entry)
    db.session.commit()
    click.echo(f"{len(written)} entries by ada and grace. Log in with the password: {PASSWORD}")
