"""The end of a process: what is called then, in each kind of process."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

import brim
from brim.exits import at_exit

PROGRAM = """\
import os, sys
from brim.exits import at_exit

def end(): sys.stdout.write("end ")

at_exit(end)
if {forks}:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    at_exit(end)
"""


@pytest.mark.parametrize(("forks", "said"), [(False, "end "), (True, "end end ")])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_exits_calls_it_once(forks: bool, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(forks=forks)],
        env={**os.environ, "PYTHONPATH": str(Path(brim.__file__).parents[1])},
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == said


def _work(file: str) -> None:
    at_exit(lambda: Path(file).write_text("ended"))


def test_a_process_of_multiprocessing_calls_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(str(file),))
    process.start()
    process.join(30)
    assert file.read_text() == "ended"
