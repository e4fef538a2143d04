"""Small files: read whole where they are opened, so that sending one waits for nothing.

Holds what such a file is as a response's body. Which files are read so, and what is said
of them in headers, is decided in ``files.py``.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from werkzeug.http import remove_entity_headers
from werkzeug.wsgi import FileWrapper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .typing import Response

#: The most bytes that a file may have to be read whole.
SMALL = 64 * 1024


class SmallFile(FileWrapper):
    """A file's content, to be iterated over as any file of a response is."""

    def __init__(self, data: bytes) -> None:
        super().__init__(BytesIO(data))
        self.data = data

    def as_wsgi(
        self, response: Response, method: str
    ) -> tuple[str, list[tuple[str, str]], Sequence[bytes]] | None:
        """Return what :meth:`brim.responses.Response.as_wsgi` does, for a response with this body.

        ``None`` where Werkzeug has to be asked: for another status, for functions to be
        called at the end, for content that somebody has begun to read.
        """
        status = response._status_code
        if status not in {200, 304} or response.__dict__.get("_on_close") or self.file.closed:
            return None
        headers = response.headers_as_sent()
        if headers is None or self.file.tell():
            return None
        if status == 304:
            remove_entity_headers(headers)
            return response._status, headers, ()
        return response._status, headers, () if method == "HEAD" else [self.data]
