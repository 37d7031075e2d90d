"""KaTeX as the page brings it along: whole, licensed, of known bytes, and served with the types that browsers want."""

from __future__ import annotations

import hashlib
import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui.request_guard import SecurityHeaders
from ui.vendored import FOLDER, vendored_files

KATEX = FOLDER / "katex"


@pytest.fixture
def client():
    return TestClient(SecurityHeaders(Starlette(routes=[vendored_files()])))


def test_the_script_is_the_one_that_npm_serves():
    digest = hashlib.sha256((KATEX / "katex.min.js").read_bytes()).hexdigest()
    assert digest == "e8d885505949f3a5f4abdd5dd0d53696bd1371ad26ffbf4f310dcd77c8cdae89"


def test_every_font_that_the_style_sheet_names_is_there_and_no_other():
    named = set(re.findall(r"url\(fonts/([\w.-]+)\)", (KATEX / "katex.min.css").read_text("utf-8")))
    assert named == {path.name for path in (KATEX / "fonts").iterdir()}
    assert {name.rpartition(".")[2] for name in named} == {"woff2"}
    assert "MIT License" in (KATEX / "LICENSE").read_text("utf-8")


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("katex.min.js", "text/javascript"),
        ("katex.min.css", "text/css"),
        ("fonts/KaTeX_Main-Regular.woff2", "font/woff2"),
    ],
)
def test_files_are_served_with_their_types(client, file, kind):
    response = client.get(f"/vendor/katex/{file}")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(kind)
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["../errata.css", "%2e%2e/errata.css", "katex/../../examples.json", "katex"])
def test_nothing_else_is_served(client, path):
    assert client.get(f"/vendor/{path}").status_code == 404
