"""The journal in a browser: under `brim run`, gunicorn, and `brim serve` by ASGI.

Needs Chromium: the one that BRIM_CHROMIUM names, or one on PATH. Without it the tests are
skipped; with BRIM_REQUIRE_BROWSER set, as in CI, they fail.
"""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, expect

from .browser import CHROMIUM, PATIENCE, Visitor, chromium
from .servers import PASSWORD, SERVERS, fill, served

pytestmark = pytest.mark.once

# Read while collecting: a test's environment has no such variable.
REQUIRED = "BRIM_REQUIRE_BROWSER" in os.environ


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "No Chromium on PATH; BRIM_CHROMIUM can name one."
        pytest.fail(reason) if REQUIRED else pytest.skip(reason)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def sample(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the journal's sample, to be copied: covers take their time to draw."""
    data = tmp_path_factory.mktemp("sample")
    fill(data)
    return data


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a journal with sample data."""
    data = tmp_path_factory.mktemp("data")
    shutil.copytree(sample, data, dirs_exist_ok=True)
    with served(request.param, data) as url:
        yield url


Visit = Callable[..., Visitor]

#: What axe checks: in light all it knows; dark has the same elements in other colours.
SCHEMES: dict[Literal["light", "dark"], dict[str, list[str]]] = {
    "light": {},
    "dark": {"runOnly": ["color-contrast"]},
}


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Visit]:
    """Brings visitors, each with cookies of their own. At the end nothing may have gone wrong."""
    visitors: list[Visitor] = []

    def bring(width: int = 1280, javascript: bool = True) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, java_script_enabled=javascript
        )
        context.set_default_timeout(PATIENCE)
        visitors.append(Visitor(context.new_page(), server))
        return visitors[-1]

    yield bring
    for visitor in visitors:
        visitor.page.context.close()
    assert [wrong for visitor in visitors for wrong in visitor.wrong] == []


def picture() -> FilePayload:
    """A cover as a visitor chooses it."""
    file = io.BytesIO()
    Image.new("RGB", (320, 200), "teal").save(file, "PNG")
    return {"name": "teal.png", "mimeType": "image/png", "buffer": file.getvalue()}


def is_displayed(image: Locator) -> None:
    """The picture has arrived and could be decoded."""
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0


def test_an_account(visit: Visit) -> None:
    """Registering, logging out and logging in, each with what may go wrong."""
    visitor = visit()
    visitor.open("/")
    visitor.follow("Register")
    visitor.fill(Name="mary", Password="difference", Password_again="engine")
    visitor.press("Register")
    visitor.sees_error("Password again", "The two passwords differ.")
    expect(visitor.field("Name")).to_have_value("mary")

    visitor.fill(Name="ada", Password="difference", Password_again="difference")
    visitor.press("Register")
    visitor.sees_error("Name", "This name is taken.")

    visitor.fill(Name="mary", Password="difference", Password_again="difference")
    visitor.press("Register")
    visitor.sees_flash("Welcome, mary.")

    visitor.fill(Name="mary", Password="engine")
    visitor.press("Log in")
    visitor.sees_error("Password", "The name or the password is wrong.")

    visitor.fill(Password="difference")
    visitor.press("Log in")
    visitor.sees_flash("Hello, mary.")
    visitor.is_at("/")

    visitor.press("Log out")
    visitor.sees_flash("You are logged out.")
    expect(visitor.page.get_by_role("link", name="Log in")).to_be_visible()


def test_an_entry(visit: Visit) -> None:
    """Writing, editing and deleting, with a cover."""
    visitor = visit()
    # Who is asked to log in arrives where they were going.
    visitor.open("/entries/new")
    visitor.fill(Name="ada", Password=PASSWORD)
    visitor.press("Log in")
    visitor.is_at("/entries/new")

    visitor.fill(Text="Steam.\n\nAnd what it moves.")
    visitor.field("Cover picture").set_input_files(
        {"name": "cover.png", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    visitor.press("Save")
    visitor.sees_error("Title", "Give the entry a title.")
    visitor.sees_error("Cover picture", "The file is not a picture")

    visitor.fill(Title="An engine")
    visitor.field("Cover picture").set_input_files(picture())
    visitor.press("Save")
    visitor.sees_flash("The entry is saved.")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("An engine")
    expect(visitor.page.locator(".prose p")).to_have_text(["Steam.", "And what it moves."])
    is_displayed(visitor.page.get_by_role("img", name="Cover of “An engine”"))
    entry = visitor.path

    visitor.follow("All entries")
    is_displayed(visitor.page.locator("article", has_text="An engine").locator("img"))

    visitor.open(entry)
    visitor.follow("Edit")
    visitor.fill(Title="A better engine")
    visitor.field("Remove the cover").check()
    visitor.press("Save")
    visitor.sees_flash("The changes are saved.")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("A better engine")
    expect(visitor.page.locator("main img")).to_have_count(0)

    expect(visitor.page.get_by_role("button", name="Delete for good")).to_be_hidden()
    visitor.page.locator("summary").click()
    visitor.press("Delete for good")
    visitor.sees_flash("The entry is deleted.")
    visitor.is_at("/")
    visitor.open(entry, status=404)


def test_a_private_entry_is_seen_by_its_author_alone(visit: Visit) -> None:
    author, other = visit(), visit()
    author.log_in("grace")
    author.open("/entries/new")
    author.fill(Title="A secret", Text="For me.")
    author.field("Only for me").check()
    author.press("Save")
    author.sees_flash("The entry is saved.")
    entry = author.path
    author.follow("grace")
    expect(author.page.locator("article", has_text="A secret")).to_contain_text("Private")

    other.open("/by/grace")
    expect(other.page.get_by_role("heading", name="Entries by grace")).to_be_visible()
    expect(other.page.get_by_text("A secret")).to_have_count(0)
    other.open(entry, status=404)


def test_the_pages_of_the_index(visit: Visit) -> None:
    visitor = visit()
    visitor.open("/")
    first = visitor.page.locator("article h2").all_text_contents()
    current = visitor.page.get_by_role("navigation", name="Pages").locator("[aria-current]")
    expect(current).to_have_text("Page 1")

    visitor.page.get_by_role("link", name="Older").click()
    visitor.is_at("/?page=2")
    expect(current).to_have_text("Page 2")
    second = visitor.page.locator("article h2").all_text_contents()
    assert len(second) == len(first) == 6
    assert not set(first) & set(second)

    visitor.page.get_by_role("link", name="Newer").click()
    expect(current).to_have_text("Page 1")
    assert visitor.page.locator("article h2").all_text_contents() == first


def test_an_address_that_leads_nowhere(visit: Visit) -> None:
    visitor = visit()
    visitor.open("/nowhere", status=404)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Not Found")
    visitor.page.locator("main").get_by_role("link", name="All entries").click()
    visitor.is_at("/")


def test_logging_in_takes_no_more_than_a_keyboard(visit: Visit) -> None:
    visitor = visit()
    visitor.open("/")
    keyboard = visitor.page.keyboard

    def go_to(target: Locator) -> None:
        """Press Tab until the focus is there; it has to show where it is."""
        for _ in range(20):
            keyboard.press("Tab")
            style = visitor.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style != "none"
            if target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError("Tab does not lead there")

    skip = visitor.page.get_by_role("link", name="Skip to the content")
    go_to(skip)
    keyboard.press("Enter")
    expect(visitor.page.get_by_role("main")).to_be_focused()

    visitor.open("/")
    go_to(visitor.page.get_by_role("link", name="Log in"))
    keyboard.press("Enter")
    visitor.is_at("/accounts/login")
    for label, value in [("Name", "ada"), ("Password", PASSWORD)]:
        go_to(visitor.field(label))
        keyboard.type(value)
    go_to(visitor.field("Stay logged in"))
    keyboard.press("Space")
    go_to(visitor.page.get_by_role("button", name="Log in"))
    keyboard.press("Enter")
    visitor.sees_flash("Hello, ada.")
    cookies = {cookie["name"] for cookie in visitor.page.context.cookies()}
    assert "remember_token" in cookies


def test_all_works_without_javascript(visit: Visit) -> None:
    visitor = visit(javascript=False)
    visitor.log_in("grace")
    visitor.sees_flash("Hello, grace.")
    visitor.follow("Write")
    visitor.press("Save")
    visitor.sees_error("Title", "Give the entry a title.")
    visitor.fill(Title="By hand", Text="No script.")
    visitor.field("Cover picture").set_input_files(picture())
    visitor.press("Save")
    visitor.sees_flash("The entry is saved.")
    expect(visitor.page.get_by_role("img", name="Cover of “By hand”")).to_be_visible()
    # What needs JavaScript isn't offered.
    expect(visitor.page.get_by_role("group", name="Theme")).to_have_count(0)
    visitor.page.locator("summary").click()
    visitor.press("Delete for good")
    visitor.sees_flash("The entry is deleted.")


def test_a_theme_is_remembered(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.emulate_media(color_scheme="light")
    visitor.open("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(ground)
    assert light != dark

    expect(visitor.field("System")).to_be_checked()
    visitor.field("Light").check()
    assert page.evaluate(ground) == light
    visitor.open("/accounts/login")
    assert page.evaluate(ground) == light
    expect(visitor.field("Light")).to_be_checked()
    visitor.field("System").check()
    assert page.evaluate(ground) == dark


# A page is the same on every server.
@pytest.mark.parametrize("server", ["brim run"], indirect=True)
def test_every_page_is_accessible_and_fits_a_phone(visit: Visit) -> None:
    """axe finds nothing in light or dark, and no page scrolls sideways at 390 pixels."""
    visitor = visit()
    page, axe = visitor.page, Axe()

    def check() -> None:
        name = f"{page.title()} {page.url}"
        page.set_viewport_size({"width": 390, "height": 800})
        width = page.evaluate("document.scrollingElement.scrollWidth")
        assert width <= 390, name
        for scheme, rules in SCHEMES.items():
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            results = axe.run(page, options={"resultTypes": ["violations"], **rules})
            assert results.violations_count == 0, f"{name} {scheme}\n{results.generate_report()}"
        page.set_viewport_size({"width": 1280, "height": 800})

    visitor.open("/nowhere", status=404)
    check()
    visitor.open("/accounts/register")
    visitor.press("Register")
    expect(page).to_have_title(re.compile("^Error"))
    check()
    visitor.open("/entries/new")
    visitor.sees_flash("Please log in first.")
    check()
    visitor.press("Log in")
    expect(page).to_have_title(re.compile("^Error"))
    check()
    visitor.log_in("ada")
    for path in ("/", "/?page=2", "/by/ada", "/entries/1", "/entries/new", "/entries/2/edit"):
        visitor.open(path)
        check()
    visitor.open("/entries/new")
    visitor.press("Save")
    expect(page).to_have_title(re.compile("^Error"))
    check()
    visitor.open("/entries/2")
    page.locator("summary").click()
    check()
