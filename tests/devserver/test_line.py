from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from brim.devserver.line import VARIABLE, Line, Post


def test_messages_arrive_until_the_other_end_is_gone() -> None:
    ours, theirs = map(Line, socket.socketpair())
    ours.send(changed=["a.py"])
    ours.send(go=True)
    assert theirs.receive() == {"changed": ["a.py"]}
    assert theirs.receive() == {"go": True}
    ours.close()
    assert theirs.receive() is None
    ours.send(go=True)  # dropped
    theirs.close()


def test_a_post_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Post.from_environment() is None
    ours, theirs = socket.socketpair()
    with ours, theirs:
        post = Post(os.getppid(), ours.fileno(), theirs.fileno(), "again")
        monkeypatch.setenv(VARIABLE, post.to_text())
        assert Post.from_environment() == post
        assert Post.from_environment() is None


def test_a_program_that_a_worker_starts_is_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    post = Post(os.getppid(), ours.fileno(), theirs.fileno(), "again")
    ours.close()
    theirs.close()
    monkeypatch.setenv(VARIABLE, post.to_text())
    assert Post.from_environment() is None


def test_a_worker_without_its_supervisor_ends() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.set_inheritable(True)
        text = Post(1, ours.fileno(), theirs.fileno(), "again").to_text()
        code = "from brim.devserver.line import Post; Post.from_environment()"
        ended = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, VARIABLE: text},
            pass_fds=[theirs.fileno()],
        )
    assert ended.returncode == 1
