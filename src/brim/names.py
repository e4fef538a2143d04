"""How endpoints and blueprints are named: dotted, the outer blueprint first.

Only text in, text out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@lru_cache(maxsize=1024)
def _chain(name: str) -> tuple[str, ...]:
    parts = name.split(".")
    return tuple(".".join(parts[:end]) for end in range(len(parts), 0, -1))


def blueprint_chain(name: str | None) -> list[str]:
    """Return a blueprint's name and those of the blueprints around it, inner first.

    >>> blueprint_chain("shop.cart")
    ['shop.cart', 'shop']
    """
    return [] if name is None else list(_chain(name))


def blueprint_of(endpoint: str | None) -> str | None:
    """Return the name of the blueprint that an endpoint belongs to, if any.

    >>> blueprint_of("shop.cart.show")
    'shop.cart'
    """
    if endpoint is None or "." not in endpoint:
        return None
    return endpoint.rpartition(".")[0]


def endpoint_from_view(view_func: Callable[..., Any] | None) -> str:
    """Return the endpoint that a view has by default: the function's name."""
    if view_func is None:
        raise AssertionError("Without an endpoint, a view function is needed to name it after.")
    return view_func.__name__
