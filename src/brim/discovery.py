"""Finds the user's application: what ``--app`` may say, and what is said when it is wrong.

It imports the user's code and takes an object out of it. An application is known by its
``wsgi_app`` and its settings, not by its class, which is on a floor above. What a command
does with the application is not decided here.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import sys
import traceback
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import click

from .config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType, TracebackType

    from .typing import Flask

#: Names an application is looked for under, and those of the functions that make one.
INSTANCE_NAMES = ("app", "application")
FACTORY_NAMES = ("create_app", "make_app")

#: Files that are tried where no application is named.
DEFAULT_FILES = ("wsgi.py", "app.py")

#: Packages whose frames come before the user's own in a traceback.
_MACHINERY = frozenset({"brim", "click", "importlib", "_frozen_importlib", "runpy"})


class NoAppException(click.UsageError):
    """No application could be found or loaded; the message says which was looked for."""


class AppImportError(NoAppException):
    """The user's module was found, and an ``ImportError`` ended its import.

    The message holds the user's traceback; ``error`` is the error itself.
    """

    def __init__(self, module_name: str, error: ImportError) -> None:
        super().__init__(
            f"While importing {module_name!r}, an ImportError was raised:\n\n"
            f"{format_user_error(error)}"
        )
        self.error: Exception = error


# What the user's error was -----------------------------------------------------------


def user_traceback(error: BaseException) -> TracebackType | None:
    """Return the traceback from the first frame on that is not Brim's or Click's.

    ``None`` if there is none: the error was raised before any of the user's code ran.
    """
    tb = error.__traceback__
    while tb is not None:
        if str(tb.tb_frame.f_globals.get("__name__")).partition(".")[0] not in _MACHINERY:
            return tb
        tb = tb.tb_next
    return None


def format_user_error(error: BaseException) -> str:
    """Format an error's traceback as Python does, without the frames that led to the user's.

    An error that never reached the user's code is Brim's own and keeps every frame. A
    ``SyntaxError`` names its file by itself.
    """
    tb = user_traceback(error)
    if tb is None and not isinstance(error, SyntaxError):
        tb = error.__traceback__
    return "".join(traceback.format_exception(type(error), error, tb))


# Modules -----------------------------------------------------------------------------


def prepare_import(path: str | os.PathLike[str]) -> str:
    """Turn a path or a dotted name into a module's name that can be imported.

    The folder it is found from is put first on ``sys.path``. Folders with an
    ``__init__.py`` become part of the name.

    =========================  ======================  ==============
    ``path``                   first on ``sys.path``   returned
    =========================  ======================  ==============
    ``hello``, ``hello.py``    the working directory   ``hello``
    ``shop.web``               the working directory   ``shop.web``
    ``examples/hello``         ``examples``            ``hello``
    ``src/shop/__init__.py``   ``src``                 ``shop``
    =========================  ======================  ==============
    """
    target = Path(os.path.realpath(path))
    if target.suffix == ".py":
        target = target.with_suffix("")
    if target.name == "__init__":
        target = target.parent
    names = [target.name]
    folder = target.parent
    while (folder / "__init__.py").exists():
        names.append(folder.name)
        folder = folder.parent
    if sys.path[0] != str(folder):
        sys.path.insert(0, str(folder))
    return ".".join(reversed(names))


def locate_app(
    module_name: str, app_name: str | None, raise_if_not_found: bool = True
) -> Flask | None:
    """Import a module and return the application in it.

    ``app_name`` is a name in the module or a call of a factory, see
    :func:`find_app_by_string`; without one :func:`find_best_app` looks. A module that
    isn't there raises :exc:`NoAppException`, or gives ``None`` if ``raise_if_not_found``
    is false. An ``ImportError`` from within the module raises it too, with the user's
    traceback in the message. Any other error of the module's is passed on as it is.
    """
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        if user_traceback(error) is not None:
            raise AppImportError(module_name, error) from None
        if not raise_if_not_found:
            return None
        raise NoAppException(_module_not_found(module_name, error)) from None
    except (TypeError, ValueError) as error:
        if user_traceback(error) is not None:
            raise
        # What import_module says to a name that none can have, such as ".x" or "".
        raise NoAppException(f"Could not import {module_name!r}: {error}") from None
    if app_name is None:
        return find_best_app(module)
    return find_app_by_string(module, app_name)


def find_app(import_path: str | None) -> Flask | None:
    """Return the application that ``--app`` names, or that of ``wsgi.py`` or ``app.py``.

    ``import_path`` is ``module``, ``path/to/module.py`` or either with ``:name``. Returns
    ``None`` if it is empty and neither of the two files is there. Raises what
    :func:`locate_app` raises.
    """
    if import_path:
        # The colon of a Windows drive is followed by a slash.
        path, *name = re.split(r":(?![\\/])", import_path, maxsplit=1)
        module_name = prepare_import(path)
        if not os.path.isdir(sys.path[0]):
            # Else a module of this name would be taken from anywhere on sys.path.
            raise NoAppException(f"Could not import {path!r}: no folder {sys.path.pop(0)!r}.")
        return locate_app(module_name, name[0] if name else None)
    for file in DEFAULT_FILES:
        app = locate_app(prepare_import(file), None, raise_if_not_found=False)
        if app is not None:
            return app
    return None


def _module_not_found(module_name: str, error: ImportError) -> str:
    """Say that a module is missing, and which name was probably meant."""
    text = f"Could not import {module_name!r}"
    if not isinstance(error, ModuleNotFoundError) or "not a package" in str(error):
        text += f": {error}"
    folder = Path(sys.path[0])
    text += f", looking in {str(folder)!r}."
    parts = module_name.split(".")
    for index, part in enumerate(parts):
        names = sorted(_modules_in(folder))
        close = [] if part in names else get_close_matches(part, names, 1)
        if close:
            meant = ".".join([*parts[:index], close[0], *parts[index + 1 :]])
            return f"{text} Did you mean {meant!r}?"
        folder /= part
    if isinstance(error, ModuleNotFoundError):
        text += " Start from the folder that has it, or name its path, as in '--app src/shop'."
    return text


def _modules_in(folder: Path) -> Iterator[str]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.suffix == ".py" or (entry.is_dir() and entry.name.isidentifier()):
            yield entry.stem


def likely_modules(folder: Path) -> list[str]:
    """Return the names of modules in ``folder`` whose text makes an application.

    For the hint that follows "no application"; the first hundred files are read.
    """
    files = [*sorted(folder.glob("*.py")), *sorted(folder.glob("*/__init__.py"))][:100]
    found: list[str] = []
    for file in files:
        try:
            text = file.read_text("utf-8", errors="ignore")
        except OSError:
            continue
        if re.search(r"\bFlask\(", text):
            found.append(file.parent.name if file.name == "__init__.py" else file.stem)
    return found


# Applications ------------------------------------------------------------------------


def is_application(value: object) -> TypeGuard[Flask]:
    """Whether ``value`` is an application of Brim's."""
    # The class is asked first: a proxy that is bound to nothing has one that can be read,
    # as isinstance() does it, and raises for every other attribute.
    return callable(getattr(value.__class__, "wsgi_app", None)) and isinstance(
        getattr(value, "config", None), Config
    )


