"""How Alembic reaches the database: through the application, which the command has made."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from brim import current_app
from sqlalchemy import TypeDecorator

state = current_app.extensions["migrate"]
metadata = state.db.metadata


def render_item(kind: str, item: Any, _: object) -> str | Literal[False]:
    """Write the database's own type where the models have one of theirs; False: as usual."""
    return f"sa.{item.impl!r}" if isinstance(item, TypeDecorator) else False


if context.is_offline_mode():
    # `brim --app journal db upgrade --sql` prints the statements.
    url = current_app.config["SQLALCHEMY_DATABASE_URI"]
    context.configure(url=url, target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with state.db.engine.connect() as connection:
        # configure_args: among them render_as_batch, as SQLite can't change a column in place.
        context.configure(
            connection, target_metadata=metadata, render_item=render_item, **state.configure_args
        )
        with context.begin_transaction():
            context.run_migrations()
