"""A request's journey, step by step.

    match      engine.py   the endpoint and its Plan, or the routing error to raise
    before     steps.py    URL value preprocessors, before-request functions
    view       steps.py    the view, or the error; errors go to their handlers
    result     results.py  what was returned becomes a response
    after      steps.py    after-request functions, the session is saved
    end        steps.py    teardown functions, uploaded files are closed

``steps.py`` decides and does no I/O: whatever of the user's code is to be called, it
yields as ``(function, args, kwargs)`` and is sent the result. ``run_sync.py`` is the loop
that calls. ``plan.py`` works out once per endpoint what the steps would otherwise look up
for each request.
"""

from __future__ import annotations
