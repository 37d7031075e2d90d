"""Do the policy's own solutions compute what a step computes, and does that find the first wrong step?

    python -m train.sample --policy standard --problems questions.jsonl --n 8 --max-tokens 256 --out samples.jsonl
    python -m benchmarks.agreement --critic standard --traces labelled.jsonl --sampled samples.jsonl

Of each step: the share of its question's samples that compute its results too, and how much less that is than of the
step before. The step that loses most is held against the one that the critic's diagnosis finds most probable, and the
difference is paired. Traces whose question has no sample are left out.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.token_statistics import read_file
from irl_core.critic.rewards import score_trace
from irl_core.diagnosis.suspect_step import diagnose_scored
from irl_core.evaluation.bootstrap import ProblemBootstrap, auroc
from irl_core.evaluation.localisation_metrics import StepLabels
from irl_core.evaluation.trace_files import LabelledTrace, read_traces
from irl_core.loading import load_critic
from irl_core.text.number_use import numbers_in, results_in
from irl_core.text.traces import Trace
from train.cli import parse_args, print_figures

Results = Sequence[set[Fraction]]
"""What each sample of a question computes."""


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parse_args(parser, argv)
    critic = load_critic(args.critic)
    if critic.calibration is None:
        parser.error(f"the critic {critic.name} has no calibration: make one with `python -m train.calibrate`")
    items, statistics = read_file(critic, args.traces, args.limit, args.cache)
    samples = results_of_samples(args.sampled)
    probabilities, agreement, kept = [], [], []
    for item, (encoded, of_tokens) in zip(items, statistics, strict=True):
        if item.first_error_step is None or item.question not in samples:
            continue
        score = score_trace(critic.card, item.question, item.trace, encoded, of_tokens)
        found = diagnose_scored(item.question, item.trace, score, critic.calibration)
        probabilities.append(np.array([step.error_probability for step in found.steps], dtype=float))
        agreement.append(step_agreement(item.question, item.trace, samples[item.question]))
        kept.append(item)
    if not any(item.first_error_step not in (None, -1) for item in kept):
        parser.error("no erroneous trace of --traces has a question that --sampled has too")
    print_figures({"critic": critic.name, "n": len(kept), "left_out": len(items) - len(kept)}
                  | compared(kept, probabilities, agreement))  # fmt: skip


def results_of_samples(path: Path) -> Mapping[str, Results]:
    """The numbers that each sample of a question computes, by question."""
    results: dict[str, list[set[Fraction]]] = defaultdict(list)
    for line in read_traces(path):
        if isinstance(line, LabelledTrace):
            results[line.question].append(results_in(line.trace.text))
    return results


def step_agreement(question: str, trace: Trace, samples: Results) -> np.ndarray:
    """The share of samples that compute a step's results, and what it lost since the step before; (K, 2).

    Of several results the rarest counts; a step without any has the share of the step before, the first has 1.
    Numbers that the question gives say nothing.
    """
    given, before, shares = numbers_in(question), 1.0, []
    for start, end in trace.steps:
        results = results_in(trace.text[start:end]) - given
        share = min((sum(r in sample for sample in samples) / len(samples) for r in results), default=before)
        shares.append((share, before - share))
        before = share
    return np.array(shares)


def compared(
    items: Sequence[LabelledTrace], probabilities: Sequence[np.ndarray], agreement: Sequence[np.ndarray]
) -> dict[str, Any]:
    """Figures of the diagnosis's probabilities (K,) and of `step_agreement` (K, 2), and the paired differences.

    Agreement suspects the step that loses most; a trace is the more suspect, the lower its lowest share.
    """
    first_error = np.array([item.first_error_step for item in items])
    bootstrap = ProblemBootstrap(np.unique([item.question for item in items], return_inverse=True)[1])
    none = [np.zeros(len(p)) for p in probabilities]
    by_diagnosis = StepLabels.of(probabilities, none, first_error.tolist())
    by_agreement = StepLabels.of([shares[:, 1] for shares in agreement], none, first_error.tolist())
    hits = {
        "diagnosis": (by_diagnosis.most_suspect() == first_error).astype(float),
        "agreement": (by_agreement.most_suspect() == first_error).astype(float),
    }
    right = {
        "diagnosis": -by_diagnosis.trace_probability(),
        "agreement": np.array([shares[:, 0].min() for shares in agreement]),
    }
    aurocs = {name: auroc(value, first_error < 0) for name, value in right.items()}
    figures: dict[str, Any] = {
        name: {
            "top1": bootstrap.mean(hits[name], first_error >= 0),
            "auroc": bootstrap.figure(aurocs[name], len(items)),
        }
        for name in hits
    }
    return figures | {
        "difference": {
            "top1": bootstrap.mean(hits["agreement"] - hits["diagnosis"], first_error >= 0),
            "auroc": bootstrap.figure(lambda w: aurocs["agreement"](w) - aurocs["diagnosis"](w), len(items)),
        }
    }


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description=__doc__)
    parser.add_argument("--critic", help="a critic's folder or name; without it the shipped one")
    parser.add_argument("--traces", type=Path, required=True, help="traces with step labels, JSON lines")
    parser.add_argument("--sampled", type=Path, required=True, help="solutions of the same questions, of train.sample")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N traces only")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keep what the model said, and go on from it")
    return parser


if __name__ == "__main__":
    main()
