"""Settings from ``.env`` and ``.flaskenv`` files, read with python-dotenv where it is installed.

It fills ``os.environ`` and reads nothing from it; what the variables mean is known where
they are used.
"""

from __future__ import annotations

import os

import click

#: The files that are looked for, weakest first.
DEFAULT_FILES = (".flaskenv", ".env")


def load_dotenv(path: str | os.PathLike[str] | None = None, load_defaults: bool = True) -> bool:
    """Set environment variables from dotenv files.

    ``path`` is read first and wins over ``.env``, which wins over ``.flaskenv``; these two
    are looked for in the working directory and the folders above it, unless
    ``load_defaults`` is false. A variable that is set already keeps its value, an empty one
    too. Files are UTF-8; a ``path`` that is no file is skipped.

    Returns whether the files held any variable. Without python-dotenv nothing is loaded;
    if there is a file to load, a tip on stderr says so.
    """
    try:
        # Optional: pip install "brim[dotenv]".
        import dotenv
    except ImportError:
        if path or any(os.path.isfile(name) for name in DEFAULT_FILES):
            click.secho(
                " * Tip: There are .env files here, and without python-dotenv they are not"
                ' read. Do "pip install python-dotenv" to use them.',
                fg="yellow",
                err=True,
            )
        return False

    files = [dotenv.find_dotenv(name, usecwd=True) for name in DEFAULT_FILES if load_defaults]
    if path is not None:
        files.append(os.fspath(path))
    found: dict[str, str | None] = {}
    for file in files:
        # find_dotenv answers "" for no file, which dotenv_values would take for "search".
        if os.path.isfile(file):
            found |= dotenv.dotenv_values(file, encoding="utf-8")
    for name, value in found.items():
        if value is not None:
            os.environ.setdefault(name, value)
    return bool(found)
