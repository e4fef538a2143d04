"""Multipart forms that are there, in the shape in which browsers and HTTP clients send them.

Whatever has another shape is Werkzeug's parser's to understand: headers that are folded or
written in another way, escapes, names beyond ASCII, preambles, broken delimiters.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
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
    parts = _parts(body, boundary)
    if parts is None or (most_parts is not None and len(parts) > most_parts):
        return None

    def copy(start: int, end: int, head: re.Match[bytes]) -> IO[bytes]:
        type_, filename = head["type"], head["filename"].decode()
        kind = None if type_ is None else type_.decode()
        stream = default_stream_factory(len(body), kind, filename, 0)
        stream.write(body[start:end])
        stream.seek(0)
        return stream

    return _read(body, parts, copy)


def parse_file(
    file: int, size: int, boundary: bytes, most_parts: int | None, most_memory: int | None
) -> tuple[Fields, Files] | None:
    """Return the same of a body that is in a file, which is given by its descriptor.

    The files that were sent stay where they are, and are read there. ``None`` as well where a
    field is longer than ``most_memory`` bytes.

    PERF: nothing is written a second time; benchmarks/bench_multipart.py.
    """
    try:
        mapped = mmap(file, size, access=ACCESS_READ)
    except (OSError, ValueError):
        # There are file systems that can't.
        return None
    with mapped as body:
        parts = _parts(body, boundary)
        if (
            parts is None
            or (most_parts is not None and len(parts) > most_parts)
            or (
                most_memory is not None
                and any(
                    end - data > most_memory and head["filename"] is None
                    for head, data, end in parts
                )
            )
        ):
            return None

        def leave(start: int, end: int, head: re.Match[bytes]) -> IO[bytes]:
            return cast("IO[bytes]", io.BufferedReader(Section(file, start, end)))

        return _read(body, parts, leave)


def _parts(body: bytes | mmap, boundary: bytes) -> list[_Part] | None:
    """Find the parts of a body; ``None`` if it isn't of the usual shape throughout.

    What looks like a delimiter anywhere else might be one.
    """
    marker = b"--" + boundary
    start = len(marker) + 2
    if body[:start] != marker + b"\r\n":
        return None
    parts: list[_Part] = []
    while True:
        at = body.find(marker, start)
        end = at - 2
        data = body.find(b"\r\n\r\n", start, min(end, start + _LONGEST_HEAD)) + 4
        if end < start or data < 4 or body[end:at] != b"\r\n":
            return None
        head = _HEAD.fullmatch(body[start : data - 4])
        if head is None:
            return None
        parts.append((head, data, end))
        start = at + len(marker) + 2
        behind = body[start - 2 : start + 2]
        if behind[:2] != b"\r\n":
            return parts if behind == b"--\r\n" and start + 2 == len(body) else None


def _read(body: bytes | mmap, parts: list[_Part], keep: _Keep) -> tuple[Fields, Files] | None:
    """Read what was found; ``keep`` gives the stream of a file."""
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


class Section(io.RawIOBase):
    """A part of a file of the system, as a file of its own to read."""

    def __init__(self, file: int, start: int, end: int) -> None:
        # Others may close theirs, or move in it.
        self._file = os.dup(file)
        self._start = start
        self._size = end - start
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._some(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        pieces: list[bytes] = []
        # A system may give less than was asked for, at once.
        while data := self._some(self._size):
            pieces.append(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _some(self, size: int) -> bytes:
        if self.closed:
            # Its number may be another file's by now.
            raise ValueError("read of a file that was closed")
        size = max(min(size, self._size - self._at), 0)
        data = os.pread(self._file, size, self._start + self._at)
        self._at += len(data)
        return data

    def close(self) -> None:
        if not self.closed:
            super().close()
            os.close(self._file)
