from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brim import devserver
from brim.cli import cli
from tests.cli.support import HELLO, run


def test_run_hands_its_options_to_the_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []
    # What becomes of them is tested with the server.
    monkeypatch.setattr(devserver, "serve", lambda load, name, **given: calls.append(given))
    (folder / "app.py").write_text(HELLO)
    by_default = {
        "host": "127.0.0.1",
        "port": 5000,
        "debug": False,
        "use_reloader": False,
        "use_debugger": False,
        "threaded": True,
        "ssl_context": None,
        "extra_files": None,
        "exclude_patterns": None,
    }
    debug = {**by_default, "debug": True, "use_reloader": True, "use_debugger": True}
    run(cli, "run")
    run(cli, "run", "--debug", FLASK_RUN_PORT="1", BRIM_RUN_PORT="2")
    run(cli, "--debug", "run", "--no-reload", "--without-threads", "-h", "::1")
    run(cli, "run", "--reload", "--debugger")
    run(cli, "run", "--extra-files", "app.py", "--exclude-patterns", "*.txt")
    assert calls == [
        by_default,
        {**debug, "port": 2},
        {**debug, "use_reloader": False, "threaded": False, "host": "::1"},
        {**by_default, "use_reloader": True, "use_debugger": True},
        {**by_default, "extra_files": ["app.py"], "exclude_patterns": ["*.txt"]},
    ]


def test_run_says_which_application_is_missing() -> None:
    result = run(cli, "--app", "missing", "run", "--port", "0", code=2)
    assert "Could not import 'missing'" in result.stderr
