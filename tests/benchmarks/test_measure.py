"""The statistic of the benchmarks on numbers that are given, and the verdicts."""

from __future__ import annotations

import itertools

import pytest

from benchmarks import measure, program
from benchmarks.measure import Batch, Figure, Race, Spread
from benchmarks.versus import QUICKEST, at_least, at_most, figures_of


def test_a_spread_is_a_median_and_its_quartiles() -> None:
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 2.0, 4.0)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)


def test_a_ratio_is_taken_within_rounds() -> None:
    """The machine slowed down to a fourth in two rounds of five, for both alike."""
    race = Race({"Brim": [1.0, 4.0, 1.0, 4.0, 1.0], "Flask": [2.0, 8.0, 2.0, 8.0, 2.0]})
    assert race.ratio("Flask", "Brim") == Spread(2.0, 2.0, 2.0)


def test_a_burst_that_hits_less_than_half_of_the_rounds_does_not_count() -> None:
    race = Race({"Brim": [1.0, 90.0, 1.0, 1.0, 70.0], "Flask": [3.0] * 5})
    assert race.ratio("Flask", "Brim").median == 3.0


def test_what_a_base_takes_is_taken_away_in_each_round() -> None:
    race = Race(
        {"Jinja": [10.0, 20.0, 30.0], "Brim": [11.0, 21.0, 31.0], "Flask": [14.0, 24.0, 34]}
    )
    assert race.ratio("Flask", "Brim", base="Jinja").median == 4.0
    assert race.time("Flask", base="Jinja").median == 4e6
    assert race.time("Flask", base="Jinja", parts=2).median == 2e6


def test_a_race_is_a_mapping_of_medians_in_microseconds() -> None:
    race = Race({"Brim": [1e-6, 2e-6, 9e-6]})
    assert dict(race) == {"Brim": pytest.approx(2.0)}


def test_all_take_turns_and_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that goes on by a millisecond whenever it is asked."""
    monkeypatch.setattr(measure, "ROUNDS", 4)
    ticks = itertools.count()
    turns: list[str] = []
    race = measure.interleaved(
        {"one": Batch(lambda count: turns.append("one")), "two": lambda: turns.append("two")},
        slice_seconds=0.001,
        clock=lambda: next(ticks) / 1000,
    )
    assert {name: len(taken) for name, taken in race.taken.items()} == {"one": 4, "two": 4}
    rounds = turns[-8:]
    assert [sorted(rounds[at : at + 2]) for at in range(0, 8, 2)] == [["one", "two"]] * 4
    assert race["one"] == pytest.approx(1000)


@pytest.mark.parametrize(
    ("value", "target", "bound", "verdict"),
    [
        (1.0, 1.0, "at most", "met"),
        (1.01, 1.0, "at most", "MISSED"),
        (12.0, 12.0, "at least", "met"),
        (11.9, 12.0, "at least", "MISSED"),
        (1.0, None, "at most", ""),
    ],
)
def test_a_verdict_is_the_target_s(
    value: float, target: float | None, bound: measure.Bound, verdict: str
) -> None:
    assert Figure("case", "who", value, "", target, bound).verdict == verdict


def test_targets_are_held_against_the_ratios_of_a_race() -> None:
    race = Race(
        {"raw callable": [0.1] * 3, "Brim": [1.0] * 3, "Falcon": [2.0] * 3, "Flask": [9.0] * 3}
    )
    targets = (at_most("Falcon"), at_least("Flask", 10), at_most(QUICKEST, 0.4))
    figures = figures_of("plain", race, targets)
    assert [(one.who, one.value, one.verdict) for one in figures[4:]] == [
        ("Brim / Falcon", 0.5, "met"),
        ("Flask / Brim", 9.0, "MISSED"),
        ("Brim / Falcon", 0.5, "MISSED"),
    ]
    assert [one.note for one in figures[:4]] == ["0.10 × Brim", "", "2.00 × Brim", "9.00 × Brim"]


def test_the_table_has_a_line_for_each_figure_below_its_case() -> None:
    figures = [
        Figure("plain, WSGI", "Brim", 3.456, "µs", low=3.4, high=3.5),
        Figure("plain, WSGI", "Brim / Falcon", 1.2, "", 1.0, low=1.1, high=1.3),
        Figure("memory", "Brim", 1234.5, "MiB", note="all of it"),
    ]
    head, *lines = program.table(figures).splitlines()
    assert head.split() == ["median", "quartiles", "target"]
    assert [line.split() for line in lines] == [
        ["plain,", "WSGI"],
        ["Brim", "3.46", "µs", "3.40", "…", "3.50"],
        ["Brim", "/", "Falcon", "1.20", "1.10", "…", "1.30", "at", "most", "1.00", "MISSED"],
        ["memory"],
        ["Brim", "1,234", "MiB", "all", "of", "it"],
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.01234, "0.0123"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (1234.5, "1,234"),
        (-2.5, "-2.50"),
    ],
)
def test_a_number_has_the_digits_that_count(value: float, text: str) -> None:
    assert program.number(value) == text
