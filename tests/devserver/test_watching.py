from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Iterator
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from brim.devserver import watching
from brim.devserver.watching import Contents, Watching, forget_compiled, is_excluded

Events = queue.Queue[set[str] | None]


@pytest.fixture
def events() -> Events:
    """What a watching reports: paths that changed, or ``None`` for "begun"."""
    return queue.Queue()


@pytest.fixture
def watch(events: Events) -> Iterator[Watching]:
    watch = Watching(events.put, lambda: events.put(None))
    yield watch
    watch.stop()


def heard(events: Events, file: Path) -> None:
    """Wait until a change of a file is reported."""
    while str(file) not in (events.get(timeout=10) or ()):
        pass


def test_folders_are_watched_and_exchanged(tmp_path: Path, watch: Watching, events: Events) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    watch.watch([str(one), str(tmp_path / "not_there")])
    watch.watch([str(one)])  # the same
    assert events.get(timeout=10) is None
    (one / "a").touch()
    heard(events, one / "a")
    watch.watch([str(two)])
    while events.get(timeout=10) is not None:
        pass
    (two / "b").touch()
    heard(events, two / "b")


def test_a_folder_that_goes_meanwhile_is_looked_at_again(
    tmp_path: Path, watch: Watching, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os.path, "isdir", lambda path: True)
        watch.watch([str(tmp_path / "gone")])
    assert events.get(timeout=10) is None
    assert watch.folders == set()


def test_where_the_system_reports_nothing_files_are_polled(
    tmp_path: Path,
    watch: Watching,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real: Callable[..., Any] = watchfiles.watch

    def limited(*paths: str, **options: Any) -> Any:
        if not options.get("force_polling"):
            raise OSError("no inotify watches left")
        return real(*paths, poll_delay_ms=20, **options)

    monkeypatch.setattr(watchfiles, "watch", limited)
    watch.watch([str(tmp_path)])
    assert events.get(timeout=10) is None
    (tmp_path / "a").touch()
    heard(events, tmp_path / "a")
    assert "no inotify watches left" in capsys.readouterr().err


def test_a_file_that_was_only_touched_has_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    path = str(file)
    file.write_text("one")
    contents = Contents()
    assert contents.changed([path]) == {path}
    # What was read of a file that changed meanwhile is not known.
    contents.note_old([path, str(tmp_path / "gone")], time.time() - 100)
    assert contents.changed([path]) == {path}
    contents.note_old([path], time.time() + 100)
    os.utime(file)
    assert contents.changed([path]) == set()
    file.write_text("two")
    assert contents.changed([path]) == {path}
    contents.note([path])
    assert contents.changed([path]) == set()
    file.unlink()
    assert contents.changed([path]) == {path}


def test_patterns_exclude_paths() -> None:
    assert is_excluded("/x/y_generated.py", ["*_generated.py"])
    assert not is_excluded("/x/y.py", ["*_generated.py"])
    assert not is_excluded("/x/y.py", [])


def test_compiled_files_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = str(tmp_path / "a.py")
    compiled = Path(cache_from_source(file))
    compiled.parent.mkdir()
    compiled.touch()
    forget_compiled([str(tmp_path / "a.toml"), file, str(tmp_path / "b.py")])
    assert not compiled.exists()

    def unsupported(path: str) -> str:
        raise NotImplementedError

    monkeypatch.setattr(watching, "cache_from_source", unsupported)
    forget_compiled([file])
