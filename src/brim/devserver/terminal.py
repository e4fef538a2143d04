"""The terminal's settings, kept over what a worker does to them and ends without undoing.

Nothing is printed or read here.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from typing import Any

try:
    import termios
except ImportError:  # Windows, where no supervisor runs
    termios = None  # type: ignore[assignment]


class Terminal:
    """The terminal's settings, as they were at the start.

    A worker that is ended at a prompt, as that of ``breakpoint()``, leaves it without echo.
    """

    def __init__(self) -> None:
        self.settings: list[Any] | None = None
        if termios is not None:
            # Standard input may be closed, none, or no terminal.
            with suppress(termios.error, OSError, ValueError, AttributeError):
                self.settings = termios.tcgetattr(sys.stdin.fileno())

    def restore(self) -> None:
        """Set them back, if there is a terminal."""
        if self.settings is None:
            return
        # In the background, a change of the terminal would stop this process.
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        with suppress(termios.error):
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self.settings)
        signal.signal(signal.SIGTTOU, before)
