"""Which files are the application's own: not Python's, not installed, not Brim's.

The one answer to "does a change of this file matter", for what is loaded and for what
may be. Nothing is watched or restarted here.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections import deque
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Folders that hold nothing of an application's, whatever is in them.
SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})
#: Files that an application may fail to load for the want of, or because of a fault in.
SOURCES = (".py", ".toml", ".yaml", ".yml", ".json", ".ini", ".cfg", ".conf", ".env")
#: The most folders of an application that are looked at.
MOST_FOLDERS = 1000


@cache
def _foreign_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")]
    folders += [*site.getsitepackages(), site.getusersitepackages()]
    folders.append(os.path.dirname(os.path.dirname(__file__)))
    both = {*folders, *map(os.path.realpath, folders)}
    return tuple(os.path.join(folder, "") for folder in both)


def is_own(file: str) -> bool:
    """Tell whether a source file is the application's, by where it is."""
    # The working directory may itself lie below a folder of such a name.
    below = file.removeprefix(os.path.join(os.getcwd(), ""))
    if file.startswith("<") or not SKIPPED_FOLDERS.isdisjoint(below.split(os.sep)):
        return False
    return not file.startswith(_foreign_folders())


def own_modules() -> dict[str, str]:
    """Return the application's modules that are loaded: their names, each with its file."""
    found: dict[str, str] = {}
    for name, module in sys.modules.copy().items():
        file = _file_of(module)
        if file and is_own(file):
            found[name] = os.path.realpath(file)
    return found


def installed_modules() -> list[str]:
    """Return the names of all other modules that are loaded, in the order of their import."""
    return [
        name
        for name, module in sys.modules.copy().items()
        if (file := _file_of(module)) and not is_own(file)
    ]


def _file_of(module: object) -> str | None:
    try:
        file = getattr(module, "__file__", None)
    except Exception:  # what is in sys.modules may be anything, with a __getattr__ of its own
        return None
    return os.path.abspath(file) if isinstance(file, str) else None


def roots(modules: dict[str, str]) -> set[str]:
    """Return the folders that modules were found from: for ``a.b`` in /x/a/b.py it is /x."""
    found: set[str] = set()
    for name, file in modules.items():
        folder = os.path.dirname(file)
        depth = name.count(".")
        if os.path.basename(file) == "__init__.py":
            depth += 1
        for _ in range(depth):
            folder = os.path.dirname(folder)
        found.add(folder)
    return found


def folders_below(roots: Iterable[str]) -> set[str]:
    """Return the folders of an application, without those that hold nothing of its own.

    Hidden folders, virtual environments and dependencies are left out; the nearest come
    first, and at most ``MOST_FOLDERS`` are returned.
    """
    found: set[str] = set()
    waiting = deque(sorted(roots))
    while waiting and len(found) < MOST_FOLDERS:
        folder = waiting.popleft()
        if folder not in found and os.path.isdir(folder):
            found.add(folder)
            waiting.extend(_folders_in(folder))
    return found


def _folders_in(folder: str) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if is_candidate(entry.name) and entry.is_dir(follow_symlinks=False):
            if not os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
                yield entry.path


def is_candidate(name: str) -> bool:
    """Tell whether a folder of this name may hold files of the application's."""
    return not name.startswith(".") and name not in SKIPPED_FOLDERS


def may_mend(file: str) -> bool:
    """Tell whether a change of this file may let an application load that failed to."""
    return file.endswith(SOURCES)
