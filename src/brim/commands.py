"""What users build commands with: groups, the application a command is for, its context.

It knows Click and the current application. The ``brim`` command itself and its own
subcommands are on a floor above; a command's function can be ``async def`` here as
elsewhere.
"""

from __future__ import annotations

import functools
from inspect import iscoroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

import click

from . import bridge
from .bridge import is_async
from .ctx import has_app_context
from .discovery import NoAppException, find_app, likely_modules
from .helpers import get_debug_flag

if TYPE_CHECKING:
    from collections.abc import Callable

    from .typing import Flask

F = TypeVar("F", bound="Callable[..., Any]")


class ScriptInfo:
    """Finds the application that a command is for, once, when it is first asked for.

    Click hands one down from the group to its commands as ``ctx.obj``; a test gives one
    to its runner: ``runner.invoke(command, obj=ScriptInfo(create_app=lambda: app))``.

    ``app_import_path``: what ``--app`` said. ``create_app``: a function that makes the
    application, used in place of a path. ``set_debug_flag``: give the application the
    debug mode that ``--debug`` or the environment ask for; without it, it keeps its own.
    ``load_dotenv_defaults``: whether ``.env`` and ``.flaskenv`` are read.
    """

    def __init__(
        self,
        app_import_path: str | None = None,
        create_app: Callable[..., Flask] | None = None,
        set_debug_flag: bool = True,
        load_dotenv_defaults: bool = True,
    ) -> None:
        #: The application's place, as ``--app`` takes it.
        self.app_import_path = app_import_path
        #: A function without arguments that makes the application.
        self.create_app = create_app
        #: A place for values of the program's own, for its commands to share.
        self.data: dict[Any, Any] = {}
        self.set_debug_flag = set_debug_flag
        self.load_dotenv_defaults = load_dotenv_defaults
        self._loaded_app: Flask | None = None

    def load_app(self) -> Flask:
        """Return the application; later calls return the same one.

        Raises :exc:`NoAppException` if there is none. What the user's module or factory
        raises is passed on.
        """
        if self._loaded_app is not None:
            return self._loaded_app
        app = self.create_app() if self.create_app else find_app(self.app_import_path)
        if app is None:
            raise NoAppException(_no_app())
        if self.set_debug_flag:
            # Through the setter: it has the templates reload, too.
            app.debug = get_debug_flag()
        self._loaded_app = app
        return app


def _no_app() -> str:
    text = (
        "Could not find an application. Name it with '--app' or in the environment variable"
        " FLASK_APP or BRIM_APP, or call its file 'app.py' or 'wsgi.py' and start from its"
        " folder."
    )
    if names := likely_modules(Path.cwd()):
        text += f" Here, {names[0]!r} looks like one: try '--app {names[0]}'."
    return text


#: Decorator that hands the current :class:`ScriptInfo` to a command as first argument.
pass_script_info = click.make_pass_decorator(ScriptInfo, ensure=True)


def with_appcontext(f: F) -> F:
    """Run a command's function within its application's context.

    The application is the current one, or else the one that :class:`ScriptInfo` finds.
    The context lasts until the command and the commands below it are done. Commands of
    ``app.cli``, of a blueprint's ``cli`` and of an :class:`AppGroup` have it by
    themselves. ``f`` may be ``async def``.

        @click.command()
        @with_appcontext
        def purge():
            current_app.logger.info("purged")
    """

    @functools.wraps(f)
    def within_context(*args: Any, **kwargs: Any) -> Any:
        if not has_app_context():
            ctx = click.get_current_context()
            app = ctx.ensure_object(ScriptInfo).load_app()
            ctx.with_resource(app.app_context())
        return _finish(f(*args, **kwargs))

    return within_context  # type: ignore[return-value]


def _without_context(f: F) -> F:
    """Make a function that may be ``async def`` one that Click can call."""
    if not is_async(f):
        return f

    @functools.wraps(f)
    def called(*args: Any, **kwargs: Any) -> Any:
        return _finish(f(*args, **kwargs))

    return called  # type: ignore[return-value]


def _finish(result: Any) -> Any:
    """Run a command's coroutine to its end; pass any other result on."""
    if not iscoroutine(result):
        return result
    # Loaded for async commands alone.
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        # On this thread, where Click's own context is, and where Ctrl-C arrives.
        return asyncio.run(result)
    return bridge.run(result)


class AppGroup(click.Group):
    """A group of commands that run within the application's context.

    ``app.cli`` and a blueprint's ``cli`` are of this class. Another group of it is added
    with ``app.cli.add_command(group)``.
    """

    @overload
    def command(self, f: Callable[..., Any], /) -> click.Command: ...
    @overload
    def command(
        self, *args: Any, **kwargs: Any
    ) -> Callable[[Callable[..., Any]], click.Command]: ...
    def command(self, *args: Any, **kwargs: Any) -> Any:
        """Decorate a function as a command of this group, see ``click.Group.command``.

        It is wrapped in :func:`with_appcontext`, unless ``with_appcontext=False`` is
        given. ``async def`` is fine in both cases.

            @app.cli.command("import")
            @click.argument("file", type=click.File())
            def import_(file): ...
        """
        prepare = with_appcontext if kwargs.pop("with_appcontext", True) else _without_context
        return _decorator(super().command, args, kwargs, prepare)

    @overload
    def group(self, f: Callable[..., Any], /) -> click.Group: ...
    @overload
    def group(self, *args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], click.Group]: ...
    def group(self, *args: Any, **kwargs: Any) -> Any:
        """Decorate a function as a group within this one, an :class:`AppGroup` too."""
        kwargs.setdefault("cls", AppGroup)
        return _decorator(super().group, args, kwargs, _without_context)


def _decorator(
    register: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    prepare: Callable[[Callable[..., Any]], Callable[..., Any]],
) -> Any:
    """Return Click's decorator with ``prepare`` before it, or what it makes of a function.

    The latter where it is used without parentheses: ``@app.cli.command``.
    """
    f, rest = (args[0], args[1:]) if args and callable(args[0]) else (None, args)

    def decorator(f: Callable[..., Any]) -> Any:
        return register(*rest, **kwargs)(prepare(f))

    return decorator if f is None else decorator(f)
