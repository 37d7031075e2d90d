"""Fit the small model that turns a critic's evidence into probabilities, and choose the thresholds.

From labelled development sets:
  python -m train.calibrate --critic FOLDER --traces labelled.jsonl [more.jsonl ...] --source "MR-GSM8K, ..."
From demonstrations alone, right as they are and wrong where one of their steps was edited, so that the place of the
first error is known and nobody labelled anything:
  python -m train.calibrate --critic FOLDER --demonstrations gsm8k_train.jsonl --n 300

With --outcomes, traces of other generators of which only the final answer is known to be right or wrong settle,
together with the labelled ones, how probable an error is in the whole trace.

Figures are cross-validated by problem; the model that is saved beside the critic is fitted on all traces. --report-on
adds figures on traces that were not used. A threshold is the best first-error F1, or a stated share of right traces
that may be flagged.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from irl_core.diagnosis.calibration import Calibration, TraceModel
from irl_core.diagnosis.evidence import FEATURES, features, gather
from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.calibration_fit import (
    Hazard,
    Outcomes,
    TraceFit,
    cross_validated,
    cross_validated_traces,
    false_flag_rate,
    fit_hazard,
    fit_trace_model,
    judged_whole,
    shared_out,
    summed,
    threshold_at,
)
from irl_core.evaluation.metrics import (
    StepLabels,
    brier_score,
    expected_calibration_error,
    first_error_f1,
    oracle_threshold,
    suspects_at,
    trace_auroc,
)
from irl_core.evaluation.trace_files import read_traces
from irl_core.learning.data.demonstrations import load_gsm8k
from irl_core.learning.data.edited_solutions import edited_solutions
from irl_core.loading import load_critic
from irl_core.text.json_lines import BadLine
from irl_core.text.traces import Trace
from train.cli import output_file, parse_args, print_figures

WINDOW = 64


class Example(NamedTuple):
    """A trace whose first wrong step is known; -1 for none."""

    question: str
    trace: Trace
    first_error: int


class Evidence(NamedTuple):
    """Features (K, F) of each trace, its label, its problem, and its trace score."""

    rows: list[np.ndarray]
    first_error: np.ndarray
    problems: np.ndarray
    scores: np.ndarray

    def labels(self, probability: Sequence[np.ndarray]) -> StepLabels:
        """The traces with each step's probability of being the first wrong one."""
        rewards = [row[:, FEATURES.index("reward")] for row in self.rows]
        return StepLabels.of(probability, rewards, self.first_error.tolist())


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parse_args(parser, argv)
    if args.traces and not args.source:
        parser.error("--source: say in words what the traces are; it is shown beside every diagnosis")
    examples = list(labelled(args.traces) if args.traces else from_demonstrations(args))
    if not any(x.first_error >= 0 for x in examples):
        parser.error("a calibration needs traces with a first_error_step, and one of them at least has to be wrong")
    critic = load_critic(args.critic)
    evidence = collect(critic, examples)
    others = [collect(critic, list(with_outcome(path))) for path in args.outcomes]
    probabilities, pools, fit = held_out_probabilities(evidence, others, args.penalty)
    whole = None
    if fit is not None:
        names = ", ".join(["the traces with step labels", *(path.stem for path in args.outcomes)])
        n = len(examples) + sum(pool["n"] for pool in pools)
        whole = TraceModel(**fit._asdict(), source=names, n_traces=n)
    held_out = evidence.labels(probabilities)
    hazard = fit_hazard(evidence.rows, evidence.first_error, args.penalty)
    calibration = calibrate(args, hazard, held_out, whole)
    out = args.out or critic.path / "calibration.json"
    out.write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
    figures = {
        "n": len(examples),
        "erroneous": int(held_out.erroneous.sum()),
        "cross_validated": figures_of(held_out, calibration.threshold, evidence.problems),
        **{
            key: getattr(calibration, key) for key in ("threshold", "unsure_above", "false_flag_rate", "not_sure_rate")
        },
        "weights": dict(zip(FEATURES, np.round(hazard.weights, 3).tolist(), strict=True)),
        "calibration": str(out),
    }
    if whole is not None:
        figures |= {"trace_model": whole.model_dump(), "outcomes": pools}
    if args.report_on:
        other = collect(critic, list(labelled(args.report_on)))
        steps = other.labels(judged_whole([hazard.first_error(row) for row in other.rows], other.scores, fit))
        figures["reported_on"] = figures_of(steps, calibration.threshold, other.problems)
    print_figures(figures)


def held_out_probabilities(
    evidence: Evidence, others: Sequence[Evidence], penalty: float
) -> tuple[list[np.ndarray], list[dict[str, Any]], TraceFit | None]:
    """Of the labelled traces under models that had not seen their problem; figures of each of the others; and, where
    there are others, the model of whole traces fitted on all."""
    rows = [row for other in others for row in other.rows]
    problems = np.concatenate([evidence.problems, *(other.problems for other in others)])
    n = len(evidence.rows)
    found = cross_validated(*evidence[:3], penalty, rows, problems[n:])
    if not others:
        return found, [], None
    sources = [evidence, *others]
    ends = np.cumsum([len(source.rows) for source in sources])
    parts = [found[end - len(source.rows) : end] for source, end in zip(sources, ends, strict=True)]
    pools = [
        Outcomes(summed(part), source.scores, source.first_error >= 0, source.problems)
        for source, part in zip(sources, parts, strict=True)
    ]
    wrong = cross_validated_traces(pools)
    figures = [trace_figures(p, pool.wrong, pool.problems) for p, pool in zip(wrong[1:], pools[1:], strict=True)]
    return shared_out(found[:n], wrong[0]), figures, fit_trace_model(pools)


