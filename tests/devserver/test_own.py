from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

import brim
from brim.devserver import own


def test_installed_files_are_not_the_apps() -> None:
    assert own.is_own(__file__)
    for file in (json.__file__, pytest.__file__, brim.__file__, "<string>"):
        assert file is not None
        assert not own.is_own(file)
    assert not own.is_own("/shop/.venv/lib/python3.11/site-packages/x.py")
    assert not own.is_own(os.path.join(sys.prefix, "bin", "brim"))


def test_modules_are_the_apps_or_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise LookupError(name)

    monkeypatch.setitem(sys.modules, "odd", Odd("odd"))
    assert own.own_modules()[__name__] == os.path.realpath(__file__)
    installed = own.installed_modules()
    assert "json" in installed and "odd" not in installed and __name__ not in installed


def test_modules_have_roots() -> None:
    modules = {
        "hello": "/a/hello.py",
        "shop": "/b/shop/__init__.py",
        "shop.web.site": "/b/shop/web/site.py",
        "blog.web": "/c/blog/web/__init__.py",
    }
    assert own.roots(modules) == {"/a", "/b", "/c"}


def test_folders_without_files_of_the_app_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("shop/web", "node_modules/x", ".git", "__pycache__", "env/lib"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / "linked").symlink_to(tmp_path)
    root = str(tmp_path)
    folders = {root, os.path.join(root, "shop"), os.path.join(root, "shop", "web")}
    assert own.folders_below([root, os.path.join(root, "not_there")]) == folders
    # The nearest are taken where there are too many.
    monkeypatch.setattr(own, "MOST_FOLDERS", 2)
    assert own.folders_below([root]) == {root, os.path.join(root, "shop")}


def test_a_folder_that_cannot_be_read_has_none_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: str) -> object:
        raise PermissionError(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert own.folders_below([str(tmp_path)]) == {str(tmp_path)}


def test_a_project_may_lie_below_a_folder_that_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "node_modules" / "shop"
    project.mkdir(parents=True)
    monkeypatch.chdir(project)
    assert own.is_own(str(project / "app.py"))
    assert not own.is_own(str(project / "node_modules" / "app.py"))
