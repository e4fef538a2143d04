"""The variable that holds the current context, and the namespace of one, behind ``g``."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .typing import AppContext

#: Whichever context was pushed last.
_cv_ctx: ContextVar[AppContext] = ContextVar("brim.ctx")
# PERF: its methods, found and bound once; each is called several times a request.
#   benchmarks/bench_plain.py.
get_ctx, set_ctx, reset_ctx = _cv_ctx.get, _cv_ctx.set, _cv_ctx.reset

unset: Any = object()


class _AppCtxGlobals:  # pyright: ignore[reportUnusedClass] -- Flask's name
    """The namespace behind :data:`~brim.g`: any attribute may be set.

    ``in`` tells whether a name was set, iteration gives the names.
    """

    # Where Flask has it.
    __module__ = "brim.ctx"

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...
        def __delattr__(self, name: str) -> None: ...

    def get(self, name: str, default: Any | None = None) -> Any:
        """Return the value of ``name``, or ``default`` where it isn't set."""
        return self.__dict__.get(name, default)

    def pop(self, name: str, default: Any = unset) -> Any:
        """Remove ``name`` and return its value.

        Raises ``KeyError`` if it isn't set and no ``default`` is given.
        """
        if default is unset:
            return self.__dict__.pop(name)
        return self.__dict__.pop(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return the value of ``name``, setting it to ``default`` first if need be."""
        return self.__dict__.setdefault(name, default)

    def __contains__(self, item: str) -> bool:
        return item in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __repr__(self) -> str:
        ctx = _cv_ctx.get(None)
        if ctx is None:
            return object.__repr__(self)
        return f"<flask.g of '{ctx.app.name}'>"
