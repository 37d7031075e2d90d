"""One model, many cards: which way of turning log-probabilities into rewards localises and reranks best.

    python -m benchmarks.critics --critic FOLDER --traces A.jsonl [B.jsonl ...] [--cache FOLDER] [--out table.md]

The model reads every trace once (`--cache` keeps its statistics); the cards of the grid are then applied to that.

A file with step labels gets a table of step rewards: how often the step of the lowest reward is the first wrong one
(`lowest step`), and how well the rewards tell first wrong steps from right ones (`step AUROC`). The diagnosis reads
log-probabilities, which no card changes, so it is not in the table. A file with several candidates of a problem gets a
table of trace scores (`benchmarks.trace_scores`).
Whatever is chosen by a table makes it a development table.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.token_statistics import TraceStatistics, read_file
from benchmarks.trace_scores import Pools, table
from irl_core.critic.card import CriticCard
from irl_core.critic.rewards import score_trace
from irl_core.evaluation.bootstrap import Figure, ProblemBootstrap
from irl_core.evaluation.localisation_metrics import StepLabels, step_auroc
from irl_core.evaluation.trace_files import LabelledTrace
from irl_core.loading import load_critic
from train.cli import output_file, parse_args, print_figures

COLUMNS = ("lowest step", "step AUROC")
GRID = {"word_weight": (1.0, 0.3, 0.1), "number_baseline": (0.0, 0.2), "trust_true_equations": (False, True)}


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    critic = load_critic(args.critic)
    lines: list[str] = []
    for path in args.traces:
        items, statistics = read_file(critic, path, args.limit, args.cache)
        lines += ["", f"## {critic.name} on {path.name}, {len(items)} traces"]
        if has_steps(items):
            lines += ["", *step_table(critic.card, items, statistics)]
        if has_candidates(items):
            lines += ["", *table(Pools(critic.card, items, statistics))]
    text = "\n".join(lines)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")
    print_figures({"critic": critic.name, "sha256": critic.sha256, "traces": [str(path) for path in args.traces]})


def has_steps(items: Sequence[LabelledTrace]) -> bool:
    """Whether every trace has a step label, and right and wrong ones are there."""
    labels = [item.first_error_step for item in items]
    return None not in labels and len({label >= 0 for label in labels if label is not None}) == 2


def has_candidates(items: Sequence[LabelledTrace]) -> bool:
    """Whether every trace has a checked answer, and a problem two candidates on average at least."""
    questions = {item.question for item in items}
    return all(item.final_correct is not None for item in items) and len(items) >= 2 * len(questions) > 0


def grid() -> Iterator[dict[str, Any]]:
    """Every combination of `GRID`."""
    for values in itertools.product(*GRID.values()):
        yield dict(zip(GRID, values, strict=True))


def step_table(card: CriticCard, items: Sequence[LabelledTrace], statistics: TraceStatistics) -> list[str]:
    """The head of the Markdown table and one line for every card of the grid."""
    names = [*GRID, *COLUMNS]
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for changes in grid():
        figures = localisation(card.model_copy(update=changes), items, statistics)
        shown = ["" if (f := figures[name]) is None else f"{f['value']:.3f}" for name in COLUMNS]
        lines.append("| " + " | ".join([*map(str, changes.values()), *shown]) + " |")
    return lines


def localisation(
    card: CriticCard, items: Sequence[LabelledTrace], statistics: TraceStatistics
) -> dict[str, Figure | None]:
    """The figures of one card, by column; every item has a step label."""
    scores = [
        score_trace(card, x.question, x.trace, encoded, of_tokens)
        for x, (encoded, of_tokens) in zip(items, statistics, strict=True)
    ]
    first_error = [item.first_error_step for item in items if item.first_error_step is not None]
    problems = np.unique([item.question for item in items], return_inverse=True)[1]
    rewards = [np.array(score.step_rewards) for score in scores]
    steps = StepLabels.of([np.full(len(reward), np.nan) for reward in rewards], rewards, first_error)
    lowest = (steps.most_suspect() == steps.first_error).astype(float)
    return {
        "lowest step": ProblemBootstrap(problems, resamples=1).mean(lowest, steps.erroneous),
        "step AUROC": step_auroc(steps, problems, resamples=1),
    }


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.critics", description=__doc__)
    parser.add_argument("--critic", help="a critic's folder or name; without it the shipped one")
    parser.add_argument("--traces", nargs="+", type=Path, required=True, help="labelled traces, JSON lines")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N lines of each file only")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keep what the model said, and go on from it")
    parser.add_argument("--out", type=output_file, metavar="table.md", help="the tables as a file")
    return parser


if __name__ == "__main__":
    main()
