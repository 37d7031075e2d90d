import json

import pytest

from irl_core.backbones import resolve_backbone
from irl_core.critic import load_critic
from irl_core.gguf_export import policy_sha256
from irl_core.shipped import CHECKPOINTS
from ui.page import load_gallery
from ui.theme import ASSETS


@pytest.fixture(scope="module")
def gallery():
    return load_gallery()


def test_every_example_of_the_page_has_a_recorded_run_with_its_own_answer(gallery):
    examples = json.loads((ASSETS / "examples.json").read_text("utf-8"))["problems"]
    assert {e["question"]: e["answer"] for e in examples} == {q: s.problem.answer for q, s in gallery.items()}


@pytest.mark.slow
def test_the_recorded_runs_are_of_the_models_that_are_shipped(gallery):
    policy = policy_sha256(resolve_backbone("embedded"), CHECKPOINTS / "policy")
    critic = load_critic().sha256
    for session in gallery.values():
        assert (session.policy.sha256, session.critic.sha256) == (policy, critic), "run python -m train.gallery"
