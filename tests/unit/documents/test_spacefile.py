"""The deployment manifest agrees with what Hugging Face and pip read."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from irl_core.export.space import PARTS, PLACEHOLDER
from irl_core.learning.data.demonstrations import HUB_NAME
from irl_core.models.pairs import SMALL, STANDARD, default_pair
from tests.conftest import ROOT
from ui.command import parse_arguments


@pytest.fixture(scope="module")
def manifest():
    return yaml.safe_load((ROOT / "Spacefile").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def requirements():
    lines = (
        line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    )
    return {r.name: r for r in map(Requirement, filter(None, lines))}


def test_the_front_matter_of_the_readme_is_the_spacefiles_block(manifest):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    front_matter = re.match(r"---\n(.*?)\n---\n", readme, re.DOTALL)
    assert front_matter, "README.md must begin with the huggingface block of Spacefile between --- lines"
    assert yaml.safe_load(front_matter[1]) == manifest["huggingface"]


def test_the_spaces_gradio_satisfies_the_requirements_and_is_the_tested_one(manifest, requirements):
    sdk = manifest["huggingface"]["sdk_version"]
    assert requirements["gradio"].specifier.contains(sdk)
    assert sdk == version("gradio")


def test_the_spaces_python_is_one_that_the_project_supports(manifest):
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    supported = SpecifierSet(re.search(r'requires-python = "(.*)"', project)[1])
    assert supported.contains(manifest["huggingface"]["python_version"])


def test_the_space_starts_a_file_that_exists(manifest):
    assert (ROOT / manifest["huggingface"]["app_file"]).is_file()
    assert manifest["run"] == f"python {manifest['huggingface']['app_file']}"


def test_the_default_pairs_file_is_fetched_when_the_space_is_built(manifest):
    packed = STANDARD.backbone
    assert manifest["huggingface"]["preload_from_hub"] == [f"{packed.hub_repo} {packed.gguf} {packed.hub_revision}"]


def test_the_card_names_the_models_of_both_pairs_and_what_they_learned_from(manifest):
    card = manifest["huggingface"]
    assert set(card["models"]) == {pair.backbone.hub_repo for pair in (STANDARD, SMALL)}
    assert HUB_NAME in card["datasets"]


def test_the_cards_picture_is_a_file_of_the_space(manifest):
    owner, _, path = manifest["huggingface"]["thumbnail"].partition("/resolve/main/")
    assert owner == f"https://huggingface.co/spaces/{PLACEHOLDER}"
    assert (ROOT / path).is_file()
    assert path.partition("/")[0] in PARTS


def test_the_readme_links_to_the_paper_whose_page_then_lists_the_space():
    assert "](https://arxiv.org/abs/2510.01857)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_short_description_fits_the_card(manifest):
    assert len(manifest["huggingface"]["short_description"]) <= 60


def test_the_tested_versions_lie_within_the_stated_ranges(requirements):
    pinned = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    canonical = {name.lower().replace("_", "-"): pin for name, pin in pinned.items()}
    for name, requirement in requirements.items():
        assert requirement.specifier.contains(Version(canonical[name.lower()])), name


def test_a_pair_can_be_asked_for_where_no_option_can_be_given(manifest, monkeypatch):
    assert "ERRATA_PAIR" in manifest["env"]
    monkeypatch.delenv("ERRATA_PAIR")
    assert (parse_arguments([]).policy, parse_arguments([]).critic) == ("auto", default_pair().name)
    monkeypatch.setenv("ERRATA_PAIR", "small")
    assert (parse_arguments([]).policy, parse_arguments([]).critic) == ("small", "small")
    assert parse_arguments(["--policy", "smollm2-135m"]).policy == "smollm2-135m"
    monkeypatch.setenv("ERRATA_PAIR", "bigger")
    with pytest.raises(SystemExit):
        parse_arguments([])


def test_the_app_needs_neither_vllm_nor_trl(requirements):
    assert not {"vllm", "trl", "bitsandbytes"} & set(requirements)
