"""The score of a solution that was cut: its unfinished step counts for nothing."""

from __future__ import annotations

import pytest
import torch

from irl_core.critic.card import CriticCard
from irl_core.critic.rewards import score_trace
from irl_core.critic.token_statistics import EncodedTrace, TokenStatistics
from irl_core.policy.base import written_trace
from irl_core.text.spans import partition
from irl_core.text.traces import Trace

CARD = CriticCard(name="hand", form="log_prob", false_equation_penalty=3.0, trust_true_equations=False)
WHOLE, HALF = "It drives fast.\n", "60 * 3 = 18"


def score(trace: Trace) -> float:
    """Of two tokens at most: the first step costs 1 nat, the second 9."""
    offsets = partition([0, len(WHOLE)][: len(trace.steps)], len(trace.text))
    encoded = EncodedTrace([], [0] * len(offsets), offsets, torch.zeros(len(offsets), dtype=torch.bool), None)
    return score_trace(
        CARD, "How far?", trace, encoded, TokenStatistics(torch.tensor([-1.0, -9.0])[: len(offsets)])
    ).trace_score


def test_neither_the_surprise_nor_the_arithmetic_of_an_unfinished_step_counts():
    assert score(written_trace(WHOLE + HALF, "cancelled")) == pytest.approx(score(Trace.from_text(WHOLE)))
    assert score(written_trace(WHOLE + HALF, "end")) < score(Trace.from_text(WHOLE)) - 3


def test_a_trace_of_one_unfinished_step_is_scored_by_what_there_is_and_by_no_arithmetic():
    half = score(written_trace(HALF, "cancelled"))
    assert half == pytest.approx(score(Trace.from_text("It drives fast.")))
