"""Tagged JSON keeps Python's types, in the format that cookies have had for years."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from brim import Flask
from brim.json.tag import JSONTag, TagDict, TaggedJSONSerializer


class Marked:
    def __html__(self) -> Markup:
        return Markup("<i>")


# Recorded from Flask 3.1.3.
@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": None}, '{"b":1,"a":null}'),
        ({" x": 1, " y": 2}, '{" x":1," y":2}'),
        ({" t": 1}, '{" di":{" t__":1}}'),
        ({" t__": 1}, '{" t__":1}'),
        ({" di": {" di": 1}}, '{" di":{" di__":{" di":{" di__":1}}}}'),
        ({" t": 1, " b": 2}, '{" t":1," b":2}'),
        ({" di__": {" t": (1,)}}, '{" di__":{" di":{" t__":{" t":[1]}}}}'),
        ([(1, (2,))], '[{" t":[1,{" t":[2]}]}]'),
        ((), '{" t":[]}'),
        (b"x", '{" b":"eA=="}'),
        (b"", '{" b":""}'),
        (Markup("é"), '{" m":"\\u00e9"}'),
        (Marked(), '{" m":"<i>"}'),
        (UUID(int=5), '{" u":"00000000000000000000000000000005"}'),
        (datetime(2020, 1, 2, 3, 4, 5, 6), '{" d":"Thu, 02 Jan 2020 03:04:05 GMT"}'),
        ({1: (2,)}, '{"1":{" t":[2]}}'),
        (
            {"a": {" u": [b"1", {"x": (Markup("1"),)}]}},
            '{"a":{" di":{" u__":[{" b":"MQ=="},{"x":{" t":[{" m":"1"}]}}]}}}',
        ),
        (1.5, "1.5"),
        ("é\ud800", '"\\u00e9\\ud800"'),
    ],
)
def test_the_format_is_flasks(value: object, written: str) -> None:
    assert TaggedJSONSerializer().dumps(value) == written


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('{" t":[1],"a":2}', {" t": [1], "a": 2}),
        ('{" m":5}', Markup("5")),
        ('{" d":"no date"}', None),
        ('{" t":{" t":[1]}}', (1,)),
        ('{" zz":[{" b":"YQ=="}]}', {" zz": [b"a"]}),
        ('{"":1}', {"": 1}),
    ],
)
def test_what_no_value_is_written_as_is_read_as_flask_reads_it(written: str, value: object) -> None:
    assert TaggedJSONSerializer().loads(written) == value


moments = st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0, fold=0)
)
keys = st.text(max_size=3) | st.sampled_from([" di", " t", " b", " t__", " di__", "__"])
kept = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.uuids() | moments,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=10,
)


@given(kept)
def test_what_is_written_comes_back_equal_and_of_its_type(value: Any) -> None:
    serializer = TaggedJSONSerializer()
    assert repr(serializer.loads(serializer.dumps(value))) == repr(value)
    assert repr(serializer._untag_scan(serializer.tag(value))) == repr(value)


def test_the_current_applications_provider_writes_it(app: Flask) -> None:
    serializer = TaggedJSONSerializer()
    with app.app_context():
        assert serializer.dumps({"b": 1, "a": (2,)}) == '{"a":{" t":[2]},"b":1}'


def test_markup_comes_back_as_markup() -> None:
    serializer = TaggedJSONSerializer()
    assert type(serializer.loads(serializer.dumps(Markup("<i>")))) is Markup


class TagOrdered(JSONTag):
    __slots__ = ()
    key = " od"

    def check(self, value: Any) -> bool:
        return isinstance(value, OrderedDict)

    def to_json(self, value: Any) -> Any:
        return [[key, self.serializer.tag(content)] for key, content in value.items()]

    def to_python(self, value: Any) -> Any:
        return OrderedDict(value)


def test_a_tag_put_before_its_base_type_is_asked_first() -> None:
    serializer = TaggedJSONSerializer()
    value = OrderedDict(b=(1,), a=OrderedDict())
    assert type(serializer.loads(serializer.dumps(value))) is dict
    serializer.register(TagOrdered, index=0)
    assert serializer.dumps(value) == '{" od":[["b",{" t":[1]}],["a",{" od":[]}]]}'
    assert repr(serializer.loads(serializer.dumps(value))) == repr(value)


def test_place_in_the_order_counts_as_in_a_list() -> None:
    class First(TagOrdered):
        key = " 1"

    class Last(TagOrdered):
        key = " 2"

    serializer = TaggedJSONSerializer()
    serializer.register(First, index=-1)
    assert type(serializer.order[-2]) is First
    serializer.register(Last)
    assert type(serializer.order[-1]) is Last
    assert list(TaggedJSONSerializer().tags) == [" di", " t", " b", " m", " u", " d"]


def test_a_key_is_taken_once_unless_forced() -> None:
    class Own(TagDict): ...

    serializer = TaggedJSONSerializer()
    with pytest.raises(KeyError, match="' di' is registered, for TagDict.*force=True"):
        serializer.register(Own)
    serializer.register(Own, force=True, index=0)
    assert type(serializer.tags[" di"]) is type(serializer.order[0]) is Own


def test_a_tag_without_a_key_prepares_values_only() -> None:
    class PassSet(JSONTag):
        __slots__ = ()

        def check(self, value: Any) -> bool:
            return isinstance(value, set)

        def to_json(self, value: Any) -> Any:
            return sorted(value)

        def tag(self, value: Any) -> Any:
            return self.to_json(value)

    serializer = TaggedJSONSerializer()
    serializer.register(PassSet)
    serializer.register(PassSet)
    assert serializer.dumps({2, 1}) == "[1,2]"


def test_a_tag_has_to_have_three_methods() -> None:
    tag = JSONTag(TaggedJSONSerializer())
    for method in (tag.check, tag.to_json, tag.to_python, tag.tag):
        with pytest.raises(NotImplementedError):
            method(None)


_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_tagged = st.recursive(
    _scalars | st.binary() | st.uuids() | st.builds(Markup, st.text()) | st.builds(OrderedDict),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.sampled_from(["a", " t", " di", " b__", " t__", "b"]), inner)
    ),
    max_leaves=12,
)


@given(_tagged)
def test_values_of_builtin_types_are_tagged_as_by_asking_each_tag(value: Any) -> None:
    serializer = TaggedJSONSerializer()
    quickly = serializer.dumps(value)
    # Any change of the order means that each tag is asked.
    serializer.order.append(serializer.order[-1])
    assert serializer.dumps(value) == quickly


def test_a_tag_for_a_builtin_type_is_asked_wherever_it_is_put() -> None:
    class TagText(JSONTag):
        __slots__ = ()
        key = " text"

        def check(self, value: Any) -> bool:
            return type(value) is str

        def to_json(self, value: Any) -> Any:
            return [value]

        def to_python(self, value: Any) -> Any:
            return value[0].upper()

    serializer = TaggedJSONSerializer()
    assert serializer.dumps({"a": "b"}) == '{"a":"b"}'
    serializer.register(TagText)
    assert serializer.dumps({"a": "b"}) == '{"a":{" text":["b"]}}'
    assert serializer.loads(serializer.dumps({"a": ["b"]})) == {"a": ["B"]}


def test_a_subclass_may_tag_in_its_own_way() -> None:
    class Shouting(TaggedJSONSerializer):
        __slots__ = ()

        def tag(self, value: Any) -> Any:
            return value.upper() if isinstance(value, str) else super().tag(value)

    assert Shouting().dumps(["a"]) == '["A"]'
