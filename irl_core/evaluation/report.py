"""From scored traces to the report: every figure with its interval, parts without labels null."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np

from irl_core.answers import answers_match, canonical_answer
from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.data import LabelledTrace
from irl_core.evaluation.metrics import (
    StepLabels,
    best_constant_top1,
    brier_score,
    chance_top1,
    expected_calibration_error,
    first_error_f1,
    length_correlation,
    oracle_threshold,
    step_auroc,
    suspects_at,
    trace_auroc,
    trace_error_probability,
    within_problem_auroc,
)
from irl_core.evaluation.scoring import Scored, ScoringCritic
from irl_core.evaluation.selection import selection_report
from irl_core.json_lines import BadLine
from irl_core.rerank import Candidates, number_groups

TRACE_KEYS = ("auroc", "auroc_within_problem", "ece", "brier", "length_correlation")


@dataclass(frozen=True)
class TraceFigures:
    """The few numbers that are kept of a scored trace; nothing here grows with its tokens."""

    problem: int
    score: float
    step_probability: np.ndarray
    step_reward: np.ndarray
    predicted_first_error: int
    first_error: int | None
    final_correct: bool | None
    answer: bytes | None
    length: int
    logprob: float | None

    @property
    def wrong(self) -> bool | None:
        """A first error decides; where steps are unlabelled, the final answer does."""
        if self.first_error is not None:
            return self.first_error >= 0
        return None if self.final_correct is None else not self.final_correct


@dataclass
class Tally:
    """Collects scored traces and skipped lines, and turns them into the report at the end."""

    traces: list[TraceFigures] = field(default_factory=list)
    skipped: list[BadLine] = field(default_factory=list)
    n_tokens: int = 0
    seconds: float = 0.0
    borrowed_logprobs: bool = False
    _problems: dict[bytes, int] = field(default_factory=dict)

    def add(self, line: Scored | BadLine) -> None:
        if isinstance(line, BadLine):
            self.skipped.append(line)
            return
        item, score = line.item, line.score
        self.n_tokens += len(score.offsets)
        self.seconds += line.seconds
        answer = canonical_answer(item.trace.answer)
        self.traces.append(
            TraceFigures(
                problem=self._problems.setdefault(_digest(item.question.strip()), len(self._problems)),
                score=score.trace_score,
                step_probability=np.array([step.error_probability for step in line.diagnosis.steps]),
                step_reward=np.array(score.step_rewards),
                predicted_first_error=line.predicted_first_error,
                first_error=item.first_error_step,
                final_correct=_final_correct(item),
                answer=None if answer is None else _digest(answer),
                length=len(item.trace.text),
                logprob=self._logprob(line),
            )
        )

    def _logprob(self, line: Scored) -> float | None:
        if line.item.mean_logprob is not None:
            return line.item.mean_logprob
        if not line.score.surprise or not line.score.offsets:
            return None
        self.borrowed_logprobs = True
        return -sum(line.score.surprise) / len(line.score.offsets)

    def report(self, critic: ScoringCritic, *, resamples: int = 1000, seed: int = 0) -> dict[str, Any]:
        """The report of DESIGN section 5, ready for JSON. `resamples` and `seed` are the bootstrap's.

        `notes` says in words what a reader of the figures has to know about this file.
        """
        return {
            "critic": {
                "name": critic.name,
                "path": None if critic.path is None else str(critic.path),
                "sha256": critic.sha256,
                "supervision": critic.supervision,
            },
            "n_traces": len(self.traces),
            "n_problems": len(self._problems),
            "n_tokens": self.n_tokens,
            "tokens_per_second": self.n_tokens / self.seconds if self.seconds > 0 else None,
            "skipped": [{"line": bad.line, "reason": bad.reason} for bad in self.skipped],
            "trace": trace_report(self.traces, resamples=resamples, seed=seed),
            "localisation": localisation_report(
                self.traces, float(critic.calibration.threshold), resamples=resamples, seed=seed
            ),
            "selection": selection_report(
                list(_pools(self.traces)),
                weight_temperature=critic.weight_temperature,
                rng=random.Random(seed),
                resamples=resamples,
                seed=seed,
            ),
            "notes": list(self._notes()),
        }

    def _notes(self) -> Iterator[str]:
        if self.borrowed_logprobs:
            yield (
                "logprob: the file gives no log-probabilities of the policies that drew the traces (mean_logprob); "
                "those of the critic's own reference policy stand in for them."
            )
        if any(trace.final_correct is None for trace in self.traces):
            yield "selection: problems with a candidate whose final answer was not checked are left out."


def _digest(text: str) -> bytes:
    """Stands for a text of any length in memory."""
    return blake2b(text.encode("utf-8"), digest_size=12).digest()


def _final_correct(item: LabelledTrace) -> bool | None:
    """The file's own verdict, else the comparison with the gold answer, else unknown."""
    if item.final_correct is not None or item.gold_answer is None:
        return item.final_correct
    return answers_match(item.gold_answer, item.trace.answer)


