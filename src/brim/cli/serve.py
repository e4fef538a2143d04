"""``brim serve``: reads the options of the production server and hands them to it.

What they do is in :mod:`~brim.serving`.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .. import serving
from ..commands import ScriptInfo, pass_script_info
from ..helpers import get_debug_flag
from .app_options import debug_option

if TYPE_CHECKING:
    from ..typing import Flask


class ServeCommand(click.Command):
    """Takes what no flag and no variable says from ``[tool.brim.serve]``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {param.name for param in self.params if param.name not in {None, "debug"}}
        found = serving.read_settings(Path.cwd(), {str(name) for name in known})
        ctx.meta["brim.serve_app"] = found.pop("app", None)
        ctx.default_map = {**found, **(ctx.default_map or {})}
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            name = error.param.name if error.param is not None else None
            if name is not None and ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP:
                text = f"{error.message} It stands in [tool.brim.serve] of {serving.PROJECT_FILE}."
                raise click.BadParameter(text, ctx, error.param) from None
            raise


class Mount(click.ParamType):  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]
    """The value of ``--static``: ``/route=folder``."""

    name = "route=folder"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        """Return the route, which begins with a slash, and the folder, which is there."""
        if isinstance(value, tuple):
            return value  # pyright: ignore[reportUnknownVariableType]
        route, equals, folder = str(value).partition("=")
        if not (equals and route.startswith("/") and folder):
            text = f"{value!r} isn't of the form /route=folder, as /static=shop/static."
            self.fail(text, param, ctx)
        path = Path(folder).resolve()
        if not path.is_dir():
            self.fail(f"There is no folder {folder!r}.", param, ctx)
        return route.rstrip("/") or "/", path


class Octal(click.ParamType):  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]
    """File permissions, as ``chmod`` takes them."""

    name = "octal"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        try:
            mode = int(str(value), 8)
        except ValueError:
            mode = -1
        if not 0 <= mode <= 0o777:
            self.fail(f"{value!r} is no file mode; write it as chmod does: 660.", param, ctx)
        return mode


