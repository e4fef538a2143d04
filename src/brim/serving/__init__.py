"""The production server: Granian's workers, and a supervisor of our own over them.

Granian speaks HTTP and calls the application; which processes do that, since when and until
when, is decided here, so that no request is lost when they come and go. What the application
does with a request is not known in this folder.

- ``settings``: what can be set, and ``[tool.brim.serve]`` of ``pyproject.toml``
- ``inspection``: loads the application in a process of its own: can it be served, and how
- ``sockets``: the listening socket, which the supervisor keeps and all workers share
- ``worker``: what a worker process does: signals, loading, telling that it is ready
- ``factory``: the one place that knows how Granian makes a worker
- ``supervisor``: starts workers, replaces them, stops them; signals
- ``banner``: what is printed at the start

Granian is imported when it is started: it is the extra ``serve``, and no other program needs it.
"""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import click

from .settings import DEBUG, PROJECT_FILE, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import Flask

__all__ = ["DEBUG", "PROJECT_FILE", "Settings", "read_settings", "serve"]

#: The oldest Granian whose workers are known, and the first that isn't.
VERSIONS = (2, 8), (3, 0)
#: How to get what is missing.
INSTALL = 'pip install "brim[serve]"'


def is_posix() -> bool:
    return os.name == "posix"


def serve(load: Callable[[], Flask], name: str | None, settings: Settings) -> int:
    """Serve an application until it is told to stop; return the exit status.

    ``load`` is called in every worker; where processes are not forked, it has to be
    picklable. ``name`` is what to call the application; by default its own name. Raises
    ``click.ClickException`` where the settings can't be served: Granian is missing, the
    address is taken, a file can't be read.
    """
    if not is_posix():
        raise click.UsageError(
            "'brim serve' needs a POSIX system: its workers are told by signals to finish, and"
            " share one socket. On Windows, serve with Waitress: pip install waitress, then"
            " waitress-serve --listen=127.0.0.1:8000 wsgi:app."
        )
    _check_version()
    settings.check_files()
    from .supervisor import Supervisor  # loads Granian

    return Supervisor(load, name, settings).run()


def _check_version() -> None:
    try:
        found = version("granian")
    except PackageNotFoundError:
        raise click.ClickException(
            f"'brim serve' runs on Granian, which is not installed. Install it: {INSTALL}"
        ) from None
    oldest, too_new = VERSIONS
    if not oldest <= tuple(int(part) for part in found.split(".")[:2]) < too_new:
        raise click.ClickException(
            f"Granian {found} is installed, and 'brim serve' needs {'.'.join(map(str, oldest))}"
            f" or newer, below {too_new[0]}. Install one: {INSTALL}"
        )
