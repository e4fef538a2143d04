"""Files: sent to clients, served as static, opened as resources.

What is sent, with which headers, ranges and conditions, is Werkzeug's work; here it
is told what the app and the request have to say about it. No path that came from a
client is opened but through ``send_from_directory``.
"""

from __future__ import annotations

import mimetypes
import os
import re
from datetime import timedelta
from functools import lru_cache
from stat import S_ISREG
from time import time
from typing import TYPE_CHECKING, Any, cast
from zlib import adler32

import werkzeug.utils
from werkzeug.http import http_date
from werkzeug.security import safe_join
from werkzeug.wsgi import wrap_file

from .ctx import current_ctx, current_request_ctx
from .small_files import SMALL, SmallFile
from .wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import IO, Protocol

    from .typing import WSGIEnvironment

    class HasStaticFolder(Protocol):
        """An app or a blueprint, as far as static files go."""

        @property
        def has_static_folder(self) -> bool: ...
        @property
        def static_folder(self) -> str | None: ...
        def get_send_file_max_age(self, filename: str | None) -> int | None: ...


def send_file(
    path_or_file: os.PathLike[str] | str | IO[bytes],
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: datetime | int | float | None = None,
    max_age: int | Callable[[str | None], int | None] | None = None,
) -> Response:
    """Return a response that sends a file to the client.

    ``path_or_file`` is a path, taken from the app's ``root_path`` if it is relative, or
    a file opened in binary mode and positioned where sending is to start. A path is
    preferred: its size, time and type are then known. Never let a path come from the
    client; that is what ``send_from_directory`` is for.

    - ``mimetype``: by default guessed from the name.
    - ``as_attachment``: have the browser save the file instead of showing it.
    - ``download_name``: the name to save it under, by default the file's own.
    - ``conditional``: answer ranges, and requests that ask whether it has changed.
    - ``etag``: identify the version by path, size and time; or a tag of your own.
    - ``last_modified``: by default the file's time.
    - ``max_age``: seconds for which browsers need not ask again, or a function that
      gives them for a name; by default ``app.get_send_file_max_age``.

    With the setting ``USE_X_SENDFILE`` the web server in front is told the path and
    reads the file itself.

    Raises ``OSError`` for a path that can't be opened, ``TypeError`` where no type can
    be guessed, ``ValueError`` for a text file.

    >>> @app.get("/report")  # doctest: +SKIP
    ... def report():
    ...     return send_file("report.pdf", as_attachment=True)
    """
    options = _complete(
        mimetype=mimetype,
        as_attachment=as_attachment,
        download_name=download_name,
        conditional=conditional,
        etag=etag,
        last_modified=last_modified,
        max_age=max_age,
    )
    if (
        (mimetype, download_name, last_modified) == (None, None, None)
        and not as_attachment
        and conditional
        and etag is True
        and isinstance(path_or_file, (str, os.PathLike))
    ):
        response = _send_plainly(path_or_file, options)
        if response is not None:
            return response
    return cast("Response", werkzeug.utils.send_file(path_or_file, **options))


def send_from_directory(
    directory: os.PathLike[str] | str, path: os.PathLike[str] | str, **kwargs: Any
) -> Response:
    """Return a response that sends a file from below ``directory``.

    ``path`` may come from the client: it can't lead out of the directory, and whatever
    is no file in it is answered with 404 Not Found. ``directory`` must not; it is taken
    from the app's ``root_path`` if it is relative. Other arguments are those of
    ``send_file``.

    >>> @app.get("/uploads/<path:name>")  # doctest: +SKIP
    ... def upload(name):
    ...     return send_from_directory(app.config["UPLOADS"], name)
    """
    options = _complete(**kwargs)
    if kwargs.keys() <= {"max_age"}:
        found = safe_join(os.fspath(directory), os.fspath(path))
        response = None if found is None else _send_plainly(found, options)
        if response is not None:
            return response
    return cast("Response", werkzeug.utils.send_from_directory(directory, path, **options))


