"""Requests under ASGI never see one another; ``make isolation`` sends 100,000 of each kind."""

from __future__ import annotations

import asyncio

import pytest

from scripts import isolation


@pytest.mark.parametrize("kind", isolation.KINDS)
def test_each_request_has_its_own(kind: str) -> None:
    watch = asyncio.run(isolation.run(kind, 200, together=50))
    assert watch.leaks == 0
    assert watch.torn_down == 200
    assert watch.looks >= 200


def test_a_leak_would_be_seen() -> None:
    watch = isolation.Watch()
    app = isolation.make_app(watch)

    @app.before_request
    def leak() -> None:
        isolation.g.number = "another's"

    asyncio.run(isolation.ask(app, "/tasks", "1"))
    assert watch.leaks
