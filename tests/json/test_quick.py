"""JSON by msgspec: its bytes are those of Python's ``json``, or it is not asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brim import Flask
from brim.json.provider import DefaultJSONProvider
from brim.json.quick import is_plain, quick_encoder

texts = st.text(st.characters(codec="utf-8")) | st.text('\x00\x1f\x7f"\\/\n\t\u2028é', max_size=8)
atoms = st.none() | st.booleans() | st.integers() | texts | st.floats(allow_nan=False)
values = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts, inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


class Exact:
    """A provider with Python's own serialiser."""

    def __init__(self, ensure_ascii: bool, sort_keys: bool) -> None:
        self.options = {"ensure_ascii": ensure_ascii, "sort_keys": sort_keys}

    def dumps(self, value: Any, **kwargs: Any) -> str:
        return json.dumps(value, **self.options, **kwargs)


@given(values, st.booleans(), st.booleans())
def test_the_bytes_are_those_of_pythons_json(value: Any, ensure_ascii: bool, sort: bool) -> None:
    quick = quick_encoder(ensure_ascii=ensure_ascii, sort_keys=sort)
    exact = json.dumps(
        value, ensure_ascii=ensure_ascii, sort_keys=sort, separators=(",", ":")
    ).encode()
    assert quick(Exact(ensure_ascii, sort), value) == exact


class Subclass(dict[str, int]):
    pass


@pytest.mark.parametrize(
    "value",
    [0.5, b"", (1,), {1: "a"}, {True: 1}, {"a": 0.5}, [object()], Subclass(a=1), {"a": {2}}],
)
def test_what_may_differ_is_not_plain(value: Any) -> None:
    assert not is_plain(value)


@pytest.mark.parametrize("value", [2**64, -(2**80), "\ud800", ["\ud800"]])
def test_what_msgspec_refuses_is_serialised_still(value: Any) -> None:
    quick = quick_encoder(ensure_ascii=True, sort_keys=True)
    assert quick(Exact(True, True), value) == json.dumps(value, separators=(",", ":")).encode()


def test_a_circle_is_told_as_python_does() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match="Circular"):
        quick_encoder(ensure_ascii=True, sort_keys=True)(Exact(True, True), circle)


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"in": value}])
@pytest.mark.parametrize("depth", [99, 100, 101, 500])
def test_what_nests_deep_is_serialised_still(wrap: Callable[[Any], Any], depth: int) -> None:
    value: Any = "here"
    for _ in range(depth):
        value = wrap(value)
    quick = quick_encoder(ensure_ascii=True, sort_keys=True)
    assert quick(Exact(True, True), value) == json.dumps(value, separators=(",", ":")).encode()


def test_an_attribute_that_is_set_later_counts(app: Flask) -> None:
    app.add_url_rule("/", "index", lambda: {"b": "é", "a": 1})
    assert app.test_client().get("/").data == b'{"a":1,"b":"\\u00e9"}\n'
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    assert app.test_client().get("/").data == '{"b":"é","a":1}\n'.encode()
    app.json.compact = False  # type: ignore[attr-defined]
    assert app.test_client().get("/").text == '{\n  "b": "é",\n  "a": 1\n}\n'
    app.json.compact = None  # type: ignore[attr-defined]
    app.json.mimetype = "application/problem+json"  # type: ignore[attr-defined]
    assert app.test_client().get("/").mimetype == "application/problem+json"


@pytest.mark.parametrize("name", ["dumps", "response"])
def test_a_provider_of_ones_own_is_asked(app: Flask, name: str) -> None:
    asked: list[Any] = []

    def replacement(self: DefaultJSONProvider, *args: Any, **kwargs: Any) -> Any:
        asked.append(args)
        return getattr(DefaultJSONProvider, name)(self, *args, **kwargs)

    app.json = type("Own", (DefaultJSONProvider,), {name: replacement})(app)
    app.add_url_rule("/", "index", lambda: {"a": 1})
    assert app.test_client().get("/").json == {"a": 1}
    assert asked == [({"a": 1},)]


def test_a_method_that_is_replaced_on_the_provider_is_called(app: Flask) -> None:
    app.add_url_rule("/", "index", lambda: {"a": 1})
    assert app.test_client().get("/").data == b'{"a":1}\n'
    app.json.dumps = lambda obj, **kwargs: "42"  # type: ignore[method-assign]
    assert app.test_client().get("/").data == b"42\n"
