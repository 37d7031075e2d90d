"""What the colours of the page show, and when it withholds a mark.

Pure functions of arrays (N,), an entry per trace. Every figure carries a bootstrap interval over problems.
"""

from __future__ import annotations

import numpy as np

from irl_core.evaluation.bootstrap import Figure, ProblemBootstrap
from irl_core.evaluation.localisation_metrics import StepLabels
from irl_core.evaluation.trace_table import TraceTable

Figures = dict[str, Figure | None]
ABSTENTION = (
    *("outside_rate", "not_sure_rate", "outside_or_unsure_right", "outside_or_unsure_wrong"),
    *("wrong_marks_held_back", "right_marks_held_back"),
)
"""Names of the figures of `abstention`."""


def pointing(
    lowest_step: np.ndarray, error_share: np.ndarray, first_error: np.ndarray, bootstrap: ProblemBootstrap
) -> Figures:
    """How often the most negative token of an erroneous trace lies in its first wrong step.

    Takes the step of that token (-1: no token is negative), the share of the tokens that the first wrong step holds,
    and that step (-1: none). `pointing_chance` is what a random token would reach, `pointing_over_chance` the quotient
    of the two: 1 is chance.
    """
    erroneous = first_error >= 0
    hits = ((lowest_step == first_error) & erroneous).astype(float)
    shares, n = np.where(erroneous, error_share, 0.0), int(erroneous.sum())
    return {
        "pointing": bootstrap.mean(hits, erroneous),
        "pointing_chance": bootstrap.mean(shares, erroneous),
        "pointing_over_chance": bootstrap.interval(bootstrap.ratio(hits, shares), n),
    }


def visibility(table: TraceTable, bootstrap: ProblemBootstrap) -> Figures:
    """`heat_right`, `heat_error` and `heat_spread`, over the traces whose colours have a scale.

    The share of right traces that show a visible token, of erroneous ones that show one in the first wrong step, and
    the median share of a first suspect step's tokens that are visible.
    """
    erroneous = table.first_error >= 0
    return {
        "heat_right": bootstrap.mean(table.visible, table.has_heat & ~erroneous),
        "heat_error": bootstrap.mean(table.visible_in_error, table.has_heat & erroneous),
        "heat_spread": bootstrap.median(table.suspect_visible, ~np.isnan(table.suspect_visible)),
    }


def abstention(table: TraceTable, steps: StepLabels, threshold: float, bootstrap: ProblemBootstrap) -> Figures:
    """How often no mark is made because the text is outside or the evidence not enough, and which marks that spares.

    Where P(error) reaches the threshold, the most probable step would be marked. `wrong_marks_held_back` is the share
    of those marks that would be wrong (the trace is right, or another step is its first wrong one) and are held back,
    `right_marks_held_back` that of the right ones: an abstention that chooses well has more of the former.
    """
    held = ((table.outside == 1) | (table.not_sure == 1)).astype(float)
    marked, hit = steps.trace_probability() >= threshold, steps.most_suspect() == steps.first_error
    return {
        "outside_rate": bootstrap.mean(table.outside),
        "not_sure_rate": bootstrap.mean(table.not_sure),
        "outside_or_unsure_right": bootstrap.mean(held, ~steps.erroneous),
        "outside_or_unsure_wrong": bootstrap.mean(held, steps.erroneous),
        "wrong_marks_held_back": bootstrap.mean(held, marked & ~hit),
        "right_marks_held_back": bootstrap.mean(held, marked & hit),
    }
