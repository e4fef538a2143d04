"""What autodoc needs to know of Brim, and the check that it documents all that is public.

Docstrings have code beside prose, set apart by being code. Here that becomes a code block. No
text of the documentation is here.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from importlib import import_module
from typing import TYPE_CHECKING, Any

import brim
from sphinx.util import logging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

log = logging.getLogger(__name__)

#: Modules whose public names are documented one by one, with all their public members.
MODULES = (
    "brim",
    "brim.as_flask",
    "brim.blueprints",
    "brim.cli",
    "brim.config",
    "brim.ctx",
    "brim.files",
    "brim.globals",
    "brim.helpers",
    "brim.json",
    "brim.json.provider",
    "brim.json.tag",
    "brim.logging",
    "brim.sessions",
    "brim.signals",
    "brim.templating",
    "brim.testing",
    "brim.typing",
    "brim.views",
    "brim.wrappers",
)


# Docstrings --------------------------------------------------------------------------


def mark_code(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Turn the paragraphs of a docstring that are Python into code blocks, in place."""
    text = "\n".join(lines)
    if what == "data" and inspect.getdoc(type(obj)) == inspect.cleandoc(text):
        # What an object without a docstring says of its class says nothing of it.
        lines.clear()
        return
    paragraphs = re.split(r"\n\s*\n", text.strip("\n"))
    lines[:] = _marked(paragraphs)


def _marked(paragraphs: list[str]) -> Iterator[str]:
    literal = False
    start = 0
    while start < len(paragraphs):
        end = start + 1
        if not literal:
            # The longest run of paragraphs that is one piece of code.
            ends = range(len(paragraphs), start, -1)
            end = next((e for e in ends if _is_code(paragraphs[start:e])), start)
        if end > start and not literal:
            code = textwrap.dedent("\n\n".join(paragraphs[start:end]))
            yield from (".. code-block:: python", "", *textwrap.indent(code, "   ").split("\n"))
        else:
            end = start + 1
            yield from paragraphs[start].split("\n")
        literal = paragraphs[end - 1].rstrip().endswith("::")
        yield ""
        start = end


def _is_code(paragraphs: list[str]) -> bool:
    """Whether these are code: prose may parse by accident, but has no code's signs."""
    if any(">>>" in paragraph for paragraph in paragraphs):
        return False
    try:
        tree = ast.parse(textwrap.dedent("\n\n".join(paragraphs)))
    except SyntaxError:
        return False
    return not all(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Name | ast.Constant)
        for node in tree.body
    )


# References --------------------------------------------------------------------------


def find_short_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> nodes.reference | None:
    """Resolve the names that annotations have without their module, such as ``Flask``."""
    if node.get("refdomain") != "py":
        return None
    domain = env.domains["py"]
    target = str(node["reftarget"]).removeprefix("brim.")
    short = target.split(".")[-1]
    for home in MODULES:
        full = f"{home}.{short if target in documented_names(home) else target}"
        if full in domain.objects:  # type: ignore[attr-defined]
            kind = node.get("reftype", "obj")
            found: Any = domain.resolve_xref(
                env, node["refdoc"], app.builder, kind, full, node, contnode
            ) or domain.resolve_xref(env, node["refdoc"], app.builder, "obj", full, node, contnode)
            return found
    return None


# Completeness ------------------------------------------------------------------------


def documented_names(module_name: str) -> list[str]:
    """The names of a module that a user may import from it."""
    module = import_module(module_name)
    names: list[str] | None = getattr(module, "__all__", None)
    if names is not None:
        return names
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module_name
    ]


def check_completeness(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of every public name, and public member of a class, that no page documents."""
    known = env.domains["py"].objects  # type: ignore[attr-defined]
    for name in sorted(set(public_api()) - set(known)):
        log.warning("%s is public and on no page of the reference", name)


def public_api() -> Iterator[str]:
    """Every public name of Brim's, with its module, and the members of its classes."""
    seen: set[int] = set()
    for module_name in MODULES:
        module = import_module(module_name)
        for name in documented_names(module_name):
            value = getattr(module, name)
            if inspect.ismodule(value) or id(value) in seen:
                continue
            seen.add(id(value))
            yield f"{module_name}.{name}"
            if inspect.isclass(value):
                yield from (f"{module_name}.{name}.{member}" for member in own_members(value))


def own_members(cls: type[Any]) -> Iterator[str]:
    """The public members that Brim's classes give ``cls``, those of other projects aside."""
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] == "brim":
            for name, member in vars(base).items():
                if not name.startswith("_") and not inspect.isclass(member):
                    yield name


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-docstring", mark_code)
    app.connect("missing-reference", find_short_name)
    app.connect("env-check-consistency", check_completeness)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