def trace_figures(wrong: np.ndarray, erroneous: np.ndarray, problems: np.ndarray) -> dict[str, Any]:
    """How well the probability of an error (N,) tells wrong traces apart, and whether it means what it says."""
    bootstrap = ProblemBootstrap(problems)
    return {
        "n": len(wrong),
        "auroc": trace_auroc(-wrong, erroneous, bootstrap),
        "ece": expected_calibration_error(wrong, erroneous, bootstrap),
        "brier": brier_score(wrong, erroneous, bootstrap),
    }


def calibrate(args: argparse.Namespace, hazard: Hazard, held_out: StepLabels, whole: TraceFit | None) -> Calibration:
    """The fitted model with its thresholds, chosen on probabilities of models that had not seen the problem."""
    wrong, erroneous = held_out.trace_probability(), held_out.erroneous
    if args.false_flag_rate is None:
        threshold = min(1.0, oracle_threshold(held_out) or 0.5)
    else:
        threshold = threshold_at(wrong, erroneous, args.false_flag_rate)
    unsure = min(threshold, threshold_at(wrong, erroneous, args.not_sure_rate))
    return Calibration(
        features=FEATURES,
        mean=tuple(hazard.mean.tolist()),
        scale=tuple(hazard.scale.tolist()),
        weights=tuple(hazard.weights.tolist()),
        intercept=hazard.intercept,
        threshold=threshold,
        unsure_above=unsure,
        source=args.source or "GSM8K's training solutions and generated problems, half of them with one step edited",
        n_traces=len(held_out),
        supervision=("step labels" if args.traces else "demonstrations") + (" and outcomes" if whole else ""),
        false_flag_rate=false_flag_rate(wrong, erroneous, threshold),
        not_sure_rate=false_flag_rate(wrong, erroneous, unsure),
        trace_model=whole,
    )


def labelled(paths: Sequence[Path]) -> Iterator[Example]:
    """The traces of files that have step labels."""
    for path in paths:
        for line in read_traces(path):
            if not isinstance(line, BadLine) and line.first_error_step is not None:
                yield Example(line.question, line.trace, line.first_error_step)


def with_outcome(path: Path) -> Iterator[Example]:
    """The traces of a file that are known to end right or wrong; a wrong one is wrong somewhere."""
    for line in read_traces(path):
        if not isinstance(line, BadLine) and line.final_correct is not None:
            yield Example(line.question, line.trace, -1 if line.final_correct else 0)


def from_demonstrations(args: argparse.Namespace) -> Iterator[Example]:
    """Each solution as it stands and with an edited step."""
    rng = random.Random(args.seed)
    for one in edited_solutions(load_gsm8k(args.demonstrations), args.n, "train", rng):
        yield Example(one.question, Trace.from_text(one.right), -1)
        yield Example(one.question, Trace.from_text(one.wrong), one.step)


def figures_of(steps: StepLabels, threshold: float, problems: np.ndarray) -> dict[str, Any]:
    """How well the probabilities localise, and whether they mean what they say."""
    bootstrap = ProblemBootstrap(problems)
    wrong = steps.trace_probability()
    hits = (steps.most_suspect() == steps.first_error).astype(float)
    best = oracle_threshold(steps)
    by_step = ProblemBootstrap(np.repeat(problems, steps.n_steps))
    whole = trace_figures(wrong, steps.erroneous, problems)
    return {
        **first_error_f1(suspects_at(steps, threshold), steps.first_error, bootstrap),
        "f1_oracle": best and first_error_f1(suspects_at(steps, best), steps.first_error, bootstrap)["f1"],
        "threshold_oracle": best,
        "top1": bootstrap.mean(hits, steps.erroneous),
        **{key: whole[key] for key in ("auroc", "ece", "brier")},
        "step_ece": expected_calibration_error(steps.probability, steps.is_first_error, by_step),
    }


def collect(critic, examples: Sequence[Example]) -> Evidence:
    """What the diagnosis would know of every step."""
    rows, traces = [], []
    for start in tqdm(range(0, len(examples), WINDOW), desc="scoring", unit="batch"):
        window = examples[start : start + WINDOW]
        scores = critic.score_many([(x.question, x.trace) for x in window])
        rows += [np.array(features(gather(x.question, x.trace, s))) for x, s in zip(window, scores, strict=True)]
        traces += [s.trace_score for s in scores]
    problems = np.array([x.question for x in examples])
    return Evidence(rows, np.array([x.first_error for x in examples]), problems, np.array(traces))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.calibrate", description=__doc__)
    parser.add_argument("--critic", help="critic folder; without it the shipped one")
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--traces", nargs="+", type=Path, help="labelled traces, JSON lines")
    data.add_argument("--demonstrations", help="GSM8K train as JSON lines, or its hub name: no labels are used")
    parser.add_argument("--n", type=int, default=300, help="demonstrations, and as many generated problems")
    parser.add_argument(
        "--outcomes",
        nargs="+",
        type=Path,
        default=[],
        metavar="T.jsonl",
        help="traces with final_correct, a source each",
    )
    parser.add_argument("--source", help="what the traces are, in words, for the record")
    parser.add_argument("--report-on", nargs="+", type=Path, metavar="T.jsonl", help="labelled traces to judge it on")
    parser.add_argument("--penalty", type=float, default=1.0, help="L2 penalty of the logistic model")
    parser.add_argument(
        "--false-flag-rate", type=_share, help="share of right traces that may be 'suspect'; without it the best F1"
    )
    parser.add_argument(
        "--not-sure-rate", type=_share, default=0.3, help="share of right traces that may be 'not sure' or 'suspect'"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the choice of demonstrations and edits")
    parser.add_argument("--out", type=output_file, metavar="calibration.json", help="without it, beside the critic")
    return parser


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, not {value}")
    return value


if __name__ == "__main__":
    main()
