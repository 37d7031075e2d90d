"""From scored traces to the report: every figure with its interval, parts without labels null."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from irl_core.diagnosis.calibration import calibration_of
from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.metrics import (
    best_constant_top1,
    brier_score,
    chance_top1,
    error_detection_mcc,
    expected_calibration_error,
    first_error_f1,
    length_correlation,
    oracle_threshold,
    reliability_curve,
    score_by_length,
    step_auroc,
    suspects_at,
    trace_auroc,
    within_problem_auroc,
)
from irl_core.evaluation.scoring import ScoringCritic
from irl_core.evaluation.selection import selection_report
from irl_core.evaluation.trace_table import UNKNOWN, UNLABELLED, TraceTable, TraceTableBuilder

MAX_GENERATORS = 24


@dataclass(frozen=True)
class Settings:
    """What the figures depend on beside the scores: two numbers of the critic, and the bootstrap.

    `threshold` is that of the critic's calibration, None where it has none.
    """

    threshold: float | None
    weight_temperature: float
    resamples: int = 1000
    seed: int = 0

    def bootstrap(self, problems: np.ndarray) -> ProblemBootstrap:
        return ProblemBootstrap(problems, resamples=self.resamples, seed=self.seed)


def build_report(
    builder: TraceTableBuilder, critic: ScoringCritic, *, resamples: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """The report of a whole file, ready for JSON. `resamples` and `seed` are the bootstrap's.

    `notes` says in words what a reader of the figures has to know about this file.
    """
    table = builder.table()
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
        "n_problems": builder.n_problems,
        "n_tokens": builder.n_tokens,
        "tokens_per_second": builder.timed_tokens / builder.seconds if builder.seconds > 0 else None,
        "skipped": [{"line": bad.line, "reason": bad.reason} for bad in builder.skipped],
        **parts(table, settings),
        "generators": generator_reports(table, settings),
        "notes": list(_notes(builder, table)),
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
    """How well the trace score and the trace's error probability tell right from wrong; None without labels."""
    table = table.where(table.has_verdict)
    if not len(table):
        return None
    probability = np.minimum(1.0, np.add.reduceat(table.step_probability, table.starts[:-1]))
    wrong, bootstrap = table.wrong, settings.bootstrap(table.problem)
    return {
        "auroc": trace_auroc(table.score, wrong, bootstrap),
        "auroc_within_problem": within_problem_auroc(
            table.score, wrong, table.problem, resamples=settings.resamples, seed=settings.seed
        ),
        "ece": expected_calibration_error(probability, wrong, bootstrap),
        "brier": brier_score(probability, wrong, bootstrap),
        "length_correlation": length_correlation(table.score, table.length, bootstrap),
        "reliability": reliability_curve(probability, wrong),
        "score_by_length": score_by_length(table.score, table.length, wrong),
    }


def localisation_report(table: TraceTable, settings: Settings) -> dict[str, Any] | None:
    """Where the first error is put; None without step labels. `f1_oracle`'s interval holds its threshold fixed.

    `f1_arithmetic` is that of no model at all: the first step with a false equation is named, no other trace marked.
    `first_step_accuracy` is `accuracy_error` under the name that MR-GSM8K gives it. The calibration of the steps is
    that of P(this step is the first wrong one), over all steps of the labelled traces.
    """
    table = table.where(table.first_error != UNLABELLED)
    if not len(table):
        return None
    steps, bootstrap = table.steps(), settings.bootstrap(table.problem)
    best = oracle_threshold(steps)
    oracle = {} if best is None else first_error_f1(suspects_at(steps, best), steps.first_error, bootstrap)
    hits = (steps.most_suspect() == steps.first_error).astype(float)
    found = first_error_f1(table.predicted, steps.first_error, bootstrap)
    by_step = settings.bootstrap(np.repeat(table.problem, steps.n_steps))
    happened = steps.is_first_error
    return {
        **found,
        "threshold": settings.threshold,
        "f1_oracle": oracle.get("f1"),
        "threshold_oracle": best,
        "f1_arithmetic": first_error_f1(table.false_equation, steps.first_error, bootstrap)["f1"],
        "top1": bootstrap.mean(hits, steps.erroneous),
        "top1_chance": chance_top1(steps),
        "top1_best_constant": best_constant_top1(steps),
        "step_auroc": step_auroc(steps, table.problem, resamples=settings.resamples, seed=settings.seed),
        "mcc": error_detection_mcc(table.predicted, steps.first_error, bootstrap),
        "first_step_accuracy": found["accuracy_error"],
        "step_ece": expected_calibration_error(steps.probability, happened, by_step),
        "step_brier": brier_score(steps.probability, happened, by_step),
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


def _notes(builder: TraceTableBuilder, table: TraceTable) -> Iterator[str]:
    if builder.borrowed_logprobs:
        yield (
            "logprob: the file gives no log-probabilities of the policies that drew the traces (mean_logprob); "
            "those of the critic's own reference policy stand in for them."
        )
    if (table.final_correct == UNKNOWN).any():
        yield "selection: problems with a candidate whose final answer was not checked are left out."
    if len(table.generators) > MAX_GENERATORS:
        yield f"generators: the {MAX_GENERATORS} most frequent of {len(table.generators)} have rows of their own."
