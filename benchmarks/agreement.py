"""Do the policy's own solutions compute what a step computes, and does knowing that help to find the first wrong one?

    python -m train.sample --policy standard --problems questions.jsonl --n 8 --max-tokens 256 --out samples.jsonl
    python -m benchmarks.agreement --critic standard --traces labelled.jsonl --sampled samples.jsonl --penalty 20

Of each step: the share of its question's samples that compute its results too, and how much less that is than of the
step before. Both join the features of the diagnosis; everything is cross-validated by problem, and differences are
paired. Traces whose question has no sample are left out.
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
from irl_core.diagnosis.evidence import FEATURES, features, gather
from irl_core.evaluation.bootstrap import Figure, ProblemBootstrap, auroc
from irl_core.evaluation.calibration_fit import cross_validated
from irl_core.evaluation.localisation_metrics import StepLabels, oracle_f1
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
    items, statistics = read_file(critic, args.traces, args.limit, args.cache)
    samples = results_of_samples(args.sampled)
    rows, agreement, kept = [], [], []
    for item, (encoded, of_tokens) in zip(items, statistics, strict=True):
        if item.first_error_step is None or item.question not in samples:
            continue
        score = score_trace(critic.card, item.question, item.trace, encoded, of_tokens)
        rows.append(np.array(features(gather(item.question, item.trace, score))))
        agreement.append(step_agreement(item.question, item.trace, samples[item.question]))
        kept.append(item)
    if not any(item.first_error_step not in (None, -1) for item in kept):
        parser.error("no erroneous trace of --traces has a question that --sampled has too")
    joined = [np.concatenate([row, share], 1) for row, share in zip(rows, agreement, strict=True)]
    print_figures({"critic": critic.name, "n": len(kept), "left_out": len(items) - len(kept)}
                  | compared(kept, rows, joined, args.penalty))  # fmt: skip


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
    items: Sequence[LabelledTrace], rows: Sequence[np.ndarray], joined: Sequence[np.ndarray], penalty: float
) -> dict[str, Any]:
    """Figures without and with agreement, and the paired differences."""
    first_error = np.array([item.first_error_step for item in items])
    problems = np.unique([item.question for item in items], return_inverse=True)[1]
    bootstrap = ProblemBootstrap(problems)
    rewards = [row[:, FEATURES.index("reward")] for row in rows]
    labels = {
        name: StepLabels.of(cross_validated(x, first_error, problems, penalty), rewards, first_error.tolist())
        for name, x in (("without", rows), ("with", joined))
    }
    figures: dict[str, Any] = {name: _figures(steps, bootstrap) for name, steps in labels.items()}
    hits = {name: (steps.most_suspect() == first_error).astype(float) for name, steps in labels.items()}
    aurocs = {name: auroc(-steps.trace_probability(), ~steps.erroneous) for name, steps in labels.items()}
    return figures | {
        "difference": {
            "top1": bootstrap.mean(hits["with"] - hits["without"], first_error >= 0),
            "auroc": bootstrap.figure(lambda w: aurocs["with"](w) - aurocs["without"](w), len(items)),
        }
    }


def _figures(steps: StepLabels, bootstrap: ProblemBootstrap) -> dict[str, Figure | None]:
    hits = (steps.most_suspect() == steps.first_error).astype(float)
    return {
        "f1_oracle": oracle_f1(steps, bootstrap).f1,
        "top1": bootstrap.mean(hits, steps.erroneous),
        "auroc": bootstrap.figure(auroc(-steps.trace_probability(), ~steps.erroneous), len(steps)),
    }


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description=__doc__)
    parser.add_argument("--critic", help="a critic's folder or name; without it the shipped one")
    parser.add_argument("--traces", type=Path, required=True, help="traces with step labels, JSON lines")
    parser.add_argument("--sampled", type=Path, required=True, help="solutions of the same questions, of train.sample")
    parser.add_argument("--penalty", type=float, default=1.0, help="L2 penalty of the logistic model")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N traces only")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keep what the model said, and go on from it")
    return parser


if __name__ == "__main__":
    main()
