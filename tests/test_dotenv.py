from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from brim.dotenv import (
    framework_variables,
    load_dotenv,
    prefer_brim_variables,
    restore_variables,
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment that no test changes for good."""
    folder = tmp_path / "below"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(os, "environ", type(os.environ)(*_parts()))
    return folder


def _parts() -> tuple[object, ...]:
    """What ``os.environ`` is made of, with the data copied and nothing set for real."""
    e = os.environ
    return dict(e._data), e.encodekey, e.decodekey, e.encodevalue, e.decodevalue  # type: ignore[attr-defined]


def test_what_is_set_wins_over_the_file_then_dotenv_then_flaskenv(folder: Path) -> None:
    (folder / ".flaskenv").write_text("SET=1\nGIVEN=1\nENV=1\nFLASK=ü\n", "utf-8")
    (folder.parent / ".env").write_text("SET=2\nGIVEN=2\nENV=2\n")
    (folder / "given").write_text("SET=3\nGIVEN=3\nNO_VALUE\n")
    os.environ["SET"] = ""
    assert load_dotenv("given")
    names = ("SET", "GIVEN", "ENV", "FLASK", "NO_VALUE")
    assert [os.environ.get(name) for name in names] == ["", "3", "2", "ü", None]
    assert Path.cwd() == folder


def test_the_defaults_can_be_left_out(folder: Path) -> None:
    (folder / ".env").write_text("ENV=1")
    assert not load_dotenv("not there", load_defaults=False)
    assert not load_dotenv(load_defaults=False)
    assert "ENV" not in os.environ
    assert load_dotenv()


def test_an_empty_file_or_none_sets_nothing(folder: Path) -> None:
    assert not load_dotenv()
    (folder / ".env").write_text("")
    assert not load_dotenv()


def test_without_python_dotenv_a_tip_is_given_where_there_are_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "dotenv", None)
    assert not load_dotenv()
    assert capsys.readouterr().err == ""
    (folder / ".flaskenv").write_text("ENV=1")
    assert not load_dotenv()
    assert "pip install python-dotenv" in capsys.readouterr().err
    assert "ENV" not in os.environ


def test_brims_names_stand_for_flasks_and_win() -> None:
    before = framework_variables()
    assert before == {}
    os.environ.update(BRIM_RUN_PORT="1", FLASK_RUN_PORT="2", FLASK_APP="a")
    prefer_brim_variables()
    assert framework_variables() == {"BRIM_RUN_PORT": "1", "FLASK_RUN_PORT": "1", "FLASK_APP": "a"}
    restore_variables({"FLASK_APP": "b"})
    assert framework_variables() == {"FLASK_APP": "b"}
