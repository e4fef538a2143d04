"""Descriptors: an attribute that is computed when first read, and one that is imported.

Nothing here knows what is computed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 -- reads as a decorator
    """Compute an attribute once and keep it in the instance's ``__dict__``.

    It defines no ``__set__``: assigning the attribute replaces the value, deleting it
    makes it be computed again, and a second read is an ordinary attribute lookup.
    ``name in vars(obj)`` tells whether it was computed.

    PERF: ``functools.cached_property`` takes a lock at first access on Python 3.11;
    measured by benchmarks/bench_post_json.py.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.name = compute.__name__
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, obj: None, owner: type) -> lazy[T]: ...
    @overload
    def __get__(self, obj: object, owner: type) -> T: ...
    def __get__(self, obj: object | None, owner: type) -> lazy[T] | T:
        if obj is None:
            return self
        value = obj.__dict__[self.name] = self.compute(obj)
        return value

    if TYPE_CHECKING:
        # Assignment goes to the instance's dict; this is how checkers are told its type.
        def __set__(self, obj: object, value: T) -> None: ...


class _Imported:
    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def __get__(self, obj: object, owner: type) -> Any:
        return getattr(import_module(self.module, __package__), self.name)


def imported(module: str, name: str) -> Any:
    """Return a class attribute that stands for what ``module``, loaded then, has by ``name``.

    It may be set on instances and redefined by subclasses like any other.
    """
    return _Imported(module, name)
