from __future__ import annotations

import pytest
from blinker import NamedSignal, Namespace

from brim import signals

NAMES = [
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "before_render_template",
    "got_request_exception",
    "message_flashed",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "template_rendered",
]


@pytest.mark.parametrize("name", NAMES)
def test_each_signal_has_its_name_and_says_what_it_means(name: str) -> None:
    signal = getattr(signals, name)

    assert isinstance(signal, NamedSignal)
    assert signal.name == name.replace("_", "-")
    assert signal.__doc__ is not None
    assert signal.__doc__ != NamedSignal.__doc__


def test_the_namespace_of_extensions_is_not_brims() -> None:
    """A signal of the same name in another namespace is another signal."""
    assert signals.Namespace is Namespace
    assert Namespace().signal("request-started") is not signals.request_started


def test_all_is_what_there_is() -> None:
    assert sorted(["Namespace", *NAMES]) == sorted(signals.__all__)
