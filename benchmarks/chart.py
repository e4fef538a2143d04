"""A run of the benchmarks as a chart: one SVG, for light and dark, without a script.

Bars are times; what stands beside them is how many times Brim's time that is. Every panel has a
scale of its own, from nothing to its slowest. The colours are custom properties that a page may
set (``--bench-brim``, ``--bench-peer``, ``--bench-raw``); alone, the file follows the system. What
a bar says is also written, so no colour is needed to read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .measure import Figure
from .peers import PEERS
from .program import number
from .results import Run

BRIM, RAW = "Brim", "raw callable"
#: What the overview of a protocol shows.
CASES = ("plain text", "JSON, integer in the path", "POST JSON")
DOORS = ("WSGI", "ASGI")
#: What is told of Flask: the titles of cases, and what they are called here.
BESIDE_FLASK = (
    "five hooks each side, WSGI",
    "session read, WSGI",
    "session write, WSGI",
    "form POST, WSGI",
    "multipart upload, 1 KB, WSGI",
    "404, WSGI",
    "error handler, WSGI",
    "static file, WSGI",
    "static file, not modified, WSGI",
    "url_for, an integer in the path",
    "render_template_string",
)

GAP, MARGIN = 14, 8
ROW, HEAD, LINE = 20, 30, 15
KINDS = {BRIM: "brim", RAW: "raw"}

STYLE = """
.bench { --bench-text: #1f2933; --bench-brim: #0b7a80; --bench-peer: #8796a5; --bench-raw: #c3ccd5 }
@media (prefers-color-scheme: dark) {
.bench { --bench-text: #e4e9ee; --bench-brim: #3cc4ca; --bench-peer: #6d7c8c; --bench-raw: #46525e }
}
"""


@dataclass(frozen=True)
class Bar:
    """One bar: its name, how long it is, and what is written at its end."""

    name: str
    length: float
    text: str


@dataclass(frozen=True)
class Panel:
    """Bars under a title; the longest fills the width."""

    title: str
    bars: list[Bar]

    @property
    def height(self) -> int:
        return HEAD + ROW * len(self.bars)


@dataclass(frozen=True)
class Layout:
    """A chart's name in its page, and its widths: all of it, what names and values take."""

    name: str
    #: Whose versions stand at its foot.
    peers: tuple[str, ...]
    width: int
    names: int
    values: int
    #: Whether the bars are times of Brim's time, which a line shows.
    is_of_brim: bool = False


def by_case(figures: Iterable[Figure]) -> dict[str, dict[str, Figure]]:
    """The figures by case, and there by whose they are."""
    found: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        found.setdefault(figure.case, {})[figure.who] = figure
    return found


def times(title: str, figures: dict[str, Figure]) -> Panel:
    """A panel of a case's times, the shortest first; what is no time in µs is left out."""
    brim = figures[BRIM].value
    found = [figure for figure in figures.values() if figure.unit == "µs"]
    bars = [
        Bar(one.who, one.value, f"{number(one.value)} µs{ratio_to(brim, one)}")
        for one in sorted(found, key=lambda one: one.value)
    ]
    return Panel(title, bars)


def ratio_to(brim: float, figure: Figure) -> str:
    """How many times Brim's time that is; of Brim, nothing."""
    return "" if figure.who == BRIM else f" · {multiple(figure.value / brim)}"


def multiple(ratio: float) -> str:
    """A ratio in as many digits as can be told apart: 0.15 ×, 9.1 ×, 15 ×."""
    return f"{ratio:.2f} ×" if ratio < 2 else f"{ratio:.1f} ×" if ratio < 10 else f"{ratio:.0f} ×"


def overview(run: Run, door: str) -> str:
    """Draw the cases that every framework has, under one protocol."""
    cases = by_case(run.figures)
    panels = [times(f"{case}, {door}", cases[f"{case}, {door}"]) for case in CASES]
    title = f"Time of a request in process under {door}, beside other frameworks"
    return drawn(
        panels, title, run, Layout(f"bench-{door.lower()}", tuple(PEERS[door]), 380, 92, 112)
    )


def beside_flask(run: Run) -> str:
    """Draw how many times Brim's time Flask takes, case by case."""
    cases = by_case(run.figures)
    bars = [
        Bar(case.removesuffix(", WSGI"), ratio, multiple(ratio))
        for case in BESIDE_FLASK
        if case in cases
        for ratio in [cases[case]["Flask"].value / cases[case][BRIM].value]
    ]
    panel = Panel("How many times as long Flask takes (the line: Brim)", bars)
    layout = Layout("bench-flask", (BRIM, "Flask"), 480, 190, 48, is_of_brim=True)
    return drawn([panel], "Flask's time beside Brim's", run, layout)


def charts(run: Run) -> Iterator[tuple[str, str]]:
    """Yield each chart and its name; KeyError where the run has not what it shows."""
    for door in DOORS:
        yield door.lower(), overview(run, door)
    yield "flask", beside_flask(run)


def told(panel: Panel) -> str:
    """A panel in words."""
    return ", ".join(f"{bar.name} {bar.text}" for bar in panel.bars)


def drawn(panels: list[Panel], title: str, run: Run, layout: Layout) -> str:
    """Lay panels out below each other; return the SVG."""
    end = footer(run, layout.peers)
    foot = wrapped(end, layout.width // 6)
    above = MARGIN + sum(panel.height + GAP for panel in panels)
    height = above + LINE * len(foot) + MARGIN
    name = layout.name
    text = " ".join(f"{panel.title}: {told(panel)}." for panel in panels)
    parts = [
        '<svg class="bench" xmlns="http://www.w3.org/2000/svg"'
        f' viewBox="0 0 {layout.width} {height}" role="img"'
        f' aria-labelledby="{name}-title {name}-text" font-size="12"'
        ' font-family="system-ui, sans-serif" fill="var(--bench-text)">',
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-text">{escape(text)} {escape(end)}</desc>',
    ]
    y = MARGIN
    for panel in panels:
        parts += panel_lines(panel, y, layout)
        y += panel.height + GAP
    for line, words in enumerate(foot, 1):
        y = above + LINE * line
        parts.append(f'<text x="0" y="{y}" font-size="11" opacity="0.8">{escape(words)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def panel_lines(panel: Panel, y: int, layout: Layout) -> Iterator[str]:
    """The elements of one panel."""
    names = layout.names
    longest = max((bar.length for bar in panel.bars), default=1.0)
    scale = (layout.width - names - layout.values) / longest
    yield f'<text y="{y + 14}" font-size="13" font-weight="600">{escape(panel.title)}</text>'
    for index, bar in enumerate(panel.bars):
        top = y + HEAD + index * ROW - 6
        kind = "brim" if layout.is_of_brim else KINDS.get(bar.name, "peer")
        weight = ' font-weight="600"' if bar.name == BRIM else ""
        length = max(1.5, bar.length * scale)
        text = f'y="{top + 11}"{weight}'
        yield f'<text x="{names - 8}" text-anchor="end" {text}>{escape(bar.name)}</text>'
        yield (
            f'<rect x="{names}" y="{top}" width="{length:.1f}" height="14" rx="2"'
            f' fill="var(--bench-{kind})"/>'
        )
        yield f'<text x="{names + length + 6:.1f}" {text}>{escape(bar.text)}</text>'
    if layout.is_of_brim:
        yield (
            f'<path d="M{names + scale:.1f} {y + HEAD - 10}V{y + panel.height - 8}"'
            ' stroke="var(--bench-text)" stroke-dasharray="2 3"/>'
        )


def footer(run: Run, peers: Iterable[str]) -> str:
    """The day, the machine and the versions of these."""
    versions = {name.lower(): version for name, version in run.versions.items()}
    named = [f"{peer} {versions[peer.lower()]}" for peer in peers if peer.lower() in versions]
    return f"{run.heading()}. {', '.join(named)}."


def wrapped(text: str, width: int) -> list[str]:
    """Break a text into lines at blanks."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def alone(svg: str) -> str:
    """A chart as a file of its own, which brings its colours."""
    return svg.replace("<title", f"<style>{STYLE}</style>\n<title", 1)
