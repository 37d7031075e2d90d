import json
from pathlib import Path

import pytest

from irl_core.critic.names import locate_critic
from irl_core.critic.weights import adapter_folder, critic_sha256
from irl_core.models.assets import ASSETS
from irl_core.models.backbones import Backbone
from irl_core.models.merging import policy_sha256
from irl_core.models.pairs import LARGE, PAIRS, SMALL, STANDARD, Pair
from ui.page import load_gallery

of_each_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)


@of_each_pair
def test_every_example_of_the_page_has_a_recorded_run_with_its_own_answer(pair: Pair):
    examples = json.loads((ASSETS / "examples.json").read_text("utf-8"))["problems"]
    recorded = load_gallery(pair)
    assert {e["question"]: e["answer"] for e in examples} == {q: s.problem.answer for q, s in recorded.items()}


@pytest.mark.parametrize("pair", [SMALL, STANDARD], ids=lambda pair: pair.name)
def test_the_recorded_runs_are_of_the_models_that_are_shipped(pair: Pair):
    card = locate_critic(pair.name)[0]
    backbone = Backbone(pair.backbone.name, Path("not fetched"), None, pair.backbone.sha256)
    policy = policy_sha256(backbone, pair.adapter)
    critic = critic_sha256(backbone, adapter_folder(card, pair.critic))
    for session in load_gallery(pair).values():
        assert (session.policy.sha256, session.critic.sha256) == (policy, critic), "run python -m train.gallery"


def test_a_pair_without_recorded_runs_shows_those_of_the_default():
    assert not (ASSETS / "gallery" / LARGE.name).exists(), "or this test wants another pair"
    assert load_gallery(LARGE) == load_gallery(STANDARD)
