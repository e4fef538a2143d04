"""Helpers of the tests of the command: an application's file, and two ways to call it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import click
from click.testing import CliRunner, Result

import brim

#: Where a child process finds Brim.
SOURCE = str(Path(brim.__file__).parents[1])

HELLO = """\
from brim import Flask
app = Flask(__name__)

@app.cli.command()
def greet():
    "Says hello."
    print("hello from", app.name)
"""


def separating_runner() -> CliRunner:
    """A runner whose results have stderr by itself, with any version of Click."""
    try:
        return CliRunner(mix_stderr=False)  # type: ignore[call-arg, unused-ignore]
    except TypeError:
        return CliRunner()


def run(group: click.Command, *args: str, code: int = 0, **env: str) -> Result:
    """Call a command in this process, with these variables; it has to end with ``code``."""
    result = separating_runner().invoke(group, args, env=env)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def brim_program(*args: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "brim", *args],
        env={**os.environ, "PYTHONPATH": SOURCE, **env},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def on_terminal(*args: str, columns: int, send: str = "", **env: str) -> list[str]:
    """Call the program on a terminal of this width; return the lines that it shows.

    ``send`` is typed at once. It has to end the program if that reads.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    # They would tell another width than the terminal's, and hide that there is colour.
    outer = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES", "NO_COLOR"}}
    program = subprocess.Popen(
        [sys.executable, "-m", "brim", *args],
        env={**outer, "PYTHONPATH": SOURCE, **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    watchdog = threading.Timer(60, program.kill)
    watchdog.start()
    os.write(ours, send.encode())
    output = b""
    try:
        while part := os.read(ours, 4096):
            output += part
    except OSError:
        # How Linux says that the other side has closed.
        pass
    finally:
        watchdog.cancel()
        os.close(ours)
        program.wait()
    return output.decode().splitlines()
