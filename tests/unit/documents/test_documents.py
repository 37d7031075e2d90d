"""README and docs carry the figures of one file."""

from __future__ import annotations

import json

import pytest

from benchmarks.evidence_tables import filled
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["README.md", "docs/evidence.md"])
def test_a_document_says_what_the_figures_say(name):
    figures = json.loads((ROOT / "assets/checkpoints/figures.json").read_text(encoding="utf-8"))
    document = (ROOT / name).read_text(encoding="utf-8")
    assert "<!-- end -->" in document
    assert filled(document, figures) == document
