"""What is said when serving begins: what is served, where, and how."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from .inspection import Findings
    from .settings import Settings


def show_settings(settings: Settings, name: str | None, found: Findings) -> None:
    """Print what is about to be served; the address follows when it is."""
    click.echo(f" * Serving Brim app {name or found.name!r}")
    rows: list[tuple[str, str]] = []
    if found.file:
        rows.append(("App", _short_path(found.file)))
    rows.append(("Interface", f"{found.interface}: {found.reason}"))
    rows.append(("Workers", _workers(settings, found.interface)))
    rows.append(("TLS", _tls(settings)))
    for route, folder in settings.static:
        rows.append(("Static", f"{route} from {folder}"))
    for title, text in rows:
        click.echo(f"   {title:<10}{text}")
    for problem in found.problems:
        click.secho(f"   {'Check':<10}{problem}", fg="yellow")


def show_url(url: str) -> None:
    """Print the address, now that requests are answered there."""
    click.echo(f" * Running on {url} (process {os.getpid()}; Ctrl-C ends it)")


def _workers(settings: Settings, interface: str) -> str:
    count = settings.worker_count
    text = f"{count} process{'es' if count != 1 else ''}"
    many = f"up to {settings.threads} threads" if settings.threads != 1 else "1 thread"
    if interface == "wsgi":
        return f"{text}, {many} each"
    return f"{text}, an event loop and {many} for sync functions each"


def _tls(settings: Settings) -> str:
    protocols = {"auto": "HTTP/1.1 and HTTP/2", "1": "HTTP/1.1", "2": "HTTP/2"}[settings.http]
    return f"{settings.cert} ({protocols})" if settings.cert else f"off ({protocols})"


def _short_path(file: str) -> str:
    below = os.path.join(os.path.realpath(os.getcwd()), "")
    return os.path.realpath(file).removeprefix(below)
