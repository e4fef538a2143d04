"""Uploads are saved whole or not at all."""

from __future__ import annotations

import errno
import gc
import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.datastructures import FileStorage

from brim import Flask, request
from brim.errors import InsufficientStorage
from brim.multipart import Section
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


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no list of what is open here")
def test_long_uploads_to_coroutines_are_whole_and_leave_nothing_open(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    @app.post("/")
    async def upload() -> dict[str, object]:
        for number, file in enumerate(request.files.getlist("file")):
            # Read where the body is, or kept as Flask does.
            in_place = isinstance(getattr(file.stream, "raw", None), Section)
            assert in_place is ("asgi.scope" in request.environ)
            head = file.read(10)
            file.seek(0)
            file.save(tmp_path / str(number))
            assert head == (tmp_path / str(number)).read_bytes()[:10]
        return {"fields": request.form, "left": len(request.get_data())}

    sent = [os.urandom(700_000), b"", os.urandom(90_000)]
    # Put together here, as the client would keep so much in a file of its own.
    head = b'--B\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
    body = head % (b"name", b"", b"Ada")
    body += b"".join(head % (b"file", b'; filename="a.bin"', data) for data in sent) + b"--B--\r\n"
    before = open_files()
    for _ in range(3):
        answer = client.post("/", data=body, content_type="multipart/form-data; boundary=B")
        assert answer.json == {"fields": {"name": "Ada"}, "left": 0}
        assert [(tmp_path / str(number)).read_bytes() for number in range(3)] == sent
    gc.collect()
    assert open_files() == before


def open_files() -> list[str]:
    """The paths of what this process has open of the file system."""
    return sorted(path for entry in os.scandir("/proc/self/fd") if (path := _readlink(entry.path)))


def _readlink(path: str) -> str:
    try:
        target = os.readlink(path)
    except OSError:  # closed meanwhile
        return ""
    return target if target.startswith("/") else ""
