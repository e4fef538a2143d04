"""What is made of a run: the file, the charts, the tables of the documentation."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import pytest

import brim
from benchmarks import __main__ as runner
from benchmarks import chart, installed, peers, report, results, wrk
from benchmarks.measure import Figure
from benchmarks.results import Run

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = sorted((ROOT / "benchmarks").glob("bench_*.py"))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def a_run() -> Run:
    figures = []
    for door in chart.DOORS:
        for case in chart.CASES:
            for place, who in enumerate(peers.PEERS[door], 1):
                figures.append(Figure(f"{case}, {door}", who, place * 1.5, "µs", low=1, high=2))
    case = "form POST, WSGI"
    figures += [Figure(case, "Brim", 2, "µs"), Figure(case, "Flask", 9, "µs")]
    figures.append(Figure(case, "Flask / Brim", 4.5, "", 2, "at least", 4.4, 4.6))
    figures.append(Figure("a <b> & c", "Brim / Flask", 2, "", 1))
    machine = {"python": "CPython 3.11.7", "processor": "A & B <C>"}
    return Run(figures, machine, {"brim": "0.1.0", "flask": "3.1.3"}, "2026-11-21")


def test_a_run_is_read_as_it_was_written(a_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(a_run.to_json(), encoding="utf-8")
    assert Run.read(path) == a_run
    assert a_run.verdicts() == {"met": 1, "MISSED": 1}


def test_a_run_names_its_machine_and_versions() -> None:
    run = Run.now([], quick=True)
    assert run.machine["python"].startswith("CPython 3.") and run.machine["cores"]
    assert run.versions["werkzeug"] and run.heading().endswith("a quick run")


@pytest.mark.parametrize("name", ["wsgi", "asgi", "flask"])
def test_a_chart_is_valid_and_says_in_words_what_it_shows(name: str, a_run: Run) -> None:
    svg = ElementTree.fromstring(chart.alone(dict(chart.charts(a_run))[name]))
    assert svg.get("role") == "img"
    title, text = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert title is not None and text is not None and text.text is not None
    assert svg.get("aria-labelledby") == f"{title.get('id')} {text.get('id')}"
    written = [element.text for element in svg.iter(f"{SVG}text")]
    assert "A & B <C>" in text.text and any("Brim 0.1.0" in str(line) for line in written)
    bars = list(svg.iter(f"{SVG}rect"))
    assert len(bars) > 0
    width = float(str(svg.get("viewBox")).split()[2])
    for bar in bars:
        assert 0 < float(bar.attrib["x"]) + float(bar.attrib["width"]) < width


def test_a_bar_is_as_long_as_its_time(a_run: Run) -> None:
    svg = ElementTree.fromstring(chart.overview(a_run, "WSGI"))
    lengths = [float(bar.attrib["width"]) for bar in svg.iter(f"{SVG}rect")]
    first = lengths[: len(peers.WSGI_PEERS)]
    assert [length / first[0] for length in first] == pytest.approx(range(1, 7), rel=0.02)


def test_the_tables_have_every_peer_and_every_target(a_run: Run) -> None:
    head, _, *rows = report.times(a_run, "WSGI")
    assert head == "| | raw callable | Brim | Falcon | Bottle | Django | Flask |"
    assert rows[0] == "| plain text | 1.50 | 3.00 | 4.50 | 6.00 | 7.50 | 9.00 |"
    _, _, *rows = report.targets(a_run)
    assert rows == [
        "| form POST, WSGI | Flask / Brim | 4.50 | 4.40 … 4.60 | at least 2.00 | met |",
        "| a <b> & c | Brim / Flask | 2.00 |  | at most 1.00 | MISSED |",
    ]


def test_the_published_run_is_a_full_one_with_all_that_the_page_shows() -> None:
    run = Run.read(results.PUBLISHED)
    assert not run.quick
    assert set(run.versions) == set(results.NAMED)
    assert [name for name, _ in chart.charts(run)] == ["wsgi", "asgi", "flask"]
    cases = chart.by_case(run.figures)
    assert set(chart.BESIDE_FLASK) <= set(cases)


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_a_question_says_what_it_asks_and_can_be_run(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    first = (ast.get_docstring(tree) or "").partition("\n")[0]
    assert first.endswith("?"), f"{path.name} begins with no question: {first!r}"
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert "run" in functions
    assert path.stem.removeprefix("bench_") in runner.names()
    assert f"`{path.name}`\n: {first}\n" in list(report.questions())


def test_a_trick_for_speed_names_a_benchmark_that_is_there() -> None:
    files = {path.name for path in QUESTIONS}
    for path in (ROOT / "src").rglob("*.py"):
        named = set(re.findall(r"benchmarks/(\w+\.py)", path.read_text(encoding="utf-8")))
        assert named <= files, path


def test_the_peers_and_brim_stand_on_the_same_versions() -> None:
    pinned = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)
    run = dict(pinned.findall((ROOT / "requirements/run.txt").read_text(encoding="utf-8")))
    bench = dict(pinned.findall((ROOT / "benchmarks/requirements.txt").read_text(encoding="utf-8")))
    shared = run.keys() & bench.keys()
    assert shared >= {"werkzeug", "jinja2", "click", "itsdangerous", "msgspec"}
    assert {name: bench[name] for name in shared} == {name: run[name] for name in shared}


WRK = """\
Running 2s test @ http://127.0.0.1:8000/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.39ms  602.17us   8.54ms   83.47%
  Latency Distribution
     50%  895.00us
     75%    3.52ms
     99%    1.02s
  47329 requests in 2.01s, 7.67MB read
Requests/sec:  23591.43
Transfer/sec:      3.82MB
"""


def test_what_wrk_prints_is_read() -> None:
    assert wrk.read(WRK) == wrk.Asked(23591.43, 0.895, 1020.0, 47329)


@pytest.mark.parametrize(
    "line", ["Non-2xx or 3xx responses: 12", "Socket errors: connect 0, read 3, write 0, timeout 0"]
)
def test_failures_under_wrk_are_no_figures(line: str) -> None:
    with pytest.raises(RuntimeError, match=line[:10]):
        wrk.read(WRK + line)


def test_a_server_that_does_not_serve_is_told_at_once() -> None:
    with pytest.raises(RuntimeError, match="gone does not serve"):
        with wrk.running({"gone": ["benchmarks.there_is_no_such_server"]}, "text"):
            raise AssertionError("not reached")


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="processes can't be placed here",
)
def test_servers_and_wrk_have_a_core_each() -> None:
    mine = os.sched_getaffinity(0)
    ask = [sys.executable, "-c", "import os; print(sorted(os.sched_getaffinity(0)))"]
    told = []
    for core in (0, -1):
        with wrk.placed(core):
            told.append(subprocess.run(ask, capture_output=True, text=True).stdout)
    assert told == [f"[{min(mine)}]\n", f"[{max(mine)}]\n"]
    assert os.sched_getaffinity(0) == mine


@pytest.mark.parametrize(("compiled", "end"), [(True, " (compiled)"), (False, "")])
def test_the_version_of_brim_tells_whether_it_is_compiled(
    compiled: bool, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "is_compiled", lambda: compiled)
    assert results.versions()["brim"] == version("brim") + end


def test_a_brim_that_is_not_the_trees_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = Path(str(brim.__file__)).parent
    installed.warn_if_other(measured)
    assert capsys.readouterr().err == ""
    tree = tmp_path / "brim"
    shutil.copytree(measured, tree, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "ctx.py").write_text("# edited\n", encoding="utf-8")
    installed.warn_if_other(tree)
    assert str(measured) in capsys.readouterr().err
