"""What does an upload cost, of 1 KB and of 10 MB, beside every peer?

A multipart form with a field and a file, as a browser sends it; the view reads the whole file. The
content has line ends, as files do. Under ASGI the body arrives in pieces of 64 KB.
"""

from __future__ import annotations

import sys

from . import answers, program, versus
from .measure import Figure
from .versus import QUICKEST, at_least, at_most

SMALL = answers.upload("multipart upload, 1 KB", 1024)
BIG = answers.upload("multipart upload, 10 MB", 10 * 2**20)


def run() -> list[Figure]:
    return [
        *versus.wsgi(SMALL, at_least("Flask", 2)),
        *versus.wsgi(BIG, at_least("Flask", 1), at_most(QUICKEST, 1.5)),
        *versus.asgi(SMALL),
        *versus.asgi(BIG),
    ]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
