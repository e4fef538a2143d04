"""The listening socket: bound once, before any worker starts, and shared by all of them.

Granian would have every worker bind a socket of its own with ``SO_REUSEPORT``. The kernel
then deals connections out to the sockets, and those that a worker has not accepted yet are
reset when it ends; and a port that another of the user's servers listens on seems free. One
socket that outlives its workers has neither trouble.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from .settings import Settings


def bind(settings: Settings) -> socket.socket:
    """Return a socket that listens. Raises ``click.UsageError``.

    Who connects before a worker is there waits in its queue.
    """
    if settings.unix_socket is not None:
        return _bind_unix(settings.unix_socket, settings.unix_socket_mode, settings.backlog)
    return _bind_tcp(settings.host, settings.port, settings.backlog)


def url_of(bound: socket.socket, tls: bool) -> str:
    """Where the application is, as one would type it."""
    if bound.family == socket.AF_UNIX:
        return f"unix:{bound.getsockname()}"
    host, port = bound.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{host}:{port}"


def remove(bound: socket.socket, path: Path | None) -> None:
    """Close the socket; remove its file, unless another server has put one there since."""
    bound.close()
    if path is None:
        return
    with suppress(OSError):
        if stat.S_ISSOCK(path.stat().st_mode) and not _is_served(path):
            path.unlink()


def _bind_tcp(host: str, port: int, backlog: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise click.UsageError(
            f"{host!r} is no address of this machine: {error}. '--host 0.0.0.0' listens on all"
            " of its IPv4 addresses, '--host 127.0.0.1' to programs on it alone."
        ) from None
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it: small answers are not held back.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET6 and host == "::":
            # All addresses of both families, whatever the system's default is.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(address)
        # With SO_REUSEADDR, another server may be found out about as late as here.
        bound.listen(backlog)
    except OSError as error:
        bound.close()
        raise click.UsageError(_why_not(error, host, port)) from None
    return bound


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else port - 1
        return (
            f"Port {port} is in use by another program. Stop that one, or take another port:"
            f" --port {other}."
        )
    if error.errno == errno.EACCES:
        return (
            f"Port {port} is for programs of the system administrator. Take one above 1023"
            " and have a proxy listen on this one."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{host!r} is no address of this machine. '--host 0.0.0.0' listens on all of its"
            " IPv4 addresses, '--host 127.0.0.1' to programs on it alone."
        )
    return f"Can't listen on {host!r}, port {port}: {error.strerror}."


def _bind_unix(path: Path, mode: int | None, backlog: int) -> socket.socket:
    _clear(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(str(path))
        if mode is not None:
            os.chmod(path, mode)
        bound.listen(backlog)
    except OSError as error:
        bound.close()
        raise click.UsageError(
            f"Can't listen on the Unix socket {str(path)!r}: {error.strerror or error}."
            " Its folder has to exist and be writable."
        ) from None
    return bound


def _clear(path: Path) -> None:
    """Remove the socket of a server that was killed; refuse to touch anything else."""
    try:
        kind = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(kind):
        raise click.UsageError(
            f"{str(path)!r} is there and is no socket. Move it away, or name another file."
        )
    if _is_served(path):
        raise click.UsageError(
            f"Another program listens on the Unix socket {str(path)!r}. Stop that one, or name"
            " another file."
        )
    with suppress(OSError):
        path.unlink()


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # a full queue, no permission: somebody is there
        return True
