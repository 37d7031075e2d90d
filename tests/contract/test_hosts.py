"""The served page behind a proxy, in a Space, and called by a foreign name."""

from __future__ import annotations

import os
import re
import sys

import httpx
import pytest

from tests.conftest import ROOT
from tests.support.page import served_page

OWN = "errata.school.example"
SPACE = "someone-errata.hf.space"


@pytest.fixture(scope="module")
def proxied():
    """A page that a proxy serves at a path; one proxy passes its own name on, another says it beside."""
    command = [sys.executable, "app.py", "--replay-only", "--allowed-host", OWN, "--root-path", "/marks"]
    with served_page(command, ROOT) as url:
        yield url


@pytest.fixture(scope="module")
def in_space():
    environment = {**os.environ, "SYSTEM": "spaces", "SPACE_HOST": SPACE}
    with served_page([sys.executable, "app.py", "--replay-only"], ROOT, environment) as url:
        yield url


def root_of(page: httpx.Response) -> str:
    return re.search(r'"root":"([^"]*)"', page.text)[1]


def test_a_proxy_that_passes_its_name_on_gets_a_page_of_that_name(proxied):
    page = httpx.get(proxied, headers={"host": OWN, "x-forwarded-proto": "https"})
    assert page.status_code == 200
    assert root_of(page) == f"https://{OWN}/marks"


def test_a_proxy_that_says_its_name_beside_gets_a_page_of_that_name(proxied):
    page = httpx.get(proxied, headers={"x-forwarded-host": "other.example"})
    assert page.status_code == 200
    assert root_of(page) == "http://other.example/marks"


def test_a_space_is_answered_by_its_own_name(in_space):
    assert httpx.get(in_space, headers={"host": SPACE, "x-forwarded-proto": "https"}).status_code == 200
    assert httpx.get(in_space, headers={"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("path", ["", "config", "gradio_api/info", "gradio_api/mcp/", "thumbnail.png"])
def test_nothing_is_served_to_a_foreign_name(proxied, path):
    assert httpx.get(proxied + path, headers={"host": "evil.example:7860"}).status_code == 421
    assert httpx.get(proxied + path).status_code == 200


@pytest.mark.parametrize("path", ["", "config", "gradio_api/info", "thumbnail.png"])
def test_every_response_has_the_headers(proxied, path):
    headers = httpx.get(proxied + path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'self' https://huggingface.co https://*.hf.space" in headers["content-security-policy"]
