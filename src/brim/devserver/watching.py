"""Hears of changed files from watchfiles, and tells which of them count.

Folders are watched one by one, not with all that is below them: a virtual environment or
``node_modules`` in the application's folder costs nothing. What a change leads to is the
supervisor's business.
"""

from __future__ import annotations

import hashlib
import os
import threading
from fnmatch import fnmatch
from importlib.util import cache_from_source
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Milliseconds: files that are written together are one change; the most that is waited for
#: more of them; and how soon after its start the watching is known to have begun.
STEP, DEBOUNCE, BEGIN = 20, 200, 250


class Watching:
    """Watches folders on a thread of its own.

    ``changed`` is called with the paths that changed, and ``begun`` once new folders are
    watched: what happened before that has to be looked for. Both come on another thread.
    """

    def __init__(
        self, changed: Callable[[set[str]], None], begun: Callable[[], None], polling: bool = False
    ) -> None:
        self.changed = changed
        self.begun = begun
        self.folders: set[str] = set()
        self._polling = polling
        self._stop = threading.Event()

    def watch(self, folders: Iterable[str]) -> None:
        """Watch these folders from now on; those watched so far until it has begun."""
        existing = {folder for folder in folders if os.path.isdir(folder)}
        if existing == self.folders:
            return
        self.folders = existing
        before, self._stop = self._stop, threading.Event()
        args = (existing, self._stop, before)
        threading.Thread(target=self._watch, args=args, daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _watch(self, folders: set[str], stop: threading.Event, before: threading.Event) -> None:
        # Optional, and checked for before a supervisor is made.
        from watchfiles import watch

        options: dict[str, Any] = {"force_polling": True} if self._polling else {}
        try:
            for changes in watch(
                *folders,
                watch_filter=None,
                debounce=DEBOUNCE,
                step=STEP,
                rust_timeout=BEGIN,
                yield_on_timeout=True,
                stop_event=stop,
                recursive=False,
                raise_interrupt=False,
                **options,
            ):
                if not before.is_set():
                    before.set()
                    self.begun()
                if changes:
                    self.changed({os.path.realpath(path) for _, path in changes})
        except FileNotFoundError:
            # A folder went as it was about to be watched; the rest is looked at again.
            self.folders = set()
            self.begun()
        except OSError as error:
            if self._polling:
                raise
            # No more inotify watches, mostly.
            click.secho(
                f" * The system doesn't report changes of files ({error}); looking for them"
                " several times a second instead.",
                fg="yellow",
                err=True,
            )
            self._polling = True
            self._watch(folders, stop, before)


class Contents:
    """Remembers what was in files, to tell a changed file from one that was only touched."""

    def __init__(self) -> None:
        self._digests: dict[str, bytes | None] = {}

    def __contains__(self, file: str) -> bool:
        return file in self._digests

    def note(self, files: Iterable[str]) -> None:
        """Note what is in files, before a process reads them.

        What is written later differs from it, whether or not the process has read that.
        """
        for file in files:
            self._digests[file] = digest(file)

    def note_old(self, files: Iterable[str], started: float) -> None:
        """Note what is in files that a process turns out to have read, if not known yet.

        A file that was changed since the process started may hold something else by now
        than what it has read.
        """
        # The clock of files runs in steps, and so behind.
        known = self._digests
        self.note(
            file for file in files if file not in known and not changed_since(file, started - 0.05)
        )

    def note_missing(self, files: Iterable[str] = ()) -> None:
        """Note which files, known ones or these, are gone: they have changed when they are back."""
        for file in {*self._digests, *files}:
            if not os.path.exists(file):
                self._digests[file] = None

    def changed(self, files: Iterable[str]) -> set[str]:
        """Return the files that hold something else than is remembered, or may do so."""
        return {
            file
            for file in files
            if file not in self._digests or self._digests[file] != digest(file)
        }


def changed_since(file: str, moment: float) -> bool:
    """Tell whether a file was changed after a moment, or is gone."""
    try:
        status = os.stat(file)
    except OSError:
        return True
    return max(status.st_mtime, status.st_ctime) >= moment


def digest(file: str) -> bytes | None:
    """Return a digest of a file's content; ``None`` for a file that can't be read."""
    try:
        with open(file, "rb") as content:
            return hashlib.file_digest(content, "blake2b").digest()
    except OSError:
        return None


def is_excluded(file: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(file, pattern) for pattern in patterns)


def forget_compiled(files: Iterable[str]) -> None:
    """Delete what Python compiled of changed files.

    It knows a file by its size and the second it was changed in, and would take a second
    save of the same size within a second for the first.
    """
    for file in files:
        if file.endswith(".py"):
            try:
                os.unlink(cache_from_source(file))
            except (OSError, NotImplementedError):
                pass
