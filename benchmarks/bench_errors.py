"""What do a 404 and a handled exception cost, beside every peer?

No rule fits the path of the first; the framework answers with its own page. The view of the second
raises an exception, for whose class a handler is registered.
"""

from __future__ import annotations

import sys

from . import answers, program, versus
from .measure import Figure
from .versus import at_least


def run() -> list[Figure]:
    return [
        *versus.wsgi(answers.MISSING, at_least("Flask", 6)),
        *versus.wsgi(answers.ERROR, at_least("Flask", 6)),
        *versus.asgi(answers.MISSING),
        *versus.asgi(answers.ERROR),
    ]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
