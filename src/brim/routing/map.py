"""The map of an application: Werkzeug's, plus what the matcher has to know of it.

Whatever is matched, built or redirected by a map is Werkzeug's doing; this file notes
what was added, in which order, and when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.routing import Map as WerkzeugMap
from werkzeug.routing import Rule, RuleFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from werkzeug.routing import BaseConverter


class Map(WerkzeugMap):
    """Werkzeug's ``Map``, which also tells when it has changed.

    ``version`` grows with each rule that is added and each public attribute that is set;
    the functions given to :meth:`watch` are called then. The rest is Werkzeug's.
    """

    version: int
    #: The rules in the order in which they were added, which ``iter_rules`` doesn't keep.
    added: list[Rule]
    _watchers: tuple[Callable[[], object], ...]
    _converters: dict[str, type[BaseConverter] | None]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make what Werkzeug's ``__init__`` needs already, because it adds rules."""
        self = super().__new__(cls)
        self.__dict__.update(version=0, added=[], _watchers=(), _converters={})
        return self

    def watch(self, changed: Callable[[], object]) -> None:
        """Have ``changed()`` called after each change to come.

        It is called once for every rule that is added, so it should do no more than note
        that there was a change.
        """
        self._watchers = (*self._watchers, changed)

    def add(self, rulefactory: RuleFactory) -> None:
        """Add a rule, or those of a factory, and bind them to this map."""
        self._note_converters()
        try:
            super().add(_Recorder(rulefactory, self.added))
        finally:
            # A factory that fails half-way has added its first rules.
            self._note_change()

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if not name.startswith("_"):
            self._note_change()

    def _note_change(self) -> None:
        self.__dict__["version"] += 1
        for changed in self._watchers:
            changed()

    def _note_converters(self) -> None:
        """Note which class each converter's name stands for, before a rule is added."""
        for name, kind in self.converters.items():
            if self._converters.setdefault(name, kind) is not kind:
                self._converters[name] = None

    def known_converters(self) -> dict[str, type[BaseConverter] | None]:
        """Return which class each converter's name stood for in every rule; None for several.

        A rule keeps the converters that it was added with, while their names can be given
        to other classes later.
        """
        return dict(self._converters)


class _Recorder(RuleFactory):
    """Hands a factory's rules on to a map, and lists those that the map has taken."""

    def __init__(self, factory: RuleFactory, taken: list[Rule]) -> None:
        self.factory = factory
        self.taken = taken

    def get_rules(self, map: WerkzeugMap) -> Iterator[Rule]:
        for rule in self.factory.get_rules(map):
            yield rule
            # Not reached for a rule that the map refuses.
            self.taken.append(rule)
