"""Short multipart forms, in the shape in which browsers and HTTP clients send them.

Whatever has another shape is Werkzeug's parser's to understand: headers that are folded or
written in another way, escapes, names beyond ASCII, preambles, broken delimiters.
"""

from __future__ import annotations

import re

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
    begin, end = b"--%b\r\n" % boundary, b"\r\n--%b--\r\n" % boundary
    if not body.startswith(begin) or not body.endswith(end) or len(body) < len(begin) + len(end):
        return None
    parts = body[len(begin) : -len(end)].split(b"\r\n" + begin)
    # What looks like a delimiter anywhere else might be one.
    if body.count(b"--" + boundary) != len(parts) + 1:
        return None
    if most_parts is not None and len(parts) > most_parts:
        return None
    fields: Fields = []
    found: list[tuple[re.Match[bytes], bytes]] = []
    for part in parts:
        head, separator, data = part.partition(b"\r\n\r\n")
        match = _HEAD.fullmatch(head)
        if match is None or not separator:
            return None
        if match["filename"] is not None:
            found.append((match, data))
            continue
        try:
            fields.append((match["name"].decode(), data.decode()))
        except UnicodeDecodeError:
            return None
    return fields, [_file(match, data, len(body)) for match, data in found]


def _file(match: re.Match[bytes], data: bytes, total: int) -> tuple[str, FileStorage]:
    name, filename = match["name"].decode(), match["filename"].decode()
    headers = [(match["first"].decode(), match["disposition"].decode())]
    content_type = None
    if match["type"] is not None:
        content_type = match["type"].decode()
        headers.append((match["second"].decode(), content_type))
    stream = default_stream_factory(total, content_type, filename, 0)
    stream.write(data)
    stream.seek(0)
    return name, FileStorage(stream, filename, name, headers=Headers(headers))
