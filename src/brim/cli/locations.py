"""Where a view is: the file and line of what the user wrote, beneath what wraps it.

It looks at functions and classes and calls none of them.
"""

from __future__ import annotations

import inspect
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from werkzeug.routing import Rule

    from ..typing import Flask

#: Where Brim's own views are, such as the one for static files.
_OWN = str(Path(__file__).parents[1])


def view_location(app: Flask, rule: Rule, method: str | None = None) -> str:
    """Return ``file:line`` of the view that answers ``rule``, or what stands for one.

    ``method`` has the location be that of the method of a ``MethodView`` which answers it.
    """
    if rule.build_only:
        return "(for url_for alone)"
    if rule.redirect_to is not None:
        target = rule.redirect_to
        return f"(redirects to {target if isinstance(target, str) else location(target)})"
    view = app.view_functions.get(rule.endpoint)
    if view is None:
        return "(no view)"
    written = as_written(view)
    if method and inspect.isclass(written):
        handler = getattr(written, method.lower(), None)
        if handler is None and method == "HEAD":
            handler = getattr(written, "get", None)
        written = written if handler is None else as_written(handler)
    where = _file_and_line(written)
    if where is not None and Path(where[0]).is_relative_to(_OWN):
        folder = _static_folder(app, rule.endpoint)
        if folder is not None:
            return f"(files in {shortened(folder)}{os.sep})"
    return location(written)


def as_written(view: Any) -> Any:
    """Return the function or class beneath decorators, partials, bound methods, ``as_view``."""
    seen = set[int]()
    # A decorator may name its own result as what it wraps.
    while id(view) not in seen:
        seen.add(id(view))
        view_class = getattr(view, "view_class", None)
        if inspect.isclass(view_class):
            return view_class
        if isinstance(view, partial):
            view = view.func
        elif inspect.ismethod(view):
            view = view.__func__
        elif not inspect.isclass(view):
            view = getattr(view, "__wrapped__", view)
    if callable(view) and not (inspect.isroutine(view) or inspect.isclass(view)):
        # An object that can be called.
        return as_written(type(view).__call__)
    return view


def location(written: Any) -> str:
    """Return ``file:line`` of a function or class; ``module.name`` if there is no source."""
    where = _file_and_line(written)
    if where is not None:
        return f"{shortened(where[0])}:{where[1]}"
    name = getattr(written, "__qualname__", type(written).__qualname__)
    return f"{getattr(written, '__module__', None) or type(written).__module__}.{name}"


def _file_and_line(written: Any) -> tuple[str, int] | None:
    code = getattr(written, "__code__", None)
    if code is not None:
        file, line = code.co_filename, code.co_firstlineno
    else:
        try:
            file, line = inspect.getfile(written), inspect.getsourcelines(written)[1]
        except (OSError, TypeError):
            return None
    # Code that was made by exec() has a file such as "<string>".
    return (file, line) if os.path.exists(file) else None


def shortened(file: str) -> str:
    """Return a path as it is short and still found: from here, or from among the libraries."""
    path = Path(os.path.abspath(file))
    for folder in sys.path:
        if folder.endswith(("site-packages", "dist-packages")) and path.is_relative_to(folder):
            return str(path.relative_to(folder))
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _static_folder(app: Flask, endpoint: str) -> str | None:
    """Return the folder whose files the application or a blueprint serves as ``endpoint``."""
    blueprint, _, name = endpoint.rpartition(".")
    owner = app.blueprints.get(blueprint) if blueprint else app
    return owner.static_folder if owner is not None and name == "static" else None
