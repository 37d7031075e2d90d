"""Fit the small model that turns a critic's evidence into probabilities, and choose the thresholds.

    python -m train.calibrate --critic assets/checkpoints/critic --traces labelled.jsonl [more.jsonl ...]

Reported figures are cross-validated by problem; the model that is saved beside the critic is fitted on all traces.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from tqdm import tqdm

from irl_core.calibration import Calibration
from irl_core.critic import load_critic
from irl_core.diagnosis import first_error_probabilities
from irl_core.evaluation.data import BadLine, LabelledTrace, read_traces
from irl_core.evidence import FEATURES, features, gather
from train.cli import parse_args, print_figures

FOLDS = 10


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    lines = [line for path in args.traces for line in read_traces(Path(path))]
    labelled = [x for x in lines if not isinstance(x, BadLine) and x.first_error_step is not None]
    if not labelled:
        raise SystemExit("none of these traces has a first_error_step; a calibration needs labelled traces")
    critic = load_critic(args.critic, dtype=args.dtype)
    rows = collect(critic, labelled)
    first_error = np.array([x.first_error_step for x in labelled])
    groups = np.unique([x.question for x in labelled], return_inverse=True)[1]

    held_out: list[list[float]] = [[] for _ in rows]
    for train, test in GroupKFold(FOLDS).split(rows, groups=groups):
        model = fit([rows[i] for i in train], first_error[train], args.penalty)
        for i in test:
            held_out[i] = predict(model, rows[i])
    threshold, f1 = best_threshold(held_out, first_error)
    mean, scale, weights, intercept = fit(rows, first_error, args.penalty)
    calibration = Calibration(
        features=FEATURES, mean=tuple(mean), scale=tuple(scale), weights=tuple(weights), intercept=intercept,
        threshold=threshold, unsure_above=unsure_above(held_out, first_error, threshold, args.miss_rate),
        source=args.source, n_traces=len(labelled), supervision="step labels of the calibration set",
    )  # fmt: skip
    (critic.path / "calibration.json").write_text(calibration.model_dump_json(indent=1) + "\n")
    erroneous = first_error >= 0
    top1 = np.mean([int(np.argmax(p)) == k for p, k in zip(held_out, first_error, strict=True) if k >= 0])
    figures = {
        "n": len(labelled),
        "erroneous": int(erroneous.sum()),
        "cross_validated": {"f1": round(f1, 4), "top1": round(float(top1), 4)},
        "threshold": round(threshold, 4),
        "unsure_above": round(calibration.unsure_above, 4),
        "weights": dict(zip(FEATURES, np.round(weights, 3).tolist(), strict=True)),
    }
    print_figures(figures)


def collect(critic, labelled: Sequence[LabelledTrace]) -> list[np.ndarray]:
    """Features (steps, len(FEATURES)) of every trace."""
    rows = []
    for start in tqdm(range(0, len(labelled), 64), desc="scoring", unit="batch"):
        window = labelled[start : start + 64]
        scores = critic.score_many([(x.question, x.trace) for x in window])
        rows += [np.array(features(gather(x.question, x.trace, s))) for x, s in zip(window, scores, strict=True)]
    return rows


def fit(rows: Sequence[np.ndarray], first_error: np.ndarray, penalty: float):
    """Mean, scale, weights (F,) and intercept of the hazard, from the steps up to and including each first error.

    This is the likelihood of a discrete-time survival model: steps after the first error say nothing of the hazard.
    """
    x, y = [], []
    for steps, error in zip(rows, first_error, strict=True):
        end = len(steps) if error < 0 else error + 1
        x.append(steps[:end])
        y += [float(k == error) for k in range(end)]
    flat = np.concatenate(x)
    mean, scale = flat.mean(0), flat.std(0) + 1e-6
    model = LogisticRegression(C=1 / penalty, max_iter=1000).fit((flat - mean) / scale, y)
    return mean.tolist(), scale.tolist(), model.coef_[0].tolist(), float(model.intercept_[0])


def predict(model, steps: np.ndarray) -> list[float]:
    """P(step k is the first wrong one) for each step."""
    mean, scale, weights, intercept = model
    logits = (steps - np.array(mean)) / np.array(scale) @ np.array(weights) + intercept
    return first_error_probabilities((1 / (1 + np.exp(-logits))).tolist())


def best_threshold(probabilities: Sequence[Sequence[float]], first_error: np.ndarray) -> tuple[float, float]:
    """The threshold on P(trace wrong) with the best first-error F1 (ProcessBench), and that F1.

    Without correct traces there is no F1; then 0.5 and 0.
    """
    wrong = np.array([sum(p) for p in probabilities])
    hit = np.array([int(np.argmax(p)) for p in probabilities]) == first_error
    erroneous = first_error >= 0
    if erroneous.all():
        return 0.5, 0.0
    best = (0.5, -1.0)
    for threshold in np.unique(np.round(wrong, 3)):
        error = np.mean(hit[erroneous] & (wrong[erroneous] >= threshold))
        correct = np.mean(wrong[~erroneous] < threshold)
        f1 = 2 * error * correct / max(error + correct, 1e-9)
        best = max(best, (float(threshold), float(f1)), key=lambda pair: pair[1])
    return best


def unsure_above(probabilities, first_error: np.ndarray, threshold: float, miss_rate: float) -> float:
    """The largest value such that of the traces below it at most `miss_rate` are wrong; at most the threshold."""
    wrong = np.array([sum(p) for p in probabilities])
    order = np.argsort(wrong)
    rate = np.cumsum(first_error[order] >= 0) / np.arange(1, len(order) + 1)
    fine = np.flatnonzero(rate <= miss_rate)
    return float(min(threshold, wrong[order][fine[-1]])) if len(fine) else 0.0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.calibrate", description=__doc__)
    parser.add_argument("--critic", help="critic folder; calibration.json is written into it")
    parser.add_argument("--traces", nargs="+", required=True, help="labelled traces, JSON lines")
    parser.add_argument("--source", required=True, help="what the traces are, in words, for the record")
    parser.add_argument("--penalty", type=float, default=1.0, help="L2 penalty of the logistic model")
    parser.add_argument("--miss-rate", type=float, default=0.2, help="share of wrong traces allowed below 'not sure'")
    parser.set_defaults(dtype=None)
    return parser


if __name__ == "__main__":
    main()
