"""What routing reads of a WSGI environ: the path, and whether an adapter can be bound.

Functions of strings and environs only; rules have no place here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..typing import ASGIScope, WSGIEnvironment

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


def plain_path(environ: WSGIEnvironment) -> str | None:
    """Return the decoded path, if a matcher's answer holds for the request of this environ.

    It doesn't where the adapter might not be bound (see :func:`host_is_plain`) and where
    only WebSocket rules match: under the schemes ``ws`` and ``wss``, and with
    ``Upgrade: websocket``, for which any ``Upgrade`` is taken here.

    >>> plain_path({"wsgi.url_scheme": "http", "SERVER_NAME": "localhost", "PATH_INFO": "/a"})
    '/a'
    """
    # PERF: benchmarks/bench_routing.py. A set is asked quicker than a function.
    host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", ".")
    if (
        (host not in _plain_hosts and not _note_plain_host(host))
        or environ["wsgi.url_scheme"] not in _SCHEMES
        or "HTTP_UPGRADE" in environ
    ):
        return None
    path: str = environ.get("PATH_INFO", "")
    return path if path.isascii() else decode_path(path)


def plain_path_of_handshake(environ: WSGIEnvironment) -> str | None:
    """Return the decoded path of a request that certainly asks for a WebSocket.

    ``None`` where it doesn't, asks in another way than the ASGI door writes it down (which is
    that of nearly all clients), and where the adapter might not be bound.
    """
    if (
        environ.get("HTTP_UPGRADE") != "websocket"
        or environ.get("HTTP_CONNECTION") != "Upgrade"
        or environ.get("REQUEST_METHOD") != "GET"
    ):
        return None
    plain = dict(environ)
    del plain["HTTP_UPGRADE"]
    return plain_path(plain)


def plain_path_of_scope(scope: ASGIScope, headers: Mapping[bytes, bytes]) -> str | None:
    """Return the path of an ASGI scope, where a matcher's answer holds for the request.

    ``None`` where :func:`plain_path` might have none for its environ, or another.
    ``headers``: those of the scope.
    """
    path: str = scope["path"]
    host = headers.get(b"host", b".")
    if (
        (host not in _plain_sent_hosts and not _note_plain_sent_host(host))
        or b"upgrade" in headers
        or scope.get("scheme") not in _SENT_SCHEMES
        or not path.isascii()
        or scope.get("root_path")
        or "brim.environ" in scope
        or len(headers) != len(scope["headers"])
    ):
        return None
    return path


_SCHEMES = frozenset({"http", "https"})
#: A scope without one is of HTTP.
_SENT_SCHEMES = _SCHEMES | {None}
#: Hosts that were found to be plain; bounded, as clients send what they like.
_plain_hosts: set[str] = set()
_plain_sent_hosts: set[bytes] = set()
_MOST_HOSTS = 1000


def _note_plain_host(host: str) -> bool:
    plain = host_is_plain(host)
    if plain and len(_plain_hosts) < _MOST_HOSTS:
        _plain_hosts.add(host)
    return plain


def _note_plain_sent_host(host: bytes) -> bool:
    plain = host_is_plain(host.decode("latin-1"))
    if plain and len(_plain_sent_hosts) < _MOST_HOSTS:
        _plain_sent_hosts.add(host)
    return plain