def trace_report(traces: list[TraceFigures], *, resamples: int, seed: int) -> dict[str, Any] | None:
    """How well the trace score and the trace's error probability tell right from wrong; None without labels."""
    labelled = [trace for trace in traces if trace.wrong is not None]
    if not labelled:
        return None
    wrong = np.array([trace.wrong for trace in labelled])
    scores = np.array([trace.score for trace in labelled])
    problems = np.array([trace.problem for trace in labelled])
    probability = np.array([trace_error_probability(trace.step_probability) for trace in labelled])
    bootstrap = ProblemBootstrap(problems, resamples=resamples, seed=seed)
    figures = (
        trace_auroc(scores, wrong, bootstrap),
        within_problem_auroc(scores, wrong, problems, resamples=resamples, seed=seed),
        expected_calibration_error(probability, wrong, bootstrap),
        brier_score(probability, wrong, bootstrap),
        length_correlation(scores, np.array([trace.length for trace in labelled]), bootstrap),
    )
    return dict(zip(TRACE_KEYS, figures, strict=True))


def localisation_report(
    traces: list[TraceFigures], threshold: float, *, resamples: int, seed: int
) -> dict[str, Any] | None:
    """Where the first error is put; None without step labels. `f1_oracle`'s interval holds its threshold fixed."""
    labelled = [trace for trace in traces if trace.first_error is not None]
    if not labelled:
        return None
    steps = StepLabels.of(
        [trace.step_probability for trace in labelled],
        [trace.step_reward for trace in labelled],
        [trace.first_error for trace in labelled if trace.first_error is not None],
    )
    problems = np.array([trace.problem for trace in labelled])
    bootstrap = ProblemBootstrap(problems, resamples=resamples, seed=seed)
    predicted = np.array([trace.predicted_first_error for trace in labelled])
    best = oracle_threshold(steps)
    oracle = {} if best is None else first_error_f1(suspects_at(steps, best), steps.first_error, bootstrap)
    hits = (steps.most_suspect() == steps.first_error).astype(float)
    return {
        **first_error_f1(predicted, steps.first_error, bootstrap),
        "threshold": threshold,
        "f1_oracle": oracle.get("f1"),
        "threshold_oracle": best,
        "top1": bootstrap.mean(hits, steps.erroneous),
        "top1_chance": chance_top1(steps),
        "top1_best_constant": best_constant_top1(steps),
        "step_auroc": step_auroc(steps, problems, resamples=resamples, seed=seed),
    }


def _pools(traces: list[TraceFigures]) -> Iterator[Candidates]:
    """The candidates of each problem whose candidates all have a checked final answer."""
    pools: dict[int, list[TraceFigures]] = defaultdict(list)
    for trace in traces:
        pools[trace.problem].append(trace)
    for pool in pools.values():
        if any(trace.final_correct is None for trace in pool):
            continue
        logprobs = [trace.logprob for trace in pool]
        yield Candidates(
            scores=np.array([trace.score for trace in pool]),
            correct=np.array([trace.final_correct for trace in pool]),
            groups=number_groups([trace.answer for trace in pool]),
            lengths=np.array([trace.length for trace in pool]),
            logprobs=None if None in logprobs else np.array(logprobs),
        )
