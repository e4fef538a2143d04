"""What an application serialises and parses JSON with: the interface and the default.

The default's output is that of the standard library's ``json``, byte for byte; what is
quicker than it is used only where nobody can tell the difference. Which provider is
current is not known here.
"""

from __future__ import annotations

import dataclasses
import json
import json.encoder
import weakref
from datetime import date
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, AnyStr, cast
from uuid import UUID

from werkzeug.http import http_date

from ..lazy import lazy
from .quick import quick_decoder, quick_encoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import Flask, Response

_PLAIN = (", ", ": ")
_COMPACT = (",", ":")
_JSON = "application/json"
_TEXT = (str, bytes, bytearray)


class JSONProvider:
    """The JSON operations of an application; subclass it to use another library.

    :meth:`dumps` and :meth:`loads` are the two that a subclass has to provide. Set
    :attr:`brim.Flask.json_provider_class` or :attr:`brim.Flask.json` to use it.
    """

    def __init__(self, app: Flask) -> None:
        # The app holds its provider; a strong reference back would be a circle.
        self._app = cast("Flask", weakref.proxy(app))

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Serialise ``obj`` as JSON text. ``kwargs`` are up to the library."""
        raise NotImplementedError

    def dump(self, obj: Any, fp: IO[str], **kwargs: Any) -> None:
        """Serialise ``obj`` as JSON text and write it to the text file ``fp``."""
        fp.write(self.dumps(obj, **kwargs))

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse JSON text; raises ``ValueError`` if it isn't any."""
        raise NotImplementedError

    def load(self, fp: IO[AnyStr], **kwargs: Any) -> Any:
        """Parse JSON text that is read from the text or binary file ``fp``."""
        return self.loads(fp.read(), **kwargs)

    def _prepare_response_obj(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the one value that the arguments of :meth:`response` stand for."""
        if args and kwargs:
            raise TypeError(
                "A JSON response is made of either args or kwargs,"
                f" not of both: got {len(args)} and {', '.join(map(repr, kwargs))}."
                " Put the keyword arguments into a dict, and that beside the others."
            )
        if not args:
            return kwargs or None
        return args[0] if len(args) == 1 else args

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Make a response whose body is the arguments as JSON.

        One positional argument is serialised as it is, several as an array, keyword
        arguments as an object, and nothing at all as ``null``. Raises ``TypeError`` if
        both positional and keyword arguments are given.
        """
        obj = self._prepare_response_obj(args, kwargs)
        return self._app.response_class(self.dumps(obj), mimetype=_JSON)


def _default(o: Any) -> Any:
    """Return what is serialised for an object that JSON has no type for."""
    if isinstance(o, date):
        return http_date(o)
    if isinstance(o, (Decimal, UUID)):
        return str(o)
    if dataclasses.is_dataclass(o) and not isinstance(o, type):
        return dataclasses.asdict(o)
    if hasattr(o, "__html__") and not isinstance(o, type):
        return str(o.__html__())
    raise TypeError(f"Object of type {type(o).__name__} is not JSON serializable")


class DefaultJSONProvider(JSONProvider):
    """The provider that an application has by default: Python's ``json``, and a little.

    Beyond what ``json`` knows, it serialises:

    - :class:`datetime.datetime` and :class:`datetime.date` as HTTP dates;
    - :class:`decimal.Decimal` and :class:`uuid.UUID` as strings;
    - dataclasses as objects;
    - objects with an ``__html__`` method, such as ``Markup``, as the string it returns.

    The attributes below may be set on ``app.json`` at any time.
    """

    #: Called with an object that ``json`` can't serialise; returns one that it can, or
    #: raises ``TypeError``.
    default: Callable[[Any], Any] = staticmethod(_default)
    #: Escape all characters beyond ASCII. Without, output is shorter for many languages.
    ensure_ascii = True
    #: Sort the keys of each object, so that equal values give equal text. All keys of an
    #: object must be comparable.
    sort_keys = True
    #: Leave out white space in responses. ``None`` leaves it out unless the application is
    #: in debug mode; ``False`` indents.
    compact: bool | None = None
    #: The media type of responses.
    mimetype = _JSON

    _quick: _Quick | None = None
    _kept_plain: _Kept | None = None
    _kept_compact: _Kept | None = None

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Serialise ``obj`` as JSON text.

        ``kwargs`` are those of :func:`json.dumps`; ``default``, ``ensure_ascii`` and
        ``sort_keys`` are by default the attributes of the same names.
        """
        default, ensure_ascii, sort_keys = options = (
            self.default,
            self.ensure_ascii,
            self.sort_keys,
        )
        text = None
        if not kwargs:
            kept = self._kept_plain
            if kept is None or kept[0] != options:
                kept = self._kept_plain = (options, _encoder(options, _PLAIN))
            text = _encoded(kept, obj)
        elif len(kwargs) == 1 and kwargs.get("separators") == _COMPACT:
            kept = self._kept_compact
            if kept is None or kept[0] != options:
                kept = self._kept_compact = (options, _encoder(options, _COMPACT))
            text = _encoded(kept, obj)
        if text is not None:
            return text
        kwargs.setdefault("default", default)
        kwargs.setdefault("ensure_ascii", ensure_ascii)
        kwargs.setdefault("sort_keys", sort_keys)
        return json.dumps(obj, **kwargs)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse JSON text; ``kwargs`` are those of :func:`json.loads`.

        Raises ``ValueError`` (mostly its subclass :exc:`json.JSONDecodeError`) for what
        isn't JSON, and for what nests too deep to be parsed.
        """
        if not kwargs and type(s) in _TEXT:
            try:
                return quick_decoder()(s)
            except Exception:
                # It takes less, and has other words for errors.
                pass
        try:
            return json.loads(s, **kwargs)
        except RecursionError as error:
            raise json.JSONDecodeError("Nested too deep to be parsed", "", 0) from error

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Make a response whose body is the arguments as JSON and a line break.

        The body is indented in debug mode and compact otherwise, see :attr:`compact`.
        For the arguments see :meth:`JSONProvider.response`.
        """
        obj = self._prepare_response_obj(args, kwargs)
        response_class = self._app.response_class
        # PERF: Brim's own class is not given to Werkzeug's constructor; one derived from
        # it is, as it may rely on that. benchmarks/bench_plain.py.
        if (
            "of_body" in vars(response_class)
            and self.mimetype == _JSON
            and response_class.default_status == 200
        ):
            return response_class.of_body(self._body(obj), _JSON)
        return response_class(self._body(obj), mimetype=self.mimetype)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if not name.startswith("_"):
            super().__setattr__("_quick", None)
            vars(self).pop("_parse", None)

    @lazy
    def _parse(self) -> Callable[[bytes], Any] | None:
        """What parses a body as :meth:`loads` does, or fails; ``None`` where that is replaced."""
        is_usual = type(self).loads is DefaultJSONProvider.loads and "loads" not in vars(self)
        return quick_decoder() if is_usual else None

    def _ready(self, obj: Any, debug: bool) -> tuple[bytes, ContentType] | None:
        """Return body and content type of ``response(obj)``.

        ``None`` where that has something else in it, or is another class's. ``debug``: whether
        the application is in debug mode.
        """
        if debug and self.compact is None:
            return None
        quick = self._quick or self._find_quick()
        return None if quick is _never else (quick(self, obj) + b"\n", _JSON_TYPE)

    def _find_quick(self) -> _Quick:
        """Find, or find again after a change of the attributes, what :meth:`_ready` calls."""
        mine, usual = type(self), DefaultJSONProvider
        is_usual = all(
            name not in vars(self) and getattr(mine, name) is getattr(usual, name)
            for name in ("dumps", "response", "_prepare_response_obj")
        )
        quick: _Quick = _never
        if is_usual and self.mimetype == _JSON and self.compact is not False:
            quick = quick_encoder(ensure_ascii=self.ensure_ascii, sort_keys=self.sort_keys)
        self._quick = quick
        return quick

    def _body(self, obj: Any) -> bytes:
        compact = self.compact
        if compact is False or (compact is None and self._app.debug):
            return f"{self.dumps(obj, indent=2)}\n".encode()
        quick = self._quick or self._find_quick()
        if quick is not _never:
            return quick(self, obj) + b"\n"
        return f"{self.dumps(obj, separators=_COMPACT)}\n".encode()


def _never(_provider: Any, _obj: Any) -> bytes:
    """Stand for the want of a quick way."""
    raise AssertionError


class ContentType:
    """A content type, and its header as WSGI and as ASGI have it."""

    __slots__ = ("asgi", "text", "wsgi")

    def __init__(self, text: str) -> None:
        self.text = text
        self.wsgi = ("Content-Type", text)
        self.asgi = (b"content-type", text.encode("latin-1"))


_JSON_TYPE = ContentType(_JSON)


if TYPE_CHECKING:
    # default, ensure_ascii, sort_keys.
    _Options = tuple[Callable[[Any], Any], bool, bool]
    _Kept = tuple[_Options, Callable[[Any], str]]
    _Quick = Callable[[Any, Any], bytes]


def _encoded(kept: _Kept, obj: Any) -> str | None:
    try:
        return kept[1](obj)
    except RecursionError:
        # Too deep, or a circle, for which `json` has a better error.
        return None


def _encoder(options: _Options, separators: tuple[str, str]) -> Callable[[Any], str]:
    """Return a function that does what ``json.dumps`` does with these options.

    PERF: ``json.dumps`` sets up an encoder in each call that has options, which takes
    longer than a small object does; benchmarks/bench_json.py. The one kept here
    doesn't look for circles, as what it would note for that can't be shared by threads:
    it raises ``RecursionError``.
    """
    default, ensure_ascii, sort_keys = options
    encoder = json.JSONEncoder(
        default=default, ensure_ascii=ensure_ascii, sort_keys=sort_keys, separators=separators
    )
    # Private to CPython's json: where it is missing or has changed, the public way serves.
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    quote = "encode_basestring_ascii" if ensure_ascii else "encode_basestring"
    try:
        chunks = make(
            None,
            encoder.default,
            getattr(json.encoder, quote),
            None,
            encoder.key_separator,
            encoder.item_separator,
            sort_keys,
            encoder.skipkeys,
            encoder.allow_nan,
        )
    except (AttributeError, TypeError):
        return encoder.encode
    return lambda obj: "".join(chunks(obj, 0))
