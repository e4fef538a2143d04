"""The environment of a command: ``.env`` and ``.flaskenv`` files, and both sets of names.

It changes ``os.environ``; what the variables mean is known where they are used.
"""

from __future__ import annotations

import os

import click

#: The files that are looked for, weakest first.
DEFAULT_FILES = (".flaskenv", ".env")

#: Other files that were named and read, for the reloader to watch.
named_files: set[str] = set()


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
        named_files.add(os.path.realpath(path))
    found: dict[str, str | None] = {}
    for file in files:
        # find_dotenv answers "" for no file, which dotenv_values would take for "search".
        if os.path.isfile(file):
            found |= dotenv.dotenv_values(file, encoding="utf-8")
    for name, value in found.items():
        if value is not None:
            os.environ.setdefault(name, value)
    return bool(found)


def prefer_brim_variables() -> None:
    """Let each ``BRIM_X`` of the environment stand for ``FLASK_X``, over one that is set.

    Click reads options from one prefix, and extensions know Flask's names only; so it is
    the environment that is brought in line, not each reader of it.
    """
    for name, value in list(os.environ.items()):
        if name.startswith("BRIM_"):
            os.environ[f"FLASK_{name.removeprefix('BRIM_')}"] = value


def framework_variables() -> dict[str, str]:
    """Return what is set of ``BRIM_*`` and ``FLASK_*``."""
    return {k: v for k, v in os.environ.items() if k.startswith(("BRIM_", "FLASK_"))}


def restore_variables(before: dict[str, str]) -> None:
    """Set ``BRIM_*`` and ``FLASK_*`` back to what :func:`framework_variables` returned."""
    for name in framework_variables().keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)