def _is_foreign(value: object) -> bool:
    """Whether ``value`` is an application of a Flask that isn't Brim."""
    return any(
        cls.__name__ == "Flask" and cls.__module__ == "flask.app" for cls in type(value).__mro__
    )


def find_best_app(module: ModuleType) -> Flask:
    """Return the application of a module that was named without a ``:name``.

    That is what is called ``app`` or ``application``; else the only application there
    is; else what ``create_app()`` or ``make_app()`` returns. Raises
    :exc:`NoAppException` if there is none, several, or the factory needs arguments.
    """
    for name in INSTANCE_NAMES:
        value = getattr(module, name, None)
        if is_application(value):
            return value
    # By identity: one application may have several names.
    instances = {
        id(value): (name, value) for name, value in vars(module).items() if is_application(value)
    }
    if len(instances) == 1:
        [(_, app)] = instances.values()
        return app
    where = module.__name__
    if instances:
        names = ", ".join(repr(name) for name, _ in instances.values())
        first = next(iter(instances.values()))[0]
        raise NoAppException(
            f"Module {where!r} has several applications: {names}."
            f" Name the one to use, as in '{where}:{first}'."
        )
    for name in FACTORY_NAMES:
        factory = getattr(module, name, None)
        if _makes(factory):
            if problem := _why_not_callable(factory, (), {}):
                raise NoAppException(
                    f"The factory {name!r} in module {where!r} can't be called without"
                    f" arguments: {problem}. Give them in the option, as in"
                    f" '{where}:{name}(...)'."
                )
            made = _made(factory())
            if is_application(made):
                return made
    raise NoAppException(_nothing_in(module))


