"""JSON that keeps the Python types which JSON has none for: the format of sessions.

A value of such a type is written as an object with one key, its tag: ``{" t": [1, 2]}``
is the tuple ``(1, 2)``. Which types there are and what is written for each is fixed, as
cookies outlive releases, and Flask's have to be readable here and ours there. Types of
an application's own go beside them, see :meth:`TaggedJSONSerializer.register`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from markupsafe import Markup
from werkzeug.http import http_date, parse_date

from . import dumps, loads

if TYPE_CHECKING:
    from typing import ClassVar


class JSONTag:
    """One type that a :class:`TaggedJSONSerializer` keeps: the base of all tags.

    A subclass sets :attr:`key` and has the three methods :meth:`check`,
    :meth:`to_json` and :meth:`to_python`::

        class TagDecimal(JSONTag):
            __slots__ = ()
            key = " dec"

            def check(self, value):
                return isinstance(value, Decimal)

            def to_json(self, value):
                return str(value)

            def to_python(self, value):
                return Decimal(value)

        app.session_interface.serializer.register(TagDecimal)
    """

    __slots__ = ("serializer",)

    #: What marks a value of this type. Empty for a type that is only prepared, not marked.
    key: str = ""

    def __init__(self, serializer: TaggedJSONSerializer) -> None:
        self.serializer = serializer

    def check(self, value: Any) -> bool:
        """Tell whether ``value`` is of this tag's type."""
        raise NotImplementedError

    def to_json(self, value: Any) -> Any:
        """Return what is written for ``value``; its parts must be tagged already."""
        raise NotImplementedError

    def to_python(self, value: Any) -> Any:
        """Return the value that ``value`` was written for; its parts are untagged."""
        raise NotImplementedError

    def tag(self, value: Any) -> dict[str, Any]:
        """Return the object that is written for ``value``, under :attr:`key`."""
        return {self.key: self.to_json(value)}


class TagDict(JSONTag):
    """A dict that would be mistaken for a tag: of one key, which is that of a tag.

    It is written with two underscores after the key, inside this tag's own object.
    """

    __slots__ = ()
    key = " di"

    def check(self, value: Any) -> bool:
        if not isinstance(value, dict) or len(cast("dict[str, Any]", value)) != 1:
            return False
        [key] = cast("dict[str, Any]", value)
        return key in self.serializer.tags

    def to_json(self, value: Any) -> Any:
        [(key, content)] = value.items()
        return {f"{key}__": self.serializer.tag(content)}

    def to_python(self, value: Any) -> Any:
        [(key, content)] = value.items()
        return {key[:-2]: content}


class PassDict(JSONTag):
    """Any other dict: an object without a tag, whose values are tagged."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, dict)

    def to_json(self, value: Any) -> Any:
        tagged: dict[Any, Any] = {}
        for key, content in value.items():
            tagged[key] = self.serializer.tag(content)
        return tagged

    tag = to_json


class TagTuple(JSONTag):
    """A tuple: an array with a tag, whose items are tagged."""

    __slots__ = ()
    key = " t"

    def check(self, value: Any) -> bool:
        return isinstance(value, tuple)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in value]

    def to_python(self, value: Any) -> Any:
        return tuple(value)


class PassList(JSONTag):
    """A list: an array without a tag, whose items are tagged."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, list)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in value]

    tag = to_json


class TagBytes(JSONTag):
    """Bytes, in base64."""

    __slots__ = ()
    key = " b"

    def check(self, value: Any) -> bool:
        return isinstance(value, bytes)

    def to_json(self, value: Any) -> Any:
        return b64encode(value).decode("ascii")

    def to_python(self, value: Any) -> Any:
        return b64decode(value)


class TagMarkup(JSONTag):
    """An object with an ``__html__`` method; it comes back as :class:`~markupsafe.Markup`."""

    __slots__ = ()
    key = " m"

    def check(self, value: Any) -> bool:
        return callable(getattr(value, "__html__", None))

    def to_json(self, value: Any) -> Any:
        return str(value.__html__())

    def to_python(self, value: Any) -> Any:
        return Markup(value)


class TagUUID(JSONTag):
    """A :class:`~uuid.UUID`, as 32 hexadecimal digits."""

    __slots__ = ()
    key = " u"

    def check(self, value: Any) -> bool:
        return isinstance(value, UUID)

    def to_json(self, value: Any) -> Any:
        return value.hex

    def to_python(self, value: Any) -> Any:
        return UUID(value)


