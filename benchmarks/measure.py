"""What the benchmarks share: a figure with its target, the race that fills it, and the table.

Nothing here knows Brim, a peer or a protocol.

**The statistic.** All competitors run in short slices, one after the other, round after round, in
an order that differs from round to round. A ratio is taken within each round, between slices that
ran within the same tenth of a second, and the figure is the *median of these ratios*. A ratio of
two medians would compare slices that ran seconds apart: where the machine's speed drifts (a
neighbour, the clock of the processor, the heat), each median may fall into another minute. Within a
round both sides meet the same machine; a burst that hits one slice spoils one ratio, and a median
ignores up to half of them. A mean would not, and the least of all rounds is one lucky round. The
quartiles of the ratios are shown beside the figure: they say how far it can be trusted.

**The clock** counts the processor time of this process, all its threads and the kernel's work for
it, not the time on the wall: what is measured here computes and waits for nothing, and on a machine
that is shared the wall's clock also counts the neighbours. Where waiting is part of the matter
(threads that hand over to one another), a benchmark asks for ``time.perf_counter``.

**The garbage collector** runs, as it does in production. What was there before the race is frozen:
ten frameworks loaded into one process would make each other's collections slow.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

#: How long a race lasts. ``--quick`` sets fewer rounds, for all races of the process.
ROUNDS = 41
QUICK_ROUNDS = 9
SLICE = 0.010

Bound = Literal["at most", "at least"]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Spread:
    """A median, and the quartiles of what it was taken from."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Take the median and the quartiles; of one value, all three are that value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(middle, low, high)


@dataclass(frozen=True)
class Figure:
    """One measured number: of ``who`` in ``case``.

    ``target`` is the most or the least (``bound``) that it may be, None where there is no target.
    ``low`` and ``high`` are quartiles, None where the figure is not a median.
    """

    case: str
    who: str
    value: float
    unit: str = ""
    target: float | None = None
    bound: Bound = "at most"
    low: float | None = None
    high: float | None = None
    note: str = ""

    @classmethod
    def of(
        cls,
        case: str,
        who: str,
        spread: Spread,
        unit: str = "",
        target: float | None = None,
        bound: Bound = "at most",
        note: str = "",
    ) -> Figure:
        """Make a figure of a median and its quartiles."""
        low, high = spread.low, spread.high
        return cls(case, who, spread.median, unit, target, bound, low, high, note)

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        if self.bound == "at most":
            return "met" if self.value <= self.target else "MISSED"
        return "met" if self.value >= self.target else "MISSED"


class Batch:
    """A competitor that carries out many calls by itself: ``run(count)``, as on an event loop."""

    def __init__(self, run: Callable[[int], object]) -> None:
        self.run = run


Competitor = Callable[[], object] | Batch


class Race(Mapping[str, float]):
    """What a race gave: seconds a call, one a round, for each competitor.

    As a mapping: the median of each, in µs.
    """

    def __init__(self, taken: Mapping[str, list[float]]) -> None:
        self.taken = taken

    def __getitem__(self, name: str) -> float:
        return self.time(name).median

    def __iter__(self) -> Iterator[str]:
        return iter(self.taken)

    def __len__(self) -> int:
        return len(self.taken)

    def time(self, name: str, base: str | None = None, parts: int = 1) -> Spread:
        """The time of one call in µs, above that of ``base`` in the same round.

        Where a call does ``parts`` things, the time of one of them.
        """
        return Spread.of([seconds * 1e6 / parts for seconds in self._above(name, base)])

    def ratio(self, name: str, other: str, base: str | None = None) -> Spread:
        """How many times ``other``'s time ``name`` takes: ratios within rounds, their median.

        With a ``base``, of what each takes above it.
        """
        pairs = zip(self._above(name, base), self._above(other, base), strict=True)
        return Spread.of([a / b for a, b in pairs])

    def _above(self, name: str, base: str | None) -> list[float]:
        if base is None:
            return self.taken[name]
        return [a - b for a, b in zip(self.taken[name], self.taken[base], strict=True)]


def interleaved(
    calls: Mapping[str, Competitor],
    *,
    rounds: int | None = None,
    slice_seconds: float = SLICE,
    clock: Clock = time.process_time,
) -> Race:
    """Let competitors take turns and return what each call cost; see the text above."""
    runs = {name: _run(call) for name, call in calls.items()}
    repeats = {name: _repeats(run, slice_seconds, clock) for name, run in runs.items()}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    order = list(runs)
    shuffle = random.Random(0).shuffle
    gc.collect()
    gc.freeze()
    for _ in range(min(rounds or ROUNDS, ROUNDS)):
        shuffle(order)
        for name in order:
            run, count = runs[name], repeats[name]
            began = clock()
            run(count)
            taken[name].append((clock() - began) / count)
    gc.unfreeze()
    return Race(taken)


def quick() -> None:
    """Make all races of this process short: figures to look at, not to publish."""
    global ROUNDS
    ROUNDS = QUICK_ROUNDS


def _run(call: Competitor) -> Callable[[int], object]:
    if isinstance(call, Batch):
        return call.run
    single = call

    def run(count: int) -> None:
        for _ in range(count):
            single()

    return run


def _repeats(run: Callable[[int], object], seconds: float, clock: Clock) -> int:
    """How often to call for a slice of this length; warms the call up on the way."""
    run(1)  # Whatever is made at first use.
    count = 1
    while True:
        began = clock()
        run(count)
        took = clock() - began
        if took >= seconds / 2:
            return max(1, round(count * seconds / took))
        count *= 2


def rss() -> int:
    """The memory that this process holds now, in bytes. Linux only."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


def aliased_or_die() -> None:
    """Refuse to measure Brim against itself; both in one process are what is wanted here."""
    warnings.filterwarnings("ignore", "Flask is loaded beside Brim", RuntimeWarning)
    if "brim.as_flask" in sys.modules:
        sys.exit("brim.as_flask is on in this process: Flask would be Brim under another name")
