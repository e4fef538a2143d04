"""Where an app's files are: its root, its package, its instance folder.

Only the import system is asked, from a module's name; no app, no configuration, and
nothing is read or created on disk.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


def get_root_path(import_name: str) -> str:
    """Return the folder that holds the module or package ``import_name``.

    The module is not imported if the import system can tell without. A name that
    can't be found, and ``__main__`` in an interactive session, give the current
    folder.

    Raises ``RuntimeError`` for a module that has no file, such as a namespace package.

    >>> get_root_path("importlib.util") == get_root_path("importlib")
    True
    """
    file: str | None = getattr(sys.modules.get(import_name), "__file__", None)
    if file is not None:
        return os.path.dirname(os.path.abspath(file))

    spec = _find_spec(import_name)
    if spec is None or spec.loader is None:
        return os.getcwd()

    loader: Any = spec.loader
    if hasattr(loader, "get_filename"):
        file = loader.get_filename(import_name)
    else:
        # An import hook that names no file beforehand may set it on the module.
        __import__(import_name)
        file = getattr(sys.modules[import_name], "__file__", None)
    if file is None:
        raise RuntimeError(
            f"The folder of module {import_name!r} is unknown: it is a namespace package,"
            " or its import hook names no file for it. Pass 'root_path' to say where its"
            " files are."
        )
    return os.path.dirname(os.path.abspath(file))


def find_package(import_name: str) -> tuple[str | None, str]:
    """Return where ``import_name`` is installed, and where it is found.

    The first item is the prefix it is installed under (a virtual environment, say) or
    None if it is not installed. The second is the folder, or archive, that its
    top-level module or package was found in: the one that is on ``sys.path``.

    - ``<env>/lib/python3.13/site-packages/shop/`` gives
      ``("<env>", "<env>/lib/python3.13/site-packages")``.
    - ``/src/shop/__init__.py`` and ``/src/shop.py`` give ``(None, "/src")``.
    """
    place = _import_folder(import_name)
    prefix = os.path.abspath(sys.prefix)
    if place == prefix or place.startswith(os.path.join(prefix, "")):
        return prefix, place

    parent, folder = os.path.split(place)
    if folder.lower() != "site-packages":
        return None, place
    grandparent, folder = os.path.split(parent)
    if folder.lower() == "lib":  # Windows: <prefix>/Lib/site-packages
        return grandparent, place
    if os.path.basename(grandparent).lower() == "lib":  # <prefix>/lib/pythonX.Y/site-packages
        return os.path.dirname(grandparent), place
    return parent, place


def auto_find_instance_path(import_name: str, name: str) -> str:
    """Return where an app's instance folder is unless somebody says.

    ``instance`` beside the app's module or package; for an installed one,
    ``var/<name>-instance`` under the prefix of the installation.
    """
    prefix, place = find_package(import_name)
    if prefix is None:
        return os.path.join(place, "instance")
    return os.path.join(prefix, "var", f"{name}-instance")


def get_app_name(import_name: str) -> str:
    """Return the name an app goes by: its import name, or its script's.

    A script's import name is ``__main__``, which tells nobody anything; run as
    ``python shop.py`` it is ``shop``.
    """
    if import_name == "__main__":
        file: str | None = getattr(sys.modules["__main__"], "__file__", None)
        if file is not None:
            return os.path.splitext(os.path.basename(file))[0]
    return import_name


def _find_spec(name: str) -> ModuleSpec | None:
    """Return the spec of ``name``, or None where the import system has none."""
    try:
        return find_spec(name)
    except (ImportError, ValueError):
        # ImportError: a parent is missing or is no package. ValueError: the module is
        # loaded without a spec, as __main__ is, or the name is empty.
        return None


def _import_folder(import_name: str) -> str:
    """Return the entry of ``sys.path`` that ``import_name`` is found from."""
    root = _find_spec(import_name.partition(".")[0])
    if root is None:
        return os.getcwd()

    if root.submodule_search_locations and root.origin in {None, "namespace"}:
        return os.path.dirname(_namespace_portion(root, import_name))

    # "built-in" and "frozen" stand where a file's path would and have no folder.
    folder = os.path.dirname(root.origin or "")
    if not folder:
        return os.getcwd()
    if root.submodule_search_locations is not None:
        folder = os.path.dirname(folder)
    return folder


def _namespace_portion(root: ModuleSpec, import_name: str) -> str:
    """Return the folder of the namespace package that ``import_name`` is in.

    A namespace package has several, one for each distribution that adds to it; if
    ``import_name`` is not a package of its own, the first one counts.
    """
    portions = list(root.submodule_search_locations or ())
    package = _find_spec(import_name) if import_name != root.name else None
    if package is not None and package.submodule_search_locations:
        location = os.path.join(next(iter(package.submodule_search_locations)), "")
        for portion in portions:
            if location.startswith(os.path.join(portion, "")):
                return portion
    return portions[0]