class TagDateTime(JSONTag):
    """A :class:`~datetime.datetime`, as HTTP date: in UTC, to the second."""

    __slots__ = ()
    key = " d"

    def check(self, value: Any) -> bool:
        return isinstance(value, datetime)

    def to_json(self, value: Any) -> Any:
        return http_date(value)

    def to_python(self, value: Any) -> Any:
        return parse_date(value)


# What JSON has types for itself, if it is of no subclass.
_PLAIN = frozenset((str, int, float, bool, type(None)))
#: The tags whose order :meth:`TaggedJSONSerializer._tag_usual` follows.
_USUAL_TAGS: list[type[JSONTag]] = [
    TagDict,
    PassDict,
    TagTuple,
    PassList,
    TagBytes,
    TagMarkup,
    TagUUID,
    TagDateTime,
]


class TaggedJSONSerializer:
    """Serialises to compact JSON in which a few more types than JSON's are kept.

    These are dicts, lists, tuples, bytes, ``Markup``, ``UUID`` and ``datetime``, and
    those that :meth:`register` adds. It has the interface that itsdangerous wants.
    """

    __slots__ = ("_usual", "order", "tags")

    #: The tags that each new serializer starts with, in the order they are asked.
    default_tags: ClassVar[list[type[JSONTag]]] = list(_USUAL_TAGS)

    def __init__(self) -> None:
        #: The tag of each key.
        self.tags: dict[str, JSONTag] = {}
        #: All tags, in the order they are asked whether a value is theirs.
        self.order: list[JSONTag] = []
        for tag_class in self.default_tags:
            self.register(tag_class)
        # The order, while it is the one that `_tag_usual` knows.
        usual = type(self) is TaggedJSONSerializer and self.default_tags == _USUAL_TAGS
        self._usual = list(self.order) if usual else None

    def register(
        self, tag_class: type[JSONTag], force: bool = False, index: int | None = None
    ) -> None:
        """Add a tag.

        ``index`` is its place in :attr:`order`, by default the last; a tag for a
        subclass of a type that has a tag already has to come before that one's. Raises
        ``KeyError`` if its key is taken, unless ``force`` is true.
        """
        tag = tag_class(self)
        if key := tag.key:
            if not force and key in self.tags:
                raise KeyError(
                    f"The tag {key!r} is registered, for {type(self.tags[key]).__name__}."
                    " Give the new one another key, or replace that one with force=True."
                )
            self.tags[key] = tag
        if index is None:
            index = len(self.order)
        self.order.insert(index, tag)

    def tag(self, value: Any) -> Any:
        """Return what is written for ``value``: the value, or an object with a tag."""
        for tag in self.order:
            if tag.check(value):
                return tag.tag(value)
        return value

    def untag(self, value: dict[str, Any]) -> Any:
        """Return the value that the object ``value`` was written for.

        Its parts are untagged already. Without a known tag it is returned as it is.
        """
        if len(value) == 1:
            [(key, content)] = value.items()
            if key in self.tags:
                return self.tags[key].to_python(content)
        return value

    def _untag_scan(self, value: Any) -> Any:
        """Untag ``value`` and all in it, the innermost first."""
        # PERF: scalars, which most values are, without a call; benchmarks/bench_session.py.
        scan = self._untag_scan
        if isinstance(value, dict):
            items = cast("dict[str, Any]", value).items()
            return self.untag(
                {key: item if type(item) in _PLAIN else scan(item) for key, item in items}
            )
        if isinstance(value, list):
            values = cast("list[object]", value)
            return [item if type(item) in _PLAIN else scan(item) for item in values]
        return value

    def _tag_usual(self, value: Any) -> Any:
        """Tag ``value`` as the default tags do, in their order.

        PERF: a value of a builtin type has its tag found by that type, not by asking eight
        tags; benchmarks/bench_session.py.
        """
        kind = cast("Any", type(value))
        if kind in _PLAIN:
            return value
        tag = self._tag_usual
        if kind is dict and (len(value) != 1 or next(iter(value)) not in self.tags):
            return {key: item if type(item) in _PLAIN else tag(item) for key, item in value.items()}
        if kind is list:
            return [item if type(item) in _PLAIN else tag(item) for item in value]
        return self.tag(value)

    def dumps(self, value: Any) -> str:
        """Serialise ``value`` as compact JSON with tags."""
        tag = self._tag_usual if self.order == self._usual else self.tag
        return dumps(tag(value), separators=(",", ":"))

    def loads(self, value: str) -> Any:
        """Parse JSON with tags."""
        return self._untag_scan(loads(value))
