"""The terminal's settings, kept over what a worker does to them and ends without undoing.

Nothing is printed or read here.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from typing import Any


class Terminal:
    """The terminal's settings, as they were at the start.

    A worker that is ended at a prompt, as that of ``breakpoint()``, leaves it without echo.
    """

    def __init__(self) -> None:
        self.settings: list[Any] | None = None
        # Standard input may be closed, none, or no terminal; and Windows has no termios.
        with suppress(Exception):
            import termios

            self.settings = termios.tcgetattr(sys.stdin.fileno())

    def restore(self) -> None:
        """Set them back, if there is a terminal."""
        if self.settings is None:
            return
        import termios  # which is there, as there are settings

        # In the background, a change of the terminal would stop this process.
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        with suppress(termios.error):
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self.settings)
        signal.signal(signal.SIGTTOU, before)
