"""The page's scripts: linted, type-checked, and each in a scope of its own. Needs node; skips by name without it."""

from __future__ import annotations

import re

import pytest

from irl_core.models.assets import ASSETS
from tests.support.node import WEB, run_node
from ui import page, reading_column
from ui.theme import script

SCRIPTS = sorted(ASSETS.glob("*.js"))


def test_no_script_breaks_a_rule():
    ran = run_node("eslint/bin/eslint.js", "-c", WEB / "eslint.config.js", *SCRIPTS)
    assert ran.returncode == 0, ran.stdout


def test_every_script_is_of_the_types_it_says():
    ran = run_node("typescript/bin/tsc", "-p", WEB / "tsconfig.json")
    assert ran.returncode == 0, ran.stdout


def test_a_script_with_a_wrong_type_is_found(tmp_path):
    wrong = tmp_path / "wrong.js"
    wrong.write_text("document.title = 1;\n")
    ran = run_node("typescript/bin/tsc", "--allowJs", "--checkJs", "--noEmit", "--strict", wrong)
    assert "TS2322" in ran.stdout


def test_scripts_that_run_together_share_no_names():
    joined = script("page.js", "legend.js")
    assert joined.count("\n}") >= 2
    assert re.match(r"\{\n// ", joined)


def test_every_script_is_run_by_a_part_of_the_page():
    used = {"ranking.js", *reading_column._SCRIPTS, *page._SCRIPTS, *page._DIALOG_SCRIPTS}
    assert {path.name for path in SCRIPTS} == used


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_html_of_text(path):
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function", path.read_text("utf-8"))
