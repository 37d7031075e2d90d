"""One real app for the whole session, with the real models, and one real browser."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.support.page import served_page
from tests.support.visits import MILLISECONDS_TO_SOLVE, finished, open_session


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


@pytest.fixture(scope="session")
def saved(app, browser, tmp_path_factory) -> dict:
    """One problem solved once, by pressing Enter, its session saved to a file."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.goto(f"{app}?blank")
    page.locator("#problem textarea").wait_for(timeout=120_000)
    page.click("button.chip:has-text('Marbles in boxes')")
    page.wait_for_function("document.querySelector('#problem textarea').value.startsWith('Maddison')")
    page.fill("#n input", "8")
    page.press("#problem textarea", "Enter")
    page.wait_for_function(
        "document.querySelector('#status').textContent.includes('done in')", timeout=MILLISECONDS_TO_SOLVE
    )
    finished(page)
    path = tmp_path_factory.mktemp("saved") / "session.json"
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(path)
    seen = {
        "path": path,
        "status": page.inner_text("#status"),
        "rows": page.locator("#ranking li[data-trace]").count(),
    }
    context.close()
    return seen


@pytest.fixture
def opened(saved, app, open_page):
    """A fresh visitor who opened the saved session."""

    def visit(query: str = "?__theme=light", **options):
        page = open_page(app + query, **options)
        open_session(page, saved["path"])
        return page

    return visit
