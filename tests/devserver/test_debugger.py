from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from brim.devserver.debugger import LocalDebugger, Visitors, answers_elsewhere, is_loopback
from tests.devserver.conftest import Start

APP = """\
from flask import Flask
app = Flask(__name__)

@app.get("/")
def index():
    return "fine"

@app.get("/broken")
def broken():
    secret = "in the source"
    raise LookupError("only for the developer")
"""


def outer_address() -> str | None:
    """Return an address of this machine that is not loopback; nothing is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
        return None if is_loopback(address) else address


def test_the_debugger_answers_the_developers_browser_alone(tmp_path: Path, start: Start) -> None:
    (tmp_path / "hello.py").write_text(APP)
    run = ("-m", "brim", "--app", "hello", "run", "--debug", "--port", "0", "--host", "0.0.0.0")
    server = start(*run)
    port = server.url.rpartition(":")[2]
    assert "answers localhost only" in server.output
    here = f"http://127.0.0.1:{port}"
    status, page = server.get("/broken", here)
    assert status == 500
    assert "Werkzeug Debugger" in page
    assert "EVALEX = true" in page
    assert "Interactive Console" in server.get("/console", here)[1]
    assert server.get("/broken", f"http://localhost:{port}")[1].count("in the source")

    others: list[tuple[str, dict[str, str]]] = [
        (here, {"Host": "evil.test"}),
        (here, {"Host": f"127.0.0.1.evil.test:{port}"}),
        (here, {"X_Forwarded_For": "203.0.113.9"}),
        (here, {"X_Forwarded_For": "127.0.0.1, 203.0.113.9"}),
        (here, {"X_Real_IP": "203.0.113.9"}),
        (here, {"Forwarded": "for=203.0.113.9"}),
        (here, {"X_Forwarded_Host": "evil.test"}),
    ]
    if address := outer_address():
        others.append((f"http://{address}:{port}", {}))
        others.append((f"http://{address}:{port}", {"Host": "127.0.0.1"}))
    for url, headers in others:
        status, page = server.get("/broken", url, **headers)
        assert status == 500
        assert "Debugger" not in page and "LookupError" not in page and "secret" not in page
        assert server.get("/console", url, **headers)[0] == 404
        assert server.get("/?__debugger__=yes&cmd=resource&f=debugger.js", url, **headers) == (
            200,
            "fine",
        )
    # The developer's terminal has it all the same.
    assert server.output.count("LookupError: only for the developer") > len(others)


@pytest.mark.parametrize(
    ("host", "elsewhere"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("localhost", False),
        ("shop.localhost", False),
        ("::1", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.0.2.1", True),
        ("shop.test", True),
    ],
)
def test_an_address_can_be_reached_from_elsewhere_or_not(host: str, elsewhere: bool) -> None:
    assert answers_elsewhere(host) is elsewhere


@pytest.mark.parametrize(
    ("environ", "local"),
    [
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "shop.test:5000"}, True),
        ({"REMOTE_ADDR": "::1", "HTTP_HOST": "[::1]:5000"}, True),
        ({"REMOTE_ADDR": "::ffff:127.0.0.1", "HTTP_HOST": "a.localhost"}, True),
        ({"REMOTE_ADDR": "::ffff:192.0.2.1", "HTTP_HOST": "localhost"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1, ::1"}, True),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "unknown"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "[::1"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": ""}, False),
        ({"REMOTE_ADDR": "<local>", "HTTP_HOST": "localhost"}, False),
        ({"HTTP_HOST": "localhost"}, False),
    ],
)
def test_a_visitor_is_the_developer_or_not(environ: dict[str, Any], local: bool) -> None:
    assert Visitors("shop.test").are_local(environ) is local


def test_who_has_the_address_that_is_served_is_this_machine() -> None:
    environ = {"REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "192.0.2.7:5000"}
    assert Visitors("192.0.2.7").are_local(environ)
    assert not Visitors("192.0.2.8").are_local(environ)
    assert not Visitors("0.0.0.0").are_local(environ)


def test_a_wildcard_is_no_name_to_trust() -> None:
    environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "0.0.0.0:5000"}
    assert not Visitors("0.0.0.0").are_local(environ)


def test_the_debugger_says_what_it_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    app: Any = lambda environ, start_response: []  # noqa: E731
    assert LocalDebugger(app, "localhost", evalex=False).describe() == "runs no code"
    monkeypatch.setenv("WERKZEUG_DEBUG_PIN", "123-456-789")
    assert LocalDebugger(app, "localhost").describe() == "PIN 123-456-789"
    monkeypatch.setenv("WERKZEUG_DEBUG_PIN", "off")
    assert LocalDebugger(app, "0.0.0.0").describe().startswith("no PIN; answers localhost only")
    assert "answers this machine only" in LocalDebugger(app, "192.0.2.7").describe()
