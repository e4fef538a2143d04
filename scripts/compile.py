"""Compile the modules that every request goes through.

The source stays as it is and runs by itself; what a ``.pxd`` beside a module adds is in its own
comment. In place, each beside its source::

    python scripts/compile.py

Python takes the compiled module where there is one for it, so whoever edits such a module compiles
again, or removes what was compiled (``--remove``). Or into a wheel, for users: beside the one of
the sources alone another is made, of this Python and platform, whose path is printed::

    python scripts/compile.py --wheel dist/brim-0.1.0-py3-none-any.whl

It has all that the first has, the ``.pxd`` files too: the first is the package as it is. Needs
requirements/compile.txt and a C compiler.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
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
    "helpers",
    "lazy",
    "responses",
    "routing/building",
    "routing/environ",
    "routing/matcher",
    "urls",
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


def missing() -> str | None:
    """Name something that compiling takes and that is not here, if there is such."""
    for module in ("Cython", "setuptools", "wheel", "packaging"):
        if find_spec(module) is None:
            return f"the package {module.lower()} (requirements/compile.txt)"
    if sys.platform == "win32":
        return None
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    if shutil.which(shlex.split(compiler)[0]) is None:
        return f"a C compiler ({compiler})"
    header = Path(sysconfig.get_path("include"), "Python.h")
    return None if header.exists() else f"Python's own header ({header})"


def remove(source: Path) -> None:
    """Remove what was compiled, for whichever Python."""
    for pattern in ("*.so", "*.pyd"):
        for path in (source / "brim").rglob(pattern):
            path.unlink()


def build(source: Path, scratch: Path) -> None:
    """Compile the modules of the package that is in a folder, beside their sources."""
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
    # Relative, as the compiler finds the package, and so each .pxd, by the paths of its files.
    with contextlib.chdir(source):
        setup(
            name="brim",
            packages=[],
            ext_modules=cythonize(
                extensions, build_dir=str(scratch), compiler_directives=DIRECTIVES, quiet=True
            ),
            script_args=[
                *("--quiet", "build_ext", "--parallel", "2"),
                *("--build-lib", str(source), "--build-temp", str(scratch)),
            ],
        )
    suffix = EXTENSION_SUFFIXES[0]
    failed = [name for name in MODULES if not (source / "brim" / f"{name}{suffix}").exists()]
    if failed:
        raise SystemExit(f"Not compiled: {', '.join(failed)}")


def compiled_wheel(pure: Path) -> Path:
    """Make of a wheel of sources the one with compiled modules, beside it; return its path.

    It is kept where it was made already of a wheel with the same files.
    """
    from packaging.tags import cpython_tags

    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    tag = next(cpython_tags(platforms=[platform]))
    made = pure.with_name(pure.name.replace("py3-none-any", str(tag)))
    if made.exists() and sources_of(made) == sources_of(pure):
        return made
    made.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="brim-compile-") as folder:
        wheel = [sys.executable, "-m", "wheel"]
        call([*wheel, "unpack", "--dest", folder, str(pure)])
        (unpacked,) = Path(folder).iterdir()
        build(unpacked, Path(folder, "scratch"))
        (about,) = unpacked.glob("*.dist-info/WHEEL")
        text = about.read_text(encoding="utf-8")
        text = text.replace("Root-Is-Purelib: true", "Root-Is-Purelib: false")
        about.write_text(text.replace("Tag: py3-none-any", f"Tag: {tag}"), encoding="utf-8")
        # It names the file by the tag, and lists what is in it.
        call([*wheel, "pack", "--dest-dir", str(pure.parent), str(unpacked)])
    if not made.exists():
        raise SystemExit(f"Not made: {made.name}")
    return made


def sources_of(wheel: Path) -> set[str]:
    """The lines of a wheel's RECORD, each a path and a hash, less those of what was compiled."""
    with zipfile.ZipFile(wheel) as archive:
        (record,) = [name for name in archive.namelist() if name.endswith(".dist-info/RECORD")]
        lines = archive.read(record).decode().splitlines()
    return {
        line for line in lines if not line.partition(",")[0].endswith((".so", ".pyd", "/WHEEL"))
    }


def call(command: list[str]) -> None:
    """Run a program; where it fails, end with what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"Failed: {shlex.join(command)}\n{done.stdout}{done.stderr}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--remove", action="store_true", help="remove what was compiled")
    parser.add_argument("--wheel", type=Path, metavar="PURE", help="make a wheel of this one")
    arguments = parser.parse_args()
    if arguments.remove:
        remove(SOURCE)
        return
    if (lacking := missing()) is not None:
        raise SystemExit(f"Not compiled: what it takes is not all here: {lacking} is missing.")
    if arguments.wheel is not None:
        print(compiled_wheel(arguments.wheel.resolve()))
        return
    remove(SOURCE)
    build(SOURCE, CHECKOUT / "build" / "compile")
    print(f"{len(MODULES)} modules compiled for Python {sys.version.partition(' ')[0]}")


if __name__ == "__main__":
    main()
