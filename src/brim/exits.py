"""The end of a process, in each of the ways in which Python lets one end.

Nothing here knows what is to be done then.
"""

from __future__ import annotations

import atexit
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def at_exit(function: Callable[[], None]) -> None:
    """Call ``function`` when this process ends, even if it was asked for before a fork.

    It has to do nothing where it is called a second time. A process that is killed calls
    nothing.
    """
    atexit.unregister(function)
    atexit.register(function)
    process = sys.modules.get("multiprocessing.process")
    if process is not None and process.parent_process() is not None:
        # A process of multiprocessing's, as Granian's workers are, leaves atexit out; it has
        # a list of its own, which a fork empties.
        from multiprocessing.util import Finalize  # noqa: PLC0415 -- loaded by now

        Finalize(None, function, exitpriority=0)
