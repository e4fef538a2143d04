from __future__ import annotations

import os
import ssl
import sys
import types
from pathlib import Path
from typing import Any

import click
import pytest

from brim.cli import run_command


def run_params(*args: str) -> dict[str, Any]:
    return run_command.make_context("run", list(args)).params


def refusal(*args: str) -> str:
    with pytest.raises(click.BadParameter) as caught:
        run_params(*args)
    return caught.value.format_message()


@pytest.fixture
def file(tmp_path: Path) -> str:
    file = tmp_path / "cert.pem"
    file.write_text("")
    return str(file)


@pytest.mark.parametrize("order", [1, -1])
def test_certificate_and_key_make_a_pair_in_either_order(file: str, order: int) -> None:
    pairs = [("--cert", file), ("--key", file)][::order]
    params = run_params(*pairs[0], *pairs[1])
    assert params["cert"] == (file, file)
    assert "key" not in params


def test_one_without_the_other_is_refused(file: str) -> None:
    assert "--key" in refusal("--cert", file)
    assert "--cert" in refusal("--key", file)


def test_adhoc_needs_cryptography_and_no_key(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert "pip install cryptography" in refusal("--cert", "adhoc")
    monkeypatch.setitem(sys.modules, "cryptography", types.ModuleType("cryptography"))
    assert run_params("--cert", "adhoc")["cert"] == "adhoc"
    assert "has its own" in refusal("--cert", "adhoc", "--key", file)


def test_a_context_is_imported_and_needs_no_key(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("tls")
    module.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tls", module)
    assert run_params("--cert", "tls:context")["cert"] is module.context
    assert "'SSLContext'" in refusal("--cert", "tls:context", "--key", file)
    assert "no 'SSLContext'" in refusal("--cert", "tls")


def test_without_ssl_no_certificate_is_taken(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ssl", None)
    assert "no 'ssl' module" in refusal("--cert", file)


def test_several_paths_come_in_one_value() -> None:
    params = run_params("--extra-files", os.pathsep.join(["a", "b/c"]), "--exclude-patterns", "*.x")
    assert params["extra_files"] == ["a", "b/c"]
    assert params["exclude_patterns"] == ["*.x"]
    assert run_params()["extra_files"] is None
    assert run_command.make_context("run", [], default_map={"extra_files": ["a", "b"]}).params[
        "extra_files"
    ] == ["a", "b"]
