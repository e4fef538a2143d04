"""How a request ends, for every door: with which error."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..typing import Flask, RequestContext


def failure_of(app: Flask, ctx: RequestContext) -> BaseException | None:
    """Return the error that the teardown functions are to be told of."""
    failure = ctx.error
    if failure is not None:
        ignores = app._engine.overrides.should_ignore_error
        if ignores is not None and ignores(ctx, failure):
            return None
    return failure
