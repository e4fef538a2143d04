"""The attribute that is computed when it is first read."""

from __future__ import annotations

from brim.lazy import imported, lazy
from brim.names import blueprint_of


def _shout(self: Box) -> str:
    return "SHOUTED"


class Box:
    def __init__(self) -> None:
        self.computed = 0

    @lazy
    def value(self) -> int:
        """How often it was computed, by now."""
        self.computed += 1
        return self.computed

    loud = lazy(_shout)


def test_it_is_computed_once_and_only_when_read() -> None:
    box = Box()
    assert box.computed == 0
    assert "value" not in vars(box)
    assert [box.value, box.value, box.value] == [1, 1, 1]
    assert vars(box)["value"] == 1


def test_each_object_has_its_own() -> None:
    one, other = Box(), Box()
    other.computed = 7
    assert (one.value, other.value) == (1, 8)


def test_an_assigned_value_replaces_it() -> None:
    box = Box()
    box.value = 42
    assert (box.value, box.computed) == (42, 0)


def test_a_deleted_value_is_computed_again() -> None:
    box = Box()
    assert box.value == 1
    del box.value
    assert box.value == 2


def test_it_is_kept_under_the_name_it_has_in_the_class() -> None:
    box = Box()
    assert box.loud == "SHOUTED"
    assert "loud" in vars(box)
    assert "_shout" not in vars(box)


def test_the_class_shows_the_descriptor_and_what_it_says_of_itself() -> None:
    assert isinstance(Box.value, lazy)
    assert Box.value.__doc__ == "How often it was computed, by now."


def test_a_subclass_may_compute_it_otherwise() -> None:
    class Big(Box):
        @lazy
        def value(self) -> int:
            return super().value + 100

    assert Big().value == 101


def test_an_imported_attribute_is_what_its_module_has_until_it_is_set() -> None:
    class Thing:
        attribute = imported(".names", "blueprint_of")

    thing = Thing()
    assert Thing.attribute is thing.attribute is blueprint_of
    thing.attribute = "other"
    assert (thing.attribute, Thing.attribute) == ("other", blueprint_of)
