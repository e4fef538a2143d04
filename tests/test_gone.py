from __future__ import annotations

import pytest

from brim import Blueprint, Config, Flask, gone

TABLES = [
    (Flask(__name__), gone.OF_APPS),
    (Blueprint("tests", __name__), gone.OF_BLUEPRINTS),
    (Config("."), gone.OF_CONFIGS),
]
NAMES = [pytest.param(obj, name, id=name) for obj, names in TABLES for name in names]


@pytest.mark.parametrize(("obj", "name"), NAMES)
def test_an_attribute_that_is_gone_says_what_to_write(obj: object, name: str) -> None:
    for asked in (obj, type(obj)):
        with pytest.raises(
            AttributeError, match=f"'{name}' of .* is gone since Flask [1-3]"
        ) as raised:
            getattr(asked, name)
        assert raised.value.name == name
        assert raised.value.obj is asked


@pytest.mark.parametrize(("obj", "name"), NAMES)
def test_it_is_not_there_to_who_asks_first(obj: object, name: str) -> None:
    assert not hasattr(obj, name)
    assert getattr(type(obj), name, None) is None


def test_assigning_one_sets_an_attribute(app: Flask) -> None:
    app.env = "production"
    assert app.env == "production"
