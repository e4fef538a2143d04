"""Dictionaries and lists that say when they change.

The tables that applications and extensions fill (``before_request_funcs``,
``view_functions``, ``error_handler_spec``...) stay plain to the touch: subclasses of
``dict`` and ``list`` with the same behaviour. Each change calls ``on_change``, so
that what was compiled from a table is compiled again. Nothing here knows what that is.
"""

from __future__ import annotations

from collections import defaultdict
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

K = TypeVar("K")
V = TypeVar("V")
_F = TypeVar("_F", bound="type[Any]")


def _announcing(*names: str) -> Callable[[_F], _F]:
    """Class decorator: the methods ``names`` call ``on_change`` after they have run."""

    def decorate(cls: _F) -> _F:
        for name in names:
            setattr(cls, name, _announce_after(getattr(cls, name)))
        return cls

    return decorate


def _announce_after(method: Any) -> Any:
    @wraps(method)
    def announced(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        self.on_change()
        return result

    return announced


@_announcing(
    *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"),
    *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
)
class WatchedList(list[V]):
    """A list that calls ``on_change()`` after each change."""

    def __init__(self, values: Any, on_change: Callable[[], None]) -> None:
        super().__init__(values)
        self.on_change = on_change

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


@_announcing("__delitem__", "pop", "popitem", "clear")
class WatchedDict(defaultdict[K, V]):
    """A dict that calls ``on_change()`` after each change, at any depth.

    ``default``, if given, makes the value of a missing key as
    ``collections.defaultdict`` does. Values that are dicts or lists are replaced
    by watched copies when they are put in, missing ones are made watched.
    """

    def __init__(
        self,
        values: Any = (),
        *,
        on_change: Callable[[], None],
        default: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__(default)
        self.on_change = on_change
        for key, value in dict(values).items():
            super().__setitem__(key, watch(value, on_change))

    def __missing__(self, key: K) -> V:
        # Reading a missing key fills it, as in a defaultdict, but changes no answer:
        # nothing is announced until the new value itself is changed.
        if self.default_factory is None:
            raise KeyError(key)
        value: V = watch(self.default_factory(), self.on_change)
        super().__setitem__(key, value)
        return value

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, watch(value, self.on_change))
        self.on_change()

    def setdefault(self, key: K, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        changes: dict[Any, Any] = dict(*args, **kwargs)
        for key, value in changes.items():
            super().__setitem__(key, watch(value, self.on_change))
        self.on_change()

    def __ior__(self, other: Any) -> WatchedDict[K, V]:  # type: ignore[override]
        self.update(other)
        return self

    def copy(self) -> dict[K, V]:  # type: ignore[override]
        """Return a plain copy, with the same default if there is one."""
        if self.default_factory is None:
            return dict(self)
        return defaultdict(self.default_factory, self)

    def __copy__(self) -> Any:
        return self.copy()

    def __or__(self, other: Any) -> Any:
        return self.copy() | other

    def __ror__(self, other: Any) -> Any:
        return other | self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        if self.default_factory is None:
            return dict, (dict(self),)
        return defaultdict, (self.default_factory, dict(self))


def watch(value: Any, on_change: Callable[[], None]) -> Any:
    """Return ``value``, as a watched copy if it is a dict or a list.

    >>> changes = []
    >>> hooks = watch({None: [print]}, lambda: changes.append(1))
    >>> hooks[None].append(repr)
    >>> changes
    [1]
    """
    if isinstance(value, (WatchedDict, WatchedList)) and value.on_change == on_change:  # pyright: ignore
        return value  # pyright: ignore
    if isinstance(value, dict):
        default = value.default_factory if isinstance(value, defaultdict) else None  # pyright: ignore
        return WatchedDict(value, on_change=on_change, default=default)  # pyright: ignore
    if isinstance(value, list):
        return WatchedList([watch(v, on_change) for v in value], on_change)  # pyright: ignore
    return value
