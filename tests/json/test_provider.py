"""The default provider answers as the standard library does, and is never crashed."""

from __future__ import annotations

import dataclasses
import enum
import io
import json
import json.encoder
import math
import uuid
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markupsafe import Markup

from brim import Flask, Response
from brim.json.provider import DefaultJSONProvider, JSONProvider


class Provider(DefaultJSONProvider):
    """The default one, without an application: only responses need that."""

    def __init__(self) -> None: ...


class Colour(enum.IntEnum):
    RED = 1


class Size(enum.StrEnum):
    BIG = "big"


class Plain(enum.Enum):
    ONE = 1


class Text(str): ...


class Number(int): ...


class Fraction(float):
    def __repr__(self) -> str:
        return "not JSON"


Pair = namedtuple("Pair", "a b")


@dataclasses.dataclass
class Point:
    x: Any
    y: Any = None


class Marked:
    def __html__(self) -> str:
        return "<b>"


any_text = st.text(st.characters(codec=None, categories=None) | st.sampled_from('\x7f"\\/\ud800'))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, 2**64, -(2**63) - 1, 10**400, Colour.RED, Size.BIG, Number(3)]),
    st.floats(),
    st.sampled_from([1e16, 1e-5, 1e22, -0.0, 5e-324, 0.1, Fraction(2.5)]),
    any_text,
    any_text.map(Text),
)
others = st.sampled_from(
    [
        datetime(2026, 1, 2, 3, 4, 5, 6),
        date(2026, 1, 2),
        Decimal("1.50"),
        uuid.UUID(int=5),
        Point(1, [Point(Decimal(2))]),
        Markup("<i>"),
        Marked(),
        b"bytes",
        {1, 2},
        Plain.ONE,
        Point,
        object,
    ]
)
keys = any_text | st.integers(0, 20) | st.sampled_from([None, True, 1.5, Colour.RED, Text("k")])
values = st.recursive(
    scalars | others,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=3), inner, max_size=4),
        st.dictionaries(keys, inner, max_size=3),
        st.tuples(inner, inner),
        st.builds(Pair, inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=3).map(OrderedDict),
    ),
    max_leaves=12,
)


