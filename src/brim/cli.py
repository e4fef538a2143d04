"""The ``brim`` command: ``run``, ``shell``, ``routes``, and what an application adds.

Options are read and handed on here; what they do is in :mod:`~brim.discovery`,
:mod:`~brim.devserver` and :mod:`~brim.commands`. All that ``flask.cli`` offers can be
imported from here.
"""

from __future__ import annotations

import code
import os
import platform
import sys
from difflib import get_close_matches
from importlib.metadata import entry_points, version
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from . import __brim_version__, __version__, devserver
from .commands import AppGroup, ScriptInfo, pass_script_info, with_appcontext
from .ctx import has_app_context
from .devserver import show_server_banner
from .discovery import (
    AppImportError,
    NoAppException,
    find_app_by_string,
    find_best_app,
    format_user_error,
    locate_app,
    prepare_import,
)
from .dotenv import framework_variables, load_dotenv, prefer_brim_variables, restore_variables
from .globals import current_app
from .helpers import get_debug_flag, get_load_dotenv
from .options import CertParamType, SeparatedPathType, pair_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.metadata import EntryPoint
    from ssl import SSLContext

    from werkzeug.routing import Rule

    from .typing import Flask

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

#: Where packages name commands that they add; the first wins.
PLUGIN_GROUPS = ("brim.commands", "flask.commands")


# Options of every command ------------------------------------------------------------


