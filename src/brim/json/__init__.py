"""JSON as the current application writes and reads it.

These functions find the application and pass on to its :attr:`~brim.Flask.json`
provider. Without an application they do as the default provider does, except that keys
are not sorted.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from ..ctx import _cv_ctx, current_ctx
from .provider import DefaultJSONProvider, JSONProvider

if TYPE_CHECKING:
    from ..typing import Response

__all__ = ["dump", "dumps", "jsonify", "load", "loads"]


class _NoAppProvider(DefaultJSONProvider):
    sort_keys = False

    def __init__(self) -> None:
        """Take no app: only :meth:`response` would need it."""


_no_app_provider = _NoAppProvider()


def _provider() -> JSONProvider:
    # PERF: not `current_app`, which takes longer than a small object takes to serialise;
    # benchmarks/bench_json.py.
    ctx = _cv_ctx.get(None)
    return _no_app_provider if ctx is None else ctx.app.json


def dumps(obj: Any, **kwargs: Any) -> str:
    """Serialise ``obj`` as JSON text.

    Calls :meth:`app.json.dumps() <brim.json.provider.JSONProvider.dumps>`, with
    ``kwargs``, where an application is current.
    """
    return _provider().dumps(obj, **kwargs)


def dump(obj: Any, fp: IO[str], **kwargs: Any) -> None:
    """Serialise ``obj`` as JSON text and write it to the text file ``fp``.

    Calls :meth:`app.json.dump() <brim.json.provider.JSONProvider.dump>`, with
    ``kwargs``, where an application is current.
    """
    _provider().dump(obj, fp, **kwargs)


def loads(s: str | bytes, **kwargs: Any) -> Any:
    """Parse JSON text; raises ``ValueError`` if it isn't any.

    Calls :meth:`app.json.loads() <brim.json.provider.JSONProvider.loads>`, with
    ``kwargs``, where an application is current.
    """
    return _provider().loads(s, **kwargs)


def load(fp: IO[Any], **kwargs: Any) -> Any:
    """Parse JSON text that is read from the text or binary file ``fp``.

    Calls :meth:`app.json.load() <brim.json.provider.JSONProvider.load>`, with
    ``kwargs``, where an application is current.
    """
    return _provider().load(fp, **kwargs)


def jsonify(*args: Any, **kwargs: Any) -> Response:
    """Make a response whose body is the arguments as JSON.

    One positional argument is serialised as it is, several as an array, keyword
    arguments as an object, nothing as ``null``. Raises ``TypeError`` if both kinds are
    given, and ``RuntimeError`` where no application is current.

    Calls :meth:`app.json.response() <brim.json.provider.JSONProvider.response>`. A view
    can return a dict or a list as it is; this is for changing the response first::

        response = jsonify(id=user.id)
        response.headers["X-Left"] = "12"
        return response
    """
    return current_ctx().app.json.response(*args, **kwargs)