def outcome(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a call comes to, so that it can be compared; floats and order by ``repr``."""
    try:
        result = function(*args, **kwargs)
    except Exception as error:
        return type(error), str(error)
    return type(result), repr(result)


class TestDumps:
    @given(values, st.booleans(), st.booleans(), st.sampled_from([(", ", ": "), (",", ":")]))
    def test_output_and_errors_are_those_of_json(
        self, value: Any, ensure_ascii: bool, sort_keys: bool, separators: tuple[str, str]
    ) -> None:
        provider = Provider()
        provider.ensure_ascii = ensure_ascii
        provider.sort_keys = sort_keys
        expected = outcome(
            json.dumps,
            value,
            default=provider.default,
            ensure_ascii=ensure_ascii,
            sort_keys=sort_keys,
            separators=separators,
        )
        given_separators = {} if separators == (", ", ": ") else {"separators": separators}
        # Twice, as the second call finds what the first has kept.
        assert outcome(provider.dumps, value, **given_separators) == expected
        assert outcome(provider.dumps, value, **given_separators) == expected

    def test_arguments_override_the_attributes(self) -> None:
        provider = Provider()
        value = {"b": "é", "a": Point}
        assert (
            provider.dumps(value, sort_keys=False, ensure_ascii=False, default=str, indent=1)
            == f'{{\n "b": "é",\n "a": "{Point}"\n}}'
        )
        assert provider.dumps({(1,): 1}, skipkeys=True) == "{}"
        assert provider.dumps([1, 2], separators=(";", "=")) == "[1;2]"

    def test_attributes_count_from_when_they_are_set(self) -> None:
        provider = Provider()
        assert provider.dumps({"b": "é", "a": 1}) == '{"a": 1, "b": "\\u00e9"}'
        provider.sort_keys = False
        provider.ensure_ascii = False
        assert provider.dumps({"b": "é", "a": 1}) == '{"b": "é", "a": 1}'
        assert provider.dumps([Decimal(1)], separators=(",", ":")) == '["1"]'
        provider.default = lambda o: "mine"
        assert provider.dumps([Decimal(1)], separators=(",", ":")) == '["mine"]'
        provider.default = None  # type: ignore[assignment]
        with pytest.raises(TypeError, match="Decimal is not JSON serializable"):
            provider.dumps([Decimal(1)])

    def test_a_subclass_may_have_default_as_a_method(self) -> None:
        class Prefixed(Provider):
            prefix = "$"

            def default(self, o: Any) -> Any:
                return self.prefix + str(o)

        provider = Prefixed()
        assert provider.dumps([Decimal(1)]) == '["$1"]'
        provider.prefix = "€"
        assert provider.dumps([Decimal(1)], ensure_ascii=False) == '["€1"]'
        assert provider.dumps([Decimal(1)]) == '["\\u20ac1"]'

    def test_a_circle_is_named_and_does_no_harm_later(self) -> None:
        provider = Provider()
        circle: list[Any] = []
        circle.append(circle)
        for _ in range(2):
            with pytest.raises(ValueError, match="Circular reference"):
                provider.dumps(circle)
        circle.clear()
        assert provider.dumps([circle, circle]) == "[[], []]"

    def test_output_is_the_same_where_the_interpreter_has_no_c_encoder(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json.encoder, "c_make_encoder", None)
        assert Provider().dumps({"b": 1, "a": [Decimal(1)]}) == '{"a": ["1"], "b": 1}'


class TestDefault:
    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (datetime(2026, 1, 2, 3, 4, 5, 6), "Fri, 02 Jan 2026 03:04:05 GMT"),
            (
                datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=5))),
                "Thu, 01 Jan 2026 22:04:00 GMT",
            ),
            (date(2026, 1, 2), "Fri, 02 Jan 2026 00:00:00 GMT"),
            (Decimal("1.50"), "1.50"),
            (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
            (Point(1, Point(2)), {"x": 1, "y": {"x": 2, "y": None}}),
            (Marked(), "<b>"),
        ],
    )
    def test_types_beyond_json(self, value: object, written: object) -> None:
        assert DefaultJSONProvider.default(value) == written

    @pytest.mark.parametrize("value", [object(), b"a", {1}, Point, Marked])
    def test_other_types_are_named(self, value: object) -> None:
        name = type(value).__name__
        with pytest.raises(TypeError, match=f"type {name} is not JSON serializable"):
            DefaultJSONProvider.default(value)


def json_like_bytes() -> st.SearchStrategy[bytes]:
    """Documents, some of them damaged in a place or two."""
    tokens = (
        '[ ] { } , : " \\ \\u \\ud800 \\udc00 NaN -Infinity 0 -0 1e5 1E400 0.1 true nul'.split()
    )
    pieces = [token.encode() for token in tokens] + [b"\xff", b"\xed\xa0\x80", b"\x00", b"\x1f"]
    pieces += [b"\xef\xbb\xbf", b"\n", b"\xc2\xa0", b"9" * 25, b"9" * 5000, b'"k":', b"\x7f"]

    def damage(document: bytes, places: list[tuple[int, int, bytes]]) -> bytes:
        for at, length, piece in places:
            at %= len(document) + 1
            document = document[:at] + piece + document[at + length :]
        return document

    json_only = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | any_text,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
        max_leaves=10,
    )
    documents = st.builds(
        lambda value, ascii_only, indent: json.dumps(
            value, ensure_ascii=ascii_only, indent=indent
        ).encode("utf-8", "surrogatepass"),
        json_only,
        st.booleans(),
        st.sampled_from([None, 1]),
    )
    places = st.tuples(st.integers(0, 60), st.integers(0, 2), st.sampled_from(pieces))
    return st.one_of(
        documents,
        st.builds(damage, documents, st.lists(places, max_size=2)),
        st.lists(st.sampled_from(pieces), max_size=8).map(b"".join),
    )


class TestLoads:
    @given(json_like_bytes())
    @example(b'{"a":1,"b":2,"a":3}')
    @example(b'"\\ud83d\\ude00"')
    @example("[1, 2]".encode("utf-16"))
    @example("[1, 2]".encode("utf-32-le"))
    @example(b"1.7976931348623159e308")
    def test_results_and_errors_are_those_of_json(self, data: bytes) -> None:
        assert outcome(Provider().loads, data) == outcome(json.loads, data)
        assert outcome(Provider().loads, bytearray(data)) == outcome(json.loads, data)
        text = data.decode("utf-8", "surrogateescape")
        assert outcome(Provider().loads, text) == outcome(json.loads, text)

    @given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["r", ".17g", ".40f"]))
    def test_floats_are_read_to_the_last_bit(self, number: float, form: str) -> None:
        text = repr(number) if form == "r" else format(number, form)
        assume("." in text or "e" in text)
        result = Provider().loads(text)
        assert result == float(text)
        assert math.copysign(1, result) == math.copysign(1, number)

    def test_arguments_are_those_of_json(self) -> None:
        loads = Provider().loads
        assert loads('{"a": 1.5}', parse_float=Decimal) == {"a": Decimal("1.5")}
        assert loads('{"a": 1}', object_hook=lambda found: sorted(found)) == ["a"]
        with pytest.raises(TypeError, match="must be str, bytes or bytearray, not int"):
            loads(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="not memoryview"):
            loads(memoryview(b"1"))  # type: ignore[arg-type]

    @pytest.mark.parametrize("levels", [12_000, 100_000, 1_000_000])
    @pytest.mark.parametrize("options", [{}, {"parse_float": Decimal}])
    @pytest.mark.parametrize("opening", ["[", '{"a":'])
    def test_deep_nesting_is_a_decoding_error(
        self, opening: str, options: dict[str, Any], levels: int
    ) -> None:
        with pytest.raises(json.JSONDecodeError, match="too deep"):
            Provider().loads(opening * levels, **options)
        closing = "]" if opening == "[" else "}"
        with pytest.raises(json.JSONDecodeError, match="too deep"):
            Provider().loads((opening * levels + "1" + closing * levels).encode(), **options)

    @pytest.mark.parametrize(
        "data", [b"1" * 100_000, b'"\xff"', b'{"a": [1, 2', b'"abc', b"", b'{"a"', b"\x80abc"]
    )
    def test_what_is_no_json_is_a_value_error(self, data: bytes) -> None:
        with pytest.raises(ValueError):
            Provider().loads(data)


class TestResponse:
    def test_body_is_compact_and_ends_in_a_line_break(self, app: Flask) -> None:
        response = app.json.response({"b": [1, 2], "a": "é"})
        assert type(response) is Response
        assert response.get_data() == b'{"a":"\\u00e9","b":[1,2]}\n'
        assert list(response.headers) == [
            ("Content-Type", "application/json"),
            ("Content-Length", "25"),
        ]

    @pytest.mark.parametrize(
        ("debug", "compact", "indented"),
        [(False, None, False), (True, None, True), (False, False, True), (True, True, False)],
    )
    def test_it_is_indented_in_debug_mode_or_on_demand(
        self, app: Flask, debug: bool, compact: bool | None, indented: bool
    ) -> None:
        app.debug = debug
        assert isinstance(app.json, DefaultJSONProvider)
        app.json.compact = compact
        body = app.json.response(a=[1]).get_data()
        assert body == (b'{\n  "a": [\n    1\n  ]\n}\n' if indented else b'{"a":[1]}\n')

    def test_class_and_mimetype_are_the_applications(self, app: Flask) -> None:
        class Own(Response):
            default_status = 202

        app.response_class = Own
        assert isinstance(app.json, DefaultJSONProvider)
        app.json.mimetype = "application/vnd.api+json"
        response = app.json.response(1)
        assert type(response) is Own
        assert (response.status_code, response.mimetype) == (202, "application/vnd.api+json")
        app.response_class = Response
        assert app.json.response(1).mimetype == "application/vnd.api+json"

    @pytest.mark.parametrize(
        ("args", "kwargs", "body"),
        [
            ((), {}, b"null\n"),
            ((1,), {}, b"1\n"),
            ((None,), {}, b"null\n"),
            (([],), {}, b"[]\n"),
            ((1, "a"), {}, b'[1,"a"]\n'),
            ((), {"a": 1, "b": None}, b'{"a":1,"b":null}\n'),
        ],
    )
    def test_arguments_become_one_value(
        self, app: Flask, args: tuple[Any, ...], kwargs: dict[str, Any], body: bytes
    ) -> None:
        assert app.json.response(*args, **kwargs).get_data() == body

    def test_both_kinds_of_arguments_are_refused(self, app: Flask) -> None:
        with pytest.raises(TypeError, match="either args or kwargs, not of both: got 1 and 'a'"):
            app.json.response(1, a=2)

    def test_an_overridden_dumps_is_called(self, app: Flask) -> None:
        calls = []

        class Noted(DefaultJSONProvider):
            def dumps(self, obj: Any, **kwargs: Any) -> str:
                calls.append(kwargs)
                return super().dumps(obj, **kwargs)

        app.json = Noted(app)
        app.json.response(1)
        app.debug = True
        app.json.response(1)
        assert calls == [{"separators": (",", ":")}, {"indent": 2}]


class TestInterface:
    def test_two_methods_make_a_provider(self, app: Flask) -> None:
        class Shouting(JSONProvider):
            def dumps(self, obj: Any, **kwargs: Any) -> str:
                return json.dumps(obj, **kwargs).upper()

            def loads(self, s: str | bytes, **kwargs: Any) -> Any:
                return json.loads(s.lower(), **kwargs)

        provider = Shouting(app)
        written = io.StringIO()
        provider.dump(["a"], written, separators=(",", ":"))
        assert written.getvalue() == '["A"]'
        assert provider.load(io.BytesIO(b"TRUE"), strict=False) is True
        response = provider.response(a="b")
        assert response.get_data() == b'{"A": "B"}'
        assert response.mimetype == "application/json"

    def test_they_have_to_be_provided(self, app: Flask) -> None:
        with pytest.raises(NotImplementedError):
            JSONProvider(app).dumps(1)
        with pytest.raises(NotImplementedError):
            JSONProvider(app).loads("1")
