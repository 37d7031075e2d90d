"""Fit the small model that turns a critic's evidence into probabilities, and choose the thresholds.

    python -m train.calibrate --critic assets/checkpoints/critic --traces labelled.jsonl [more.jsonl ...]

Reported figures are cross-validated by problem; the model that is saved beside the critic is fitted on all traces.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from irl_core.calibration import Calibration
from irl_core.critic import load_critic
from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.calibrating import cross_validated, fit_hazard, unsure_above
from irl_core.evaluation.data import LabelledTrace, read_traces
from irl_core.evaluation.metrics import (
    StepLabels,
    brier_score,
    expected_calibration_error,
    first_error_f1,
    oracle_threshold,
    suspects_at,
    trace_auroc,
)
from irl_core.evidence import FEATURES, features, gather
from irl_core.json_lines import BadLine
from train.cli import parse_args, print_figures

DEFAULT_THRESHOLD = 0.5


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    lines = [line for path in args.traces for line in read_traces(Path(path))]
    labelled = [x for x in lines if not isinstance(x, BadLine) and x.first_error_step is not None]
    if not any(x.first_error_step >= 0 for x in labelled):
        raise SystemExit(
            "a calibration needs traces with a first_error_step, and one of them at least has to be wrong"
        )
    critic = load_critic(args.critic, calibrated=False)
    rows = collect(critic, labelled)
    first_error = np.array([x.first_error_step for x in labelled])
    problems = np.unique([x.question for x in labelled], return_inverse=True)[1]

    held_out = cross_validated(rows, first_error, problems, args.penalty)
    steps = StepLabels.of(held_out, [row[:, FEATURES.index("reward")] for row in rows], first_error.tolist())
    wrong = steps.trace_probability()
    threshold = oracle_threshold(steps) or DEFAULT_THRESHOLD
    hazard = fit_hazard(rows, first_error, args.penalty)
    calibration = Calibration(
        features=FEATURES,
        mean=tuple(hazard.mean.tolist()),
        scale=tuple(hazard.scale.tolist()),
        weights=tuple(hazard.weights.tolist()),
        intercept=hazard.intercept,
        threshold=threshold,
        unsure_above=unsure_above(wrong, steps.erroneous, threshold, args.miss_rate),
        source=args.source,
        n_traces=len(labelled),
        supervision="step labels of the calibration set",
    )
    (critic.path / "calibration.json").write_text(calibration.model_dump_json(indent=1) + "\n")
    print_figures(
        {
            "n": len(labelled),
            "erroneous": int(steps.erroneous.sum()),
            "cross_validated": held_out_figures(steps, threshold, problems),
            "threshold": round(threshold, 4),
            "unsure_above": round(calibration.unsure_above, 4),
            "weights": dict(zip(FEATURES, np.round(hazard.weights, 3).tolist(), strict=True)),
        }
    )


def held_out_figures(steps: StepLabels, threshold: float, problems: np.ndarray) -> dict[str, object]:
    """Figures of models that saw no trace of the problem; the threshold was chosen on all of them."""
    bootstrap = ProblemBootstrap(problems)
    wrong = steps.trace_probability()
    hits = (steps.most_suspect() == steps.first_error).astype(float)
    return {
        **first_error_f1(suspects_at(steps, threshold), steps.first_error, bootstrap),
        "top1": bootstrap.mean(hits, steps.erroneous),
        "auroc": trace_auroc(-wrong, steps.erroneous, bootstrap),
        "ece": expected_calibration_error(wrong, steps.erroneous, bootstrap),
        "brier": brier_score(wrong, steps.erroneous, bootstrap),
    }


def collect(critic, labelled: Sequence[LabelledTrace]) -> list[np.ndarray]:
    """Features (steps, len(FEATURES)) of every trace."""
    rows = []
    for start in tqdm(range(0, len(labelled), 64), desc="scoring", unit="batch"):
        window = labelled[start : start + 64]
        scores = critic.score_many([(x.question, x.trace) for x in window])
        rows += [np.array(features(gather(x.question, x.trace, s))) for x, s in zip(window, scores, strict=True)]
    return rows


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.calibrate", description=__doc__)
    parser.add_argument("--critic", help="critic folder; calibration.json is written into it")
    parser.add_argument("--traces", nargs="+", required=True, help="labelled traces, JSON lines")
    parser.add_argument("--source", required=True, help="what the traces are, in words, for the record")
    parser.add_argument("--penalty", type=float, default=1.0, help="L2 penalty of the logistic model")
    parser.add_argument("--miss-rate", type=float, default=0.2, help="share of wrong traces allowed below 'not sure'")
    return parser


if __name__ == "__main__":
    main()
