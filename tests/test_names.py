"""Names of endpoints and blueprints: what is inside of what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brim.names import blueprint_chain, blueprint_of, endpoint_from_view

parts = st.lists(st.text("abc_", min_size=1, max_size=3), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("endpoint", "blueprint"),
    [
        (None, None),
        ("index", None),
        ("shop.index", "shop"),
        ("shop.cart.show", "shop.cart"),
        (".index", ""),
    ],
)
def test_the_blueprint_of_an_endpoint(endpoint: str | None, blueprint: str | None) -> None:
    assert blueprint_of(endpoint) == blueprint


@given(parts)
def test_a_chain_goes_from_the_blueprint_to_those_around_it(names: list[str]) -> None:
    chain = blueprint_chain(".".join(names))
    assert len(chain) == len(names)
    assert chain[-1] == names[0]
    for inner, outer in zip(chain, chain[1:], strict=False):
        # An endpoint's name is made as a nested blueprint's is.
        assert blueprint_of(inner) == outer


def test_no_blueprint_has_no_chain() -> None:
    assert blueprint_chain(None) == []


def test_a_chain_may_be_changed_by_whoever_asked_for_it() -> None:
    blueprint_chain("a.b").clear()
    assert blueprint_chain("a.b") == ["a.b", "a"]


def test_a_view_gives_its_name_to_its_endpoint() -> None:
    assert endpoint_from_view(test_no_blueprint_has_no_chain) == "test_no_blueprint_has_no_chain"
    with pytest.raises(AssertionError, match="view function is needed"):
        endpoint_from_view(None)
