"""Nesting is measured as a parser would find it, at any size and in any encoding."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brim.json.depth import MAX_DEPTH, check_depth, nests_deeper_than

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]

#: Text without the letters that a document is mostly made of: what is hard to read stays.
knotty_text = st.text(st.sampled_from('[]{}"\\a, :\u5b22\U0001f600'), max_size=40)
documents = st.recursive(
    st.none() | st.integers(0, 9) | knotty_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(knotty_text, inner, max_size=3),
    max_leaves=12,
)


def depth_of_value(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of_value, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of_value, value), default=0)
    return 0


def depth_of_text(text: str) -> int:
    """Read one character after the other: the plain way that the quick one agrees with."""
    depth = deepest = at = 0
    in_string = False
    while at < len(text):
        character = text[at]
        if character == "\\" and text[at + 1 : at + 2] in ('"', "\\"):
            at += 1
        elif character == '"':
            in_string = not in_string
        elif not in_string and character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif not in_string and character in "]}":
            depth -= 1
        at += 1
    return deepest


@given(knotty_text)
def test_any_text_is_measured_as_if_read_by_character(text: str) -> None:
    depth = depth_of_text(text)
    for limit in range(depth + 2):
        assert nests_deeper_than(text, limit) == (depth > limit)


@given(documents, st.booleans(), st.sampled_from([None, 1]), st.sampled_from(ENCODINGS))
def test_a_document_is_as_deep_as_what_it_holds(
    value: Any, ascii_only: bool, indent: int | None, encoding: str
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    depth = depth_of_value(value)
    for data in (text, text.encode(encoding), bytearray(text, encoding)):
        assert not nests_deeper_than(data, depth)
        assert depth == 0 or nests_deeper_than(data, depth - 1)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"]}\\"":'])
@pytest.mark.parametrize("levels", [600, 10_000, 1_000_000])
def test_documents_beyond_the_limit_are_refused_by_name(opening: str, levels: int) -> None:
    with pytest.raises(json.JSONDecodeError, match=f"deeper than {MAX_DEPTH} levels"):
        check_depth(opening * levels)


def test_brackets_in_text_and_side_by_side_are_no_nesting() -> None:
    check_depth(json.dumps(["[{" * 1000, "\\" * 1001 + '"[', {"[" * 600: [[]] * 600}]).encode())


def test_malformed_encodings_are_left_to_the_parser() -> None:
    check_depth(b"[\xff" * 300)
    check_depth(b"[\x00\xd8" * 300)
    check_depth("[\ud800" * 300)


def nested(levels: int) -> str:
    return '[{"a": ' * (levels // 2) + "1" + "}]" * (levels // 2)


def with_frames_below(frames: int, function: Callable[[], None]) -> None:
    if frames:
        return with_frames_below(frames - 1, function)
    function()


@pytest.mark.parametrize("indent", [None, 2])
def test_what_is_accepted_can_be_parsed_and_sent_from_deep_in_the_stack(indent: int | None) -> None:
    def echo() -> None:
        text = nested(MAX_DEPTH)
        check_depth(text)
        assert json.loads(json.dumps(json.loads(text), indent=indent)) == json.loads(text)

    with_frames_below(300, echo)
