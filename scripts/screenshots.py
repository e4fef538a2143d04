"""Take the pictures of the journal that the README and the documentation show.

Starts the journal with its sample data on a free port, looks at it through Chromium, and writes
the pictures anew. To be run after its pages have changed, from the repository's folder::

    python -m scripts.screenshots
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image
from playwright.sync_api import Browser

from tests.examples.browser import CHROMIUM, Visitor, chromium
from tests.examples.servers import fill, served

STATIC = Path(__file__).parents[1] / "docs/_static"
#: Bytes. A page shows several of them.
LARGEST = 400_000


class Shot(NamedTuple):
    """A picture: its file's name, the page it is of, and how that is looked at."""

    name: str
    path: str
    scheme: Literal["light", "dark"]
    width: int
    height: int
    scale: float


SHOTS = [
    Shot("journal-light", "/", "light", 1280, 800, 2),
    Shot("journal-dark", "/", "dark", 1280, 800, 2),
    Shot("journal-phone", "/entries/1", "light", 390, 844, 2),
]


def take(browser: Browser, url: str, shot: Shot) -> bytes:
    """The picture as PNG, as small as PNG gets without losing a colour."""
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height},
        device_scale_factor=shot.scale,
        color_scheme=shot.scheme,
    )
    visitor = Visitor(context.new_page(), url)
    visitor.log_in("ada")
    visitor.sees_flash("Hello, ada.")
    visitor.open(shot.path)
    visitor.page.wait_for_load_state("networkidle")
    picture = Image.open(io.BytesIO(visitor.page.screenshot())).convert("RGB")
    context.close()
    if visitor.wrong:
        raise SystemExit("\n".join([f"{shot.path} has errors:", *visitor.wrong]))
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def main() -> None:
    """Write all pictures."""
    if CHROMIUM is None:
        raise SystemExit("No Chromium on PATH; BRIM_CHROMIUM can name one.")
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder))
        with served("brim run", Path(folder)) as url, chromium() as browser:
            for shot in SHOTS:
                content = take(browser, url, shot)
                if len(content) > LARGEST:
                    sys.exit(f"{shot.name}.png would be {len(content)} bytes, more than {LARGEST}.")
                (STATIC / f"{shot.name}.png").write_bytes(content)
                print(f"docs/_static/{shot.name}.png  {len(content) // 1000} kB")


if __name__ == "__main__":
    main()
