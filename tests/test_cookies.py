"""The session's cookie as text: the quick ways agree with itsdangerous and Werkzeug."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from itsdangerous import BadData, Signer, TimestampSigner, URLSafeTimedSerializer
from werkzeug.http import dump_cookie
from werkzeug.wrappers import Request

from brim.cookies import SessionSerializer, cookie_attributes, find_cookie

KEYS = [b"old", b"new"]
OPTIONS: dict[str, Any] = {
    "salt": "cookie-session",
    "serializer": json,
    "signer_kwargs": {"key_derivation": "hmac", "digest_method": hashlib.sha1},
}
NOW = 1767225600

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
repetitive = st.text('ab"é', max_size=300) | st.text("a", max_size=300)


@pytest.fixture(autouse=True, scope="module")
def still_clock() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TimestampSigner, "get_timestamp", lambda self: NOW)
        yield


def ours(**changes: Any) -> SessionSerializer:
    return SessionSerializer(KEYS, **{**OPTIONS, **changes})


def theirs(**changes: Any) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(KEYS, **{**OPTIONS, **changes})


def outcome(serializer: URLSafeTimedSerializer, text: Any, *args: Any) -> Any:
    try:
        return serializer.loads(text, *args)
    except BadData as error:
        return type(error), str(error), getattr(error, "payload", None)


@settings(deadline=None)
@given(st.dictionaries(st.text(), values | repetitive))
def test_what_is_written_is_itsdangerous_s_to_the_byte(value: dict[str, Any]) -> None:
    written = theirs().dumps(value)
    assert ours().dumps(value) == written
    assert ours().loads(written, max_age=0) == value


@settings(deadline=None)
@given(st.data())
def test_what_was_tampered_with_is_refused_in_the_same_words(data: st.DataObject) -> None:
    written = theirs().dumps(data.draw(st.dictionaries(st.text(), repetitive, max_size=2)))
    at = data.draw(st.integers(0, len(written)))
    until = data.draw(st.integers(at, min(at + 3, len(written))))
    put = data.draw(st.text("aA.-_=+/ é", max_size=3))
    text = written[:at] + put + written[until:]
    assert outcome(ours(), text, 100) == outcome(theirs(), text, 100)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_read_or_refused_as_itsdangerous_does(text: str) -> None:
    assert outcome(ours(), text, 100) == outcome(theirs(), text, 100)


@pytest.mark.parametrize("age", [-1, 0, 100, 101, NOW])
def test_age_counts_as_in_itsdangerous(age: int, monkeypatch: pytest.MonkeyPatch) -> None:
    written = theirs().dumps({"a": 1})
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: NOW + age)
    assert outcome(ours(), written, 100) == outcome(theirs(), written, 100)


@pytest.mark.parametrize("time", [0, 255, 2**24 - 1, 2**24, 2**32 - 1, 2**32])
def test_time_may_take_any_number_of_bytes(time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: time)
    written = theirs().dumps({"a": 1})
    assert ours().dumps({"a": 1}) == written
    assert outcome(ours(), written, 100) == outcome(theirs(), written, 100)


def test_an_older_key_is_accepted_and_the_newest_signs() -> None:
    old = URLSafeTimedSerializer(KEYS[:1], **OPTIONS).dumps({"a": 1})
    assert ours().loads(old, 100) == {"a": 1}
    new = ours().dumps({"a": 1})
    assert URLSafeTimedSerializer(KEYS[1:], **OPTIONS).loads(new) == {"a": 1}
    assert "a" not in outcome(URLSafeTimedSerializer(KEYS[:1], **OPTIONS), new)


def test_other_arguments_are_itsdangerous_s_affair() -> None:
    written = ours().dumps({"a": 1}, salt="other")
    assert written == theirs().dumps({"a": 1}, salt="other")
    assert ours().loads(written, 100, salt="other") == {"a": 1}
    value, made = ours().loads(ours().dumps(2), 100, return_timestamp=True)
    assert (value, made) == (2, datetime.fromtimestamp(NOW, UTC))
    assert ours().loads(written.encode(), 100, salt="other") == {"a": 1}
    with pytest.raises(BadData):
        ours().loads(written, 100)


@pytest.mark.parametrize("derivation", ["concat", "django-concat", "hmac", "none"])
@pytest.mark.parametrize("method", [hashlib.sha1, hashlib.sha256])
def test_keys_are_derived_as_itsdangerous_derives_them(derivation: str, method: Any) -> None:
    changes = {"signer_kwargs": {"key_derivation": derivation, "digest_method": method}}
    assert ours(**changes).dumps([1]) == theirs(**changes).dumps([1])


def test_a_signed_text_without_a_time_is_refused_as_ever() -> None:
    signer = theirs().make_signer()
    text = Signer.sign(signer, b"e30").decode()
    assert outcome(ours(), text, 100) == outcome(theirs(), text, 100)
    text = Signer.sign(signer, b"e30.!!!!!!").decode()
    assert outcome(ours(), text, 100) == outcome(theirs(), text, 100)


def test_what_was_signed_and_cannot_be_read_is_told_as_ever() -> None:
    for payload in (b"e", b".e30", b"_w", b"e30x"):
        text = theirs().make_signer().sign(payload).decode()
        assert outcome(ours(), text, 100) == outcome(theirs(), text, 100)


headers = st.lists(
    st.sampled_from(
        [
            "session",
            "=",
            ";",
            "; ",
            " ",
            '"',
            ",",
            "a",
            "a.b-_",
            "xsession",
            "sessionx",
            "é",
            "\\073",
        ]
    ),
    max_size=12,
).map("".join)


@settings(deadline=None)
@given(headers)
@example("session=a.b; session=c")
@example("x=1; session=a.b")
@example("x=1,session=a.b; session")
def test_a_cookie_that_is_found_at_once_is_the_one_that_parsing_finds(header: str) -> None:
    found = find_cookie(header, "session")
    if found is not None:
        assert Request({"HTTP_COOKIE": header}).cookies.get("session") == found


@pytest.mark.parametrize(
    "header", ["session=a.b-_Z0", "a=1; session=x; b=2", "session=x;b=2", "session=x; sid=session2"]
)
def test_plain_headers_need_no_parser_unless_the_name_is_there_twice(header: str) -> None:
    found = find_cookie(header, "session")
    assert (found is None) == (header.count("session") > 1)


attributes = st.fixed_dictionaries(
    {
        "expires": st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
        "domain": st.sampled_from([None, "example.com", ".example.com"]),
        "path": st.sampled_from(["/", "/app", "/é x;"]),
        "secure": st.booleans(),
        "partitioned": st.booleans(),
        "samesite": st.sampled_from([None, "Lax", "strict", "None"]),
        "httponly": st.booleans(),
    }
)


@settings(deadline=None)
@given(st.sampled_from(["session", "a.b", "x-y", "a=b"]), attributes)
def test_attributes_are_written_as_werkzeug_writes_them(name: str, given: dict[str, Any]) -> None:
    rest = cookie_attributes(name, **given)
    assert f"{name}=a.b-_{rest}" == dump_cookie(name, "a.b-_", **given)


def test_a_name_that_werkzeug_changes_is_left_to_it() -> None:
    assert cookie_attributes("é", None, None, "/", False, False, None, True) is None
