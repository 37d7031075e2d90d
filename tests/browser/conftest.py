"""One real app for the whole session, with the real models, and one real browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 300


def serve(arguments: list[str]) -> Iterator[str]:
    """The app as its own process; its output goes to a file that a failure shows."""
    port = free_port()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port), *arguments], cwd=ROOT, stdout=output, stderr=output
        )
        try:
            yield wait_for(f"http://127.0.0.1:{port}/", process, output)
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(url: str, process: subprocess.Popen, output) -> str:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return url
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.3)
    output.seek(0)
    raise RuntimeError(f"the app did not start:\n{output.read()[-4000:]}")


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

    def visit(url: str, width: int = 1440, height: int = 1000, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("dialog", lambda dialog: (faults.append(f"dialogue: {dialog.message}"), dialog.dismiss()))
        page.goto(url)
        page.locator("#problem textarea").wait_for(timeout=120_000)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not faults
