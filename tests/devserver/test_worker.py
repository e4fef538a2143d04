from __future__ import annotations

import sys
from pathlib import Path

import pytest

from brim.devserver.worker import preload


def test_what_was_loaded_is_imported_as_far_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ends_all.py").write_text("raise SystemExit")
    (tmp_path / "fails.py").write_text("raise LookupError")
    (tmp_path / "works.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    # gevent replaces what the others would have taken hold of.
    preload(["gevent", "works"])
    assert "works" not in sys.modules
    preload(["sys", "not_there", "fails", "ends_all", "works"])
    assert sys.modules.pop("works").__file__ == str(tmp_path / "works.py")
