"""One real app for the whole session, with the real models, and one real browser."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.support.page import served_page


def serve(arguments: list[str]) -> Iterator[str]:
    with served_page([sys.executable, "app.py", *arguments], ROOT) as url:
        yield url


@pytest.fixture(scope="session")
def app() -> Iterator[str]:
    """The app with its real models. ERRATA_TEST_APP_ARGUMENTS can name other ones."""
    yield from serve(os.environ.get("ERRATA_TEST_APP_ARGUMENTS", "").split())


@pytest.fixture(scope="session")
def replay_app() -> Iterator[str]:
    yield from serve(["--replay-only"])


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium: apt-get install chromium")
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """Open a page and fail the test if a script of the page fails or a dialogue (an injected alert) appears."""
    contexts, faults = [], []

    def visit(url: str, width: int = 1440, height: int = 1000, blank: bool = True, **options):
        """A visitor's page; without `blank` it opens with a recorded session, as a visitor's does."""
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("dialog", lambda dialog: (faults.append(f"dialogue: {dialog.message}"), dialog.dismiss()))
        page.goto(f"{url}{'&' if '?' in url else '?'}blank" if blank else url)
        page.locator("#problem textarea").wait_for(timeout=120_000)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not faults
