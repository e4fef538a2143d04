"""Multipart forms that are there; that they come out as Werkzeug's is held in test_wrappers.py."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brim.multipart import KeptBytes, Section, boundary_of, parse, parse_file

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


def test_a_file_is_read_where_its_body_is(tmp_path: Path) -> None:
    data = os.urandom(100_000)
    sent = body_of(FIELD, FILE[:-1] + data, FIELD)
    (tmp_path / "body").write_bytes(sent)
    with (tmp_path / "body").open("rb") as body:
        parsed = parse_file(body.fileno(), len(sent), b"B", None, None)
        assert parsed is not None
        assert parse_file(body.fileno(), len(sent), b"B", 2, None) is None
        assert parse_file(body.fileno(), len(sent), b"B", None, 3) is None
        assert parse_file(body.fileno(), len(sent), b"B", 3, 4) is not None
    fields, [(name, file)] = parsed
    assert fields == [("a", "said"), ("a", "said")]
    # What the body was in is closed by now.
    assert (name, file.filename, file.read()) == ("f", "b.txt", data)
    file.seek(-5, os.SEEK_END)
    assert file.read() == data[-5:]
    file.seek(0)
    file.save(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == data
    file.close()
    assert file.stream.closed


@given(
    st.binary(max_size=30),
    st.lists(
        st.tuples(st.sampled_from(["read", "readinto", "seek", "end", "on"]), st.integers(0, 40)),
        max_size=6,
    ),
)
def test_a_section_reads_as_a_file_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, steps: list[tuple[str, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "section"
    path.write_bytes(b"before" + data + b"behind")
    with path.open("rb") as file:
        kept = KeptBytes(file.fileno(), 12 + len(data))
    section = Section(kept, 6, 6 + len(data))
    buffered = io.BufferedReader(Section(kept, 6, 6 + len(data)))
    for raw, own in ((section, io.BytesIO(data)), (buffered, io.BytesIO(data))):
        for step, number in steps:
            results = []
            for one in (raw, own):
                one.seek(0) if step == "on" else None
                if step == "read":
                    results.append(one.read(number))
                elif step == "readinto":
                    buffer = bytearray(number)
                    results.append((one.readinto(buffer), bytes(buffer)))  # type: ignore[attr-defined]
                elif step == "seek":
                    results.append(one.seek(number))
                elif step == "end":
                    results.append(one.seek(-min(number, len(data)), os.SEEK_END))
                else:
                    results.append(one.read())
                results.append(one.tell())
            assert results[: len(results) // 2] == results[len(results) // 2 :]
    buffered.close()
    with pytest.raises(ValueError, match="negative"):
        section.seek(-1)
    with pytest.raises(ValueError, match="whence"):
        section.seek(0, 3)
    section.close()
    with pytest.raises(ValueError, match="closed"):
        section.read(1)


@given(
    st.lists(st.sampled_from([b"a", b"b", b"aab", b"--", b"\r\n"]), max_size=30).map(b"".join),
    st.lists(st.tuples(st.sampled_from([b"a", b"ab", b"aabaa", b"\r\n\r\n"]), st.integers(0, 40))),
    st.integers(5, 20),
)
def test_what_is_in_a_file_is_searched_and_sliced_as_bytes_are(
    tmp_path_factory: pytest.TempPathFactory,
    data: bytes,
    asked: list[tuple[bytes, int]],
    piece: int,
) -> None:
    path = tmp_path_factory.getbasetemp() / "kept"
    path.write_bytes(data)
    with path.open("rb") as file, mock.patch("brim.multipart._PIECE", piece):
        kept = KeptBytes(file.fileno(), len(data))
        for text, start in asked:
            for end in (len(data), start + 7):
                end = min(end, len(data))
                assert kept.find(text, start, end) == data.find(text, start, end)
                assert kept[start:end] == data[start:end]
    assert len(kept) == len(data)


def test_no_more_parts_are_looked_at_than_there_may_be() -> None:
    class Counted(bytes):
        searches = 0

        def find(self, *args: Any) -> int:
            type(self).searches += 1
            return super().find(*args)

    assert parse(Counted(body_of(*[FIELD] * 1000)), b"B", 3) is None
    assert Counted.searches <= 8


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no list of what is open here")
def test_many_files_take_one_descriptor(tmp_path: Path) -> None:
    sent = body_of(*[FILE] * 100)
    (tmp_path / "body").write_bytes(sent)
    before = len(os.listdir("/proc/self/fd"))
    with (tmp_path / "body").open("rb") as body:
        parsed = parse_file(body.fileno(), len(sent), b"B", None, None)
    assert parsed is not None
    assert len(parsed[1]) == 100
    assert len(os.listdir("/proc/self/fd")) == before + 1
    for _, file in parsed[1]:
        assert file.read() == b"1"
        file.close()
    assert len(os.listdir("/proc/self/fd")) == before
