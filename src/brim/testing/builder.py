"""Makes a WSGI environ as a client would send it, with the application's settings as defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.test import EnvironBuilder as WerkzeugEnvironBuilder

if TYPE_CHECKING:
    from ..typing import Flask


class EnvironBuilder(WerkzeugEnvironBuilder):
    """Makes a WSGI environ from a path, with the application's settings as defaults.

    ``subdomain`` is put before ``SERVER_NAME``, ``url_scheme`` replaces
    ``PREFERRED_URL_SCHEME``; neither goes with ``base_url``. Other arguments are those of
    ``werkzeug.test.EnvironBuilder``.
    """

    def __init__(
        self,
        app: Flask,
        path: str = "/",
        base_url: str | None = None,
        subdomain: str | None = None,
        url_scheme: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if base_url is not None and (subdomain or url_scheme):
            raise AssertionError("'base_url' goes neither with 'subdomain' nor with 'url_scheme'.")
        if base_url is None:
            path, base_url = _base_url(app, path, subdomain, url_scheme)
        self.app = app
        super().__init__(path, base_url, *args, **kwargs)

    def json_dumps(self, obj: Any, **kwargs: Any) -> str:
        """Serialise ``json=`` with the application's provider."""
        return self.app.json.dumps(obj, **kwargs)


def _base_url(
    app: Flask, path: str, subdomain: str | None, url_scheme: str | None
) -> tuple[str, str]:
    """Split a path or URL into the path and the base URL that it is below."""
    host = app.config.get("SERVER_NAME") or "localhost"
    if subdomain:
        host = f"{subdomain}.{host}"
    url = urlsplit(path)
    scheme = url_scheme or url.scheme or app.config["PREFERRED_URL_SCHEME"]
    root = app.config["APPLICATION_ROOT"].lstrip("/")
    base_url = f"{scheme}://{url.netloc or host}/{root}"
    path = url.path
    if url.query:
        path = f"{path}?{url.query}"
    return path, base_url
