"""The functions of ``brim.json`` ask the current application's provider, if there is one."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest

from brim import Flask, json, jsonify
from brim.json.provider import DefaultJSONProvider


class Noting(DefaultJSONProvider):
    """Notes which of its methods are called, and with what."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self.calls: list[tuple[str, Any, dict[str, Any]]] = []

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        self.calls.append(("dumps", obj, kwargs))
        return super().dumps(obj, **kwargs)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        self.calls.append(("loads", s, kwargs))
        return super().loads(s, **kwargs)


@pytest.fixture
def provider(app: Flask) -> Noting:
    app.json = provider = Noting(app)
    return provider


def test_each_function_calls_the_method_of_its_name(app: Flask, provider: Noting) -> None:
    with app.app_context():
        assert json.dumps({"b": 1, "a": 2}, indent=None) == '{"a": 2, "b": 1}'
        assert json.loads("[1]", strict=False) == [1]
        written = io.StringIO()
        json.dump([1], written)
        assert json.load(io.BytesIO(b"[2]")) == [2]
    assert written.getvalue() == "[1]"
    assert provider.calls == [
        ("dumps", {"b": 1, "a": 2}, {"indent": None}),
        ("loads", "[1]", {"strict": False}),
        ("dumps", [1], {}),
        ("loads", b"[2]", {}),
    ]


def test_without_an_application_the_default_provider_answers_unsorted() -> None:
    assert json.dumps({"b": "é", "a": Decimal(1)}) == '{"b": "\\u00e9", "a": "1"}'
    assert json.loads(b"[1]") == [1]
    written = io.StringIO()
    json.dump({"b": 1, "a": 2}, written, separators=(",", ":"))
    assert written.getvalue() == '{"b":1,"a":2}'
    assert json.load(io.StringIO("[1]")) == [1]


def test_jsonify_makes_the_current_applications_response(app: Flask, provider: Noting) -> None:
    with app.test_request_context():
        assert jsonify(a=1).get_data() == b'{"a":1}\n'
        with pytest.raises(TypeError, match="not of both"):
            jsonify(1, a=1)
    with pytest.raises(RuntimeError, match="outside of application context"):
        jsonify(1)
