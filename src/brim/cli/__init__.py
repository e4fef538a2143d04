"""The ``brim`` command: ``run``, ``serve``, ``shell``, ``routes``, and an application's own.

The program and its names; each command has a file beside this one. Finding the application
is :mod:`~brim.discovery`'s, serving it :mod:`~brim.devserver`'s and
:mod:`~brim.serving`'s. All that ``flask.cli``
offers can be imported from here.
"""

from __future__ import annotations

import sys

import click

from ..commands import AppGroup, ScriptInfo, pass_script_info, with_appcontext
from ..devserver import show_server_banner
from ..discovery import (
    AppImportError,
    NoAppException,
    find_app_by_string,
    find_best_app,
    format_user_error,
    locate_app,
    prepare_import,
)
from ..dotenv import load_dotenv
from ..helpers import get_debug_flag, get_load_dotenv
from ..options import CertParamType, SeparatedPathType
from .app_options import get_version
from .group import BrimGroup
from .routes import routes_command
from .run import run_command
from .shell import shell_command

__all__ = [
    "AppGroup",
    "AppImportError",
    "BrimGroup",
    "CertParamType",
    "FlaskGroup",
    "NoAppException",
    "ScriptInfo",
    "SeparatedPathType",
    "cli",
    "find_app_by_string",
    "find_best_app",
    "get_debug_flag",
    "get_load_dotenv",
    "get_version",
    "load_dotenv",
    "locate_app",
    "main",
    "pass_script_info",
    "prepare_import",
    "routes_command",
    "run_command",
    "shell_command",
    "show_server_banner",
    "with_appcontext",
]

#: The name that Flask has for it.
FlaskGroup = BrimGroup

cli = BrimGroup(
    name="brim",
    help=(
        "Runs a Flask application and shows what is in it.\n\n"
        "The application is that of wsgi.py or app.py in this folder. Another one is named"
        " with --app, or in the environment variable FLASK_APP or BRIM_APP, which a file"
        " '.flaskenv' may set. Its own commands are listed below with the others."
    ),
    epilog=(
        "\b\n"
        "Examples:\n"
        "  brim run --debug                       app.py; restarts when a file changes\n"
        "  brim serve shop.web:site               in production, on all cores\n"
        "  brim --app hello run                   hello.py, or the package hello\n"
        "  brim --app examples/hello run          a file in another folder\n"
        "  brim --app shop.web:site routes        the application 'site' of a module\n"
        "  brim --app 'shop:make(\"dev\")' shell    what a factory returns\n"
        "\n"
        "\b\n"
        "Environment:\n"
        "  BRIM_APP=hello                         --app hello\n"
        "  BRIM_DEBUG=1                           --debug\n"
        "  BRIM_RUN_PORT=8000                     run --port 8000; so for any option\n"
        "  NO_COLOR=1                             no colour\n"
        "  FLASK_APP and the like are read too; BRIM_ counts where both are set.\n"
        "\n"
        "'brim COMMAND --help' explains a command."
    ),
)


def main() -> None:
    """Run the ``brim`` command; the entry point of the program.

    From here on, ``import flask`` means Brim in this process. An error of the user's code
    is shown without the frames of Brim and Click that led to it, and ends the program
    with 1.
    """
    # Here and not above: who imports this module as a library has not asked for the alias.
    try:
        from .. import as_flask  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        # Something imported Flask before the command began, and the error says what.
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    try:
        cli.main()
    except Exception as error:
        click.echo(format_user_error(error), err=True, nl=False)
        sys.exit(1)
