"""From scored traces to the report: every figure with its interval, parts without labels null."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from irl_core.diagnosis.calibration import calibration_of
from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.calibration_metrics import brier_score, expected_calibration_error, reliability_curve
from irl_core.evaluation.localisation_metrics import (
    StepLabels,
    best_constant_top1,
    chance_top1,
    error_detection_mcc,
    first_error_f1,
    oracle_f1,
    step_auroc,
)
from irl_core.evaluation.scoring import ScoringCritic
from irl_core.evaluation.selection import selection_report
from irl_core.evaluation.trace_metrics import (
    length_correlation,
    score_by_length,
    trace_auroc,
    within_problem_auroc,
)
from irl_core.evaluation.trace_table import UNKNOWN, UNLABELLED, ScoredTraces, TraceTable

MAX_GENERATORS = 24


@dataclass(frozen=True)
class Settings:
    """What the figures depend on beside the scores: two numbers of the critic, and those of the bootstrap.

    `threshold` is that of the critic's calibration, None where it has none.
    """

    threshold: float | None
    weight_temperature: float
    resamples: int = 1000
    seed: int = 0

    def bootstrap(self, problems: np.ndarray) -> ProblemBootstrap:
        """Resamples of the problems (N,) of N items."""
        return ProblemBootstrap(problems, resamples=self.resamples, seed=self.seed)


def build_report(
    scored: ScoredTraces, critic: ScoringCritic, *, resamples: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """The report of a whole file, ready for JSON. `resamples` and `seed` are the bootstrap's.

    Figures that need labels which the file lacks, or probabilities which the critic lacks, are None. `notes` says in
    words what a reader of the figures has to know about this file and this critic.
    """
    table = scored.table()
    calibration = calibration_of(critic)
    threshold = None if calibration is None else calibration.threshold
    settings = Settings(threshold, critic.weight_temperature, resamples, seed)
    return {
        "critic": {
            "name": critic.name,
            "path": None if critic.path is None else str(critic.path),
            "sha256": critic.sha256,
            "supervision": critic.supervision,
        },
        "n_traces": len(table),
        "n_problems": scored.n_problems,
        "n_tokens": scored.n_tokens,
        "tokens_per_second": scored.timed_tokens / scored.seconds if scored.seconds > 0 else None,
        "skipped": [{"line": bad.line, "reason": bad.reason} for bad in scored.skipped],
        **parts(table, settings),
        "generators": generator_reports(table, settings),
        "notes": list(_notes(scored, table)),
    }


def parts(table: TraceTable, settings: Settings) -> dict[str, Any]:
    """The three parts of a report."""
    return {
        "trace": trace_report(table, settings),
        "localisation": localisation_report(table, settings),
        "selection": selection_report(
            list(table.pools()),
            weight_temperature=settings.weight_temperature,
            rng=random.Random(settings.seed),
            resamples=settings.resamples,
            seed=settings.seed,
        ),
    }


def trace_report(table: TraceTable, settings: Settings) -> dict[str, Any] | None:
    """How well the trace score tells right from wrong, and what P(wrong) is worth; None without labels.

    `ece`, `brier` and `reliability` are of P(wrong), and None where there are no probabilities.
    """
    table = table.where(table.has_verdict)
    if not len(table):
        return None
    wrong, bootstrap = table.wrong, settings.bootstrap(table.problem)
    probability = table.steps().trace_probability() if table.has_probabilities else None
    return {
        "auroc": trace_auroc(table.score, wrong, bootstrap),
        "auroc_within_problem": within_problem_auroc(
            table.score, wrong, table.problem, resamples=settings.resamples, seed=settings.seed
        ),
        "ece": None if probability is None else expected_calibration_error(probability, wrong, bootstrap),
        "brier": None if probability is None else brier_score(probability, wrong, bootstrap),
        "length_correlation": length_correlation(table.score, table.length, bootstrap),
        "reliability": None if probability is None else reliability_curve(probability, wrong),
        "score_by_length": score_by_length(table.score, table.length, wrong),
    }


def localisation_report(table: TraceTable, settings: Settings) -> dict[str, Any] | None:
    """Where the first error is put; None without step labels. `f1_oracle`'s interval holds its threshold fixed.

    `f1_arithmetic` is that of no model at all: the first step with a false equation is named, no other trace marked.
    Without probabilities `top1` and `step_auroc` order the steps by their reward, the lowest most suspect, and what
    needs a probability or a threshold is None.
    """
    table = table.where(table.first_error != UNLABELLED)
    if not len(table):
        return None
    steps, bootstrap = table.steps(), settings.bootstrap(table.problem)
    hits = (steps.most_suspect() == steps.first_error).astype(float)
    return {
        **_threshold_figures(table.predicted, steps, settings.threshold, bootstrap),
        "f1_arithmetic": first_error_f1(table.false_equation, steps.first_error, bootstrap)["f1"],
        "top1": bootstrap.mean(hits, steps.erroneous),
        "top1_chance": chance_top1(steps),
        "top1_best_constant": best_constant_top1(steps),
        "step_auroc": step_auroc(steps, table.problem, resamples=settings.resamples, seed=settings.seed),
        **_step_calibration(steps, settings.bootstrap(np.repeat(table.problem, steps.n_steps))),
    }


def _threshold_figures(
    predicted: np.ndarray, steps: StepLabels, threshold: float | None, bootstrap: ProblemBootstrap
) -> dict[str, Any]:
    """Figures of the steps that were predicted, and of those that the best threshold would have predicted.

    `first_step_accuracy` is `accuracy_error` under the name that MR-GSM8K gives it.
    """
    names = ("f1", "accuracy_error", "accuracy_correct", "threshold", "f1_oracle", "threshold_oracle", "mcc")
    if not steps.has_probabilities:
        return dict.fromkeys((*names, "first_step_accuracy"))
    shipped = first_error_f1(predicted, steps.first_error, bootstrap)
    oracle = oracle_f1(steps, bootstrap)
    return {
        **shipped,
        "threshold": threshold,
        "f1_oracle": oracle.f1,
        "threshold_oracle": oracle.threshold,
        "mcc": error_detection_mcc(predicted, steps.first_error, bootstrap),
        "first_step_accuracy": shipped["accuracy_error"],
    }


def _step_calibration(steps: StepLabels, bootstrap: ProblemBootstrap) -> dict[str, Any]:
    """What P(this step is the first wrong one) is worth, over all steps of the labelled traces."""
    if not steps.has_probabilities:
        return dict.fromkeys(("step_ece", "step_brier", "step_reliability"))
    happened = steps.is_first_error
    return {
        "step_ece": expected_calibration_error(steps.probability, happened, bootstrap),
        "step_brier": brier_score(steps.probability, happened, bootstrap),
        "step_reliability": reliability_curve(steps.probability, happened),
    }


def generator_reports(table: TraceTable, settings: Settings) -> dict[str, dict[str, Any]] | None:
    """The parts again for each generator, the most frequent first: a mixture of them can be told apart by its style.

    None where the file names fewer than two.
    """
    counts = np.bincount(table.generator[table.generator != UNKNOWN], minlength=len(table.generators))
    if len(table.generators) < 2:
        return None
    reports = {}
    for index in np.argsort(-counts, kind="stable")[:MAX_GENERATORS]:
        own = table.where(table.generator == index)
        reports[table.generators[index]] = {"n_traces": len(own), **parts(own, settings)}
    return reports


def _notes(scored: ScoredTraces, table: TraceTable) -> Iterator[str]:
    if not table.has_probabilities:
        yield (
            "probabilities: the critic has no calibration, so figures that need a probability or a threshold are "
            "missing, and the lowest reward marks the most suspect step; `python -m train.calibrate` makes one."
        )
    if scored.borrowed_logprobs:
        yield (
            "logprob: the file gives no log-probabilities of the policies that drew the traces (mean_logprob); "
            "those of the critic's own reference policy stand in for them."
        )
    if (table.final_correct == UNKNOWN).any():
        yield "selection: problems with a candidate whose final answer was not checked are left out."
    if len(table.generators) > MAX_GENERATORS:
        yield f"generators: the {MAX_GENERATORS} most frequent of {len(table.generators)} have rows of their own."
