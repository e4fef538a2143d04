"""The line between the supervisor and its workers: JSON messages over a socket pair.

Also how a worker is told, by an environment variable, that it is one. What the messages
bring about is known at the two ends.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Message = dict[str, Any]

#: Tells a worker who started it, which sockets it has, and what it is for. No name of
#: BRIM_* or FLASK_*, as `Config.from_prefixed_env` reads those.
VARIABLE = "_BRIM_WORKER"


class Line:
    """One end of the line; a message that can't be sent any more is dropped."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._file = end.makefile("r", encoding="utf-8")

    def send(self, **message: Any) -> None:
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            pass  # the other end is gone, which its own reader notices

    def receive(self) -> Message | None:
        """Wait for the next message; ``None`` when the other end is gone."""
        return next(self.messages(), None)

    def messages(self) -> Iterator[Message]:
        """Yield messages until the other end is gone."""
        try:
            while text := self._file.readline():
                yield json.loads(text)
        except OSError:
            pass

    def close(self) -> None:
        # A reader on another thread may hold the socket open, and is to come to its end.
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@dataclass(frozen=True)
class Post:
    """What a worker is told of itself when it starts."""

    #: The process that started it. A process that a worker starts is none.
    supervisor: int
    #: File descriptors: the listening socket, and the worker's end of the line.
    listener: int
    line: int
    #: ``first`` of its supervisor, one ``again``, or a ``standby``.
    role: str

    def to_text(self) -> str:
        return f"{self.supervisor} {self.listener} {self.line} {self.role}"

    @classmethod
    def from_environment(cls) -> Post | None:
        """Return the post of this process, once; ``None`` if it is no worker."""
        text = os.environ.pop(VARIABLE, None)
        if text is None:
            return None
        *numbers, role = text.split()
        supervisor, listener, line = map(int, numbers)
        if not _is_socket(line):
            # A program that a worker started has the variable, and not the sockets.
            return None
        if supervisor != os.getppid():
            # The supervisor ended before this worker came to look for it.
            sys.exit(1)
        # Programs that the application starts are not to keep the port.
        os.set_inheritable(listener, False)
        os.set_inheritable(line, False)
        return cls(supervisor, listener, line, role)


def _is_socket(number: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False
