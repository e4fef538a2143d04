"""``brim run``: reads the options of the development server and hands them to it.

What they do is in :mod:`~brim.devserver`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from .. import devserver
from ..commands import ScriptInfo, pass_script_info
from ..helpers import get_debug_flag
from ..options import CertParamType, SeparatedPathType, pair_key
from .app_options import debug_option

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ssl import SSLContext


@click.command(
    "run",
    short_help="Run a development server.",
    params=[debug_option],
    epilog=(
        "\b\n"
        "Examples:\n"
        "  brim run --debug                       while you write\n"
        "  brim --app shop.web:site run           an application that is elsewhere\n"
        "  brim run --port 0                      any free port; it is printed\n"
        "  brim run --host 0.0.0.0                for the whole network; never --debug\n"
        "  brim run --cert adhoc                  HTTPS, certificate for the occasion\n"
        "\n"
        "An application that is served to others is served with 'brim serve'."
    ),
)
@click.option("--host", "-h", default=devserver.DEFAULT_HOST, help="The interface to bind to.")
@click.option(
    "--port",
    "-p",
    type=click.IntRange(0, 65535),
    default=devserver.DEFAULT_PORT,
    help="The port to bind to; 0 for a free one.",
)
@click.option(
    "--cert",
    type=CertParamType(),
    is_eager=True,
    help="Serve HTTPS with this certificate: a file, 'adhoc', or an SSLContext to import.",
)
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    callback=pair_key,
    expose_value=False,
    help="The file with the certificate's key.",
)
@click.option(
    "--reload/--no-reload",
    default=None,
    help="Restart when a file changes; by default in debug mode.",
)
@click.option(
    "--debugger/--no-debugger",
    default=None,
    help="Show errors in an interactive debugger; by default in debug mode.",
)
@click.option(
    "--with-threads/--without-threads",
    default=True,
    help="Answer requests side by side, or one after the other.",
)
@click.option(
    "--extra-files",
    default=None,
    type=SeparatedPathType(),
    help=f"More files whose change restarts the server, separated by {os.pathsep!r}.",
)
@click.option(
    "--exclude-patterns",
    default=None,
    type=SeparatedPathType(),
    help=(
        "Patterns, as fnmatch has them, of files whose change doesn't restart the server,"
        f" separated by {os.pathsep!r}."
    ),
)
@pass_script_info
def run_command(
    info: ScriptInfo,
    host: str,
    port: int,
    reload: bool | None,
    debugger: bool | None,
    with_threads: bool,
    cert: SSLContext | tuple[str, str] | str | None,
    extra_files: Sequence[str] | None,
    exclude_patterns: Sequence[str] | None,
) -> None:
    """Serve the application on this machine while it is being developed.

    With --debug, the server restarts when a file changes, and errors are shown in an
    interactive debugger in the browser. It is not made for production.
    """
    debug = get_debug_flag()
    devserver.serve(
        info.load_app,
        info.app_import_path,
        host=host,
        port=port,
        debug=debug,
        use_reloader=debug if reload is None else reload,
        use_debugger=debug if debugger is None else debugger,
        threaded=with_threads,
        ssl_context=cert,
        extra_files=extra_files,
        exclude_patterns=exclude_patterns,
    )
