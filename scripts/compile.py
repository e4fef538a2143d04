"""Compile the modules that every request goes through, each in place beside its source.

The source stays as it is and runs by itself; what a ``.pxd`` beside a module adds is in its own
comment. Python takes the compiled module where there is one for it, so whoever edits such a
module compiles again, or removes what was compiled (``--remove``)::

    python scripts/compile.py

Needs Cython, setuptools and a C compiler.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SOURCE = CHECKOUT / "src"

#: The modules whose compiling was seen to pay, as paths below the package. Not doors/asgi, which
#: makes the coroutine that is a request's task: of those of Cython's, ``inspect`` knows no state,
#: which AnyIO asks for.
MODULES = (
    "ctx",
    "dispatch/engine",
    "dispatch/plan",
    "dispatch/results",
    "dispatch/run_sync",
    "dispatch/steps",
    "doors/ending",
    "doors/exchange",
    "doors/scope",
    "doors/wsgi",
    "json/guarded",
    "json/provider",
    "json/quick",
    "globals",
    "lazy",
    "responses",
    "routing/environ",
    "routing/matcher",
    "wrappers",
)

DIRECTIVES = {
    "language_level": 3,
    # Types come from the .pxd files alone. An annotation is a statement about what a caller should
    # pass, and not enforced.
    "annotation_typing": False,
    # None has no attributes: an error in Python, and not a crash.
    "nonecheck": True,
}
#: Classes are made as Python makes them: attributes of a class can be set, as monkeypatching does.
MACROS = [("CYTHON_USE_TYPE_SPECS", "1")]


def compiled_of(module: str) -> Path:
    """The file that this Python takes in the place of a module's source."""
    return SOURCE / "brim" / f"{module}{EXTENSION_SUFFIXES[0]}"


def remove() -> None:
    """Remove what was compiled, for whichever Python."""
    for pattern in ("*.so", "*.pyd"):
        for path in (SOURCE / "brim").rglob(pattern):
            path.unlink()


def build(scratch: Path) -> None:
    """Compile the modules."""
    from Cython.Build import cythonize
    from setuptools import Extension, setup

    extensions = [
        Extension(
            f"brim.{module.replace('/', '.')}",
            [f"brim/{module}.py"],
            define_macros=MACROS,
            extra_compile_args=[] if sys.platform == "win32" else ["-O2", "-g0", "-w"],
        )
        for module in MODULES
    ]
    setup(
        name="brim",
        packages=[],
        ext_modules=cythonize(
            extensions, build_dir=str(scratch), compiler_directives=DIRECTIVES, quiet=True
        ),
        script_args=[
            *("--quiet", "build_ext", "--parallel", "2"),
            *("--build-lib", str(SOURCE), "--build-temp", str(scratch)),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--remove", action="store_true", help="remove what was compiled")
    arguments = parser.parse_args()
    remove()
    if arguments.remove:
        return
    # Relative, as the compiler finds the package, and so each .pxd, by the paths of its files.
    os.chdir(SOURCE)
    build(CHECKOUT / "build" / "compile")
    missing = [module for module in MODULES if not compiled_of(module).exists()]
    if missing:
        raise SystemExit(f"Not compiled: {', '.join(missing)}")
    print(f"{len(MODULES)} modules compiled for Python {sys.version.partition(' ')[0]}")


if __name__ == "__main__":
    main()
