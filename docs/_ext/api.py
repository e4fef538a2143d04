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

from sphinx.util import logging

from brim.gone import Gone
from brim.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

log = logging.getLogger(__name__)

#: What is public beyond ``brim.__all__``, by module; ``None`` for all of its ``__all__``.
BEYOND: dict[str, tuple[str, ...] | None] = {
    "brim.as_flask": ("AliasError",),
    "brim.blueprints": ("BlueprintSetupState",),
    "brim.cli": (
        *("AppGroup", "BrimGroup", "NoAppException", "ScriptInfo", "load_dotenv", "main"),
        *("pass_script_info", "with_appcontext"),
    ),
    "brim.config": ("ConfigAttribute",),
    "brim.ctx": ("AppContext", "RequestContext", "_AppCtxGlobals"),
    "brim.globals": ("app_ctx", "request_ctx"),
    "brim.helpers": ("get_debug_flag", "get_load_dotenv"),
    "brim.json": None,
    "brim.json.depth": ("MAX_DEPTH",),
    "brim.json.provider": ("DefaultJSONProvider", "JSONProvider"),
    "brim.json.tag": ("JSONTag", "TaggedJSONSerializer"),
    "brim.logging": (
        *("create_logger", "default_handler", "has_level_handler", "wsgi_errors_stream"),
    ),
    "brim.sessions": (
        *("NullSession", "SecureCookieSession", "SecureCookieSessionInterface"),
        *("SessionInterface", "SessionMixin"),
    ),
    "brim.templating": ("DispatchingJinjaLoader", "Environment"),
    "brim.testing": None,
    "brim.views": ("MethodView", "View"),
}


# Docstrings --------------------------------------------------------------------------


def mark_code(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Turn the paragraphs of a docstring that are Python into code blocks, in place.

    What a docstring says of how fast something is, is for those who read the code.
    """
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip("\n"))
    lines[:] = _marked([text for text in paragraphs if not text.startswith("PERF:")])


def _marked(paragraphs: list[str]) -> Iterator[str]:
    literal = False
    start = 0
    while start < len(paragraphs):
        # The longest run of paragraphs that is one piece of code.
        ends = range(len(paragraphs), start, -1)
        end = 0 if literal else next((e for e in ends if _is_code(paragraphs[start:e])), 0)
        if end:
            code = textwrap.dedent("\n\n".join(paragraphs[start:end]))
            yield from (".. code-block:: python", "", *textwrap.indent(code, "   ").split("\n"))
        else:
            end = start + 1
            yield from paragraphs[start].split("\n")
        yield ""
        # Code that a double colon announces is set apart already, to where it ends.
        announced = paragraphs[end - 1].endswith("::") or literal
        start = end
        literal = announced and start < len(paragraphs) and paragraphs[start].startswith(" ")


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


def complete_classes() -> None:
    """Give public classes what autodoc can read; the process is for that and ends with it.

    An overriding method without a docstring has that of Brim's method that it overrides; autodoc
    by itself would take those of other projects' classes too. A lazy attribute is a property.
    """
    for cls in filter(inspect.isclass, (value for _, value in public_objects())):
        for base in brim_bases(cls):
            for name, member in list(vars(base).items()):
                if isinstance(member, lazy):
                    setattr(base, name, property(member.compute))
                elif inspect.isfunction(member) and member.__doc__ is None:
                    known = (vars(other).get(name) for other in brim_bases(base)[1:])
                    member.__doc__ = next((m.__doc__ for m in known if m is not None), None)


def show_decorator(
    app: Sphinx, what: str, name: str, obj: Any, options: object, signature: str, returns: str
) -> tuple[str, str] | None:
    """Show of a decorator what a user passes to it; see ``brim.registry.NamedDecorator``."""
    wrapped = getattr(obj, "__wrapped__", None)
    is_named = (
        what == "method"
        and wrapped is not None
        and "name: str | None) -> None" in (f"{signature} -> {returns}")
    )
    return ("(name: str | None = None)", "") if is_named else None


# References --------------------------------------------------------------------------


def find_short_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> nodes.reference | None:
    """Resolve the names that annotations have without their module, such as ``Flask``."""
    short = str(node.get("reftarget")).rpartition(".")[2]
    if node.get("refdomain") != "py" or not short[:1].isupper():
        return None
    domain: Any = env.domains["py"]
    for name, _ in public_objects():
        if name.rpartition(".")[2] == short:
            found: nodes.reference = domain.resolve_xref(
                env, node["refdoc"], app.builder, "obj", name, node, contnode
            )
            return found
    return None


# Completeness ------------------------------------------------------------------------


def check_completeness(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of every public name, and public member of a class, that no page documents."""
    domain: Any = env.domains["py"]
    for name in sorted(set(public_names()) - set(domain.objects)):
        log.warning("%s is public and on no page of the reference", name)


def public_objects() -> Iterator[tuple[str, Any]]:
    """Yield each public name with its module, and what it names; modules left out."""
    for module_name, names in {"brim": None, **BEYOND}.items():
        module = import_module(module_name)
        for name in module.__all__ if names is None else names:
            value = inspect.getattr_static(module, name, None) or getattr(module, name)
            if not inspect.ismodule(value) and (module_name, name) != ("brim.json", "jsonify"):
                yield f"{module_name}.{name}", value


def public_names() -> Iterator[str]:
    """Yield every public name, and those of the members that a class has of its own.

    Members of a base are its own, unless the base is public, or another project's.
    """
    classes = {value for _, value in public_objects() if inspect.isclass(value)}
    for name, value in public_objects():
        yield name
        if inspect.isclass(value):
            for base in brim_bases(value):
                if base is value or base not in classes:
                    yield from (f"{name}.{member}" for member in own_members(base))


def brim_bases(cls: type[Any]) -> list[type[Any]]:
    """The class, and those of its bases that are Brim's."""
    return [base for base in cls.__mro__ if base.__module__.partition(".")[0] == "brim"]


def own_members(cls: type[Any]) -> Iterator[str]:
    """The public names that a class defines itself; slots, refusals and old names are none."""
    for name, member in vars(cls).items():
        refuses = isinstance(member, Gone) or getattr(member, "__name__", "") == "_fail"
        if not (name.startswith("_") or refuses or inspect.ismemberdescriptor(member)):
            yield name


def setup(app: Sphinx) -> dict[str, Any]:
    complete_classes()
    app.connect("autodoc-process-docstring", mark_code)
    app.connect("autodoc-process-signature", show_decorator)
    app.connect("missing-reference", find_short_name)
    app.connect("env-check-consistency", check_completeness)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
