"""The journal: `create_app` puts its parts together, and nothing else happens here."""

from __future__ import annotations

# The extensions say `import flask`; from here on that means Brim. `brim run` does it by itself,
# other servers and the tests begin with this line.
import brim.as_flask  # noqa: F401
from brim import Flask

from . import accounts, api, commands, config, entries, errors, headers, logs
from .extensions import csrf, db, login_manager, migrate


def create_app(settings: str | type[config.Config] | None = None) -> Flask:
    """Make the application.

    `settings` is a class of `journal.config` or the name of one (development, testing,
    production); by default the environment variable JOURNAL_CONFIG names it.
    """
    app = Flask(__name__)
    config.configure(app, settings)
    logs.init_app(app)

    db.init_app(app)
    migrate.init_app(app, db)
    csrf.init_app(app)
    login_manager.init_app(app)

    app.register_blueprint(entries.bp)
    app.register_blueprint(accounts.bp)
    app.register_blueprint(api.bp)
    errors.init_app(app)
    headers.init_app(app)
    commands.init_app(app)
    return app