def find_app_by_string(module: ModuleType, app_name: str) -> Flask:
    """Return the application that ``app_name`` stands for in ``module``.

    ``app_name`` is the name of an application, the name of a function that makes one, or
    a call of such a function with Python literals: ``create_app("dev", debug=True)``.
    Raises :exc:`NoAppException` if it is none of these.
    """
    name, args, kwargs = _parse_reference(app_name)
    where = module.__name__
    try:
        value = getattr(module, name)
    except AttributeError:
        names = [n for n, v in vars(module).items() if is_application(v) or _makes(v)]
        names = names or [n for n in dir(module) if not n.startswith("_")]
        hint = _did_you_mean(name, names)
        raise NoAppException(f"There is no {name!r} in module {where!r}.{hint}") from None
    if is_application(value):
        return value
    app = value
    if _makes(value):
        if problem := _why_not_callable(value, args, kwargs):
            raise NoAppException(
                f"The factory {name!r} in module {where!r} can't be called as"
                f" {app_name.strip()!r}: {problem}."
            )
        app = _made(value(*args, **kwargs))
        if is_application(app):
            return app
    raise NoAppException(_not_an_app(f"{where}:{app_name}", value, app))


def _parse_reference(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Take ``name`` or ``name(literal, key=literal)`` apart."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        node = None
    if isinstance(node, ast.Name):
        return node.id, [], {}
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise NoAppException(
            f"{text!r} is neither a name nor a call. After the colon stands the name of an"
            " application or a factory, the latter with arguments in parentheses if it"
            " needs any."
        )
    try:
        args = [ast.literal_eval(arg) for arg in node.args]
        kwargs = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
        if any(word.arg is None for word in node.keywords):
            raise ValueError("'**' is no literal")
    except ValueError:
        raise NoAppException(
            f"The arguments in {text!r} must be Python literals: numbers, True, False, None,"
            " strings in quotes, and lists, tuples or dicts of these."
        ) from None
    return node.func.id, args, kwargs


def _makes(value: object) -> TypeGuard[Callable[..., Any]]:
    """Whether ``value`` may be a factory: a function or a class, but no middleware object."""
    return inspect.isroutine(value) or inspect.isclass(value) or isinstance(value, partial)


def _why_not_callable(
    factory: Callable[..., Any], args: Iterable[Any], kwargs: dict[str, Any]
) -> str | None:
    """Return what is wrong with the arguments, or ``None``."""
    try:
        # As it is, not as a decorator's __wrapped__ was: the wrapper may add arguments.
        signature = inspect.signature(factory, follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return f"it takes {signature}; {error}"
    return None


def _made(result: object) -> object:
    """Pass on what a factory returned; a coroutine is closed, as nothing will await it."""
    if inspect.iscoroutine(result):
        result.close()
    return result


def _nothing_in(module: ModuleType) -> str:
    """Say that a module holds no application, and what it holds instead."""
    file = getattr(module, "__file__", None)
    where = f"module {module.__name__!r}" + (f" ({file})" if file else "")
    for value in vars(module).values():
        if _is_foreign(value):
            return _foreign(where)
    text = (
        f"Found no application in {where}: nothing called 'app' or 'application', no other"
        " instance of Flask, and no factory 'create_app' or 'make_app' that returns one."
    )
    functions = [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and name not in FACTORY_NAMES
    ]
    if close := [m for name in FACTORY_NAMES for m in get_close_matches(name, functions, 1)]:
        text += f" Did you mean '{module.__name__}:{close[0]}'?"
    else:
        text += f" Name it, as in '{module.__name__}:name'."
    return text


def _not_an_app(reference: str, value: object, app: object) -> str:
    """Say that what ``reference`` stands for is no application, and what it is."""
    if _is_foreign(app):
        return _foreign(repr(reference))
    if app is not value or _makes(value):
        what = f"{reference!r} returned {_a(app)}, not an application of Flask's."
        if inspect.iscoroutine(app):
            what += " A factory can't be a coroutine: use 'def' in place of 'async def'."
        elif app is None:
            what += " Is a 'return app' missing?"
        return what
    what = f"{reference!r} is {_a(app)}, not an application of Flask's."
    if callable(app):
        what += (
            " To wrap one in middleware and keep the commands working, wrap its 'wsgi_app':"
            f" app.wsgi_app = {type(app).__name__}(app.wsgi_app)."
        )
    return what


def _foreign(where: str) -> str:
    return (
        f"The application in {where} belongs to another Flask than Brim. The 'brim' command"
        " turns the alias on by itself; a program of yours has to 'import brim.as_flask'"
        " before anything imports 'flask', or write 'from brim import Flask'."
    )


def _a(value: object) -> str:
    return "None" if value is None else f"an object of class {type(value).__name__!r}"


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    known = sorted(set(names))
    if close := get_close_matches(name, known, 1):
        return f" Did you mean {close[0]!r}?"
    if known:
        return f" There is {', '.join(repr(each) for each in known[:10])}."
    return ""
