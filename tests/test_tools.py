"""What `make check` and `make conformance` judge by: limits of size, outcomes, baselines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conformance import outcomes, results, suites, workshop
from conformance.outcomes import Difference, Run
from conformance.results import Result
from scripts import limits, pythons


def run_of(**results: str) -> Run:
    return Run("1.0", "3.11", 0.5, {f"tests.test_it::{test}": out for test, out in results.items()})


class TestLimits:
    def test_a_function_is_measured_without_its_docstring(self, tmp_path: Path) -> None:
        path = tmp_path / "long.py"
        doc = '"""Doc.\n' + "\n" * 100 + '    """'
        body = "    x = 1\n"
        path.write_text(f'"""Law."""\n\ndef f():\n    {doc}\n' + body * 59)
        assert list(limits.breaches(path)) == []
        path.write_text(f'"""Law."""\n\ndef f():\n    {doc}\n' + body * 60)
        assert list(limits.breaches(path)) == [
            f"{path}:3: f has 61 lines, at most 60; give its parts names"
        ]

    def test_a_file_is_short_and_says_what_it_is(self, tmp_path: Path) -> None:
        path = tmp_path / "big.py"
        path.write_text("x = 1\n" * 601)
        assert len(list(limits.breaches(path))) == 2

    def test_the_status_tells_whether_all_files_keep_to_them(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "fine.py").write_text('"""Law."""\n')
        assert limits.main([str(tmp_path)]) == 0
        (tmp_path / "silent.py").write_text("x = 1\n")
        assert limits.main([str(tmp_path)]) == 1
        assert "no docstring" in capsys.readouterr().out


class TestOutcomes:
    def test_the_worst_of_several_reports_of_a_test_counts(self, tmp_path: Path) -> None:
        report = tmp_path / "junit.xml"
        report.write_text(
            """<testsuites><testsuite>
            <testcase classname="m" name="ok"/>
            <testcase classname="m" name="skip"><skipped type="pytest.skip"/></testcase>
            <testcase classname="m" name="xfail"><skipped type="pytest.xfail"/></testcase>
            <testcase classname="m" name="teardown"/>
            <testcase classname="m" name="teardown"><error/></testcase>
            <testcase classname="m" name="at[0x7f00deadbeef]"><failure/></testcase>
            </testsuite></testsuites>"""
        )
        assert outcomes.read_junit(report) == {
            "m::ok": "passed",
            "m::skip": "skipped",
            "m::xfail": "xfailed",
            "m::teardown": "error",
            "m::at[0x]": "failed",
        }

    def test_no_report_is_no_outcome(self, tmp_path: Path) -> None:
        assert outcomes.read_junit(tmp_path / "junit.xml") == {}

    def test_a_test_is_lost_when_it_passes_on_flask_and_not_here(self) -> None:
        flask = run_of(a="passed", b="passed", c="passed", d="passed", e="failed", f="skipped")
        here = run_of(a="passed", b="failed", c="skipped", e="passed", f="error")
        difference = outcomes.compare(flask, here)
        assert difference.lost == [
            ("tests.test_it::b", "passed", "failed"),
            ("tests.test_it::c", "passed", "skipped"),
            ("tests.test_it::d", "passed", "not run"),
        ]
        assert difference.won == [("tests.test_it::e", "failed", "passed")]

    def test_where_a_program_is_missing_a_skipped_test_is_not_lost(self) -> None:
        flask = run_of(a="passed", b="passed")
        here = run_of(a="skipped", b="failed")
        difference = outcomes.compare(flask, here, forgive_skips=True)
        assert [test for test, _, _ in difference.lost] == ["tests.test_it::b"]

    def test_a_baseline_reads_as_it_was_written(self, tmp_path: Path) -> None:
        run = run_of(a="passed", b="failed", **{"c[x::y]": "passed"})
        outcomes.save(run, tmp_path / "suite.json")
        assert outcomes.load(tmp_path / "suite.json") == run


class TestSuites:
    @pytest.mark.parametrize("python", results.TOLD)
    @pytest.mark.parametrize("suite", suites.load(), ids=lambda suite: suite.name)
    def test_each_has_a_baseline_and_a_lock_of_its_release(
        self, suite: suites.Suite, python: str
    ) -> None:
        baseline = outcomes.load(suite.baseline_file(python))
        assert baseline.version == suite.version
        assert baseline.python == python
        assert baseline.passed > 0
        locked = suite.lock_file.read_text(encoding="utf-8").splitlines()
        assert f"{suite.name}=={suite.version}" in locked
        assert "flask==3.1.3" in locked

    def test_a_python_without_a_baseline_is_held_against_the_reference(self) -> None:
        (suite,) = suites.load(["flask"])
        assert suite.judged_on("3.13") == "3.13"
        assert suite.judged_on("3.99") == suites.REFERENCE == "3.11"

    def test_an_unknown_name_is_answered_with_those_there_are(self) -> None:
        with pytest.raises(LookupError, match=r"no suite named nope; .* flask-login"):
            suites.load(["flask", "nope"])


class TestWorkshop:
    def test_a_suite_sees_nothing_of_the_shell_that_would_change_what_it_does(self) -> None:
        outer = {"PATH": "/bin", "CI": "true", "FLASK_DEBUG": "1", "CITY": "Graz"}
        assert workshop.inner_environment(outer) == {"PATH": "/bin", "CITY": "Graz"}


class TestResults:
    ONE = Result("1.0", "0.1.0", 3, lost=("m::b",), won=())

    def test_of_what_passes_on_flask_the_lost_do_not_pass_here(self) -> None:
        flask = run_of(a="passed", b="passed", c="passed", d="failed")
        difference = Difference([("m::b", "passed", "failed")], [("m::d", "failed", "passed")])
        result = results.result_of(flask, difference, "0.1.0")
        assert result == Result("1.0", "0.1.0", 3, lost=("m::b",), won=("m::d",))
        assert result.here == 2

    def test_a_run_of_some_suites_leaves_the_others_entries(self, tmp_path: Path) -> None:
        first, second, *_ = known = suites.load()
        one, two = (Result(suite.version, "0.1.0", 3, (), ()) for suite in (first, second))
        results.keep("3.11", {second.name: two}, known, tmp_path)
        results.keep("3.11", {first.name: one}, known, tmp_path)
        assert list(results.load("3.11", tmp_path)) == [first.name, second.name]
        assert results.load("3.11", tmp_path) == {first.name: one, second.name: two}
        assert results.load("3.13", tmp_path) == {}

    def test_what_comes_out_alike_is_written_alike(self, tmp_path: Path) -> None:
        known = suites.load(["flask"])
        one = Result(known[0].version, "0.1.0", 3, ("m::b",), ())
        results.keep("3.11", {"flask": one}, known, tmp_path)
        before = results.file_of("3.11", tmp_path).read_bytes()
        results.keep("3.11", results.load("3.11", tmp_path), known, tmp_path)
        assert results.file_of("3.11", tmp_path).read_bytes() == before

    def test_the_result_of_another_release_is_dropped(self, tmp_path: Path) -> None:
        results.keep("3.11", {"flask": self.ONE, "gone": self.ONE}, suites.load(), tmp_path)
        assert results.load("3.11", tmp_path) == {}

    @pytest.mark.parametrize("python", results.TOLD)
    @pytest.mark.parametrize("suite", suites.load(), ids=lambda suite: suite.name)
    def test_each_suite_has_one_of_its_baseline(self, suite: suites.Suite, python: str) -> None:
        result = results.load(python)[suite.name]
        assert result.version == suite.version
        assert result.flask == outcomes.load(suite.baseline_file(python)).passed

    def test_the_readme_states_the_sums(self) -> None:
        text = (suites.HERE.parent / "README.md").read_text(encoding="utf-8")
        stated = re.findall(r"^\| Python (\S+) \| ([\d,]+) \| ([\d,]+) \|$", text, re.MULTILINE)
        assert stated == [
            (python, *(f"{number:,}" for number in results.sums(python))) for python in results.TOLD
        ]


def test_the_python_that_runs_this_is_found() -> None:
    assert pythons.find("3.2") is None
    assert len(pythons.found()) >= 1
