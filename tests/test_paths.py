from __future__ import annotations

import importlib
import os
import sys
import types
import zipfile
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from brim.paths import auto_find_instance_path, find_package, get_app_name, get_root_path


class Tree:
    """A folder to put modules in, none of which stays imported."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.monkeypatch = monkeypatch

    def add(self, path: str, text: str = "") -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def on_path(self, *folders: str) -> None:
        for folder in folders:
            self.monkeypatch.syspath_prepend(str(self.root / folder))

    def __call__(self, *parts: str) -> str:
        return str(self.root.joinpath(*parts))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    before = set(sys.modules)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    yield Tree(tmp_path, monkeypatch)
    for name in set(sys.modules) - before:
        del sys.modules[name]


# The root path ----------------------------------------------------------------------


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("alone", "src"),
        ("shop", "src/shop"),
        ("shop.views", "src/shop"),
        ("shop.sub", "src/shop/sub"),
    ],
)
def test_root_path_is_the_folder_of_the_file(
    tree: Tree, name: str, folder: str, loaded: bool
) -> None:
    tree.add("src/alone.py")
    tree.add("src/shop/__init__.py")
    tree.add("src/shop/views.py")
    tree.add("src/shop/sub/__init__.py")
    tree.on_path("src")
    if loaded:
        importlib.import_module(name)

    assert get_root_path(name) == tree(folder)


def test_finding_paths_does_not_import(tree: Tree) -> None:
    tree.add("src/broken.py", "raise NotImplementedError")
    tree.on_path("src")

    assert get_root_path("broken") == tree("src")
    assert find_package("broken") == (None, tree("src"))


@pytest.mark.parametrize("name", ["no_such_module", "no_such.module", ""])
def test_unknown_name_is_the_current_folder(tree: Tree, name: str) -> None:
    assert get_root_path(name) == tree("elsewhere")
    assert find_package(name) == (None, tree("elsewhere"))


def test_module_without_file_or_spec_is_the_current_folder(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ``__main__`` of an interactive session is one."""
    monkeypatch.setitem(sys.modules, "session", types.ModuleType("session"))

    assert get_root_path("session") == tree("elsewhere")


@pytest.mark.parametrize("name", ["sys", "spread"])
def test_module_that_has_no_file_needs_a_root_path(tree: Tree, name: str) -> None:
    tree.add("src/spread/part.py")
    tree.on_path("src")
    importlib.import_module(name)

    with pytest.raises(RuntimeError, match=f"{name!r} is unknown.*Pass 'root_path'"):
        get_root_path(name)


class Hook(MetaPathFinder, Loader):
    """An import hook that may tell a module's file, and when."""

    def __init__(self, file: str | None = None) -> None:
        self.file = file

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname == "hooked" else None

    def exec_module(self, module: types.ModuleType) -> None:
        if self.file is not None:
            module.__file__ = self.file


def test_import_hook_may_name_the_file_when_the_module_is_loaded(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "meta_path", [Hook(tree("db", "hooked.py")), *sys.meta_path])

    assert get_root_path("hooked") == tree("db")


def test_import_hook_that_names_no_file(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [Hook(), *sys.meta_path])

    with pytest.raises(RuntimeError, match="'hooked' is unknown"):
        get_root_path("hooked")
    assert find_package("hooked") == (None, tree("elsewhere"))


# The package and its instance folder --------------------------------------------------


def test_modules_on_the_path_are_not_installed(tree: Tree) -> None:
    tree.add("src/alone.py")
    tree.add("src/shop/sub/__init__.py")
    tree.add("src/shop/__init__.py")
    tree.on_path("src")

    for name in ("alone", "shop", "shop.sub", "shop.missing"):
        assert find_package(name) == (None, tree("src"))
        assert auto_find_instance_path(name, name) == tree("src", "instance")


@pytest.mark.parametrize(
    ("site_packages", "prefix"),
    [
        ("env/lib/python3.13/site-packages", "env"),
        ("env/LIB/python3.13/Site-Packages", "env"),
        ("env/Lib/site-packages", "env"),
        ("env/site-packages", "env"),
    ],
)
def test_site_packages_are_installed(tree: Tree, site_packages: str, prefix: str) -> None:
    tree.add(f"{site_packages}/shop/__init__.py")
    tree.add(f"{site_packages}/alone.py")
    tree.on_path(site_packages)

    for name in ("shop", "alone"):
        assert find_package(name) == (tree(prefix), tree(site_packages))
        assert auto_find_instance_path(name, "the_app") == tree(prefix, "var", "the_app-instance")


def test_what_is_below_pythons_prefix_is_installed(tree: Tree) -> None:
    tree.add("env/opt/alone.py")
    tree.add("env2/other.py")
    tree.on_path("env/opt", "env2")
    tree.monkeypatch.setattr(sys, "prefix", tree("env"))

    assert find_package("alone") == (tree("env"), tree("env", "opt"))
    assert find_package("other") == (None, tree("env2"))

    tree.monkeypatch.setattr(sys, "prefix", tree("env2"))
    assert find_package("other") == (tree("env2"), tree("env2"))


@pytest.mark.parametrize("loaded", [False, True])
def test_archive_is_the_place_of_what_is_in_it(tree: Tree, loaded: bool) -> None:
    with zipfile.ZipFile(tree("app.zip"), "w") as archive:
        archive.writestr("alone.py", "")
        archive.writestr("shop/__init__.py", "")
    tree.on_path("app.zip")
    if loaded:
        importlib.import_module("alone")
        importlib.import_module("shop")

    assert get_root_path("alone") == tree("app.zip")
    assert get_root_path("shop") == tree("app.zip", "shop")
    assert find_package("alone") == find_package("shop") == (None, tree("app.zip"))


def test_namespace_packages_count_where_the_package_in_them_is(tree: Tree) -> None:
    tree.add("one/space/first/__init__.py")
    tree.add("two/space/second/__init__.py")
    tree.add("two/space/plain.py")
    tree.on_path("two", "one")

    assert find_package("space.first") == (None, tree("one"))
    assert find_package("space.second") == (None, tree("two"))
    # Not packages: as in Flask, the first folder of the namespace counts.
    assert find_package("space.plain") == (None, tree("one"))
    assert find_package("space.missing") == (None, tree("one"))
    assert find_package("space") == (None, tree("one"))


def test_package_that_is_elsewhere_than_its_namespace(tree: Tree) -> None:
    """A package may put any folder on its ``__path__``; the namespace's first one counts."""
    tree.add("one/space/first/__init__.py")
    tree.on_path("one")
    package = importlib.import_module("space.first")
    assert package.__spec__ is not None
    package.__spec__.submodule_search_locations = [tree("elsewhere")]

    assert find_package("space.first") == (None, tree("one"))


def test_built_in_module_is_in_no_folder(tree: Tree) -> None:
    assert find_package("sys") == (None, tree("elsewhere"))


# The name ---------------------------------------------------------------------------


def test_script_is_named_after_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert get_app_name("__main__") == "__main__"

    main.__file__ = os.path.join("some", "folder", "shop.py")
    assert get_app_name("__main__") == "shop"
    assert get_app_name("pkg.shop") == "pkg.shop"
