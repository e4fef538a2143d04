"""Find the Pythons on this machine that Brim is tested on.

A name on PATH may be a shim that leads nowhere, so each candidate is started and asked for its
version. Versions that only pyenv knows are found too. Run as a program, it prints one line for
each version, the ones that are missing included::

    $ python scripts/pythons.py
    3.11 /usr/bin/python3.11
    3.12 -
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SUPPORTED = ("3.11", "3.12", "3.13")

_ASK = "import sys; print('%d.%d' % sys.version_info[:2], sys._base_executable or sys.executable)"


def find(version: str) -> Path | None:
    """Return the interpreter of a version such as ``"3.12"``, or None if there is none."""
    if version == "{}.{}".format(*sys.version_info[:2]):
        # The one that runs this: its base, where it is the Python of a virtual environment.
        return _started(sys.executable, version)
    return _started(f"python{version}", version) or _from_pyenv(version)


def found() -> dict[str, Path]:
    """Return each supported version that is on this machine, with its interpreter."""
    return {version: path for version in SUPPORTED if (path := find(version)) is not None}


def _started(command: str, version: str) -> Path | None:
    answer = _output(command, "-c", _ASK).split(maxsplit=1)
    if len(answer) == 2 and answer[0] == version:
        return Path(answer[1].strip())
    return None


def _from_pyenv(version: str) -> Path | None:
    prefix = _output("pyenv", "prefix", version).strip()
    return _started(f"{prefix}/bin/python{version}", version) if prefix else None


def _output(*command: str) -> str:
    """What a command prints, or nothing where it can't be started or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


if __name__ == "__main__":
    for wanted in SUPPORTED:
        print(wanted, find(wanted) or "-")
