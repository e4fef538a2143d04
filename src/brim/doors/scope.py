"""An ASGI scope as the WSGI environ that the rest of Brim, and every extension, reads.

Facts of the request only; what the server can do with bytes is the door's.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from ..typing import ASGIScope, WSGIEnvironment

#: Header names as scopes have them, to keys of an environ. Bounded, as clients choose names.
_KEYS: dict[bytes, str] = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
_MOST_KEYS = 1000

#: The HTTP scheme of each WebSocket scheme; the adapter is told by the upgrade.
_HTTP_SCHEMES = {"ws": "http", "wss": "https"}


def environ_of(scope: ASGIScope) -> WSGIEnvironment:
    """Return the WSGI environ (PEP 3333) of an ASGI scope (HTTP or WebSocket).

    The scope itself is ``environ["asgi.scope"]``; what it has under ``"brim.environ"`` is
    taken over as it is. The body is for the door to set, as ``wsgi.input``.
    """
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client")
    root_path: str = scope.get("root_path") or ""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.get("method", "GET"),
        "SCRIPT_NAME": _as_wsgi(root_path),
        "PATH_INFO": _path_info(scope, root_path),
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "REQUEST_URI": _request_uri(scope),
        "SERVER_NAME": server[0],
        # Of a UNIX socket the path is known, and no port.
        "SERVER_PORT": str(server[1] if server[1] is not None else 80),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": client[0] if client else "",
        "REMOTE_PORT": str(client[1]) if client else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "asgi.scope": scope,
    }
    environ["RAW_URI"] = environ["REQUEST_URI"]
    _add_headers(environ, scope["headers"])
    if scope["type"] == "websocket":
        # What the server has taken out of the handshake, and the rules' adapter goes by.
        environ["HTTP_UPGRADE"] = "websocket"
        environ["HTTP_CONNECTION"] = "Upgrade"
        scheme = environ["wsgi.url_scheme"]
        environ["wsgi.url_scheme"] = _HTTP_SCHEMES.get(scheme, scheme)
    if "brim.environ" in scope:
        environ.update(scope["brim.environ"])
    return environ


def _add_headers(environ: WSGIEnvironment, headers: Any) -> None:
    for name, value in headers:
        key = _KEYS.get(name)
        if key is None:
            # "X_User" would pass for "X-User", which a proxy in front may answer for.
            if b"_" in name:
                continue
            text = name.decode("latin-1").upper()
            if text.lower().encode("latin-1") != name:
                key = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}.get(text)
            key = key or "HTTP_" + text.replace("-", "_")
            if len(_KEYS) < _MOST_KEYS:
                _KEYS[name] = key
        text = value.decode("latin-1")
        if key in environ:
            separator = "; " if key == "HTTP_COOKIE" else ","
            text = f"{environ[key]}{separator}{text}"
        environ[key] = text


def _as_wsgi(path: str) -> str:
    """Return text as WSGI has it: each byte of its UTF-8 a character."""
    return path if path.isascii() else path.encode("utf-8", "surrogateescape").decode("latin-1")


def _path_info(scope: ASGIScope, root_path: str) -> str:
    path: str = scope["path"]
    raw: bytes = scope.get("raw_path") or b""
    sent = b"" if path.isascii() else unquote_to_bytes(raw.partition(b"?")[0])
    if sent and sent.decode(errors="replace") == path:
        # Middleware has not replaced the path, but the server what is not UTF-8 in it.
        path = sent.decode("latin-1")
    else:
        path = _as_wsgi(path)
    root_path = _as_wsgi(root_path)
    # The path has the root path at its start (ASGI, HTTP connection scope); some servers of
    # before that was said leave it out.
    if root_path and path.startswith(root_path):
        rest = path[len(root_path) :]
        if not rest or rest.startswith("/") or root_path.endswith("/"):
            return rest
    return path


def _request_uri(scope: ASGIScope) -> str:
    raw: bytes | None = scope.get("raw_path")
    uri = raw.decode("latin-1") if raw else _as_wsgi(scope["path"])
    query: bytes = scope.get("query_string", b"")
    return f"{uri}?{query.decode('latin-1')}" if query and "?" not in uri else uri
