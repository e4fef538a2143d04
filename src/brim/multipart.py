"""Multipart forms that are there, in the shape in which browsers and HTTP clients send them.

Whatever has another shape is Werkzeug's parser's to understand: headers that are folded or
written in another way, escapes, names beyond ASCII, preambles, broken delimiters.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from typing import IO, Any, cast

from werkzeug.datastructures import FileStorage, Headers
from werkzeug.formparser import default_stream_factory

_CONTENT_TYPE = re.compile(r'multipart/form-data; ?boundary=("?)([A-Za-z0-9_-]{1,70})\1')
_HEAD = re.compile(
    rb"(?P<first>(?i:Content-Disposition)): "
    rb'(?P<disposition>form-data; name="(?P<name>[\w .:/()\[\]-]*)"'
    rb'(?:; filename="(?P<filename>[\w .()\[\]-]+)")?)'
    rb"(?:\r\n(?P<second>(?i:Content-Type)): (?P<type>[\w.+-]+/[\w.+-]+))?",
    re.ASCII,
)

#: How long a part's head may be, in bytes.
_LONGEST_HEAD = 1024
#: How much of a file is searched at once.
_PIECE = 1024 * 1024

#: A part's head, and where its data begins and ends.
_Part = tuple[re.Match[bytes], int, int]
_Keep = Callable[[int, int, re.Match[bytes]], IO[bytes]]
Fields = list[tuple[str, str]]
Files = list[tuple[str, FileStorage]]


def boundary_of(content_type: str) -> bytes | None:
    """Return the boundary that a request's content type names, if it is a plain one."""
    match = _CONTENT_TYPE.fullmatch(content_type)
    return None if match is None else match[2].encode()


def parse(body: bytes, boundary: bytes, most_parts: int | None) -> tuple[Fields, Files] | None:
    """Return the fields and the files of a whole body (RFC 7578); ``None``: ask Werkzeug.

    PERF: a quarter of the time of a parser that takes any bytes in any pieces;
    benchmarks/bench_multipart.py.
    """

    def copy(start: int, end: int, head: re.Match[bytes]) -> IO[bytes]:
        type_, filename = head["type"], head["filename"].decode()
        kind = None if type_ is None else type_.decode()
        stream = default_stream_factory(len(body), kind, filename, 0)
        stream.write(body[start:end])
        stream.seek(0)
        return stream

    return _read(body, _parts(body, boundary, most_parts, None), copy)


def parse_file(
    file: int, size: int, boundary: bytes, most_parts: int | None, most_memory: int | None
) -> tuple[Fields, Files] | None:
    """Return the same of a body that is in a file, which is given by its descriptor.

    The files that were sent stay where they are, and are read there. ``None`` as well where a
    field is longer than ``most_memory`` bytes.

    PERF: nothing is written a second time; benchmarks/bench_multipart.py.
    """
    body = KeptBytes(file, size)

    def leave(start: int, end: int, head: re.Match[bytes]) -> IO[bytes]:
        return cast("IO[bytes]", io.BufferedReader(Section(body, start, end)))

    return _read(body, _parts(body, boundary, most_parts, most_memory), leave)


def _parts(
    body: bytes | KeptBytes, boundary: bytes, most_parts: int | None, most_memory: int | None
) -> list[_Part] | None:
    """Find the parts of a body.

    ``None`` if it isn't of the usual shape throughout (what looks like a delimiter anywhere else
    might be one), or beyond a limit: no more than that is looked at.
    """
    marker = b"--" + boundary
    start = len(marker) + 2
    if body[:start] != marker + b"\r\n":
        return None
    parts: list[_Part] = []
    while most_parts is None or len(parts) < most_parts:
        at = body.find(marker, start, len(body))
        end = at - 2
        data = body.find(b"\r\n\r\n", start, min(end, start + _LONGEST_HEAD)) + 4
        if end < start or data < 4 or body[end:at] != b"\r\n":
            return None
        head = _HEAD.fullmatch(body[start : data - 4])
        if head is None:
            return None
        if most_memory is not None and end - data > most_memory and head["filename"] is None:
            return None
        parts.append((head, data, end))
        start = at + len(marker) + 2
        behind = body[start - 2 : start + 2]
        if behind[:2] != b"\r\n":
            return parts if behind == b"--\r\n" and start + 2 == len(body) else None
    return None


def _read(
    body: bytes | KeptBytes, parts: list[_Part] | None, keep: _Keep
) -> tuple[Fields, Files] | None:
    """Read what was found; ``keep`` gives the stream of a file."""
    if parts is None:
        return None
    fields: Fields = []
    found: list[_Part] = []
    for part in parts:
        head, data, end = part
        if head["filename"] is not None:
            found.append(part)
            continue
        try:
            fields.append((head["name"].decode(), body[data:end].decode()))
        except UnicodeDecodeError:
            return None
    return fields, [_file(head, keep(data, end, head)) for head, data, end in found]


def _file(head: re.Match[bytes], stream: IO[bytes]) -> tuple[str, FileStorage]:
    name, filename = head["name"].decode(), head["filename"].decode()
    headers = [(head["first"].decode(), head["disposition"].decode())]
    if head["type"] is not None:
        headers.append((head["second"].decode(), head["type"].decode()))
    return name, FileStorage(stream, filename, name, headers=Headers(headers))


class KeptBytes:
    """What is in a file, to be searched and sliced as ``bytes`` are; a piece of it in memory."""

    _file: int | None = None

    def __init__(self, file: int, size: int) -> None:
        # Others may close theirs, or move in it.
        self._file = os.dup(file)
        self._size = size
        self._piece = b""
        self._begin = 0

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, span: slice) -> bytes:
        start, end, _ = span.indices(self._size)
        begin = self._begin
        if begin <= start and end <= begin + len(self._piece):
            return self._piece[start - begin : end - begin]
        return self.read(start, end - start)

    def find(self, text: bytes, start: int, end: int) -> int:
        """Return where ``text`` is within ``start`` and ``end``; -1 where it isn't."""
        while start + len(text) <= end:
            if not self._begin <= start <= self._begin + len(self._piece) - len(text):
                self._piece, self._begin = self.read(start, _PIECE), start
                if len(self._piece) < len(text):
                    break
            at = self._piece.find(text, start - self._begin, end - self._begin)
            if at >= 0:
                return self._begin + at
            start = self._begin + len(self._piece) - len(text) + 1
        return -1

    def read(self, start: int, size: int) -> bytes:
        """Read from there on; fewer bytes than ``size`` if there aren't as many."""
        pieces: list[bytes] = []
        # A system may give less than was asked for, at once.
        assert self._file is not None
        while size > 0 and (data := os.pread(self._file, min(size, self._size - start), start)):
            pieces.append(data)
            start, size = start + len(data), size - len(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)


class Section(io.RawIOBase):
    """A part of what was kept, as a file of its own to read."""

    def __init__(self, kept: KeptBytes, start: int, end: int) -> None:
        self._kept: KeptBytes | None = kept
        self._start = start
        self._size = end - start
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence not in (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END):
            raise ValueError(f"whence has to be 0, 1 or 2, not {whence}")
        offset += (0, self._at, self._size)[whence]
        if offset < 0:
            raise ValueError(f"negative seek position {offset}")
        self._at = offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._some(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return self._some(self._size)

    def _some(self, size: int) -> bytes:
        if self._kept is None:
            raise ValueError("read of a file that was closed")
        data = self._kept.read(self._start + self._at, min(size, self._size - self._at))
        self._at += len(data)
        return data

    def close(self) -> None:
        super().close()
        self._kept = None
