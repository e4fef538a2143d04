"""The request class: Werkzeug's, made lazy. Flask has it in one module with the response class.

A request holds the WSGI environ, or under ASGI what that is made of, and works out each
attribute when it is first read.
"""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from werkzeug.datastructures import EnvironHeaders, Headers
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request as WerkzeugRequest

from .bodies import CHUNK, BodyStream, disk_is_full, kept_in_file, short_body, stream_of
from .ctx import get_ctx, has_app_context
from .errors import InsufficientStorage
from .globals import current_app
from .json.guarded import BodyJSON
from .lazy import lazy
from .multipart import boundary_of, parse, parse_file
from .names import blueprint_chain, blueprint_of
from .responses import Response as Response
from .routing import decode_path
from .uploads import explain_missing_files, make_uploads

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from werkzeug.routing import Rule

    from .multipart import Fields, Files
    from .typing import ASGIScope, Exchange, WSGIEnvironment

    # What finds a class's ways to read a body, and what it finds usually.
    Ways = tuple[Callable[[Any], Any], Any]


def _limit(own: int | None, setting: str, otherwise: int | None) -> int | None:
    """Return a limit: the request's own, else the application's, else ``otherwise``."""
    if own is not None:
        return own
    ctx = get_ctx(None)
    if ctx is None:
        return otherwise
    limit: int | None = ctx.app.config[setting]
    return limit