#: A file that is there, and that this user can read.
_FILE: click.Path = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.command(
    "serve",
    cls=ServeCommand,
    short_help="Serve the application in production.",
    params=[debug_option],
    epilog=(
        "\b\n"
        "Examples:\n"
        "  brim serve                             app.py or wsgi.py, a worker per core\n"
        "  brim serve shop.web:site --workers 4   an application that is elsewhere\n"
        "  brim serve 'shop:make(\"prod\")'         what a factory returns\n"
        "  brim serve --unix-socket /run/shop.sock    behind a proxy on this machine\n"
        "  brim serve --cert cert.pem --key key.pem --host 0.0.0.0 --port 443\n"
        "\n"
        "\b\n"
        "Signals, to the process that is printed at the start:\n"
        "  TERM, INT    answer what was accepted, then end; a second one: end at once\n"
        "  HUP          load the application anew, without losing a request\n"
        "\n"
        "Each option can stand in the environment, as BRIM_SERVE_WORKERS=4, and in"
        " pyproject.toml, as 'workers = 4' below [tool.brim.serve]; APP too, as BRIM_SERVE_APP"
        " and 'app'. A flag wins over the environment, and that over the file."
    ),
)
# Click names no variable for an argument by itself. The group lets BRIM_ stand for FLASK_.
@click.argument("app", required=False, envvar="FLASK_SERVE_APP")
@click.option("--host", "-h", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    "-p",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port to listen on; 0 for a free one.",
)
@click.option(
    "--unix-socket",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Listen on this Unix socket instead.",
)
@click.option(
    "--unix-socket-mode", type=Octal(), help="Who may connect to it, as 660; by default umask's."
)
@click.option(
    "--workers",
    "-w",
    type=click.IntRange(1),
    help="How many processes; by default as many as cores can be used.",
)
@click.option(
    "--threads",
    "-t",
    type=click.IntRange(1),
    # The other servers' variable for the same threads, where there is none of the command's.
    envvar=["FLASK_SERVE_THREADS", "BRIM_THREADS"],
    default=128,
    show_default=True,
    help="How many sync functions a worker runs at a time. Threads are started when needed.",
)
@click.option(
    "--interface",
    type=click.Choice(["auto", "wsgi", "asgi"]),
    default="auto",
    show_default=True,
    help="How requests reach the application; 'auto' looks at what is in it, and says why.",
)
@click.option(
    "--cert", type=_FILE, help="Serve HTTPS with this certificate, a PEM file with its chain."
)
@click.option("--key", type=_FILE, help="The certificate's key, a PEM file without a password.")
@click.option(
    "--http",
    type=click.Choice(["auto", "1", "2"]),
    default="auto",
    show_default=True,
    help="Speak HTTP/1.1, HTTP/2, or whichever the client prefers.",
)
@click.option(
    "--access-log/--no-access-log",
    default=False,
    help="Print a line for each request; none for --static's files.",
)
@click.option(
    "--access-log-format",
    help=(
        "Its form, with %(addr)s, %(time)s, %(dt_ms).3f, %(status)d, %(method)s, %(path)s,"
        " %(query_string)s, %(scheme)s, %(protocol)s and %(header{name})s."
    ),
)
@click.option(
    "--static",
    type=Mount(),
    multiple=True,
    help="Serve the files of a folder without the application: /route=folder. Repeatable.",
)
@click.option(
    "--static-max-age",
    type=click.IntRange(0),
    default=0,
    help="How many seconds browsers keep them; by default they ask again.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error", "critical"]),
    default="info",
    show_default=True,
    help="What the server itself logs, to stderr.",
)
@click.option(
    "--graceful-timeout",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="How many seconds a worker that ends has for what it has accepted.",
)
@click.option(
    "--backlog",
    type=click.IntRange(1),
    default=1024,
    show_default=True,
    help="How many connections the kernel keeps waiting.",
)
@click.option(
    "--connections",
    type=click.IntRange(1),
    help="How many a worker holds; by default half of what 'ulimit -n' says, at most 8192.",
)
@pass_script_info
def serve_command(info: ScriptInfo, /, app: str | None, **given: Any) -> None:
    """Serve the application APP in production, on Granian.

    APP is 'module:name', as for 'brim --app'; without it, the application is found as for the
    other commands. There is a process for each core, which is replaced when it dies; SIGTERM
    and SIGHUP lose no request. Debug mode is refused. It needs: pip install "brim[serve]".
    """
    ctx = click.get_current_context()
    if get_debug_flag():
        raise click.ClickException(
            serving.DEBUG.format(where="--debug, FLASK_DEBUG or BRIM_DEBUG turns it on")
        )
    path = _path(ctx, app, info.app_import_path) or ctx.meta["brim.serve_app"]
    # Its own debug mode is looked at, so it isn't to be set.
    source = ScriptInfo(path, create_app=None if path else info.create_app, set_debug_flag=False)
    load = partial(_load, source, "brim.as_flask" in sys.modules)
    sys.stdout.flush()
    status = serving.serve(load, path, serving.Settings(**given))
    # Threads of Granian's are no reason to wait.
    ctx.exit(status)


def _path(ctx: click.Context, app: str | None, of_group: str | None) -> str | None:
    """Return the first of: APP, --app, BRIM_SERVE_APP, BRIM_APP."""
    if of_group is not None and ctx.parent is not None:
        by_flag = ctx.parent.get_parameter_source("app") is ParameterSource.COMMANDLINE
        if by_flag and ctx.get_parameter_source("app") is not ParameterSource.COMMANDLINE:
            return of_group
    return app or of_group


def _load(source: ScriptInfo, alias: bool) -> Flask:
    """Load the application, in a process of its own: forked from this one, or started anew."""
    os.environ["FLASK_RUN_FROM_CLI"] = "true"
    if alias:
        # Where the process is not forked, it is without.
        from .. import as_flask  # noqa: F401  # pyright: ignore[reportUnusedImport]
    return source.load_app()
