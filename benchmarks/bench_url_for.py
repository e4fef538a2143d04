"""What does ``url_for`` cost, beside Flask?

In process, within one request's context: a URL with an integer, a static file's, one with a query,
and an absolute one. Both give the same URLs, which is checked before the clock starts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

from . import measure, program
from .measure import Figure
from .versus import at_least, figures_of

WAYS = ("an integer in the path", "a static file", "a query", "an absolute URL")


def callers(module: ModuleType) -> dict[str, Callable[[], object]]:
    """The same calls for Flask and for Brim: only the module differs."""
    app = module.Flask("benchmark")
    url_for = module.url_for

    @app.get("/users/<int:user_id>")  # type: ignore[untyped-decorator]
    def user(user_id: int) -> str:
        raise NotImplementedError

    app.test_request_context("/users/1").push()
    calls: tuple[Callable[[], object], ...] = (
        lambda: url_for("user", user_id=7),
        lambda: url_for("static", filename="css/site.css"),
        lambda: url_for("user", user_id=7, page=2),
        lambda: url_for("user", user_id=7, _external=True),
    )
    return dict(zip(WAYS, calls, strict=True))


def run() -> list[Figure]:
    import flask

    import brim

    ours, theirs = callers(brim), callers(flask)
    figures = []
    for way in WAYS:
        assert ours[way]() == theirs[way](), (way, ours[way](), theirs[way]())
        race = measure.interleaved({"Brim": ours[way], "Flask": theirs[way]})
        figures += figures_of(f"url_for, {way}", race, (at_least("Flask", 4),))
    return figures


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
