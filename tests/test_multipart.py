"""Short multipart forms; that they come out as Werkzeug's is held in test_wrappers.py."""

from __future__ import annotations

import pytest

from brim.multipart import boundary_of, parse

FIELD = b'Content-Disposition: form-data; name="a"\r\n\r\nsaid'
FILE = (
    b'Content-Disposition: form-data; name="f"; filename="b.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\n1"
)


def body_of(*parts: bytes) -> bytes:
    return b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + b"--B--\r\n"


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=----WebKitFormBoundaryAbC1", b"----WebKitFormBoundaryAbC1"),
        ('multipart/form-data; boundary="0a1b2c"', b"0a1b2c"),
        ("multipart/form-data;boundary=B", b"B"),
        ("multipart/form-data; boundary=a b", None),
        ("multipart/form-data; boundary=B; charset=utf-8", None),
        ("multipart/mixed; boundary=B", None),
        ("text/plain", None),
    ],
)
def test_the_boundary_is_found_where_it_is_plain(content_type: str, boundary: bytes | None) -> None:
    assert boundary_of(content_type) == boundary


def test_fields_and_files_are_parsed() -> None:
    parsed = parse(body_of(FIELD, FILE, FIELD), b"B", None)
    assert parsed is not None
    fields, [(name, file)] = parsed
    assert fields == [("a", "said"), ("a", "said")]
    assert (name, file.name, file.filename, file.content_type) == ("f", "f", "b.txt", "text/plain")
    assert file.read() == b"1"
    file.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--B\r\n",
        b"--B--\r\n",
        body_of(FIELD)[:-2],
        b"\r\n" + body_of(FIELD),
        body_of(FIELD + b"\n--B\n"),
        body_of(FIELD + b"\r\n--BC"),
        body_of(FIELD + b"\xff"),
        body_of(FIELD.replace(b"form-data", b"attachment")),
        body_of(FILE.replace(b"b.txt", b"b\\.txt")),
        body_of(FILE.replace(b"b.txt", "\N{SNOWMAN}.txt".encode())),
        body_of(b"X-More: 1\r\n" + FIELD),
    ],
)
def test_what_has_another_shape_is_left_to_werkzeug(body: bytes) -> None:
    assert parse(body, b"B", None) is None


def test_more_parts_than_the_limit_are_left_to_werkzeug() -> None:
    assert parse(body_of(FIELD, FIELD), b"B", 2) is not None
    assert parse(body_of(FIELD, FIELD), b"B", 1) is None
