"""Turn the alias on in every Python that is started with this folder on PYTHONPATH.

For suites that start `flask` as a program: pytest's ``-p brim.as_flask`` does not reach a child.
"""

from __future__ import annotations

import brim.as_flask  # noqa: F401
