"""The extensions, not yet bound to an application: `create_app` does that.

They live in a file of their own so that models and views can import them without the application.
"""

from __future__ import annotations

from pathlib import Path

from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """What all models have in common."""

    # A constraint that has a name can be changed by a later migration.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)
# The default is a folder below the directory that a command was started in.
migrate = Migrate(directory=str(Path(__file__).parent.parent / "migrations"))
login_manager = LoginManager()
csrf = CSRFProtect()
