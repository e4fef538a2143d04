"""The group of commands: Brim's own, those of plugins, and the application's.

How a call is read and which command it means. What the commands do is in the files beside
this one; where the application is found, in :mod:`~brim.discovery`.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..commands import AppGroup, ScriptInfo
from ..ctx import has_app_context
from ..discovery import DEFAULT_FILES, NoAppException, format_user_error, likely_modules
from ..dotenv import framework_variables, prefer_brim_variables, restore_variables
from ..globals import current_app
from .app_options import app_option, debug_option, env_file_option, version_option
from .routes import routes_command
from .run import run_command
from .serve import serve_command
from .shell import shell_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.metadata import EntryPoint

    from ..typing import Flask

#: Where packages name commands that they add; the first wins.
PLUGIN_GROUPS = ("brim.commands", "flask.commands")

#: What the help ends with in a folder where there is nothing yet.
FIRST_STEPS = """\
There is no application here. To begin one, save this as app.py and type
'brim run --debug':

  from brim import Flask

  app = Flask(__name__)

  @app.get("/")
  def index():
      return "Hello, World!"
"""


class BrimGroup(AppGroup):
    """A command line for an application: its own beside ``run``, ``serve`` and the like.

    For a script of one's own, as in Flask, where it is called ``FlaskGroup``::

        @click.group(cls=BrimGroup, create_app=create_app)
        def cli():
            "Manages the wiki."

    ``add_default_commands``: have ``run``, ``serve``, ``shell`` and ``routes``.
    ``create_app``: makes the application, so that ``--app`` isn't needed.
    ``add_version_option``: have ``--version``. ``load_dotenv``: read ``.env`` and
    ``.flaskenv`` first. ``set_debug_flag``: set the application's debug mode from
    ``--debug`` and the environment. All else is ``click.Group``'s.

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
        params += [env_file_option, app_option, debug_option]
        if add_version_option:
            params.append(version_option)
        settings: dict[str, Any] = dict(extra.pop("context_settings", None) or {})
        settings.setdefault("auto_envvar_prefix", "FLASK")
        super().__init__(params=params, context_settings=settings, **extra)
        self.create_app = create_app
        self.load_dotenv = load_dotenv
        self.set_debug_flag = set_debug_flag
        self._defaults: dict[str, click.Command] = {}
        if add_default_commands:
            for command in (run_command, serve_command, shell_command, routes_command):
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
        """Read the arguments; the environment is as before when the context is closed.

        Where ``NO_COLOR`` is set, whatever is printed within the context has no colour.
        """
        before = framework_variables()
        # Tells app.run() in the user's module that it isn't asked for.
        os.environ["FLASK_RUN_FROM_CLI"] = "true"
        prefer_brim_variables()
        if os.environ.get("NO_COLOR") and "color" not in self.context_settings:
            extra.setdefault("color", False)
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
                for option in (env_file_option, app_option):
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

        In this order, save that a plugin may replace ``run``, ``serve``, ``shell`` and ``routes``.
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
        names = {*super().list_commands(ctx), *dict(_working_plugins())}
        try:
            app = _load_or_explain(ctx)
        except Exception as error:
            # Help must come in any case; what is missing in it is explained by this.
            if not ctx.resilient_parsing:
                click.secho(format_user_error(error), err=True, fg="red")
        else:
            names.update(app.cli.list_commands(ctx) if app is not None else ())
        return sorted(names)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the text below the commands; where there is no application, how to begin one."""
        super().format_epilog(ctx, formatter)
        if ctx.meta.get("brim.no_app") == "begin":
            formatter.write(f"\n{FIRST_STEPS}")

    def _load_plugin_commands(self) -> None:
        # Of Flask's: extensions call it before they look among a group's own commands.
        for name, command in _working_plugins():
            self.add_command(command, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command to run; for a name that isn't one, say which was meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            text = error.format_message()
            close = get_close_matches(args[0], self.list_commands(ctx), 1)
            if close and repr(close[0]) not in text:
                raise click.UsageError(f"{text} Did you mean {close[0]!r}?", ctx) from None
            if not close and "brim.no_app" in ctx.meta:
                text += " Those of an application are known once it is found: name it with '--app'."
                raise click.UsageError(text, ctx) from None
            raise


def _load_or_explain(ctx: click.Context) -> Flask | None:
    """Return the application; where there is none, say so, once a call, and return ``None``."""
    if "brim.no_app" in ctx.meta:
        return None
    info = ctx.ensure_object(ScriptInfo)
    try:
        return info.load_app()
    except NoAppException as error:
        begin = _nothing_here(info)
        ctx.meta["brim.no_app"] = "begin" if begin else "error"
        # A shell that completes a word shows all that is printed.
        if not ctx.resilient_parsing:
            prefix, color = ("", None) if begin else ("Error: ", "red")
            click.secho(f"{prefix}{error.format_message()}\n", err=True, fg=color)
        return None


def _nothing_here(info: ScriptInfo) -> bool:
    """Whether no application was asked for, and no file here looks like one."""
    asked = info.create_app is not None or info.app_import_path
    here = Path.cwd()
    return not (
        asked or any((here / file).exists() for file in DEFAULT_FILES) or likely_modules(here)
    )


def _plugins() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for group in PLUGIN_GROUPS:
        for entry in entry_points(group=group):
            found.setdefault(entry.name, entry)
    return found


def _working_plugins() -> Iterable[tuple[str, click.Command]]:
    for name, entry in _plugins().items():
        try:
            command: click.Command = entry.load()
        except Exception as error:
            click.secho(
                f"The command {name!r} of the plugin '{entry.value}' can't be loaded:"
                f" {type(error).__name__}: {error}",
                err=True,
                fg="red",
            )
        else:
            yield name, command
