"""A development server as a process of its own, for tests to knock on and to edit under."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import brim

T = TypeVar("T")


def until(answer: Callable[[], T], said: Callable[[], str] = str, seconds: float = 20) -> T:
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + seconds
    while not (given := answer()):
        assert time.monotonic() < end, said()
        time.sleep(0.01)
    return given


class Server:
    """What it prints is kept in ``output``; ``url`` is where it says that it runs."""

    def __init__(self, *args: str, cwd: Path, **variables: str) -> None:
        source = str(Path(brim.__file__).parents[1])
        self.process = subprocess.Popen(
            [sys.executable, *args],
            cwd=cwd,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join((str(cwd / "first"), source)),
                "PYTHONUNBUFFERED": "1",
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""
        self.url = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if found := re.search(r"Running on (https?://\S+)", line):
                self.url = found[1]
                break
        # The rest is read as it comes, or the pipe would fill up.
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line

    def get(self, path: str = "/", url: str = "", **headers: str) -> tuple[int, str]:
        assert self.url, self.output
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request((url or self.url) + path, headers=names)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def until(self, found: str, path: str = "/") -> int:
        """Ask until ``found`` is answered; return the answer's status."""
        statuses: list[int] = []

        def asked() -> bool:
            try:
                status, answer = self.get(path)
            except (OSError, http.client.HTTPException):
                return False  # cut off as a process ended
            statuses.append(status)
            return found in answer

        until(asked, lambda: self.output)
        return statuses[-1]

    def after(self, file: Path, text: str, found: str) -> int:
        """Save a file as editors do; ask until ``found`` is answered; return the status."""
        save(file, text)
        return self.until(found)

    def says(self, text: str, count: int = 1) -> None:
        """Wait until it has printed a text so many times."""
        until(lambda: self.output.count(text) >= count, lambda: self.output)

    @property
    def restarts(self) -> list[str]:
        """What was said of each restart: the files that changed."""
        return re.findall(r"^ \* Changed: (.*)\. Restarting\.$", self.output, re.MULTILINE)

    def is_gone(self) -> bool:
        """Whether no process of it is left: none could print any more."""
        return self.process.poll() is not None and not self.reader.is_alive()

    def stop(self) -> int:
        """Stop it as Ctrl-C does, which reaches all of its processes; return its status."""
        for number in (signal.SIGINT, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                continue
            break
        status = self.process.wait()
        self.reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


def save(file: Path, text: str) -> None:
    """Replace a file at once, by a new one of its name."""
    temporary = file.with_name(f".{file.name}.swp")
    temporary.write_text(text)
    os.replace(temporary, file)
