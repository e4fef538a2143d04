"""What does a form cost, beside every peer?

Three fields, urlencoded; the view reads two. bench_multipart.py uploads files.
"""

from __future__ import annotations

import sys

from . import answers, program, versus
from .measure import Figure
from .versus import at_least


def run() -> list[Figure]:
    return [
        *versus.wsgi(answers.FORM, at_least("Flask", 2)),
        *versus.asgi(answers.FORM),
    ]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
