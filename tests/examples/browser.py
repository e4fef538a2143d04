"""What it takes to look at the journal: a Chromium, the machine's, and somebody who visits.

The servers are servers.py's. `scripts/screenshots.py` looks at the journal through the same parts.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, expect
from playwright.sync_api import sync_playwright as playwright

from .servers import PASSWORD

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
