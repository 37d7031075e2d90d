"""Score labelled traces with a critic and report how good it is, with intervals and baselines.

  python -m train.evaluate --traces T.jsonl [U.jsonl ...] --out report.json [--html report.html]
      [--save-scores scored.jsonl]

T.jsonl holds one trace per line:
  {"question", "steps": [...] or "solution": "...",
   "id"?, "gold_answer"?, "final_correct"?, "first_error_step"?, "generator"?}
first_error_step counts from 0; -1 says "no error"; absent or null says "not labelled". Lines with the same question
are candidates of one problem. An optional "mean_logprob" (nats per token, of the policy that drew the trace) feeds
the log-probability baseline. Parts of the report whose labels the file lacks are null. A line that cannot be used is
listed in the report with its number and the reason, and skipped. Files of ProcessBench, MR-GSM8K, PRM800K,
RewardBench, TRL's stepwise supervision, Math-Shepherd and ROSCOE (GSM8K) are read as they come, as JSON lines or as
one JSON array; so are datasets of the hub, by their name:
  python -m train.evaluate --traces owner/dataset --split test --out report.json
Several files and datasets in one run give figures over all of them, for each under its name, and a mean over the
files; the same question is the same problem in all of them.

Memory does not grow with the traces' text: a trace leaves some hundred bytes for the figures. After a kill
  python -m train.evaluate ... --save-scores scored.jsonl --resume
goes on behind the last whole line of scored.jsonl. --scores FILE keeps what the critic computed, as train.calibrate's
does: with another calibration the same scores are judged anew, without the critic.

--critic takes a folder, 'surprise' or 'log-ratio'; vllm:NAME is the same on vLLM; NAME@URL,URL#MODEL are servers of
its merged weights, which share the work (docs/serve.md).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from tqdm import tqdm

from irl_core.evaluation.markdown import to_markdown
from irl_core.evaluation.report import PARTS, build_report
from irl_core.evaluation.resuming import drop_torn_line, resume_scoring
from irl_core.evaluation.score_cache import ScoreCache
from irl_core.evaluation.scoring import ScoredTrace, ScoringCritic, score_traces
from irl_core.evaluation.trace_files import LabelledTrace
from irl_core.evaluation.trace_sources import is_hub_name, read_sources, source_names
from irl_core.evaluation.trace_table import ScoredTraces
from irl_core.text.json_lines import BadLine

from .cli import output_file, parse_args, print_figures

OUTPUTS = ("out", "html", "markdown", "save_scores", "scores")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.evaluate", description=__doc__)
    parser.add_argument(
        "--traces", required=True, nargs="+", metavar="T.jsonl", help="the labelled traces: files or hub names"
    )
    parser.add_argument("--split", help="of hub datasets; may be left out where one has only one")
    parser.add_argument("--hub-config", metavar="NAME", help="of hub datasets; may be left out where one has only one")
    parser.add_argument("--out", type=output_file, required=True, metavar="report.json", help="where the report goes")
    parser.add_argument(
        "--critic", metavar="NAME", help="a folder, a name, or one that is served; without it the shipped one"
    )
    parser.add_argument("--html", type=output_file, metavar="report.html", help="the report as one page to look at")
    parser.add_argument("--markdown", type=output_file, metavar="report.md", help="the report as Markdown tables")
    parser.add_argument(
        "--save-scores",
        type=output_file,
        metavar="scored.jsonl",
        help="each line again with its scores, written as it goes",
    )
    parser.add_argument(
        "--scores",
        type=output_file,
        metavar="scores.jsonl",
        help="keep the critic's scores here, as train.calibrate does",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the file that --save-scores names")
    parser.add_argument("--limit", type=_positive, metavar="N", help="score the first N lines of each file only")
    parser.add_argument("--resamples", type=_positive, default=1000, metavar="N", help="bootstrap resamples")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap and of random subsets")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parse_args(parser, argv)
    try:
        check_paths(args)
    except ValueError as problem:
        parser.error(str(problem))
    # torch takes seconds to import: mistakes on the command line are answered before.
    from irl_core.critic.weights import CriticError
    from irl_core.loading import load_critic
    from irl_core.models.download import BackboneError

    try:
        figures = evaluate(args, load_critic(args.critic))
    except (ValueError, ConnectionError, CriticError, BackboneError) as problem:
        parser.error(str(problem))
    print_figures(figures)


def check_paths(args: argparse.Namespace) -> None:
    """Find out before hours of scoring, not after, that a file cannot be read or written.

    Raises:
        ValueError: if traces are missing or given twice, or an output is a folder, an input or another output; or if
            there is nothing to resume into.
    """
    for traces in args.traces:
        if not Path(traces).is_file() and not is_hub_name(traces):
            raise ValueError(f"--traces: there is no file {traces}, and it is no hub name like owner/dataset")
    try:
        source_names(args.traces)
    except ValueError as problem:
        raise ValueError(f"--traces: {problem}") from problem
    if args.resume and not args.save_scores:
        raise ValueError("--resume goes on with a file of scores: name it with --save-scores")
    taken = {Path(traces).resolve(): "--traces" for traces in args.traces}
    for name in OUTPUTS:
        path = getattr(args, name)
        if path is None:
            continue
        option = "--" + name.replace("_", "-")
        if path.is_dir():
            raise ValueError(f"{option}: {path} is a folder; name a file in it")
        if path.resolve() in taken:
            raise ValueError(f"{option} and {taken[path.resolve()]} name the same file, {path}")
        taken[path.resolve()] = option


def evaluate(args: argparse.Namespace, critic: ScoringCritic) -> dict[str, Any]:
    """Score the traces, write what was asked for, and return the figures of the last line.

    Stopped by Ctrl-C, or because a server of the critic is gone, it reports on the traces scored so far.

    Raises:
        ConnectionError: if there are none.
    """
    scored = ScoredTraces(files=source_names(args.traces))
    stopped: str | None = None
    lines, done = _scored_lines(args, critic)
    with args.save_scores.open("a" if done else "w", encoding="utf-8") if args.save_scores else nullcontext() as out:
        try:
            for line in lines:
                if out and isinstance(line, ScoredTrace) and len(scored) >= done:
                    out.write(json.dumps(line.record(), ensure_ascii=False, allow_nan=False) + "\n")
                scored.add(line)
        except (KeyboardInterrupt, ConnectionError) as reason:
            if isinstance(reason, ConnectionError) and not len(scored):
                raise
            stopped = str(reason) or "by Ctrl-C"
            print(f"stopped, {stopped}; reporting on the {len(scored)} traces scored so far", file=sys.stderr)
    report = build_report(scored, critic, resamples=args.resamples, seed=args.seed)
    args.out.write_text(json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1) + "\n", encoding="utf-8")
    if args.html:
        from irl_core.evaluation.report_page import to_html

        args.html.write_text(to_html(report), encoding="utf-8")
    if args.markdown:
        args.markdown.write_text(to_markdown(report), encoding="utf-8")
    return last_line(report, args.out) | ({"stopped": stopped} if stopped else {})


def _scored_lines(args: argparse.Namespace, critic: ScoringCritic) -> tuple[Iterator[ScoredTrace | BadLine], int]:
    """The scored traces, and how many of them the file of scores already holds."""
    traces = _with_progress(args)
    cache = ScoreCache(args.scores, critic.sha256) if args.scores else None
    if not (args.resume and args.save_scores.exists()):
        return score_traces(traces, critic, cache=cache), 0
    done = drop_torn_line(args.save_scores)
    return resume_scoring(traces, args.save_scores, critic, cache), done


def _with_progress(args: argparse.Namespace) -> Iterable[LabelledTrace | BadLine]:
    lines = read_sources(args.traces, config=args.hub_config, split=args.split, limit=args.limit)
    counts = [_count_lines(Path(traces)) for traces in args.traces]
    read = [args.limit if count is None else min(count, args.limit or count) for count in counts]
    total = sum(count or 0 for count in read) if None not in read else None
    shown: Iterable[LabelledTrace | BadLine] = tqdm(
        lines, total=total, unit=" traces", desc="scoring", file=sys.stderr
    )
    return shown


def _count_lines(path: Path) -> int | None:
    """Line breaks of a file; None of a dataset of the hub."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def last_line(report: dict[str, Any], out: Path) -> dict[str, Any]:
    """The report's figures without their intervals, and the means over its files."""
    counts = {key: report[key] for key in ("n_traces", "n_problems", "n_tokens", "tokens_per_second")}
    means = {f"file_means.{key}": value for key, value in _values(report["file_means"] or {})}
    return {**counts, "skipped": len(report["skipped"]), **dict(_values(report)), **means, "report": str(out)}


def _values(report: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The figures of the three parts by dotted names, as far as they are known."""
    for part in PARTS:
        for key, figure in (report.get(part) or {}).items():
            if isinstance(figure, dict) and "value" in figure:
                yield f"{part}.{key}", figure["value"]
            elif isinstance(figure, (int, float)):
                yield f"{part}.{key}", figure


if __name__ == "__main__":
    main()
