"""What it takes to look at the journal: its servers, a Chromium, and somebody who visits.

Servers are child processes with a folder of their own for data; the browser is the one of the
machine. `scripts/screenshots.py` looks at the journal through the same parts.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, expect
from playwright.sync_api import sync_playwright as playwright

JOURNAL = Path(__file__).parents[2] / "examples/journal"
#: Of ada and grace, the people of the journal's sample.
PASSWORD = "correct horse"

#: The programs that serve the journal: each picks a free port and says which.
SERVERS = {
    "brim run": ["brim", "--app", "journal", "run", "--port", "0"],
    "gunicorn": ["gunicorn", "journal:create_app()", "--bind", "127.0.0.1:0", "--threads", "4"]
    + ["--no-control-socket"],
}
#: How each is set up: the one as a developer does it, the other as a host.
SETTINGS = {
    "brim run": {"JOURNAL_CONFIG": "development"},
    "gunicorn": {"JOURNAL_CONFIG": "production", "JOURNAL_SECRET_KEY": "a key for tests " * 4},
}

CHROMIUM = os.environ.get("BRIM_CHROMIUM") or next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None
)
#: No sandbox: CI runs as root in a container. The others keep it from calling home.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


#: Milliseconds that a page may take on a busy machine, where five seconds are not enough.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)


def environment(data: Path, **settings: str) -> dict[str, str]:
    """The environment of a program that serves or fills the journal in the folder `data`."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("JOURNAL_")}
    return {**outer, "JOURNAL_DATA": str(data), "PYTHONUNBUFFERED": "1", **settings}


def fill(data: Path) -> None:
    """Make the tables in the folder and fill them with the sample."""
    for command in (["db", "upgrade"], ["sample"]):
        done = subprocess.run(
            [sys.executable, "-m", "brim", "--app", "journal", *command],
            cwd=JOURNAL,
            env=environment(data),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout


@contextmanager
def served(server: str, data: Path) -> Iterator[str]:
    """The URL at which one of SERVERS serves the folder. It must end without an error logged."""
    log = data / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", *SERVERS[server]],
            cwd=JOURNAL,
            env=environment(data, **SETTINGS[server]),
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    said = log.read_text()
    assert "Traceback" not in said, said


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The URL that the server says it listens at."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"The server has not started:\n{log.read_text()}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium of its own, with an empty profile.

    Until it is closed, this thread counts as one that runs an event loop, so that `asyncio.run`
    refuses to work there.
    """
    with playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


class Visitor:
    """Somebody at a browser, who notes whatever goes wrong while the pages are used.

    A response of status 400 or more counts, a request without an answer, and what the browser's
    console calls an error; only the statuses that `open` is told to expect do not.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.wrong: list[str] = []
        page.on("response", self._response)
        page.on("requestfailed", self._failed)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.wrong.append(f"{response.status} {response.url}")

    def _failed(self, request: Request) -> None:
        # Whoever leaves a page before its pictures are there aborts them.
        if request.failure != "net::ERR_ABORTED":
            self.wrong.append(f"{request.failure} {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        # What fails to load is noted above, with its status.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.wrong.append(message.text)

    def open(self, path: str, status: int = 200) -> None:
        """Go to a page, which answers with the status."""
        response = self.page.goto(self.url + path)
        assert response is not None
        assert response.status == status, path
        if status >= 400:
            self.wrong.remove(f"{status} {response.url}")

    @property
    def path(self) -> str:
        """The path of the page that is shown."""
        return self.page.url.removeprefix(self.url)

    def is_at(self, path: str) -> None:
        """The page of this path is shown, all of it; a query string may follow."""
        expect(self.page).to_have_url(re.compile(re.escape(self.url + path) + r"(\?.*)?$"))
        # The address is the new one as soon as the page begins to arrive.
        self.page.wait_for_load_state()

    def field(self, label: str) -> Locator:
        """The field of this label."""
        return self.page.get_by_label(label, exact=True)

    def fill(self, **fields: str) -> None:
        """Fill in fields; `Password_again` is the one labelled "Password again"."""
        for label, value in fields.items():
            self.field(label.replace("_", " ")).fill(value)

    def press(self, name: str) -> None:
        """Click a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Click a link; of several that have the name, the first."""
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        """Log in by the page for it."""
        self.open("/accounts/login")
        self.fill(Name=name, Password=password)
        self.press("Log in")

    def sees_flash(self, text: str) -> None:
        """A message is shown, and announced to who can't see it."""
        expect(self.page.get_by_role("status").filter(has_text=text)).to_be_visible()

    def sees_error(self, label: str, text: str) -> None:
        """The field says what is wrong with it, in sight and to a screen reader; so does the top
        of the page, which has the focus and leads to the field."""
        field = self.field(label)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(re.escape(text)))
        expect(self.page.locator(".field.invalid .error", has_text=text)).to_be_visible()
        summary = self.page.get_by_role("alert")
        expect(summary).to_be_focused()
        summary.get_by_role("link", name=text).click()
        expect(field).to_be_focused()
        summary.focus()
