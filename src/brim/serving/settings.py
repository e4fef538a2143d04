"""What can be set of the server, and what of it stands in ``pyproject.toml``.

Values are checked here as far as that needs nothing but the value and the file that it names.
Defaults are the command's (:mod:`brim.cli.serve`), which has flags win over environment
variables, these over the file, and the file over them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:
    from collections.abc import Collection

#: Where settings of a project are read from, in the working directory.
PROJECT_FILE = "pyproject.toml"
#: Connections of one worker that are never too many, whatever the limit on open files.
FEWEST_CONNECTIONS = 256
#: More of them than this would only queue for Python.
MOST_CONNECTIONS = 8192

#: What a line for a request can have, by example.
LOG_SAMPLE: dict[str, object] = {
    "addr": "127.0.0.1:49152",
    "time": "2026-01-31 12:00:00 +0000",
    "dt_ms": 1.5,
    "status": 200,
    "method": "GET",
    "path": "/",
    "query_string": "",
    "scheme": "http",
    "protocol": "1.1",
}

#: Why debug mode is refused, and what to do.
DEBUG = (
    "Debug mode is on, which 'brim serve' refuses: errors would show visitors the source code."
    " {where}. Turn it off: no --debug, FLASK_DEBUG and BRIM_DEBUG unset or 0, and"
    " 'app.debug = True' nowhere but below 'if __name__ == \"__main__\":'. While you write,"
    " use 'brim run --debug'."
)


@dataclass(frozen=True)
class Settings:
    """How to serve; what each setting means is said by ``brim serve --help``."""

    host: str
    port: int
    unix_socket: Path | None
    unix_socket_mode: int | None
    workers: int | None
    threads: int
    interface: str
    cert: Path | None
    key: Path | None
    http: str
    access_log: bool
    access_log_format: str | None
    static: tuple[tuple[str, Path], ...]
    static_max_age: int
    log_level: str
    graceful_timeout: float
    backlog: int
    connections: int | None

    @property
    def worker_count(self) -> int:
        return self.workers or usable_cores()

    @property
    def connections_per_worker(self) -> int:
        """How many connections a worker holds at a time; more wait in the kernel's queue.

        They are cheap, and one that is slow to send must not keep others out: half as many
        as the process may open files, as a request may open some too.
        """
        if self.connections is not None:
            return self.connections
        return min(max(_open_files() // 2, FEWEST_CONNECTIONS), MOST_CONNECTIONS)

    def check_files(self) -> None:
        """Raise ``click.UsageError`` for what Granian would meet only in its workers."""
        if self.access_log_format is not None:
            _check_format(self.access_log_format)
        if (self.cert is None) != (self.key is None):
            have, lack = ("--cert", "--key") if self.key is None else ("--key", "--cert")
            raise click.UsageError(f"{have!r} is given without {lack!r}. HTTPS needs both files.")
        if self.cert is not None and self.key is not None:
            _check_pair(self.cert, self.key)
        if self.http == "2" and self.cert is None:
            # Prior knowledge alone; legal, and so not an error.
            click.secho(
                "HTTP/2 without TLS is spoken by proxies that are told so; no browser does.",
                fg="yellow",
                err=True,
            )
        if error := self.published(Path.cwd(), "the working directory"):
            raise click.UsageError(error)

    def published(self, path: Path, what: str) -> str:
        """Say that a folder of ``--static`` would publish a path, or nothing.

        Source code and ``.env`` files stand where the application does.
        """
        for route, folder in self.static:
            if path.resolve().is_relative_to(folder):
                return (
                    f"--static {route}={folder} would show everybody {what} ({path}): source"
                    " code, and the secrets of files such as '.env'. Move what is to be served"
                    f" to a folder of its own, as 'static', and name that: --static"
                    f" {route}=static."
                )
        return ""


def usable_cores() -> int:
    """How many cores this process may use: its affinity, and a container's quota."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        cores = os.cpu_count() or 1
    try:
        # cgroup v2: "max 100000" or "150000 100000", microseconds a period.
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        cores = min(cores, ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass
    return max(cores, 1)


def _open_files() -> int:
    import resource  # POSIX only, as all that serves is

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS * 2 if soft == resource.RLIM_INFINITY else soft


def _check_format(text: str) -> None:
    # Else every request would have a traceback in the log. Headers can have any name.
    line = re.sub(r"%\(header\{[^}]+\}\)s", "%(addr)s", text)
    try:
        _ = line % LOG_SAMPLE
    except (KeyError, TypeError, ValueError) as error:
        why = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        names = ", ".join(f"%({name}){_form(LOG_SAMPLE[name])}" for name in LOG_SAMPLE)
        raise click.UsageError(
            f"--access-log-format {text!r} can't be used: {why}. It can have {names} and"
            " %(header{name})s; a percent sign is written %%."
        ) from None


def _form(value: object) -> str:
    if isinstance(value, int):
        return "d"
    return ".3f" if isinstance(value, float) else "s"


def _check_pair(cert: Path, key: Path) -> None:
    import ssl  # slow to load, and Python can be built without it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def no_password() -> str:
        # Else OpenSSL would ask for it on the terminal, and in every worker again.
        raise click.UsageError(
            f"The key {str(key)!r} is encrypted. Take one without a password, which only the"
            " server's user can read: openssl pkey -in KEY -out PLAIN."
        )

    try:
        context.load_cert_chain(cert, key, no_password)
    except (OSError, ssl.SSLError) as error:
        raise click.UsageError(
            f"No certificate with its key can be read from {str(cert)!r} and {str(key)!r}:"
            f" {error.strerror or error}. Both have to be PEM files, and belong together."
        ) from None


# pyproject.toml -----------------------------------------------------------------------


def read_settings(folder: Path, known: Collection[str]) -> dict[str, Any]:
    """Return ``[tool.brim.serve]`` of a folder's ``pyproject.toml``; empty without one.

    Names may be written with ``-`` or ``_``, and are returned with ``_``. ``known`` are all
    that there are. Values are returned as text, as a flag has them, so that the command's
    types refuse ``2.5`` and ``true`` for a number. Raises ``click.UsageError`` for a file
    that is not TOML, a table that is none, an unknown name, and a list, a table or a date
    where a single value belongs.
    """
    import tomllib  # no other command reads it

    file = folder / PROJECT_FILE
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{file} can't be read: {error}.") from None
    table: dict[str, Any] = document
    for part in ("tool", "brim", "serve"):
        inner: Any = table.get(part, {})
        if not isinstance(inner, dict):
            raise click.UsageError(f"[tool.brim.serve] in {file} is not a table.")
        table = cast("dict[str, Any]", inner)
    found: dict[str, Any] = {}
    for name, value in table.items():
        key = name.replace("-", "_")
        if key not in known:
            names = [each.replace("_", "-") for each in sorted(known)]
            close = get_close_matches(name.replace("_", "-"), names, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"There is {', '.join(names)}."
            raise click.UsageError(
                f"Unknown setting {name!r} in [tool.brim.serve] of {file}. {hint}"
            )
        given = _mounts(value) if key == "static" else _text(value)
        if given is None:
            kind = _MOUNTS if key == "static" else "a string, a number, true or false"
            raise click.UsageError(
                f"{name!r} in [tool.brim.serve] of {file} is {value!r}. It has to be {kind}."
            )
        found[key] = given
    return found


def _text(value: object) -> str | None:
    """Return a single value as a flag would have it; None for what is none."""
    return str(value) if isinstance(value, (str, int, float)) else None


#: What can be said of ``static``.
_MOUNTS = 'a table, as { "/static" = "shop/static" }, or a list of strings "/route=folder"'


def _mounts(value: object) -> list[str] | None:
    """Return what each ``--static`` would say; None if the value can't be read so."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        mounts = cast("dict[str, object]", value)
        if all(isinstance(folder, str) for folder in mounts.values()):
            return [f"{route}={folder}" for route, folder in mounts.items()]
    if isinstance(value, list):
        listed = cast("list[object]", value)
        texts = [each for each in listed if isinstance(each, str)]
        return texts if len(texts) == len(listed) else None
    return None
