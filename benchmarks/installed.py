"""The Brim that is measured: whether it is compiled, and whether it is the one of this tree.

``make bench`` installs it from a wheel that it makes of the tree.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from brim.cli.app_options import is_compiled as is_compiled

SOURCE = Path(__file__).resolve().parent.parent / "src" / "brim"


def warn_if_other(source: Path = SOURCE) -> None:
    """Say so on stderr where what is installed isn't what the tree has."""
    spec = find_spec("brim")
    installed = Path(str(spec and spec.origin)).parent
    if files_of(installed) != files_of(source):
        print(
            f"Brim in {installed} is not what this tree has, which `make bench` installs.",
            file=sys.stderr,
        )


def files_of(package: Path) -> dict[str, bytes]:
    """The sources of a package and what is in them."""
    return {
        path.relative_to(package).as_posix(): path.read_bytes()
        for pattern in ("*.py", "*.pxd")
        for path in package.rglob(pattern)
    }
