"""What a link to the page is shown as elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import gradio
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from irl_core.models.assets import ASSETS
from ui.social_card import SENTENCE, SocialCard, picture_route, tags, with_tags

GRADIOS = (Path(gradio.__file__).parent / "templates" / "frontend" / "index.html").read_bytes()


def named(page: bytes) -> dict[str, list[str]]:
    """The contents of the tags that say what a link is shown as, by their name."""
    found: dict[str, list[str]] = {}
    for name, content in re.findall(r'<meta\s+\w+="((?:og|twitter):[\w:]+)"\s+content="([^"]*)"', page.decode()):
        found.setdefault(name, []).append(content)
    return found


@pytest.fixture
def page(monkeypatch) -> TestClient:
    monkeypatch.delenv("SPACE_HOST", raising=False)
    routes = [
        picture_route(),
        Route("/", lambda request: HTMLResponse(GRADIOS)),
        Route("/other", lambda request: HTMLResponse(GRADIOS)),
        Route("/away", lambda request: RedirectResponse("/")),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(SocialCard)]), follow_redirects=False)


def test_gradios_own_page_names_errata_once_and_gradio_never(page):
    said = named(page.get("/").content)
    assert said["og:description"] == [SENTENCE]
    assert said["og:image"] == ["/thumbnail.png"]
    assert said["twitter:card"] == ["summary_large_image"]
    assert all(len(contents) == 1 for contents in said.values())
    assert "radio" not in str(said)


def test_the_length_that_is_told_is_that_of_the_page(page):
    answer = page.get("/")
    assert int(answer.headers["content-length"]) == len(answer.content) != len(GRADIOS)
    assert page.head("/").headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize("path", ["/other", "/away", "/nowhere", "/thumbnail.png"])
def test_all_else_passes_as_it_is(page, path):
    assert b"Errata: see where" not in page.get(path).content


def test_the_picture_is_served(page):
    answer = page.get("/thumbnail.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == (ASSETS / "thumbnail.png").read_bytes()


def test_in_a_space_the_pictures_address_is_whole(monkeypatch):
    monkeypatch.setenv("SPACE_HOST", "me-errata.hf.space")
    assert '<meta property="og:image" content="https://me-errata.hf.space/thumbnail.png" />' in tags()
    assert '<meta property="og:url" content="https://me-errata.hf.space/" />' in tags()


def test_a_host_that_would_end_the_tag_does_not(monkeypatch):
    monkeypatch.setenv("SPACE_HOST", '"><script>alert(1)</script>')
    assert b"<script>" not in with_tags(b"<head></head>")


def test_the_picture_has_the_proportions_that_links_are_cropped_to():
    width, height = (int.from_bytes((ASSETS / "thumbnail.png").read_bytes()[at : at + 4], "big") for at in (16, 20))
    assert width >= 1200
    assert width / height == pytest.approx(1200 / 630, rel=0.01)
