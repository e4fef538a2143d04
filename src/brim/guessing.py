"""What servers look at to guess which protocol a callable speaks.

Uvicorn, Hypercorn and Daphne ask whether ``app.__call__`` is a coroutine function; if it is,
they speak ASGI. An application's is none, as it answers WSGI as well, but returns a coroutine
to whoever calls it with a scope. Nothing here is called to answer a request.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Callable

    from .typing import ASGIReceive, ASGIScope, ASGISend

T = TypeVar("T")


async def _model(scope: ASGIScope, receive: ASGIReceive, send: ASGISend) -> None:
    """The code that :class:`CoroutineLook` shows."""


class CoroutineLook:
    """Passes for a coroutine function with ``inspect`` and ``asyncio``; calls ``app``.

    Python 3.12 can mark a function as one, 3.11 can't: there an application has this as its
    *attribute* ``__call__``, which Python itself doesn't use to call it.
    """

    __name__ = "__call__"
    __code__ = _model.__code__
    __defaults__ = None
    __kwdefaults__ = None

    def __init__(self, app: Callable[..., Any]) -> None:
        # Weakly, so that dropping the application frees it.
        self._app = ref(app)
        self.__annotations__ = _model.__annotations__

    def __call__(self, *args: Any) -> Any:
        app = self._app()
        assert app is not None
        return app(*args)


#: Said to a server that calls an application with neither an environ nor a scope's three.
NOT_RSGI = """\
The server has called the application with two arguments that are no WSGI environ, as \
Granian does by its own protocol, RSGI. Start it with `--interface asgi` or \
`--interface wsgi`."""


def look_like_coroutine(app: Any) -> None:
    """Have ``app.__call__`` taken for a coroutine function."""
    if sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(type(app).__call__)
    else:
        vars(app)["__call__"] = CoroutineLook(app)


class made_anew(Generic[T]):  # noqa: N801 -- reads as a decorator
    """A property that is worked out at each access, until something else is put in its place."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __get__(self, obj: Any, owner: type | None = None) -> T:
        return self if obj is None else self._make(obj)  # type: ignore[return-value]
