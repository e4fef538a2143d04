"""``brim shell``: a Python prompt, or a script from standard input, within the application.

Which names are there, and what reads the code: IPython, Python's own prompt, or none where
the code comes by a pipe. Neither IPython nor SQLAlchemy is needed.
"""

from __future__ import annotations

import code
import linecache
import os
import sys
import textwrap
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import click

from ..commands import with_appcontext
from ..discovery import format_user_error
from ..globals import current_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import Flask


@click.command(
    "shell",
    short_help="Run a Python shell in the app context.",
    epilog=(
        "\b\n"
        "Examples:\n"
        "  brim shell                             IPython if it is installed\n"
        "  brim shell --plain                     Python's own prompt\n"
        "  brim shell < tidy_up.py                a script\n"
        "  echo 'print(app.url_map)' | brim shell\n"
    ),
)
@click.option(
    "--ipython/--plain",
    default=None,
    help="Which prompt to open; by default IPython if it is installed, else Python's own.",
)
@with_appcontext
def shell_command(ipython: bool | None) -> None:
    """Open an interactive Python shell in the application's context.

    'app' and 'g' are there, what the application's shell context processors add, and, with
    Flask-SQLAlchemy, 'db' and every model under its name. The file that PYTHONSTARTUP names
    is run first.

    Code that comes by a pipe or from a file is run as a script instead: there is no prompt,
    values are shown only if they are printed, and an error ends it with status 1.
    """
    names = _Names.of(current_app)
    if ipython is None and not sys.stdin.isatty():
        _run_script(names)
        return
    start_ipython = None if ipython is False else _find_ipython()
    if ipython and start_ipython is None:
        raise click.UsageError("IPython is not installed here: pip install ipython.")
    namespace = {**_started_up(), **names.values}
    if start_ipython is not None:
        _open_ipython(start_ipython, namespace, names.banner())
        return
    _set_up_line_editing(namespace)
    banner = f"Python {sys.version} on {sys.platform}\n{names.banner()}"
    code.interact(banner=banner, local=namespace)


# Names -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Names:
    """What a shell has at hand, and what is to be said of it."""

    app: Flask
    values: dict[str, Any]
    #: The model classes of the application's database.
    models: list[type[Any]]

    @classmethod
    def of(cls, app: Flask) -> _Names:
        return cls(app, app.make_shell_context(), _models(app))

    def banner(self) -> str:
        models = [name for name, value in self.values.items() if self._is_model(value)]
        lines = [f"App: {self.app.import_name}", f"Instance: {self.app.instance_path}"]
        lines += _listed("Names", sorted(self.values.keys() - set(models)))
        lines += _listed("Models", sorted(models))
        return "\n".join([*lines, *self.warnings()])

    def warnings(self) -> list[str]:
        """Name the models that can't be had under their name, as another one has it."""
        return [
            f"{name!r} is {_full_name(value)}. There is {_full_name(other)} too: import it if"
            " that is the one that you mean."
            for name, value in sorted(self.values.items(), key=itemgetter(0))
            if self._is_model(value)
            for other in self.models
            if other.__name__ == name and other is not value
        ]

    def _is_model(self, value: object) -> bool:
        return any(value is model for model in self.models)


def _models(app: Flask) -> list[type[Any]]:
    """Return the models that Flask-SQLAlchemy knows, if the application has it.

    Not to add them to the names: the extension does that, unless it is told not to.
    """
    model = getattr(app.extensions.get("sqlalchemy"), "Model", None)
    mappers = getattr(getattr(model, "registry", None), "mappers", ())
    return sorted((mapper.class_ for mapper in mappers), key=_full_name)


def _full_name(model: type[Any]) -> str:
    return f"{model.__module__}.{model.__qualname__}"


def _listed(title: str, names: list[str]) -> list[str]:
    text = f"{title}: {', '.join(names)}"
    indent = " " * len(f"{title}: ")
    return textwrap.wrap(text, 79, subsequent_indent=indent) if names else []


def _started_up() -> dict[str, Any]:
    """Run the file that PYTHONSTARTUP names; return the names it sets."""
    names: dict[str, Any] = {}
    startup = os.environ.get("PYTHONSTARTUP")
    if startup and os.path.isfile(startup):
        try:
            with open(startup, "rb") as file:
                exec(compile(file.read(), startup, "exec"), names)  # noqa: S102 -- its purpose
        except Exception as error:
            # As in Python's own prompt: it is shown, and the prompt opens.
            click.echo(format_user_error(error), err=True, nl=False)
    return names


# What reads the code -----------------------------------------------------------------


def _run_script(names: _Names) -> None:
    for warning in names.warnings():
        click.echo(warning, err=True)
    # As bytes, in which a line may say how they are encoded, as in a file of Python's.
    source, file = sys.stdin.buffer.read(), "<stdin>"
    lines = source.decode(errors="replace").splitlines(keepends=True)
    # For the lines in a traceback.
    linecache.cache[file] = len(source), None, lines, file
    exec(compile(source, file, "exec"), {"__name__": "__main__", **names.values})  # noqa: S102 -- its purpose


def _find_ipython() -> Callable[..., Any] | None:
    try:
        # Optional, and slow to load.
        from IPython import start_ipython  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        return None
    return start_ipython  # pyright: ignore[reportUnknownVariableType]


def _open_ipython(start: Callable[..., Any], namespace: dict[str, Any], banner: str) -> None:
    from traitlets.config import Config  # it came with IPython

    config = Config()
    config.TerminalInteractiveShell.banner2 = f"{banner}\n"
    # It is run already, and the application's names are to win here, too.
    config.InteractiveShellApp.exec_PYTHONSTARTUP = False
    start(argv=[], user_ns=namespace, config=config)


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
