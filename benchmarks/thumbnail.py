"""Take the picture that links to a Space are shown with: a recorded run on the page, a wrong solution open.

    python app.py --replay-only &
    python -m benchmarks.thumbnail [--url http://127.0.0.1:7860] [--out assets/thumbnail.png]

It needs chromium or chrome. Take it again when the page has changed its looks.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from irl_core.models.assets import ASSETS

WIDTH, HEIGHT = 1440, 756  # in the proportions, 1.91 to 1, that pictures of links are cropped to
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.thumbnail", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:7860", help="a page that is being served")
    parser.add_argument("--example", default="Apps on a tablet", help="the example to press")
    parser.add_argument("--out", type=Path, default=ASSETS / "thumbnail.png", help="the picture")
    args = parser.parse_args()
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        parser.error(f"none of {', '.join(_BROWSERS)} is installed")
    take(args.url, args.example, args.out, browser)


def take(url: str, example: str, out: Path, browser: str) -> None:
    """Open the page, press the example, open the best ranked of the solutions with a suspect step, and keep what is
    seen."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(url)
        page.click(f"button.chip:has-text('{example}')")
        page.locator("#reading section.trace").wait_for()
        page.locator("#ranking li[data-trace]", has_text="expected").first.click()
        page.locator("#ranking li.selected", has_text="expected").wait_for()
        page.evaluate("window.scrollTo(0, 0)")
        page.mouse.move(0, 0)
        page.wait_for_timeout(1000)  # until the rows have glided to their places
        page.screenshot(path=out)
        chromium.close()


if __name__ == "__main__":
    main()
