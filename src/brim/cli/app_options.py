"""The options that every command line has: which application, its environment, debug mode.

``--env-file``, ``--app``, ``--debug`` and ``--version``. Here a value is put where the rest
looks for it: into the environment or the :class:`~brim.commands.ScriptInfo`. What a command
does with it is not known here.
"""

from __future__ import annotations

import os
import platform
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from .. import __brim_version__, __version__
from ..commands import ScriptInfo
from ..discovery import likely_modules
from ..dotenv import load_dotenv, prefer_brim_variables
from ..helpers import get_load_dotenv


def get_version(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Print the versions that matter and end; the callback of ``--version``."""
    if not value or ctx.resilient_parsing:
        return
    click.echo(
        f"Python {platform.python_version()}\n"
        f"Brim {__brim_version__}{' (compiled)' if is_compiled() else ''}\n"
        f"Flask {__version__} (the API that Brim answers to)\n"
        f"Werkzeug {version('werkzeug')}",
        color=ctx.color,
    )
    ctx.exit()


def is_compiled() -> bool:
    """Whether Python takes compiled modules: all that can be are there, or none."""
    spec = find_spec("brim.ctx")
    return spec is not None and str(spec.origin).endswith(tuple(EXTENSION_SUFFIXES))


def _read_env_files(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    defaults = get_load_dotenv(ctx.ensure_object(ScriptInfo).load_dotenv_defaults)
    if value is not None:
        try:
            # Optional; without it nothing reads files.
            import dotenv  # noqa: F401  # pyright: ignore[reportUnusedImport]
        except ImportError:
            raise click.BadParameter(
                "python-dotenv must be installed to read it: pip install python-dotenv.",
                ctx=ctx,
                param=param,
            ) from None
    if value is not None or defaults:
        load_dotenv(value, load_defaults=defaults)
        prefer_brim_variables()
    return value


def _set_app(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        ctx.ensure_object(ScriptInfo).app_import_path = value
    return value


def _complete_app(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Propose modules here that make an application, and let the shell propose files."""
    names = [name for name in likely_modules(Path.cwd()) if name.startswith(incomplete)]
    return [*map(CompletionItem, names), CompletionItem(incomplete, type="file")]


def _set_debug(ctx: click.Context, param: click.Parameter, value: bool) -> bool | None:
    source = ctx.get_parameter_source("debug")
    if source in {ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP, None}:
        return None
    # By the environment, so that a factory sees it, and the process the reloader starts.
    os.environ.pop("BRIM_DEBUG", None)
    os.environ["FLASK_DEBUG"] = "1" if value else "0"
    return value


# Eager, as they decide what commands there are; the file goes first, as it may name the app.
env_file_option = click.Option(
    ["-e", "--env-file"],
    type=click.Path(exists=True, dir_okay=False),
    help=(
        "Read environment variables from this file first, then from '.env' and '.flaskenv'."
        " Variables that are set already stay. Needs python-dotenv."
    ),
    is_eager=True,
    expose_value=False,
    callback=_read_env_files,
)
app_option = click.Option(
    ["-A", "--app"],
    metavar="IMPORT",
    help=(
        "Where the application is: 'module' or 'module:name'. The module is a dotted name"
        " or a file's path; the name is an application's, or a factory's, which may be"
        " followed by arguments in parentheses. Not needed for app.py and wsgi.py."
    ),
    is_eager=True,
    expose_value=False,
    callback=_set_app,
    shell_complete=_complete_app,
)
debug_option = click.Option(
    ["--debug/--no-debug"],
    help="Turn debug mode on or off; by default it is what FLASK_DEBUG or BRIM_DEBUG says.",
    expose_value=False,
    callback=_set_debug,
)
version_option = click.Option(
    ["--version"],
    help="Show the versions of Brim and what it stands on.",
    expose_value=False,
    callback=get_version,
    is_flag=True,
    is_eager=True,
)
