"""The role ``{test}``: names a test, by its node id, and makes sure that there is one."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxRole

if TYPE_CHECKING:
    from docutils.nodes import Node, system_message
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]


@cache
def tests_in(path: Path) -> frozenset[str]:
    """The names of the tests of a file: ``test_x``, or ``TestY::test_x`` in a class."""
    if not path.is_file():
        return frozenset()
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{n.name}" for n in node.body if isinstance(n, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            names.add(node.name)
    return frozenset(names)


def exists(node_id: str) -> bool:
    """Whether there is a test of this id, such as ``tests/test_x.py::test_y``."""
    path, _, name = node_id.partition("::")
    return name in tests_in(ROOT / path)


class TestRole(SphinxRole):
    """Show a test's id; an id without a test is a warning, and so an error of the build."""

    def run(self) -> tuple[list[Node], list[system_message]]:
        messages: list[system_message] = []
        if not exists(self.text):
            messages.append(self.inliner.reporter.warning(f"no such test: {self.text}"))
        shown = nodes.literal(self.rawtext, "", classes=["test-id"])
        # Where the line may break: an id is longer than its column.
        for part in re.split(r"(?<=[/_:])(?=[^/_:])", self.text):
            shown += [nodes.Text(part), nodes.raw("", "<wbr>", format="html")]
        return [shown], messages


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_role("test", TestRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
