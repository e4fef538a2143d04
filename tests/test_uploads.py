"""Uploads are saved whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.datastructures import FileStorage

from brim import Flask, request
from brim.errors import InsufficientStorage
from brim.testing import FlaskClient
from brim.uploads import Upload


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("file systems can't be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_is_507_and_keeps_no_part(
    app: Flask, client: FlaskClient, small_disk: Path
) -> None:
    @app.post("/")
    def upload() -> str:
        request.files["file"].save(small_disk / "saved")
        return "saved"

    sent = {"file": (io.BytesIO(b"x" * 200_000), "long.bin")}
    assert client.post("/", data=sent).status_code == 507
    assert list(small_disk.iterdir()) == []
    sent = {"file": (io.BytesIO(b"short"), "short.bin")}
    assert client.post("/", data=sent).text == "saved"
    assert (small_disk / "saved").read_bytes() == b"short"


def test_files_are_uploads(app: Flask, client: FlaskClient) -> None:
    @app.post("/")
    def upload() -> str:
        file = request.files["file"]
        assert isinstance(file, FileStorage)
        return f"{type(file).__name__} {file.filename} {file.read()!r}"

    sent = {"file": (io.BytesIO(b"abc"), "a.txt")}
    assert client.post("/", data=sent).text == "Upload a.txt b'abc'"


def test_another_error_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        Upload(io.BytesIO(b"abc")).save(tmp_path)
    assert tmp_path.is_dir()


def test_a_file_of_the_users_that_is_full_is_theirs_to_remove() -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "full")

    with pytest.raises(InsufficientStorage):
        Upload(io.BytesIO(b"abc")).save(Full())
