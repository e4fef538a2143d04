"""What does an answer of plain text cost, beside every peer?

A static path, no parameters, no hooks: what the framework itself adds to a request.
"""

from __future__ import annotations

import sys

from . import answers, program, versus
from .measure import Figure
from .versus import at_least, at_most


def run() -> list[Figure]:
    return [
        *versus.wsgi(answers.PLAIN, at_most("Falcon"), at_least("Flask", 12)),
        *versus.asgi(answers.PLAIN, at_most("Falcon"), at_least("Quart", 20)),
    ]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
