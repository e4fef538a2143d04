"""Settings: one class for each place where the journal runs, and how one of them is chosen.

Three environment variables matter: JOURNAL_CONFIG chooses the class, JOURNAL_DATA says where the
database and the covers are kept, JOURNAL_SECRET_KEY is the key that signs the session cookie.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from brim import Flask
from sqlalchemy import URL


class ConfigError(Exception):
    """The journal cannot start with these settings; the message says what to set."""


class Config:
    """What holds everywhere. The other classes say where they differ."""

    #: The folder for database and covers. None: JOURNAL_DATA, or else the instance folder.
    DATA: str | os.PathLike[str] | None = None
    #: Signs cookies. None: JOURNAL_SECRET_KEY has to be set.
    SECRET_KEY: str | None = None

    #: A larger upload is refused before it is read.
    MAX_CONTENT_LENGTH = 4 * 1024 * 1024
    LOG_LEVEL = "INFO"
    #: How `werkzeug.security` hashes passwords.
    PASSWORD_METHOD = "scrypt"

    SESSION_COOKIE_SAMESITE = "Lax"
    REMEMBER_COOKIE_SAMESITE = "Lax"
    REMEMBER_COOKIE_DURATION = timedelta(days=30)
    #: A form may stay open for as long as its session lasts.
    WTF_CSRF_TIME_LIMIT = None


class Development(Config):
    """On your own machine."""

    SECRET_KEY = "only for development"


class Testing(Config):
    """For tests; they say where their data goes."""

    TESTING = True
    SECRET_KEY = "only for tests"
    #: The default is slow by intent. Tests have no secrets to keep, and many passwords.
    PASSWORD_METHOD = "pbkdf2:sha256:1"


class Production(Config):
    """On the open network, by HTTPS."""

    SESSION_COOKIE_SECURE = True
    REMEMBER_COOKIE_SECURE = True


CONFIGS: dict[str, type[Config]] = {
    "development": Development,
    "testing": Testing,
    "production": Production,
}


def configure(app: Flask, settings: str | type[Config] | None) -> None:
    """Load the chosen class, and what depends on the environment."""
    app.config.from_object(_choose(settings))

    if app.config["SECRET_KEY"] is None:
        app.config["SECRET_KEY"] = _secret_key()

    data = app.config["DATA"] or os.environ.get("JOURNAL_DATA") or app.instance_path
    folder = Path(data).resolve()
    app.config["COVERS"] = folder / "covers"
    app.config["COVERS"].mkdir(parents=True, exist_ok=True)
    # Not put together by hand: a path may hold a character that means something in a URL.
    database = URL.create("sqlite", database=str(folder / "journal.sqlite"))
    app.config["SQLALCHEMY_DATABASE_URI"] = database


def _choose(settings: str | type[Config] | None) -> type[Config]:
    if settings is None:
        settings = os.environ.get("JOURNAL_CONFIG", "development")
    if not isinstance(settings, str):
        return settings
    if settings not in CONFIGS:
        names = ", ".join(CONFIGS)
        raise ConfigError(
            f"There is no configuration {settings!r}. Set JOURNAL_CONFIG to: {names}."
        )
    return CONFIGS[settings]


def _secret_key() -> str:
    key = os.environ.get("JOURNAL_SECRET_KEY", "")
    if len(key) < 32:
        raise ConfigError(
            "The environment variable JOURNAL_SECRET_KEY must hold a secret of at least 32"
            f" characters, and holds {len(key)}. Make one, once, with"
            " `python -c 'import secrets; print(secrets.token_hex())'`; every process gets the"
            " same one, and nobody else may know it."
        )
    return key
