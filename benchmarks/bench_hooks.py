"""What do functions before and after a view cost, beside every peer?

Five before and five after, three of them the application's and two the blueprint's in which the
view is, and one at the end. Frameworks without them have middleware of the same kind. Then two
functions that do what such functions are for, with ``g`` and a header.
"""

from __future__ import annotations

import sys

from . import answers, program, versus
from .measure import Figure
from .versus import at_least


def run() -> list[Figure]:
    return [
        *versus.wsgi(answers.HOOKS, at_least("Flask", 6)),
        *versus.wsgi(answers.HOOKS_USING_G),
        *versus.asgi(answers.HOOKS),
        *versus.asgi(answers.HOOKS_USING_G),
    ]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
