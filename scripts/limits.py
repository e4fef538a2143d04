"""Hold the source to the project's limits of size.

A file has at most 600 lines, a function at most 60, its docstring not counted. Every file says
at its top, in a docstring, what lives there. Run by ``make check``::

    python scripts/limits.py src/brim
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 600
FUNCTION_LINES = 60


def breaches(path: Path) -> Iterator[str]:
    """Yield one line for each limit that the file breaks."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, str(path))
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines, at most {FILE_LINES}; split it by what it is about"
    if ast.get_docstring(tree) is None:
        yield f"{path}: no docstring at the top that says what lives here, and what may not"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = function_lines(node)
            if size > FUNCTION_LINES:
                yield (
                    f"{path}:{node.lineno}: {node.name} has {size} lines, "
                    f"at most {FUNCTION_LINES}; give its parts names"
                )


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function from its ``def``, without its docstring."""
    first = node.body[0]
    docstring = 0
    if ast.get_docstring(node) is not None:
        docstring = (first.end_lineno or first.lineno) - first.lineno + 1
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def main(folders: list[str]) -> int:
    if not folders:
        print("usage: limits.py FOLDER...", file=sys.stderr)
        return 2
    found = [
        line
        for folder in folders
        for path in sorted(Path(folder).rglob("*.py"))
        for line in breaches(path)
    ]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