class Request(WerkzeugRequest):
    """The HTTP request that is being answered.

    A ``werkzeug.wrappers.Request`` that knows how it was routed and which limits the
    application sets. To use a class of your own, subclass this one and set
    :attr:`brim.Flask.request_class`.
    """

    json_module: Any = BodyJSON

    #: The rule that matched the URL; ``None`` if none did.
    url_rule: Rule | None = None
    #: The values of the rule's variables; ``None`` if no rule matched.
    view_args: dict[str, Any] | None = None
    #: The error that matching ended in, raised when the view would have been called.
    routing_exception: HTTPException | None = None

    #: What is left to be had of a body that was read whole, without a stream.
    _body: bytes | None = None
    #: Under ASGI, what the environ is made of.
    _exchange: Exchange | None = None
    _max_content_length: int | None = None
    _max_form_memory_size: int | None = None
    _max_form_parts: int | None = None

    def __init__(
        self, environ: WSGIEnvironment, populate_request: bool = True, shallow: bool = False
    ) -> None:
        # Werkzeug's own constructor reads and decodes a dozen values, most of which most
        # views never look at; here each is a lazy attribute below.
        self.environ = environ  # pyright: ignore[reportIncompatibleVariableOverride]
        self.shallow = shallow

    @classmethod
    def of_exchange(
        cls,
        exchange: Exchange,
        rule: Rule | None,
        args: dict[str, Any] | None,
        failure: HTTPException | None,
    ) -> Self | None:
        """Make a request of what an ASGI server has handed over, without an environ.

        ``rule``, ``args`` and ``failure``: what matching has found. ``None`` for a class that has a
        constructor of its own, which is given an environ.

        PERF: an environ costs as much as the rest of a small request; it is made at first
        access. benchmarks/bench_post_json.py.
        """
        if cls.__init__ is not _REQUEST_INIT or exchange.made_environ is not None:
            return None
        self = cls.__new__(cls)
        # At once into the dict, where others look, and past the search for descriptors.
        made = self.__dict__
        made["_exchange"] = exchange
        made["shallow"] = False
        made["url_rule"] = rule
        made["view_args"] = args
        made["routing_exception"] = failure
        return self

    @lazy
    def environ(self) -> WSGIEnvironment:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The WSGI environ (PEP 3333) that all attributes are worked out of.

        Under ASGI it is made of the scope, at first access; the scope itself is in it, as
        ``environ["asgi.scope"]``.
        """
        assert self._exchange is not None
        return self._exchange.environ

    def _scope_alone(self) -> ASGIScope | None:
        """Return the ASGI scope, as long as nobody has asked for an environ made of it."""
        exchange = self._exchange
        if exchange is None or exchange.made_environ is not None or "environ" in self.__dict__:
            return None
        return None if "brim.environ" in exchange.scope else exchange.scope

    @lazy
    def method(self) -> str:
        """The request's method in capitals, such as ``"GET"``."""
        scope = self._scope_alone()
        method: str
        if scope is None:
            method = self.environ.get("REQUEST_METHOD", "GET")
        else:
            method = scope.get("method", "GET")
        return method.upper()

    @lazy
    def scheme(self) -> str:
        """The URL scheme, such as ``"https"``."""
        scheme: str = self.environ.get("wsgi.url_scheme", "http")
        return scheme

    @lazy
    def server(self) -> tuple[str, int | None] | None:
        """The server's host and port as the server itself names them."""
        name = self.environ.get("SERVER_NAME")
        if name is None:
            return None
        try:
            return name, int(self.environ.get("SERVER_PORT"))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return name, None

    @lazy
    def root_path(self) -> str:
        """The path at which the application is mounted, without a slash at its end."""
        return decode_path(self.environ.get("SCRIPT_NAME") or "").rstrip("/")

    @lazy
    def path(self) -> str:
        """The path below :attr:`root_path`, decoded, with one slash at its start."""
        scope = self._scope_alone()
        if scope is not None and not scope.get("root_path"):
            path: str = scope["path"]
            if path.isascii():
                return "/" + path.lstrip("/")
        return "/" + decode_path(self.environ.get("PATH_INFO") or "").lstrip("/")

    @lazy
    def query_string(self) -> bytes:
        """The part of the URL after the ``?``, as it was sent."""
        scope = self._scope_alone()
        if scope is not None:
            sent: bytes = scope.get("query_string", b"")
            return sent
        query: str = self.environ.get("QUERY_STRING", "")
        return query.encode("latin-1")

    @lazy
    def headers(self) -> Headers:
        """The headers that the client sent; they can't be changed."""
        return EnvironHeaders(self.environ)

    @lazy
    def remote_addr(self) -> str | None:
        """The address that the request came from."""
        scope = self._scope_alone()
        if scope is not None:
            client = scope.get("client")
            return client[0] if client else ""
        return self.environ.get("REMOTE_ADDR")

    @lazy
    def stream(self) -> BodyStream:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        """The body as a stream: to read, or in an async view to iterate over.

            async for chunk in request.stream:
                ...

        Raises ``RequestEntityTooLarge`` (413) for a body beyond :attr:`max_content_length`
        and ``ClientDisconnected`` (400) for one that is cut short or broken.
        """
        if self.shallow:
            raise RuntimeError(
                "This request was made with 'shallow=True', so that its body is not read here."
            )
        if self._body is not None:
            # It was read already.
            return BodyStream(BytesIO(), None, None)
        return stream_of(self.environ, self.max_content_length)

    @property
    def max_content_length(self) -> int | None:
        """The most bytes that a body may have; longer ones are answered with 413.

        By default the setting ``MAX_CONTENT_LENGTH``. Set it in a view, before the body is
        read, to have another limit there.
        """
        return _limit(self._max_content_length, "MAX_CONTENT_LENGTH", None)

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._max_content_length = value

    @property
    def max_form_memory_size(self) -> int | None:
        """The most bytes that one field, not a file, may have in a multipart body.

        By default the setting ``MAX_FORM_MEMORY_SIZE``; 413 beyond it.
        """
        return _limit(self._max_form_memory_size, "MAX_FORM_MEMORY_SIZE", 500_000)

    @max_form_memory_size.setter
    def max_form_memory_size(self, value: int | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._max_form_memory_size = value

    @property  # type: ignore[override]
    def max_form_parts(self) -> int | None:
        """The most parts that a multipart body may have.

        By default the setting ``MAX_FORM_PARTS``; 413 beyond it.
        """
        return _limit(self._max_form_parts, "MAX_FORM_PARTS", 1_000)

    @max_form_parts.setter
    def max_form_parts(self, value: int | None) -> None:
        self._max_form_parts = value

    @property
    def endpoint(self) -> str | None:
        """The endpoint that matched; ``None`` if none did."""
        return None if self.url_rule is None else self.url_rule.endpoint

    @property
    def blueprint(self) -> str | None:
        """The name of the blueprint that the endpoint belongs to, dotted if nested."""
        return blueprint_of(self.endpoint)

    @property
    def blueprints(self) -> list[str]:
        """The names of the endpoint's blueprint and those it is nested in, inner first."""
        return blueprint_chain(self.blueprint)

    @property
    def last_event_id(self) -> str | None:
        """The id of the last event that an ``EventSource`` that connects again has seen.

        The header ``Last-Event-ID``; ``None`` without one.
        """
        value: str = self.environ.get("HTTP_LAST_EVENT_ID", "")
        # The HTML standard has it sent as UTF-8, an environ is Latin-1 (PEP 3333).
        return value.encode("latin-1").decode("utf-8", "replace") or None

    if not TYPE_CHECKING:  # Werkzeug's overloads hold

        def get_data(
            self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
        ) -> Any:
            """Return the body as bytes, or with ``as_text`` as a string.

            The arguments are Werkzeug's: ``cache`` keeps it for the next call, and with
            ``parse_form_data`` a form is parsed first, so that nothing of it is left here.
            """
            body = self._body
            if body is None and cache and not parse_form_data:
                body = self._body = _take_body(self, _DATA_WAYS)
            if body is None:
                return super().get_data(cache, as_text, parse_form_data)
            return body.decode(errors="replace") if as_text else body

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """Return the body parsed as JSON.

        ``force`` parses it whatever its mimetype, ``silent`` gives ``None`` where it can't be
        parsed, and without ``cache`` it is parsed again by the next call. Raises 415 for
        another mimetype, and 400 for what isn't JSON.
        """
        if cache:
            made = self.__dict__
            if "_parsed" in made:
                return made["_parsed"]
            if _is_plain_json(self):
                body = _take_body(self, _JSON_WAYS)
                if body is not None:
                    self._body = body
                    try:
                        parsed = made["_parsed"] = self.json_module.loads(body)
                    except ValueError:
                        # Werkzeug parses it again, and knows what to do about the error.
                        pass
                    else:
                        return parsed
        return super().get_json(force, silent, cache)

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Answer 400 or 415; what was wrong is told in debug mode only."""
        try:
            return super().on_json_loading_failed(e)
        except BadRequest as error:
            if has_app_context() and current_app.debug:
                raise
            raise BadRequest() from error

    def _load_plain_form(self) -> bool:
        """Parse a form of the usual shape that is there; tell whether that was all to be done."""
        kind = self.environ.get("CONTENT_TYPE", "")
        boundary = None if kind == _URLENCODED else boundary_of(kind)
        if (
            (boundary is None and kind != _URLENCODED)
            or self.form_data_parser_class is not FormDataParser
            or (has_app_context() and current_app.debug)
        ):
            return False
        limit = self.max_form_memory_size
        body = _take_body(self, _FORM_WAYS) if limit is None or limit >= CHUNK else None
        parsed: tuple[Fields, Files] | None = None
        # What isn't UTF-8 is Werkzeug's to keep.
        with suppress(UnicodeDecodeError):
            if body is None:
                parsed = None if boundary is None else self._parse_kept(boundary, limit)
            elif boundary is not None:
                parsed = parse(body, boundary, self.max_form_parts)
            else:
                text = body.decode()
                parsed = parse_qsl(text, keep_blank_values=True, errors="strict"), []
        if parsed is not None:
            self._have_form(*parsed)
            return True
        if body is not None:
            self.__dict__["stream"] = BodyStream(BytesIO(body), None, None)
        return False

    def _parse_kept(self, boundary: bytes, limit: int | None) -> tuple[Fields, Files] | None:
        """Parse a form that was kept in a file; ``limit`` is that of a field."""
        # Werkzeug takes it in such pieces, and holds its buffer to the limit, too.
        is_roomy = limit is None or limit >= 4 * CHUNK
        if not (is_roomy and _is_untouched(self, _FORM_WAYS)):
            return None
        kept = kept_in_file(self.environ, self.max_content_length)
        return None if kept is None else parse_file(*kept, boundary, self.max_form_parts, limit)

    def _have_form(self, fields: Fields, files: Files) -> None:
        """Take what was parsed, of which nothing is left to be read."""
        self._body = b""
        storage = self.parameter_storage_class
        self.__dict__["form"] = storage(fields)
        self.__dict__["files"] = storage(files)
        make_uploads(self.files)

    def _load_form_data(self) -> None:
        # Werkzeug's attributes ask for it whenever they aren't there.
        if "form" in self.__dict__ or self._load_plain_form():
            return
        if self._body is not None:
            # Werkzeug's parser is given what was read, and leaves it as the stream.
            self.__dict__["stream"] = BodyStream(BytesIO(self._body), None, None)
        try:
            super()._load_form_data()
        except OSError as error:
            # Where Werkzeug's parser keeps files that were sent.
            if disk_is_full(error):
                raise InsufficientStorage from error
            raise
        make_uploads(self.files)
        if (
            has_app_context()
            and current_app.debug
            and self.mimetype != "multipart/form-data"
            and not self.files
        ):
            explain_missing_files(self)


def _is_untouched(request: Request, ways: Ways) -> bool:
    """Tell whether nobody has read of a request's body, and it is read in the usual way.

    ``ways``: the attributes that decide what is read, as the class must have them.
    """
    made = request.__dict__
    if "stream" in made or "form" in made or request._body is not None or request.shallow:
        return False
    found: bool = ways[0](type(request)) == ways[1]
    return found


def _take_body(request: Request, ways: Ways) -> bytes | None:
    """Read the body, if it is a short one that :func:`_is_untouched`; ``None`` if not."""
    if not _is_untouched(request, ways):
        return None
    limit = _limit(request._max_content_length, "MAX_CONTENT_LENGTH", None)
    exchange = request._exchange
    if exchange is not None and exchange.made_environ is None:
        return exchange.take_whole(limit)
    return short_body(request.environ, limit)


def _is_plain_json(request: Request) -> bool:
    """Tell whether the content type is JSON's, as most clients write it."""
    exchange = request._exchange
    if exchange is None or exchange.made_environ is not None:
        return request.environ.get("CONTENT_TYPE") in _JSON_TYPES
    return exchange.headers.get(b"content-type") in _JSON_TYPES_SENT


#: What decides how a body is read, unless a class replaces it or somebody patches it.
_REQUEST_INIT = Request.__init__


def _ways(*names: str) -> Ways:
    find = attrgetter("stream", "headers", "mimetype", "max_content_length", *names)
    return find, find(Request)


_DATA_WAYS = _ways()
_JSON_WAYS = _ways("get_data", "is_json")
_FORM_WAYS = _ways("get_data", "make_form_data_parser", "_get_file_stream")
_URLENCODED = "application/x-www-form-urlencoded"
_JSON_TYPES = frozenset(
    f"application/json{charset}"
    for charset in ("", ";charset=utf-8", "; charset=utf-8", ";charset=UTF-8", "; charset=UTF-8")
)
_JSON_TYPES_SENT = frozenset(kind.encode() for kind in _JSON_TYPES)
