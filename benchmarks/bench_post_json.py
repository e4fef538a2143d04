"""What does it cost to take JSON and answer JSON, beside every peer?

A body of some 80 bytes is read and parsed, and a dict of three keys is serialised.
"""

from __future__ import annotations

import sys

from . import answers, program, versus
from .measure import Figure
from .versus import at_least, at_most


def run() -> list[Figure]:
    return [
        *versus.wsgi(answers.POST_JSON, at_most("Falcon"), at_least("Flask", 8)),
        *versus.asgi(answers.POST_JSON, at_most("Falcon"), at_least("Quart", 20)),
    ]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
