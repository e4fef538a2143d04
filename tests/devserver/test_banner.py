from __future__ import annotations

import sys
from pathlib import Path

import pytest

from brim.devserver.banner import port_taken
from tests.devserver.conftest import Start

APP = """\
from flask import Flask
app = Flask(__name__)
app.config["SESSION_COOKIE_SAMSITE"] = "Lax"
"""


def test_what_is_wrong_is_said_once(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "app.py"
    view = "@app.get('/')\ndef index(): return '{}'\n"
    file.write_text(APP + view.format("one"))
    server = start("-m", "brim", "run", "--debug", "--port", "0")
    misspelt = "   Check     SESSION_COOKIE_SAMSITE is read by nothing."
    assert misspelt in server.output
    more = "app.config['APPLICATION_ROOT'] = 'shop'\n"
    assert server.after(file, APP + more + view.format("two"), "two") == 200
    server.says("   Check     APPLICATION_ROOT is 'shop'")
    assert server.output.count(misspelt) == 1


def test_modules_that_cannot_be_imported_beforehand_do_no_harm(
    tmp_path: Path, start: Start
) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    # It needs what the app does before.
    (installed / "shy.py").write_text("import sys\nsys.shy_is_welcome\n")
    file = tmp_path / "app.py"
    file.write_text(
        "import sys\nsys.path.append('site-packages')\nsys.shy_is_welcome = True\nimport shy\n"
        "from flask import Flask\napp = Flask(__name__)\n"
        "@app.get('/')\ndef index(): return 'one'\n"
    )
    server = start("-m", "brim", "run", "--debug", "--port", "0")
    for number in ("two", "three"):
        text = file.read_text().partition("@app")[0]
        view = f"@app.get('/')\ndef index(): return '{number}'\n"
        assert server.after(file, text + view, number) == 200


def test_a_taken_port_may_be_macos_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert port_taken("127.0.0.1", 5000, "--port {port}").endswith("another port: --port 5001.")
    assert "--port 65534" in port_taken("127.0.0.1", 65535, "--port {port}")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "AirPlay" in port_taken("127.0.0.1", 5000, "--port {port}")
    assert "AirPlay" not in port_taken("127.0.0.1", 8000, "--port {port}")
