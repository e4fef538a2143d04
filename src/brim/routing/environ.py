"""What routing reads of a WSGI environ: the path, and whether an adapter can be bound.

Functions of strings and environs only; rules have no place here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..typing import WSGIEnvironment

# How long a label of a host name may be.
_LONGEST_LABEL = 63


def decode_path(path_info: str) -> str:
    """Decode ``PATH_INFO`` or ``SCRIPT_NAME`` of a WSGI environ, as Werkzeug does.

    What isn't valid UTF-8 becomes ``\ufffd``. Raises ``UnicodeEncodeError`` for text that
    no WSGI server could have made of bytes.

    >>> decode_path("/caf\u00c3\u00a9")
    '/caf\u00e9'
    """
    if path_info.isascii():
        return path_info
    return path_info.encode("latin-1").decode(errors="replace")


def host_is_plain(host: str) -> bool:
    """Tell whether a URL adapter can certainly be bound to this ``Host``.

    Werkzeug takes a host with characters that no host can have for an empty one, and
    binds to that. It refuses to bind, which is a 400, to a host one of whose labels is
    empty or too long for IDNA. Only where this is ``True`` may the adapter be made later,
    or never. ``False`` means: bind, and see.

    >>> host_is_plain("example.com:8000"), host_is_plain("a..b")
    (True, False)
    """
    return len(host) <= _LONGEST_LABEL and ".." not in host and not host.startswith(".")


def environ_is_plain(environ: WSGIEnvironment) -> bool:
    """Tell whether a matcher's answer holds for the request of this environ.

    It doesn't where the adapter might not be bound (see :func:`host_is_plain`) and where
    only WebSocket rules match: under the schemes ``ws`` and ``wss``, and with
    ``Upgrade: websocket``, for which any ``Upgrade`` is taken here.
    """
    return (
        environ["wsgi.url_scheme"] in ("http", "https")
        and "HTTP_UPGRADE" not in environ
        and host_is_plain(environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "."))
    )
