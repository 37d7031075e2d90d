"""One JSON of figures from the reports of the other commands, and the tables of the documents from that JSON.

    python -m benchmarks.evidence --report mr-gsm8k/v0=report.json --report style/v0=style.json ... \\
        --figures assets/checkpoints/figures.json --document docs/evidence.md README.md
    python -m benchmarks.evidence --figures assets/checkpoints/figures.json --document docs/evidence.md README.md

A report is what `train.evaluate --out`, `benchmarks.style --out` or the last line of `train.calibrate` or
`train.sample` holds; its name says DATA/MODEL and is where its figures stand in the JSON. `--sampled
svamp/sft=traces.jsonl` takes pass@k with intervals from sampled traces, `--difference svamp/airl=new.jsonl,old.jsonl`
compares two files of them, problem by problem. Without reports the documents are made anew from the JSON as it is.
Reports that are not named keep their place in it.

In a document `<!-- table d4 mr-gsm8k -->` ... `<!-- end -->` encloses a table (d1, d2, d3, d4, calibration or
reliability; of the DATA that are named, or of all), and `<!-- figure mr-gsm8k/v0 localisation.f1 -->` ...
`<!-- end -->` one figure; what stands between is replaced.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.evidence_tables import DIFFERENCE, SAMPLING, filled, kind_of_report
from irl_core.diagnosis.best_of_n import pass_at_k
from irl_core.evaluation.bootstrap import Figure, ProblemBootstrap
from irl_core.evaluation.trace_files import read_traces
from irl_core.text.json_lines import BadLine
from train.cli import parse_args, print_figures

LEFT_OUT = ("critic", "generators", "curve", "curve_interval", "weights", "edits", "tokens_per_second", "seconds")
Figures = dict[str, dict[str, Any]]


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parse_args(parser, argv)
    try:
        figures: Figures = json.loads(args.figures.read_text()) if args.figures.exists() else {}
        for name, path in args.report:
            figures[name] = entry(json.loads(Path(path).read_text()))
        for name, path in args.sampled:
            figures[name] = sampled(Path(path))
        for name, paths in args.difference:
            figures[name] = difference(*map(Path, paths.split(",")))
        figures = dict(sorted(figures.items()))
        documents = {path: filled(path.read_text(encoding="utf-8"), figures) for path in args.document}
    except (OSError, ValueError, TypeError) as problem:
        parser.error(str(problem))
    text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False)
    args.figures.write_text(text + "\n", encoding="utf-8")
    for path, text in documents.items():
        path.write_text(text, encoding="utf-8")
    print_figures({"reports": sorted(figures), "documents": [str(path) for path in args.document]})


def entry(report: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a report: its kind, the model that it judges, and its figures by dotted names.

    Raises:
        ValueError: if no command of ours writes such a report.
    """
    model = report.get("critic") or report.get("policy")
    if isinstance(model, Mapping):  # where it lay on a machine says nothing to a reader
        model = {key: value for key, value in model.items() if key != "path"}
    return {"kind": kind_of_report(report), "model": model, "figures": dict(flat(report))}


def flat(report: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Numbers, and figures with intervals, of nested mappings by dotted names; no curves, lists or speeds."""
    for key, value in report.items():
        if key in LEFT_OUT:
            continue
        if isinstance(value, Mapping) and not value.keys() >= {"value", "low", "high", "n"}:
            yield from flat(value, f"{prefix}{key}.")
        elif isinstance(value, Mapping) or (isinstance(value, (int, float)) and not isinstance(value, bool)):
            yield prefix + key, value


def sampled(path: Path) -> dict[str, Any]:
    """pass@k of the traces in a file, over its problems with checked answers.

    Raises:
        ValueError: if it has none.
    """
    by_question = verdicts(path)
    if not by_question:
        raise ValueError(f"{path} has no problem with checked answers")
    return {"kind": SAMPLING, "model": None, "figures": _pass_figures([list(by_question.values())])}


def difference(new: Path, old: Path) -> dict[str, Any]:
    """pass@k of the traces in `new` less that in `old`, over the problems that both have, paired by problem.

    Raises:
        ValueError: if they share no problem with checked answers.
    """
    ours, theirs = verdicts(new), verdicts(old)
    shared = sorted(ours.keys() & theirs.keys())
    if not shared:
        raise ValueError(f"{new} and {old} have no problem with checked answers in common")
    figures = _pass_figures([[ours[q] for q in shared], [theirs[q] for q in shared]])
    return {"kind": DIFFERENCE, "model": None, "figures": figures}


def _pass_figures(files: Sequence[Sequence[Sequence[bool]]]) -> dict[str, Figure | None]:
    """pass@1, 2, 4 ... of a file, or of one less another, as far as every problem has so many traces."""
    fewest = min(len(verdict) for file in files for verdict in file)
    bootstrap, figures = ProblemBootstrap(np.arange(len(files[0]))), {}
    for k in (2**i for i in range(fewest.bit_length())):
        rates = [np.array([pass_at_k(len(v), sum(v), k) for v in file]) for file in files]
        figures[f"pass@{k}"] = bootstrap.mean(rates[0] - rates[1] if len(rates) > 1 else rates[0])
    return figures


def verdicts(path: Path) -> dict[str, list[bool]]:
    """Whether each trace of each question of a file is right, where that is known."""
    by_question: dict[str, list[bool]] = {}
    for line in read_traces(path):
        if not isinstance(line, BadLine) and line.final_correct is not None:
            by_question.setdefault(line.question, []).append(line.final_correct)
    return by_question


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.add_argument(
        "--report", type=_named, action="append", default=[], metavar="DATA/MODEL=FILE", help="a report to take up"
    )
    parser.add_argument(
        "--sampled",
        type=_named,
        action="append",
        default=[],
        metavar="DATA/MODEL=TRACES",
        help="what train.sample drew",
    )
    parser.add_argument(
        "--difference", type=_named, action="append", default=[], metavar="DATA/MODEL=NEW,OLD", help="sampled traces"
    )
    parser.add_argument("--figures", type=Path, required=True, metavar="figures.json", help="the figures; added to")
    parser.add_argument("--document", type=Path, nargs="*", default=[], metavar="FILE.md", help="to be filled in")
    return parser


def _named(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or name.count("/") != 1:
        raise argparse.ArgumentTypeError(f"write DATA/MODEL=FILE, not {text!r}")
    return name, path


if __name__ == "__main__":
    main()
