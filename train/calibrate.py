"""Fit the small model that turns a critic's evidence into probabilities, and choose the thresholds.

  python -m train.calibrate --critic FOLDER --source "in words" --traces zeroeval=A.jsonl,B.jsonl mr=C.jsonl

Each NAME=FILES is a source, and every source weighs the same. Traces with first_error_step say which step is the first
wrong one; of those with final_correct alone it is known that a wrong one is wrong somewhere. --outside names files of
another kind of text, on which the critic is not to judge.

From demonstrations alone, right as they are and with one result broken and carried on, both in random styles:
  python -m train.calibrate --critic FOLDER --demonstrations gsm8k_train.jsonl --n 300

--leave-out-source gives the figures that count: weights, thresholds and the scale of the colours from all other
sources, without the traces of the same problems. --scores FILE keeps the scores, so that a long run can be stopped and
resumed, and fitted anew without the critic.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from irl_core.critic.names import calibration_file
from irl_core.diagnosis.features import FEATURES
from irl_core.evaluation.calibration_data import (
    CalibrationData,
    CalibrationExample,
    KnownCritic,
    collect,
    labelled_traces,
)
from irl_core.evaluation.calibration_folds import held_out_figures
from irl_core.evaluation.calibration_report import Fit, file_figures, left_out_figures
from irl_core.evaluation.calibration_scope import fit_scope, left_out_scope_rates, read_scope
from irl_core.evaluation.calibration_thresholds import ThresholdRule
from irl_core.evaluation.score_cache import ScoreCache
from irl_core.evaluation.trace_sources import file_names
from irl_core.learning.data.demonstrations import load_gsm8k
from irl_core.learning.data.styled_examples import styled_examples
from irl_core.loading import load_critic
from irl_core.text.traces import Trace

from .cli import output_file, parse_args, print_figures

EDITED = "edited demonstrations"


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parse_args(parser, argv)
    if args.traces and not args.source:
        parser.error("--source: say in words what the traces are; it is shown beside every diagnosis")
    named = [source or str(paths) for source, paths in args.traces or ()]
    if args.leave_out_source and len(set(named)) < 2:
        parser.error("--leave-out-source: there is nothing to leave out of one source; name two with --traces")
    critic = load_critic(args.critic, calibrated=False)
    try:
        figures = calibrate(args, critic, args.out or calibration_file(critic.card, critic.path))
    except ValueError as problem:
        parser.error(str(problem))
    print_figures(figures)


def calibrate(args: argparse.Namespace, critic: KnownCritic, out: Path) -> dict[str, Any]:
    """Fit, save, and return the figures of the last line.

    Raises:
        ValueError: if no trace is right, or none is wrong.
    """
    cache = ScoreCache(args.scores, critic.sha256)
    names = names_of(args)
    files = list(read_files(args, critic, cache, names))
    fit = Fit(args.penalty, ThresholdRule(args.false_flag_rate, args.not_sure_rate), args.visible_rate)
    calibration = fit.calibrate(files, args.source or EDITED, supervision_of(args, files))
    inside = [read_scope(path, names[path], source, args.limit) for source, path in sources(args, names)]
    outside = [read_scope(path, names[path], names[path], args.limit) for path in args.outside]
    if outside:
        scope = fit_scope(inside, outside, args.outside_threshold)
        rates = left_out_scope_rates(inside, outside, args.outside_threshold)
        rate = sum(rates[data.name] for data in inside) / len(inside)
        calibration = calibration.model_copy(update={"scope": scope.model_copy(update={"rate_inside": rate})})
    out.write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
    figures: dict[str, Any] = {
        "in_sample": {data.name: file_figures(data, calibration) for data in files},
        **calibration.model_dump(include={"threshold", "unsure_above", "heat_scale", "false_flag_rate", "intercept"}),
        "weights": dict(zip(FEATURES, (round(w, 4) for w in calibration.weights), strict=True)),
        "calibration": str(out),
    }
    if args.leave_out_source:
        figures["left_out"] = left_out_figures(files, fit)
        figures["called_outside"] = rates if outside else {}
    if args.problem_folds:
        figures["problem_held_out"] = held_out_figures(files, args.penalty, fit.rule, args.problem_folds, args.seed)
    if args.report_on:
        others = [
            collect(critic, names[path], names[path], list(labelled_traces(path, args.limit)), cache)
            for path in args.report_on
        ]
        figures["reported_on"] = {data.name: file_figures(data, calibration) for data in others}
    return figures


def names_of(args: argparse.Namespace) -> dict[Path, str]:
    """A name for every file, no two the same, by path.

    Raises:
        ValueError: if a file is in two sources, or twice in one.
    """
    fitted = [path for _, paths in args.traces or () for path in paths]
    for path in fitted:
        if [other.resolve() for other in fitted].count(path.resolve()) > 1:
            raise ValueError(f"--traces: {path} is given more than once")
    return file_names([*fitted, *args.outside, *(args.report_on or ())])


def sources(args: argparse.Namespace, names: Mapping[Path, str]) -> list[tuple[str, Path]]:
    """Every file that is fitted on with its source; one that was given without a source is a source by itself."""
    return [(source or names[path], path) for source, paths in args.traces or () for path in paths]


def read_files(
    args: argparse.Namespace, critic: KnownCritic, cache: ScoreCache, names: Mapping[Path, str]
) -> Sequence[CalibrationData]:
    """The traces to fit on, scored."""
    if not args.traces:
        return [collect(critic, EDITED, EDITED, from_demonstrations(args), cache)]
    return [
        collect(critic, names[path], source, list(labelled_traces(path, args.limit)), cache)
        for source, path in sources(args, names)
    ]


def from_demonstrations(args: argparse.Namespace) -> list[CalibrationExample]:
    """Demonstrations as they stand and with one result broken, in random styles."""
    demonstrations = load_gsm8k(args.demonstrations, keep_marks=True)
    examples = styled_examples(demonstrations, args.n, random.Random(args.seed))
    return [
        CalibrationExample(x.question, Trace.from_text(x.solution), x.first_error_step, x.question) for x in examples
    ]


def supervision_of(args: argparse.Namespace, files: Sequence[CalibrationData]) -> str:
    """Whose labels were used, in words."""
    if not args.traces:
        return "demonstrations"
    return "step labels" if all(data.located.all() for data in files) else "step labels and outcomes"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.calibrate", description=__doc__)
    parser.add_argument("--critic", help="critic folder; without it the shipped one")
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument(
        "--traces", nargs="+", type=_source, metavar="NAME=T.jsonl,U.jsonl", help="sources of labelled traces"
    )
    data.add_argument("--demonstrations", help="GSM8K train as JSON lines, or its hub name: no labels are used")
    parser.add_argument("--n", type=int, default=300, help="examples made of demonstrations, half of them wrong")
    parser.add_argument(
        "--outside", nargs="+", type=Path, default=[], metavar="T.jsonl", help="files of another kind of text"
    )
    parser.add_argument("--source", help="what the traces are, in words, for the record")
    parser.add_argument("--limit", type=int, help="read at most so many traces of each file")
    parser.add_argument("--leave-out-source", action="store_true", help="also the figures of each source, left out")
    parser.add_argument(
        "--problem-folds",
        type=int,
        metavar="K",
        help="also figures with problems held out, in so many folds",
    )
    parser.add_argument("--report-on", nargs="+", type=Path, metavar="T.jsonl", help="labelled traces to judge it on")
    parser.add_argument("--scores", type=output_file, metavar="scores.jsonl", help="keep the critic's scores here")
    parser.add_argument("--penalty", type=float, default=1.0, help="L2 penalty of the model")
    parser.add_argument(
        "--false-flag-rate", type=_share, default=0.35, help="share of any file's right traces that may be 'suspect'"
    )
    parser.add_argument(
        "--not-sure-rate", type=_share, default=0.45, help="share of right traces that may be 'not sure' or 'suspect'"
    )
    parser.add_argument(
        "--visible-rate", type=_share, default=0.27, help="share of right traces that may show a coloured token"
    )
    parser.add_argument(
        "--outside-threshold", type=_share, default=0.7, help="from which probability on a text is another kind"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the choice of demonstrations and edits")
    parser.add_argument("--out", type=output_file, metavar="calibration.json", help="without it, beside the critic")
    return parser


def _source(text: str) -> tuple[str, list[Path]]:
    name, equals, files = text.partition("=")
    paths = [Path(file) for file in (files if equals else text).split(",")]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise argparse.ArgumentTypeError(f"there is no file {', '.join(missing)}")
    return (name if equals else ""), paths


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, not {value}")
    return value


if __name__ == "__main__":
    main()
