"""One model, many cards: which way of turning log-probabilities into rewards localises and reranks best.

    python -m benchmarks.critics --critic FOLDER --traces A.jsonl [B.jsonl ...] [--out table.md]

The model reads every trace once; the cards of the grid are then applied to what it said. Columns: how often the step
of the lowest reward is the first wrong one (`lowest step`), the same and first-error F1 for the hazard model,
cross-validated by problem (`hazard top-1`, `hazard F1`); AUROC of the trace score, pooled and within problem; accuracy
of the critic's pick, the critic-weighted vote and the majority. What a file lacks the labels for is left empty. The
best card of a table was chosen on its file: a development figure.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from irl_core.critic import Critic, load_critic
from irl_core.diagnosis import diagnose
from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.calibrating import cross_validated
from irl_core.evaluation.data import LabelledTrace, read_traces
from irl_core.evaluation.metrics import StepLabels, first_error_f1, oracle_threshold, suspects_at
from irl_core.evaluation.report import build_report
from irl_core.evaluation.scoring import Scored
from irl_core.evaluation.tally import Tally
from irl_core.evidence import FEATURES, features, gather
from irl_core.rewards import CriticCard, score_trace
from irl_core.scoring import EncodedTrace, TokenStatistics
from irl_core.traces import TraceScore
from train.cli import parse_args, print_figures

COLUMNS = (
    "lowest step", "hazard top-1", "hazard F1", "AUROC", "within problem", "critic", "weighted vote", "majority",
)  # fmt: skip
GRID = {
    "word_weight": (1.0, 0.3, 0.1),
    "number_baseline": (0.0, 0.2),
    "false_equation_penalty": (0.0, 1.0),
    "trust_true_equations": (False, True),
}


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    critic = load_critic(args.critic, calibrated=False)
    lines = []
    for path in args.traces:
        items = [line for line in itertools.islice(read_traces(path), args.limit) if isinstance(line, LabelledTrace)]
        said = list(read(critic, items))
        lines += [f"\n{critic.name} on {path.name}, {len(items)} traces\n", header()]
        for changes in grid():
            figures = measure(critic, critic.card.model_copy(update=changes), items, said)
            lines.append(row(changes, figures))
    table = "\n".join(lines)
    print(table)
    if args.out:
        args.out.write_text(table + "\n", encoding="utf-8")
    print_figures({"critic": critic.name, "sha256": critic.sha256, "traces": [str(path) for path in args.traces]})


def read(
    critic: Critic, items: Sequence[LabelledTrace], window: int = 64
) -> Iterator[tuple[EncodedTrace, TokenStatistics]]:
    """What the model says of every trace."""
    for start in tqdm(range(0, len(items), window), desc="reading", unit="batch"):
        yield from critic.statistics([(item.question, item.trace) for item in items[start : start + window]])


def grid() -> Iterator[dict[str, Any]]:
    """Every combination of `GRID`."""
    for values in itertools.product(*GRID.values()):
        yield dict(zip(GRID, values, strict=True))


def measure(
    critic: Critic,
    card: CriticCard,
    items: Sequence[LabelledTrace],
    said: Sequence[tuple[EncodedTrace, TokenStatistics]],
) -> dict[str, float | None]:
    """The figures of one card, by column."""
    scores = [score_trace(card, item.trace, *one) for item, one in zip(items, said, strict=True)]
    tally = Tally()
    for item, score in zip(items, scores, strict=True):
        tally.add(Scored.of(item, score, diagnose(item.question, item.trace, score, critic.calibration)))
    report = build_report(tally, critic, resamples=1)
    trace, selection = report["trace"] or {}, report["selection"] or {}
    figures = {
        "AUROC": trace.get("auroc"),
        "within problem": trace.get("auroc_within_problem"),
        "critic": selection.get("critic"),
        "weighted vote": selection.get("weighted_vote"),
        "majority": selection.get("majority"),
        **localisation(items, scores),
    }
    return {name: None if figure is None else figure["value"] for name, figure in figures.items()}


def localisation(items: Sequence[LabelledTrace], scores: Sequence[TraceScore]) -> dict[str, Any]:
    """The columns that need step labels; empty where right or wrong traces are missing."""
    labelled = [(item, score) for item, score in zip(items, scores, strict=True) if item.first_error_step is not None]
    first_error = np.array([item.first_error_step for item, _ in labelled])
    if not len(labelled) or (first_error >= 0).all() or (first_error < 0).all():
        return {}
    problems = np.unique([item.question for item, _ in labelled], return_inverse=True)[1]
    bootstrap = ProblemBootstrap(problems, resamples=1)
    rows = [np.array(features(gather(item.question, item.trace, score))) for item, score in labelled]
    rewards = [row[:, FEATURES.index("reward")] for row in rows]
    steps = StepLabels.of(cross_validated(rows, first_error, problems, 1.0), rewards, first_error.tolist())
    lowest = np.array([int(np.argmin(reward)) for reward in rewards])
    threshold = oracle_threshold(steps) or 0.5
    return {
        "lowest step": bootstrap.mean((lowest == first_error).astype(float), steps.erroneous),
        "hazard top-1": bootstrap.mean((steps.most_suspect() == first_error).astype(float), steps.erroneous),
        "hazard F1": first_error_f1(suspects_at(steps, threshold), first_error, bootstrap)["f1"],
    }


def header() -> str:
    """The first two lines of the Markdown table."""
    names = [*GRID, *COLUMNS]
    return "| " + " | ".join(names) + " |\n|" + "---|" * len(names)


def row(changes: dict[str, Any], figures: dict[str, float | None]) -> str:
    """One line of it."""
    shown = ["" if figures.get(name) is None else f"{figures[name]:.3f}" for name in COLUMNS]
    return "| " + " | ".join([*map(str, changes.values()), *shown]) + " |"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.critics", description=__doc__)
    parser.add_argument("--critic", help="a critic's folder or name; without it the shipped one")
    parser.add_argument("--traces", nargs="+", type=Path, required=True, help="labelled traces, JSON lines")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N lines of each file only")
    parser.add_argument("--out", type=Path, metavar="table.md", help="the tables as a file")
    return parser


if __name__ == "__main__":
    main()
