"""Tables that say when they change: plain to the touch, and never silent."""

from __future__ import annotations

import copy
import pickle
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brim.tables import WatchedDict, WatchedList, watch


class Counter:
    """Counts the changes that it is told of."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def changes() -> Counter:
    return Counter()


def _do(statement: str) -> Callable[[Any], None]:
    """Make a function that runs ``statement`` with ``t`` as the table."""
    return lambda table: exec(statement, {"t": table})


LIST_CHANGES = [
    *("t.append(4)", "t.extend([4, 5])", "t.insert(0, 4)", "t.remove(2)", "t.pop()", "t.pop(0)"),
    *("t.clear()", "t.sort(reverse=True)", "t.reverse()", "t[0] = 9", "t[1:] = [7, 8, 9]"),
    *("t[:0] = [7]", "del t[0]", "del t[:2]", "t += [4]", "t += (4, 5)", "t *= 2"),
]
DICT_CHANGES = [
    *("t['c'] = 3", "t['a'] = 9", "del t['a']", "t.pop('a')", "t.popitem()", "t.clear()"),
    *("t.update({'c': 3})", "t.update([('c', 3)])", "t.update(c=3)", "t.setdefault('c', 3)"),
    *("t |= {'c': 3}", "t |= [('c', 3)]", "t.update({'c': 3}, d=4)", "t.setdefault('c')"),
]


@pytest.mark.parametrize("statement", LIST_CHANGES)
def test_each_change_of_a_list_is_announced(changes: Counter, statement: str) -> None:
    plain, table = [1, 2, 3], WatchedList([1, 2, 3], changes)
    _do(statement)(plain)
    _do(statement)(table)
    assert table == plain
    assert changes.count == 1
    assert type(table) is WatchedList


@pytest.mark.parametrize("statement", DICT_CHANGES)
def test_each_change_of_a_dict_is_announced(changes: Counter, statement: str) -> None:
    plain, table = {"a": 1, "b": 2}, WatchedDict({"a": 1, "b": 2}, on_change=changes)
    _do(statement)(plain)
    _do(statement)(table)
    assert table == plain
    assert list(table) == list(plain)
    assert changes.count == 1
    assert type(table) is WatchedDict


@pytest.mark.parametrize(
    "statement",
    [
        *("t.get('a')", "t.get('z')", "t['a']", "'a' in t", "len(t)", "list(t)", "t.items()"),
        *("t.pop('z', None) if 'z' in t else None", "t.setdefault('a', 9)", "t | {}", "{} | t"),
        *("t.copy()", "dict(t)", "repr(t)", "t == {}", "reversed(t)", "__import__('copy').copy(t)"),
    ],
)
def test_looking_at_a_dict_announces_nothing(changes: Counter, statement: str) -> None:
    _do(statement)(WatchedDict({"a": 1}, on_change=changes))
    assert changes.count == 0


@pytest.mark.parametrize(
    "statement",
    [*("t[0]", "t[:]", "t + [1]", "[1] + t", "t * 2", "t.index(1)", "t.count(1)", "t.copy()")],
)
def test_looking_at_a_list_announces_nothing(changes: Counter, statement: str) -> None:
    _do(statement)(WatchedList([1], changes))
    assert changes.count == 0


@pytest.mark.parametrize(
    "statement", ["t.remove(9)", "t[9] = 1", "del t[9]", "t.insert()", "t.extend(5)"]
)
def test_a_change_of_a_list_that_fails_is_none(changes: Counter, statement: str) -> None:
    table = WatchedList([1], changes)
    with pytest.raises((ValueError, IndexError, TypeError)):
        _do(statement)(table)
    assert (table, changes.count) == ([1], 0)


@pytest.mark.parametrize("statement", ["t['z']", "del t['z']", "t.pop('z')", "t[[]] = 1"])
def test_a_change_of_a_dict_that_fails_is_none(changes: Counter, statement: str) -> None:
    table = WatchedDict({"a": 1}, on_change=changes)
    with pytest.raises((KeyError, TypeError)):
        _do(statement)(table)
    assert (table, changes.count) == ({"a": 1}, 0)


@given(st.lists(st.sampled_from(LIST_CHANGES)))
def test_a_list_stays_equal_to_a_plain_one(statements: list[str]) -> None:
    plain, table = [1, 2, 3], WatchedList([1, 2, 3], Counter())
    for statement in statements:
        results: list[type[Exception] | None] = []
        for target in (plain, table):
            try:
                _do(statement)(target)
                results.append(None)
            except Exception as error:
                results.append(type(error))
        assert results[0] == results[1]
        assert table == plain


# Missing keys --------------------------------------------------------------------------


def test_a_missing_key_is_filled_like_a_default_dicts(changes: Counter) -> None:
    table = watch(defaultdict(list), changes)
    assert table["a"] == []
    assert table == {"a": []}
    assert table["a"] is table["a"]


def test_filling_a_missing_key_changes_nothing_until_it_is_filled_itself(changes: Counter) -> None:
    table = watch(defaultdict(list), changes)
    found = table["a"]
    assert changes.count == 0
    found.append(1)
    assert (table, changes.count) == ({"a": [1]}, 1)


def test_a_key_without_a_default_is_missing(changes: Counter) -> None:
    with pytest.raises(KeyError, match="'z'"):
        WatchedDict(on_change=changes)["z"]


# Depth ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        *("t[None][404]['x'] = 1", "t['new'][None]['x'] = 1", "t[None].pop(404)"),
        *("t.setdefault('bp', {}).setdefault(404, {})['x'] = 1", "t[None][404].clear()"),
        *("t[None].update({500: {}})", "t[None] |= {500: {}}", "del t[None][404]['y']"),
    ],
)
def test_changes_are_announced_at_every_depth(changes: Counter, statement: str) -> None:
    table = watch(defaultdict(lambda: defaultdict(dict), {None: {404: {"y": 2}}}), changes)
    _do(statement)(table)
    assert changes.count > 0


@pytest.mark.parametrize(
    "statement",
    ["t['a'] = [1]", "t.update(a=[1])", "t |= {'a': [1]}", "t.setdefault('a', [1])"],
)
def test_what_is_put_in_is_watched_from_then_on(changes: Counter, statement: str) -> None:
    table: Any = WatchedDict(on_change=changes)
    _do(statement)(table)
    changes.count = 0
    table["a"].append(2)
    assert (table, changes.count) == ({"a": [1, 2]}, 1)


def test_lists_in_lists_are_watched(changes: Counter) -> None:
    table = watch([[1], {"a": 1}], changes)
    table[0].append(2)
    table[1]["b"] = 2
    assert (table, changes.count) == ([[1, 2], {"a": 1, "b": 2}], 2)


def test_what_is_watched_for_the_same_is_taken_as_it_is(changes: Counter) -> None:
    table = watch({"a": [1]}, changes)
    inner = table["a"]
    table["b"] = inner
    assert table["b"] is inner
    assert watch(table, changes) is table


def test_what_is_watched_for_another_is_copied(changes: Counter) -> None:
    theirs = Counter()
    mine = watch(watch({"a": [1]}, theirs), changes)
    mine["a"].append(2)
    assert (changes.count, theirs.count) == (1, 0)


def test_anything_else_is_left_alone(changes: Counter) -> None:
    for value in ("text", (1, [2]), None, print, {1}):
        assert watch(value, changes) is value


# Copies --------------------------------------------------------------------------------

COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    lambda table: table.copy(),
    lambda table: table | {},
    lambda table: {} | table,
    lambda table: pickle.loads(pickle.dumps(table)),
]


@pytest.mark.parametrize("make_copy", COPIES)
def test_a_copy_of_a_dict_is_equal_and_plain(
    changes: Counter, make_copy: Callable[[Any], Any]
) -> None:
    table = watch({"a": 1}, changes)
    copied = make_copy(table)
    assert copied == {"a": 1}
    assert type(copied) is dict
    copied["b"] = 2
    assert changes.count == 0


@pytest.mark.parametrize("make_copy", COPIES)
def test_a_copy_keeps_what_missing_keys_become(
    changes: Counter, make_copy: Callable[[Any], Any]
) -> None:
    """So that a table that was put aside can be put back."""
    table = watch(defaultdict(list, a=[1]), changes)
    copied = make_copy(table)
    assert copied == {"a": [1]}
    assert copied["new"] == []
    watch(copied, changes)["newer"].append(1)
    assert changes.count == 1


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, lambda table: table.copy()])
def test_a_copy_of_a_list_is_plain(changes: Counter, make_copy: Callable[[Any], Any]) -> None:
    copied = make_copy(watch([1], changes))
    assert copied == [1]
    assert type(copied) is list


def test_a_shallow_copy_shares_its_lists_and_a_deep_one_does_not(changes: Counter) -> None:
    table = watch({"a": [1]}, changes)
    copy.deepcopy(table)["a"].append(2)
    assert (table, changes.count) == ({"a": [1]}, 0)
    copy.copy(table)["a"].append(2)
    assert (table, changes.count) == ({"a": [1, 2]}, 1)
