"""Files that were uploaded, as Werkzeug's parser gives them, saved whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from werkzeug.datastructures import FileStorage

from .bodies import disk_is_full
from .errors import DebugFilesKeyError, InsufficientStorage

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from .typing import Request


class Upload(FileStorage):
    """A file that was uploaded, one of ``request.files``."""

    def save(self, dst: str | os.PathLike[str] | IO[bytes], buffer_size: int = 16384) -> None:
        """Save the file under a path, or into a file that is open for writing.

        Where the disk is full, nothing is left at the path. Raises
        :exc:`~brim.errors.InsufficientStorage` (507) then.
        """
        try:
            super().save(dst, buffer_size)
        except OSError as error:
            if not disk_is_full(error):
                raise
            if isinstance(dst, (str, os.PathLike)):
                with suppress(OSError):
                    os.unlink(dst)
            raise InsufficientStorage from error


def make_uploads(files: MultiDict[str, FileStorage]) -> None:
    """Have a request's files be :class:`Upload` objects, unless they are of a user's class."""
    for file in files.values():
        if type(file) is FileStorage:
            file.__class__ = Upload


def explain_missing_files(request: Request) -> None:
    """Make ``request.files[key]`` say why a file that was named didn't come."""
    plain = type(request.files)

    class ExplainingFiles(plain):  # type: ignore[valid-type,misc]
        def __getitem__(self, key: str) -> Any:
            try:
                return super().__getitem__(key)
            except KeyError as error:
                if key not in request.form:
                    raise
                raise DebugFilesKeyError(request, key).with_traceback(error.__traceback__) from None

    ExplainingFiles.__name__ = plain.__name__
    request.files.__class__ = ExplainingFiles
