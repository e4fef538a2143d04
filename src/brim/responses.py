"""The response class: Werkzeug's, made lazy.

A response that a view's plain result was turned into holds its body and content type, and
makes its header list only for whoever looks at it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response as WerkzeugResponse

from . import json
from .ctx import has_app_context
from .globals import current_app
from .lazy import lazy
from .small_files import SmallFile
from .streams import StreamedBody, as_body

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
    from http import HTTPStatus

    from .typing import WSGIEnvironment


@lru_cache
def _status_of(status: int | None) -> tuple[str, int]:
    """Return the line and the code that Werkzeug makes of a status."""
    response = WerkzeugResponse(status=status)
    return response.status, response.status_code


class Response(WerkzeugResponse):
    """The HTTP response: a ``werkzeug.wrappers.Response`` that is HTML by default.

    Views rarely make one; see :meth:`brim.Flask.make_response`. To use a class of your
    own, subclass this one and set :attr:`brim.Flask.response_class`.

    ``response``: the body. An async iterable, such as an async generator, is one too.
    """

    default_mimetype: str | None = "text/html"
    json_module: Any = json
    autocorrect_location_header = False

    # What Werkzeug's constructor would set. A response made by `of_body` has nothing but
    # its body and content type, and finds the rest here until somebody changes it.
    _status = "200 OK"
    _status_code = 200
    direct_passthrough = False
    _plain_content_type = ""
    # Header lines that came to those before anybody looked at the headers.
    _later_headers: tuple[tuple[str, str], ...] = ()

    def __init__(
        self,
        response: Iterable[bytes]
        | Iterable[str]
        | AsyncIterable[bytes]
        | AsyncIterable[str]
        | bytes
        | str
        | None = None,
        status: int | str | HTTPStatus | None = None,
        headers: Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]] | None = None,
        mimetype: str | None = None,
        content_type: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        body: Any = as_body(response)
        # PERF: a stream with nothing else takes a tenth of the time, as `of_body` does;
        #   benchmarks/bench_streaming.py.
        if (
            status is None
            and headers is None
            and mimetype is None
            and content_type is None
            and type(self) is Response
            and self.default_mimetype == "text/html"
            and not issubclass(type(body), _WHOLE)
            and WerkzeugResponse.__init__ is _INIT
        ):
            self.response = body
            self.direct_passthrough = direct_passthrough
            self._plain_content_type = "text/html; charset=utf-8"
            return
        super().__init__(body, status, headers, mimetype, content_type, direct_passthrough)

    @classmethod
    def of_body(cls, body: bytes, content_type: str, status: int | None = 200) -> Response:
        """Make a response with only these two headers.

        PERF: a twentieth of the constructor's time; benchmarks/bench_plain.py.
        """
        self = cls.__new__(cls)
        self.response = [body]
        self._plain_content_type = content_type
        if status != 200:
            self._status, self._status_code = _status_of(status)
        return self

    @classmethod
    def of_file(
        cls, body: Any, content_type: str, headers: tuple[tuple[str, str], ...], status: int
    ) -> Response:
        """Make a response that passes ``body`` on to the server, with these headers."""
        self = cls.__new__(cls)
        self.response = body
        self.direct_passthrough = True
        self._plain_content_type = content_type
        self._later_headers = headers
        if status != 200:
            self._status, self._status_code = _status_of(status)
        return self

    @lazy
    def headers(self) -> Headers:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The headers; change them at will."""
        # PERF: one by one takes half of what the constructor takes; benchmarks/bench_hooks.py.
        headers = Headers()
        for name, value in self._plain_headers():
            headers.add(name, value)
        return headers

    @lazy
    def _on_close(self) -> list[Any]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return []

    def _plain_headers(self) -> list[tuple[str, str]]:
        headers = [("Content-Type", self._plain_content_type)]
        body: Any = self.response
        if type(body) is list:
            parts = cast("list[bytes]", body)
            headers.append(("Content-Length", str(sum(map(len, parts)))))
        if self._later_headers:
            headers += self._later_headers
        return headers

    def _add_header(self, name: str, value: str) -> None:
        """Add a header line; ``value`` is Latin-1 without line breaks.

        PERF: leaves the header list unmade, if it is; benchmarks/bench_plain.py.
        """
        if type(self) is Response and "headers" not in self.__dict__:
            self._later_headers = (*self._later_headers, (name, value))
        else:
            self.headers.add(name, value)

    @property
    def max_cookie_size(self) -> int:  # type: ignore[override]
        """The size in bytes beyond which setting a cookie warns; 0 for never.

        The setting ``MAX_COOKIE_SIZE``.
        """
        if not has_app_context():
            return super().max_cookie_size
        size: int = current_app.config["MAX_COOKIE_SIZE"]
        return size

    def get_app_iter(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        """Return the body to send; closing it closes the response."""
        if (
            isinstance(self.response, (list, tuple))
            or self.direct_passthrough
            or environ["REQUEST_METHOD"] == "HEAD"
            or self._status_code < 200
            or self._status_code in (204, 304)
            or getattr(self.iter_encoded, "__func__", None) is not _ITER_ENCODED
        ):
            return super().get_app_iter(environ)
        return StreamedBody(self)

    def as_wsgi(self, method: str) -> tuple[str, list[tuple[str, str]], Sequence[bytes]] | None:
        """Return status, headers and body to send, where nothing is left to work out.

        ``None`` where Werkzeug has to be asked: streams, redirects, answers to HEAD and
        those that have no body.

        PERF: a tenth of Werkzeug's time; benchmarks/bench_plain.py.
        """
        body: Any = self.response
        made = self.__dict__
        if (
            type(body) is not list
            or method == "HEAD"
            or len(body) != 1  # pyright: ignore[reportUnknownArgumentType]
            or type(body[0]) is not bytes  # pyright: ignore[reportUnknownArgumentType]
        ):
            if type(body) is SmallFile:  # pyright: ignore[reportUnknownArgumentType]
                return body.as_wsgi(self, method)
            return None
        if len(made) == 2:
            # Nothing but what `of_body` has set.
            return "200 OK", self._plain_headers(), cast("list[bytes]", body)
        status = self._status_code
        if made.get("_on_close") or status < 200 or status in (204, 304):
            return None
        headers = self.headers_as_sent()
        return None if headers is None else (self._status, headers, cast("list[bytes]", body))

    def headers_as_sent(self) -> list[tuple[str, str]] | None:
        """Return the header lines to send with a whole body; ``None``: ask Werkzeug.

        It completes some from the request, and finds the length of what is no list.
        """
        if "headers" not in self.__dict__:
            return self._plain_headers()
        headers = self.headers.to_wsgi_list()
        # PERF: asking Werkzeug's headers for a name that isn't there costs an error each;
        #   benchmarks/bench_session.py.
        sized = False
        for name, _ in headers:
            name = name.lower()
            if name == "content-length":
                sized = True
            elif name in _LOCATIONS:
                return None
        if not sized:
            body: Any = self.response
            if not self.automatically_set_content_length or type(body) is not list:
                return None
            headers.append(("Content-Length", str(len(cast("list[bytes]", body)[0]))))
        return headers


#: The headers whose values Werkzeug makes complete.
_LOCATIONS = frozenset({"location", "content-location"})
#: What a body may be that is no stream.
_WHOLE = (str, bytes, bytearray, list, tuple, type(None))
_INIT = WerkzeugResponse.__init__
_ITER_ENCODED = WerkzeugResponse.iter_encoded
