"""What does an answer of JSON cost, for an integer in the path, beside every peer?

The path is matched and converted, and a dict of four keys is serialised.
"""

from __future__ import annotations

import sys

from . import answers, program, versus
from .measure import Figure
from .versus import at_least, at_most


def run() -> list[Figure]:
    return [
        *versus.wsgi(answers.JSON, at_most("Falcon"), at_least("Flask", 10)),
        *versus.asgi(answers.JSON, at_most("Falcon"), at_least("Quart", 20)),
    ]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
