"""Files: sent to clients, served as static, opened as resources.

What is sent, with which headers, ranges and conditions, is Werkzeug's work; here it
is told what the app and the request have to say about it. No path that came from a
client is opened but through ``send_from_directory``.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import werkzeug.utils

from .ctx import current_ctx, current_request_ctx

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import IO, Protocol

    from .typing import Response

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
    return cast("Response", werkzeug.utils.send_from_directory(directory, path, **options))


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