def get_version(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Print the versions that matter and end; the callback of ``--version``."""
    if not value or ctx.resilient_parsing:
        return
    click.echo(
        f"Python {platform.python_version()}\n"
        f"Brim {__brim_version__}\n"
        f"Flask {__version__} (the API that Brim answers to)\n"
        f"Werkzeug {version('werkzeug')}",
        color=ctx.color,
    )
    ctx.exit()


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


def _set_debug(ctx: click.Context, param: click.Parameter, value: bool) -> bool | None:
    source = ctx.get_parameter_source("debug")
    if source in {ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP, None}:
        return None
    # By the environment, so that a factory sees it, and the process the reloader starts.
    os.environ.pop("BRIM_DEBUG", None)
    os.environ["FLASK_DEBUG"] = "1" if value else "0"
    return value


# Eager, as they decide what commands there are; the file goes first, as it may name the app.
_env_file_option = click.Option(
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
_app_option = click.Option(
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
)
_debug_option = click.Option(
    ["--debug/--no-debug"],
    help="Turn debug mode on or off.",
    expose_value=False,
    callback=_set_debug,
)
_version_option = click.Option(
    ["--version"],
    help="Show the versions of Brim and what it stands on.",
    expose_value=False,
    callback=get_version,
    is_flag=True,
    is_eager=True,
)


# The group ---------------------------------------------------------------------------


class BrimGroup(AppGroup):
    """A command line for an application: its own commands beside ``run``, ``shell``, ``routes``.

    For a script of one's own, as in Flask, where it is called ``FlaskGroup``::

        @click.group(cls=BrimGroup, create_app=create_app)
        def cli():
            "Manages the wiki."

    ``add_default_commands``: have ``run``, ``shell`` and ``routes``. ``create_app``: makes
    the application, so that ``--app`` isn't needed. ``add_version_option``: have
    ``--version``. ``load_dotenv``: read ``.env`` and ``.flaskenv`` first.
    ``set_debug_flag``: set the application's debug mode from ``--debug`` and the
    environment. All else is ``click.Group``'s.

    Options can be given by environment variables: ``FLASK_RUN_PORT``, or
    ``BRIM_RUN_PORT``, which wins, for the option ``--port`` of ``run``.
    """

    def __init__(
        self,
        add_default_commands: bool = True,
        create_app: Callable[..., Flask] | None = None,
        add_version_option: bool = True,
        load_dotenv: bool = True,
        set_debug_flag: bool = True,
        **extra: Any,
    ) -> None:
        params: list[click.Parameter] = list(extra.pop("params", None) or ())
        params += [_env_file_option, _app_option, _debug_option]
        if add_version_option:
            params.append(_version_option)
        settings: dict[str, Any] = dict(extra.pop("context_settings", None) or {})
        settings.setdefault("auto_envvar_prefix", "FLASK")
        super().__init__(params=params, context_settings=settings, **extra)
        self.create_app = create_app
        self.load_dotenv = load_dotenv
        self.set_debug_flag = set_debug_flag
        self._defaults: dict[str, click.Command] = {}
        if add_default_commands:
            for command in (run_command, shell_command, routes_command):
                self.add_command(command)
                self._defaults[str(command.name)] = command

    # How a call is read ---------------------------------------------------------------

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the arguments; the environment is as before when the context is closed."""
        before = framework_variables()
        # Tells app.run() in the user's module that it isn't asked for.
        os.environ["FLASK_RUN_FROM_CLI"] = "true"
        prefer_brim_variables()
        if "obj" not in extra and "obj" not in self.context_settings:
            extra["obj"] = ScriptInfo(
                create_app=self.create_app,
                set_debug_flag=self.set_debug_flag,
                load_dotenv_defaults=self.load_dotenv,
            )
        try:
            ctx = super().make_context(info_name, args, parent, **extra)
        except BaseException:
            restore_variables(before)
            raise
        ctx.call_on_close(lambda: restore_variables(before))
        return ctx

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read ``--env-file`` and ``--app`` before anything shows the help.

        The help lists the application's commands, so it has to know the application,
        also where an environment variable names it or ``--help`` stands first.
        """
        help_option = self.get_help_option(ctx)
        if not args or set(args).intersection(ctx.help_option_names):
            given, _, _ = self.make_parser(ctx).parse_args(list(args))
            if not args or (help_option is not None and given.get(str(help_option.name))):
                for option in (_env_file_option, _app_option):
                    option.handle_parse_result(ctx, given, [])
        try:
            return super().parse_args(ctx, args)
        except BaseException:
            # The help has pushed the application's context, and ends the call by raising.
            ctx.close()
            raise

    # Which commands there are ---------------------------------------------------------

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of this group's, a plugin's or the application's.

        In this order, save that a plugin may replace ``run``, ``shell`` and ``routes``.
        The application is loaded only if the first two don't have the command.
        """
        own = super().get_command(ctx, cmd_name)
        if own is not None and own is not self._defaults.get(cmd_name):
            return own
        plugin = _plugins().get(cmd_name)
        if plugin is not None:
            loaded: click.Command = plugin.load()
            return loaded
        if own is not None:
            return own
        app = _load_or_explain(ctx)
        if app is None:
            return None
        # Already for the command's parameters, whose callbacks may need it.
        if not has_app_context() or current_app != app:
            ctx.with_resource(app.app_context())
        return app.cli.get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands; what can't be loaded is said on stderr."""
        names = {*super().list_commands(ctx), *_working_plugins()}
        try:
            app = _load_or_explain(ctx)
        except Exception as error:
            # Help must come in any case; what is missing in it is explained by this.
            click.secho(format_user_error(error), err=True, fg="red")
        else:
            names.update(app.cli.list_commands(ctx) if app is not None else ())
        return sorted(names)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command to run; for a name that isn't one, say which was meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            text = error.format_message()
            close = get_close_matches(args[0], self.list_commands(ctx), 1)
            if not close or repr(close[0]) in text:
                raise
            raise click.UsageError(f"{text} Did you mean {close[0]!r}?", ctx) from None


#: The name that Flask has for it.
FlaskGroup = BrimGroup


def _load_or_explain(ctx: click.Context) -> Flask | None:
    """Return the application; where there is none, say so, once a call, and return ``None``."""
    if "brim.no_app" in ctx.meta:
        return None
    try:
        return ctx.ensure_object(ScriptInfo).load_app()
    except NoAppException as error:
        ctx.meta["brim.no_app"] = True
        click.secho(f"Error: {error.format_message()}\n", err=True, fg="red")
        return None


def _plugins() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for group in PLUGIN_GROUPS:
        for entry in entry_points(group=group):
            found.setdefault(entry.name, entry)
    return found


def _working_plugins() -> Iterable[str]:
    for name, entry in _plugins().items():
        try:
            entry.load()
        except Exception as error:
            click.secho(
                f"The command {name!r} of the plugin '{entry.value}' can't be loaded:"
                f" {type(error).__name__}: {error}",
                err=True,
                fg="red",
            )
        else:
            yield name


# run ---------------------------------------------------------------------------------


@click.command("run", short_help="Run a development server.", params=[_debug_option])
@click.option("--host", "-h", default=devserver.DEFAULT_HOST, help="The interface to bind to.")
@click.option(
    "--port", "-p", default=devserver.DEFAULT_PORT, help="The port to bind to; 0 for a free one."
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


# shell -------------------------------------------------------------------------------


@click.command("shell", short_help="Run a Python shell in the app context.")
@with_appcontext
def shell_command() -> None:
    """Open an interactive Python shell in the application's context.

    'app' and 'g' are there, and what the application's shell context processors add. The
    file that PYTHONSTARTUP names is run first.
    """
    names: dict[str, Any] = {}
    startup = os.environ.get("PYTHONSTARTUP")
    if startup and os.path.isfile(startup):
        with open(startup, "rb") as file:
            exec(compile(file.read(), startup, "exec"), names)  # noqa: S102 -- its purpose
    names.update(current_app.make_shell_context())
    _set_up_line_editing(names)
    code.interact(
        banner=(
            f"Python {sys.version} on {sys.platform}\n"
            f"App: {current_app.import_name}\n"
            f"Instance: {current_app.instance_path}"
        ),
        local=names,
    )


def _set_up_line_editing(names: dict[str, Any]) -> None:
    """Have history and completion as Python's own prompt has, over the shell's names."""
    set_up = getattr(sys, "__interactivehook__", None)
    if set_up is None:
        return
    try:
        # Not on every platform.
        import readline
        from rlcompleter import Completer
    except ImportError:
        pass
    else:
        readline.set_completer(Completer(names).complete)
    set_up()


# routes ------------------------------------------------------------------------------


@click.command("routes", short_help="Show the routes for the app.")
@click.option(
    "--sort",
    "-s",
    type=click.Choice(("endpoint", "methods", "domain", "rule", "match")),
    default="endpoint",
    help="What to sort by; 'match' is the order in which rules are tried.",
)
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS too.")
@with_appcontext
def routes_command(sort: str, all_methods: bool) -> None:
    """Show each route of the application: endpoint, methods, domain and rule."""
    rules = list(current_app.url_map.iter_rules())
    if not rules:
        click.echo("No routes were registered.")
        return
    hidden = set[str]() if all_methods else {"HEAD", "OPTIONS"}
    host_matching = current_app.url_map.host_matching

    def methods(rule: Rule) -> list[str]:
        # A rule for WebSockets or one that takes all methods has none.
        return sorted((rule.methods or set()) - hidden)

    def domain(rule: Rule) -> str:
        return (rule.host if host_matching else rule.subdomain) or ""

    keys: dict[str, Callable[[Rule], Any]] = {
        "endpoint": attrgetter("endpoint"),
        "methods": methods,
        "domain": domain,
        "rule": attrgetter("rule"),
    }
    if sort in keys:
        rules.sort(key=keys[sort])

    header = ["Endpoint", "Methods", "Host" if host_matching else "Subdomain", "Rule"]
    rows = [
        [
            str(rule.endpoint),
            "WEBSOCKET" if rule.websocket else ", ".join(methods(rule)),
            domain(rule),
            rule.rule,
        ]
        for rule in rules
    ]
    if not any(row[2] for row in rows):
        for row in (header, *rows):
            del row[2]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, ["-" * width for width in widths], *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


# The program -------------------------------------------------------------------------

cli = BrimGroup(
    name="brim",
    help=(
        "Runs a Flask application and shows what is in it.\n\n"
        "The application is found in app.py or wsgi.py here, or where --app or the"
        " environment variable FLASK_APP or BRIM_APP says. Its own commands are listed"
        " below with the others."
    ),
    epilog=(
        "\b\n"
        "Examples:\n"
        "  brim run --debug                       app.py; restarts when a file changes\n"
        "  brim --app hello run                   hello.py, or the package hello\n"
        "  brim --app examples/hello run          a file in another folder\n"
        "  brim --app shop.web:site routes        the application 'site' of a module\n"
        "  brim --app 'shop:make(\"dev\")' shell    what a factory returns\n"
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
        from . import as_flask  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        # Something imported Flask before the command began, and the error says what.
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    try:
        cli.main()
    except Exception as error:
        click.echo(format_user_error(error), err=True, nl=False)
        sys.exit(1)