#: Requests with these ask for more than what :func:`_send_plainly` knows.
_ASKED = ("HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_ONE_ETAG = re.compile(r'(?:W/)?("[A-Za-z0-9_.:+/=-]*")')
_SEND_FILE = werkzeug.utils.send_file
_SEND_FROM_DIRECTORY = werkzeug.utils.send_from_directory
_date = lru_cache(maxsize=128)(http_date)


def _send_plainly(path_or_name: os.PathLike[str] | str, options: dict[str, Any]) -> Response | None:
    """Return what Werkzeug would answer for a file of a plain name; ``None``: ask Werkzeug.

    It is asked where there is no such file, too, and knows what to raise.

    PERF: a third of Werkzeug's time, and a small file is read at once, so that under ASGI
    nothing is left to be done on a thread; benchmarks/bench_static.py.
    """
    environ: WSGIEnvironment = options["environ"]
    path = os.path.join(options["_root_path"], path_or_name)
    name = os.path.basename(path)
    if not (_may_be_plain(environ, options) and _PLAIN_NAME.fullmatch(name) and path.isascii()):
        return None
    mimetype, encoding = mimetypes.guess_type(name)
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return None
    if encoding is not None or not S_ISREG(stat.st_mode) or stat.st_mtime < 0:
        return None
    etag = f'"{stat.st_mtime}-{stat.st_size}-{adler32(path.encode())}"'
    asked: str | None = environ.get("HTTP_IF_NONE_MATCH")
    match = None if asked is None else _ONE_ETAG.fullmatch(asked)
    if match is None and (asked is not None or "HTTP_IF_MODIFIED_SINCE" in environ):
        return None
    changed = match is None or match[1] != etag
    # What has not changed is not opened, but an error if it could not be.
    if not changed and not os.access(path, os.R_OK):
        return None
    max_age: Any = options["max_age"]
    if callable(max_age):
        max_age = max_age(path)
    body = _body_of(path, stat.st_size if changed else 0, environ)
    if body is None:
        return None
    headers = (
        ("Content-Disposition", f"inline; filename={name}"),
        ("Content-Length", str(stat.st_size)),
        ("Last-Modified", _date(int(stat.st_mtime))),
        *_keeping(max_age),
        ("ETag", etag),
        ("Date", _date(int(time()))),
        ("Accept-Ranges", "bytes"),
    )
    kind = werkzeug.utils.get_content_type(mimetype or "application/octet-stream", "utf-8")
    return Response.of_file(body, kind, headers, 200 if changed else 304)


def _keeping(max_age: int | None) -> tuple[tuple[str, str], ...]:
    if max_age is None:
        return (("Cache-Control", "no-cache"),)
    how = "public" if max_age > 0 else "no-cache"
    return (
        ("Cache-Control", f"{how}, max-age={max_age}"),
        ("Expires", _date(int(time() + max_age))),
    )


def _may_be_plain(environ: WSGIEnvironment, options: dict[str, Any]) -> bool:
    return (
        environ["REQUEST_METHOD"] in {"GET", "HEAD"}
        and not any(name in environ for name in _ASKED)
        and options["response_class"] is Response
        and not options["use_x_sendfile"]
        and werkzeug.utils.send_file is _SEND_FILE
        and werkzeug.utils.send_from_directory is _SEND_FROM_DIRECTORY
    )


def _body_of(path: str, size: int, environ: WSGIEnvironment) -> Any:
    """Return what sends a file of this size; ``None`` if it has another by now."""
    # A server with a way of its own to send files may need one that is open.
    if size > SMALL or (size and "wsgi.file_wrapper" in environ):
        return wrap_file(environ, open(path, "rb"))
    with open(path, "rb", buffering=0) as file:
        data = file.read(size + 1) if size else b""
    return SmallFile(data) if len(data) == size else None


def _complete(**options: Any) -> dict[str, Any]:
    """Return Werkzeug's options, with what the request and the app say."""
    environ = current_request_ctx().environ
    app = current_ctx().app_ctx.app
    if options.get("max_age") is None:
        options["max_age"] = app.get_send_file_max_age
    options.update(
        environ=environ,
        use_x_sendfile=app.config["USE_X_SENDFILE"],
        response_class=app.response_class,
        _root_path=app.root_path,
    )
    return options


def get_send_file_max_age(filename: str | None) -> int | None:
    """Return the seconds for which browsers may use a file unasked.

    The same for every ``filename``: what the current app's setting
    ``SEND_FILE_MAX_AGE_DEFAULT`` says, None if it says nothing.
    """
    value = current_ctx().app_ctx.app.config["SEND_FILE_MAX_AGE_DEFAULT"]
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    return cast("int | None", value)


def send_static_file(owner: HasStaticFolder, filename: str) -> Response:
    """Return a response that sends a file of ``owner``'s static folder.

    Raises ``RuntimeError`` if ``owner`` has no static folder.
    """
    if not owner.has_static_folder:
        raise RuntimeError(
            f"{owner!r} has no static folder to serve {filename!r} from. 'static_folder'"
            " must be set to serve static files."
        )
    return send_from_directory(
        cast("str", owner.static_folder),
        filename,
        max_age=owner.get_send_file_max_age(filename),
    )


def open_resource(
    root_path: str, resource: str, mode: str = "rb", encoding: str | None = None
) -> IO[Any]:
    """Open a file below ``root_path`` for reading.

    ``mode`` is ``"rb"``, or ``"r"`` or ``"rt"`` for text, in ``encoding`` or else UTF-8.

    Raises ``ValueError`` for any other mode: a resource is a part of the program, and
    what the program writes belongs in the instance folder.
    """
    if mode not in {"r", "rt", "rb"}:
        raise ValueError(
            f"Resource {resource!r} can't be opened with mode {mode!r}: resources can only be"
            " opened for reading ('rb', 'r' or 'rt'). To write, use 'open_instance_resource'."
        )
    return _open(os.path.join(root_path, resource), mode, encoding)


def open_instance_resource(
    instance_path: str, resource: str, mode: str = "rb", encoding: str | None = "utf-8"
) -> IO[Any]:
    """Open a file below ``instance_path``, for reading or writing.

    ``mode`` is any that ``open`` takes; ``encoding`` counts in text modes.
    """
    return _open(os.path.join(instance_path, resource), mode, encoding)


def _open(path: str, mode: str, encoding: str | None) -> IO[Any]:
    # An encoding given along with a binary mode is ignored, as it says nothing there.
    return open(path, mode, encoding=None if "b" in mode else encoding or "utf-8")
