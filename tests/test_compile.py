"""The types beside the modules that can be compiled: they say what the source says.

All of this holds whether the modules are compiled or not, and so do the rest of the tests:
`make test-compiled` runs those of what a request goes through on compiled modules.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import pytest

from brim import Flask
from brim.ctx import AppContext, RequestContext
from brim.dispatch.plan import Compiled, Plan
from brim.doors.exchange import Exchange
from scripts.compile import MODULES

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "brim"
TYPES = sorted(path.relative_to(PACKAGE).as_posix()[:-4] for path in PACKAGE.rglob("*.pxd"))


def attributes_of(name: str) -> set[str]:
    """The attributes that a class has according to the types."""
    for module in TYPES:
        text = (PACKAGE / f"{module}.pxd").read_text(encoding="utf-8")
        found = re.search(rf"^cdef class {name}\b.*\n((?:    .*\n)+)", text, re.MULTILINE)
        if found:
            lines = re.findall(r"^    cdef (?:public |readonly )?\w+ (.*)", found[1], re.MULTILINE)
            return {attribute for line in lines for attribute in line.split(", ")}
    raise AssertionError(f"no .pxd has a class {name}")


def test_types_are_beside_modules_that_are_compiled() -> None:
    assert set(TYPES) <= set(MODULES)
    for module in MODULES:
        assert (PACKAGE / f"{module}.py").is_file()


@pytest.mark.parametrize("kind", [AppContext, Exchange, RequestContext])
def test_a_class_has_the_attributes_in_its_types_that_its_slots_name(kind: type[Any]) -> None:
    assert attributes_of(kind.__name__) == set(vars(kind)["__slots__"])


@pytest.mark.parametrize("kind", [Compiled, Plan])
def test_a_dataclass_has_its_fields_in_its_types(kind: type[Any]) -> None:
    assert attributes_of(kind.__name__) == {field.name for field in fields(kind)}


def functions() -> Iterator[tuple[str, str]]:
    for module in TYPES:
        text = (PACKAGE / f"{module}.pxd").read_text(encoding="utf-8")
        for name in re.findall(r"^cpdef (?:\w+ )?(\w+)\(", text, re.MULTILINE):
            yield module, name


@pytest.mark.parametrize(("module", "name"), list(functions()))
def test_the_functions_in_the_types_are_there(module: str, name: str) -> None:
    assert callable(getattr(import_module(f"brim.{module.replace('/', '.')}"), name))


def test_what_is_compiled_is_on_the_list_and_as_new_as_its_source() -> None:
    for path in PACKAGE.rglob(f"*{EXTENSION_SUFFIXES[0]}"):
        module = path.relative_to(PACKAGE).as_posix().partition(".")[0]
        assert module in MODULES
        for source in (f"{module}.py", f"{module}.pxd"):
            edited = PACKAGE / source
            assert not edited.exists() or edited.stat().st_mtime <= path.stat().st_mtime, (
                f"{source} was edited since; compile again (make compile), or take away what was"
                " compiled: python scripts/compile.py --remove"
            )


def test_contexts_are_classes_as_any_other(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(RequestContext):
        def push(self) -> None:
            pushed.append(self)
            super().push()

    pushed: list[Any] = []
    monkeypatch.setattr(AppContext, "tenant", "nobody", raising=False)
    with Own(app, app.test_request_context("/").environ) as ctx:
        ctx.colour = "green"  # type: ignore[attr-defined]
        assert vars(ctx)["colour"] == "green"
        assert pushed == [ctx]
        assert ctx.tenant == "nobody"  # type: ignore[attr-defined]
        assert weakref.ref(ctx)() is ctx


@pytest.mark.parametrize("path", ["/", "/missing"])
def test_a_method_of_contexts_that_is_replaced_is_called(
    app: Flask, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    usual = RequestContext.push
    pushed: list[str] = []

    def push(self: RequestContext) -> None:
        pushed.append(self.request.path)
        usual(self)

    app.add_url_rule("/", "index", lambda: "index")
    monkeypatch.setattr(RequestContext, "push", push)
    app.test_client().get(path)
    assert pushed == [path]
