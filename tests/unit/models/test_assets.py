"""Where what is shipped beside the code is looked for."""

from __future__ import annotations

from irl_core.models.assets import ASSETS, find_assets
from irl_core.models.pairs import PAIRS
from tests.conftest import ROOT


def test_a_checkout_reads_its_own_assets():
    assert ASSETS == ROOT / "assets"
    assert all(pair.critic.is_relative_to(ASSETS) for pair in PAIRS.values())


def test_an_installed_package_reads_its_own_assets_whatever_lies_beside_it(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "irl_core" / "assets").mkdir(parents=True)
    assert find_assets(tmp_path / "irl_core") == tmp_path / "irl_core" / "assets"
