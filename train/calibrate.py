"""Fit the small model that turns a critic's evidence into probabilities, and choose the thresholds.

From labelled development sets:
  python -m train.calibrate --critic FOLDER --traces labelled.jsonl [more.jsonl ...] --source "MR-GSM8K, ..."
From demonstrations alone, right as they are and wrong where one of their steps was edited, so that the place of the
first error is known and nobody labelled anything:
  python -m train.calibrate --critic FOLDER --demonstrations gsm8k_train.jsonl --n 300

With --outcomes, traces of other generators of which only the final answer is known to be right or wrong settle,
together with the labelled ones, how probable an error is in the whole trace.

A threshold is the best first-error F1, or a stated share of right traces that may be flagged. Figures are
cross-validated by problem, and each trace is held against thresholds that were chosen without its problem; the best
that one threshold could have done for all is reported apart (f1_oracle, threshold_oracle). The model and the
thresholds that are saved beside the critic are fitted on all traces. --report-on adds figures on traces that were not
used.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from irl_core.critic.names import calibration_file
from irl_core.diagnosis.calibration import Calibration, TraceModel
from irl_core.diagnosis.evidence import FEATURES
from irl_core.evaluation.calibration_data import (
    CalibrationData,
    CalibrationExample,
    collect_features,
    traces_with_outcomes,
    traces_with_step_labels,
)
from irl_core.evaluation.calibration_fit import CalibrationModel, HeldOut, fit_calibration, held_out_predictions
from irl_core.evaluation.calibration_report import detection_figures, localisation_figures
from irl_core.evaluation.calibration_thresholds import (
    FlagRates,
    ThresholdRule,
    Thresholds,
    flag_rates,
    held_out_thresholds,
)
from irl_core.learning.data.demonstrations import load_gsm8k
from irl_core.learning.data.edited_solutions import edited_solutions
from irl_core.loading import load_critic
from irl_core.text.traces import Trace

from .cli import output_file, parse_args, print_figures

EDITED = "GSM8K's training solutions and generated problems, half of them with one step edited"


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parse_args(parser, argv)
    if args.traces and not args.source:
        parser.error("--source: say in words what the traces are; it is shown beside every diagnosis")
    examples = list(traces_with_step_labels(args.traces) if args.traces else from_demonstrations(args))
    if not any(x.first_error >= 0 for x in examples):
        parser.error("a calibration needs traces with a first_error_step, and one of them at least has to be wrong")
    if len({x.question for x in examples}) < 3:
        parser.error("figures are held out by problem: the traces have to be of three problems at least")

    critic = load_critic(args.critic, calibrated=False)
    labelled = collect_features(critic, examples)
    outcomes = [collect_features(critic, list(traces_with_outcomes(path))) for path in args.outcomes]

    rule = ThresholdRule(args.false_flag_rate, args.not_sure_rate)
    held_out = held_out_predictions(labelled, outcomes, args.penalty)
    thresholds = held_out_thresholds(labelled, outcomes, args.penalty, rule)
    model = fit_calibration(labelled, held_out, args.penalty)
    steps = labelled.step_labels(held_out.steps)
    rates = flag_rates(steps, thresholds)
    calibration = to_calibration(args, model, rule.choose(steps), rates, len(labelled), sum(map(len, outcomes)))

    figures: dict[str, Any] = {
        "n": len(labelled),
        "erroneous": int(labelled.erroneous.sum()),
        "cross_validated": localisation_figures(steps, thresholds.suspect, labelled.problems),
        **calibration.model_dump(include={"threshold", "unsure_above", "false_flag_rate", "not_sure_rate"}),
        "weights": dict(zip(FEATURES, np.round(model.hazard.weights, 3).tolist(), strict=True)),
    }
    if calibration.trace_model is not None:
        figures |= {
            "trace_model": calibration.trace_model.model_dump(),
            "outcomes": outcome_figures(held_out, outcomes),
        }
    if args.report_on:
        other = collect_features(critic, list(traces_with_step_labels(args.report_on)))
        other_steps = other.step_labels(model.predict(other))
        figures["reported_on"] = localisation_figures(other_steps, calibration.threshold, other.problems)

    out = args.out or calibration_file(critic.card, critic.path)
    out.write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
    print_figures(figures | {"calibration": str(out)})


def from_demonstrations(args: argparse.Namespace) -> Iterator[CalibrationExample]:
    """Each solution as it stands and with an edited step."""
    rng = random.Random(args.seed)
    for solution in edited_solutions(load_gsm8k(args.demonstrations), args.n, "train", rng):
        yield CalibrationExample(solution.question, Trace.from_text(solution.right), -1)
        yield CalibrationExample(solution.question, Trace.from_text(solution.wrong), solution.step)


def to_calibration(
    args: argparse.Namespace,
    model: CalibrationModel,
    thresholds: Thresholds,
    rates: FlagRates,
    n_labelled: int,
    n_outcomes: int,
) -> Calibration:
    """The model with its thresholds as it is saved, fitted on so many labelled traces and outcomes."""
    hazard, trace_model = model.hazard, None
    if model.trace_fit is not None:
        fitted_on = ", ".join(["the traces with step labels", *(path.stem for path in args.outcomes)])
        trace_model = TraceModel(**model.trace_fit._asdict(), source=fitted_on, n_traces=n_labelled + n_outcomes)
    return Calibration(
        features=FEATURES,
        mean=tuple(hazard.mean.tolist()),
        scale=tuple(hazard.scale.tolist()),
        weights=tuple(hazard.weights.tolist()),
        intercept=hazard.intercept,
        threshold=thresholds.suspect,
        unsure_above=thresholds.unsure,
        source=args.source or EDITED,
        n_traces=n_labelled,
        supervision=("step labels" if args.traces else "demonstrations") + (" and outcomes" if trace_model else ""),
        false_flag_rate=rates.suspect,
        not_sure_rate=rates.unsure,
        trace_model=trace_model,
    )


def outcome_figures(held_out: HeldOut, outcomes: Sequence[CalibrationData]) -> list[dict[str, Any]]:
    """What the held-out probability of an error is worth on each source of outcomes."""
    return [
        detection_figures(wrong, data.erroneous, data.problems)
        for wrong, data in zip(held_out.wrong_of_others, outcomes, strict=True)
    ]


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
