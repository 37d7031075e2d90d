"""What a report keeps of a trace's coloured tokens: a few numbers, whatever the trace's length."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from irl_core.evaluation.scoring import ScoredTrace
from irl_core.text.steps import step_of_tokens

VISIBLE_FROM = 0.5
"""A token is visible from this share of the scale's end on."""
NO_STEP = -1
NOT_KNOWN = -1


class HeatSummary(NamedTuple):
    """Which tokens of one trace the page colours against, in short.

    `lowest_step` is the step of the most negative token, as coloured, the first of equals; `NO_STEP` where no token is
    negative. `error_share` is the share of the tokens that the first wrong step holds, NaN where none is labelled.
    `visible` and `visible_in_error` say whether any token, and any of the first wrong step, is visible: 1, 0, or
    `NOT_KNOWN` without a scale or, for the second, a wrong step. `suspect_visible` is the share of the first suspect
    step's tokens that are visible, NaN where no step is suspect, it has no token or there is no scale.
    """

    lowest_step: int
    error_share: float
    visible: int
    visible_in_error: int
    suspect_visible: float


def heat_summary(line: ScoredTrace) -> HeatSummary:
    """The summary of one scored trace. Tokens count as the critic reads them; its rewards stand in for the heat."""
    step_of = np.array(step_of_tokens(line.token_offsets, line.item.trace.steps), dtype=np.int64)
    coloured = np.array(line.token_rewards if line.token_heat is None else line.token_heat, dtype=float)
    error, visible = line.item.first_error_step, _visible(line)
    in_error, in_suspect = step_of == error, step_of == line.predicted_first_error
    if error is None or error < 0:
        share, shown = float("nan"), NOT_KNOWN
    else:
        share = float(in_error.mean()) if len(step_of) else 0.0
        shown = NOT_KNOWN if visible is None else int(visible[in_error].any())
    return HeatSummary(
        lowest_step=int(step_of[coloured.argmin()]) if (coloured < 0).any() else NO_STEP,
        error_share=share,
        visible=NOT_KNOWN if visible is None else int(visible.any()),
        visible_in_error=shown,
        suspect_visible=float("nan") if visible is None or not in_suspect.any() else float(visible[in_suspect].mean()),
    )


def _visible(line: ScoredTrace) -> np.ndarray | None:
    """Which tokens (T,) the page colours against by half of the scale's end or more; None without a scale."""
    if line.token_heat is None or not line.heat_scale:
        return None
    return np.array(line.token_heat, dtype=float) <= -VISIBLE_FROM * line.heat_scale
