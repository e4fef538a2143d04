"""JSON from outside: what a request parses its body with.

Nothing here knows a request; which parser parses is the application's to say.
"""

from __future__ import annotations

from typing import Any

from ..ctx import get_ctx
from . import dumps, loads
from .depth import MAX_DEPTH, check_depth


class BodyJSON:
    """What a request parses its body with: the application's provider, guarded.

    What no parser should be given raises ``ValueError``, which becomes a 400.
    """

    @staticmethod
    def loads(data: bytes | str, **kwargs: Any) -> Any:
        """Parse ``data``, refusing nesting beyond :data:`brim.json.depth.MAX_DEPTH`."""
        if len(data) > MAX_DEPTH:
            check_depth(data)
        if not kwargs and type(data) is bytes and (ctx := get_ctx(None)) is not None:
            # PERF: seven calls less; benchmarks/bench_post_json.py.
            parse = getattr(ctx.app.json, "_parse", None)
            if parse is not None:
                try:
                    return parse(data)
                except Exception:
                    # What it doesn't take may be taken below, or has another error there.
                    pass
        if isinstance(data, bytes) and b"\0" not in data:
            # UTF-8 or nothing: json lets surrogates pass, which no response can send back.
            data.decode()
        try:
            return loads(data, **kwargs)
        except RecursionError as error:
            raise ValueError("The JSON is nested too deep to be parsed.") from error

    @staticmethod
    def dumps(obj: Any, **kwargs: Any) -> str:
        """Serialise ``obj`` as :func:`brim.json.dumps` does."""
        return dumps(obj, **kwargs)
