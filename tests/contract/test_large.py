"""The large pair on its real backbone, where somebody has fetched that: a gigabyte is not fetched for a test."""

from __future__ import annotations

import pytest

from irl_core.loading import load_critic, load_policy
from irl_core.models.cache import cache_root
from irl_core.models.catalogue import QWEN_CODER_LARGE
from irl_core.policy.sampling import Sampling, TraceEnded
from irl_core.text.answers import extract_answer
from irl_core.text.traces import Trace

pytest.importorskip("openvino_genai")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

QUESTION = "Tom has 3 boxes of 15 pens and gives 4 pens away. How many pens are left?"


@pytest.fixture(autouse=True)
def fetched() -> None:
    model = QWEN_CODER_LARGE
    folder = cache_root() / "backbones" / f"{model.folder}-{model.sha256[:12]}"
    if not (folder / model.dtype).exists():
        pytest.skip("the large backbone is not on this machine: errata --pair large fetch")


def test_the_policy_solves_in_its_own_chat_manner() -> None:
    policy = load_policy("large")
    assert (policy.name, policy.form) == ("Qwen2.5-Coder-1.5B", "chat")
    events = policy.sample(QUESTION, Sampling(n=1, max_tokens=120, temperature=0))
    (trace,) = [event.trace for event in events if isinstance(event, TraceEnded)]
    assert extract_answer(trace.text) == "41"


def test_the_critic_prefers_the_right_reading_of_the_problem_and_is_not_calibrated() -> None:
    critic = load_critic("large")
    wrong = Trace.from_text("Tom has 3 * 15 = 45 pens.\nThen he has 45 + 4 = 49 pens.\n#### 49")
    right = Trace.from_text("Tom has 3 * 15 = 45 pens.\nThen he has 45 - 4 = 41 pens.\n#### 41")
    worse, better = critic.score(QUESTION, [wrong, right])
    assert better.trace_score > worse.trace_score
    assert critic.calibration is None
