"""Does the score follow the reasoning or the style? The controlled test of claim D3.

    python -m benchmarks.style --demonstrations gsm8k_train.jsonl [--critic FOLDER] [--n 60]

Right solutions of GSM8K's held-out part are reworded, reformatted, lengthened by sentences that say a result again, or
stripped to their equations (`irl_core.evaluation.style_edits`); and, for comparison, one number of one step is made
wrong (`irl_core.learning.data.perturbations`): a `result` that slips, which makes an equation false, or an `operand`
that is not the one meant, carried out correctly. The figure is the median of |score change| over all style edits,
divided by the median of |score change| over the wrong numbers; 0 would be a critic that does not see style. Intervals
are 95 % bootstrap over problems (scipy). `model_alone` is the same without the card's penalties for what exact reading
finds, in which the model has no part.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import bootstrap
from tqdm import tqdm

from irl_core.critic.card import CriticCard, without_checks
from irl_core.critic.model import Critic
from irl_core.critic.rewards import score_trace
from irl_core.evaluation.style_edits import STYLE_EDITS
from irl_core.learning.data.demonstrations import HUB_NAME, Demonstration, load_gsm8k
from irl_core.learning.data.perturbations import edit_step
from irl_core.loading import load_critic
from irl_core.text.equations import check_equations
from irl_core.text.numerals import NUMERAL
from irl_core.text.steps import split_steps
from irl_core.text.traces import Trace
from train.cli import output_file, parse_args, print_figures

WRONG_NUMBERS = ("result", "operand")
TRIES = 20


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    critic = load_critic(args.critic)
    rng = random.Random(args.seed)
    demonstrations = load_gsm8k(args.demonstrations, split="held_out")
    rng.shuffle(demonstrations)
    variants = list(versions(demonstrations, args.n, rng))
    alone = without_checks(critic.card)
    whole, model_alone = (
        figures(changes, args.resamples, args.seed)
        for changes in score_changes(critic, (critic.card, alone), variants)
    )
    report = {
        "critic": {"name": critic.name, "sha256": critic.sha256, "supervision": critic.supervision},
        "n_traces": len(variants),
        "seed": args.seed,
        **whole,
        "model_alone": model_alone,
    }
    if args.out:
        args.out.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    print_figures(report)


def versions(demonstrations: Sequence[Demonstration], n: int, rng: random.Random) -> Iterator[dict[str, str]]:
    """The first `n` solutions that all edits suit: what they are called -> text, with `question` and `original`."""
    taken = 0
    for question, solution, _ in demonstrations:
        if taken == n:
            return
        if not all(check.ok for check in check_equations(solution)):
            continue
        edited = {name: edit(solution, rng) for name, edit in STYLE_EDITS.items()}
        edited |= {family: wrong_number(question, solution, family, rng) for family in WRONG_NUMBERS}
        suited = {name: text for name, text in edited.items() if text is not None}
        if len(suited) == len(edited):
            taken += 1
            yield {"question": question, "original": solution, **suited}


def wrong_number(question: str, solution: str, family: str, rng: random.Random) -> str | None:
    """The solution with one edit of `family` in one step; the steps after it go on as if nothing had happened."""
    numbers = re.findall(NUMERAL, question.replace(",", ""))
    spans = split_steps(solution)
    for start, end in rng.choices(spans, k=TRIES):
        if edit := edit_step(solution[start:end], numbers, rng, family):
            return solution[:start] + edit.text + solution[end:]
    return None


def score_changes(
    critic: Critic, cards: Sequence[CriticCard], variants: Sequence[Mapping[str, str]]
) -> list[dict[str, np.ndarray]]:
    """For each card, by edit: trace score of the edited solution less that of the original, one per solution."""
    names = (*STYLE_EDITS, *WRONG_NUMBERS)
    scores = np.empty((len(cards), len(variants), 1 + len(names)))
    for i, texts in enumerate(tqdm(variants, desc="scoring", unit="problem")):
        traces = [Trace.from_text(texts[name]) for name in ("original", *names)]
        statistics = critic.statistics([(texts["question"], trace) for trace in traces])
        for c, card in enumerate(cards):
            scores[c, i] = [
                score_trace(card, texts["question"], trace, encoded, of_tokens).trace_score
                for trace, (encoded, of_tokens) in zip(traces, statistics, strict=True)
            ]
    changes = scores[..., 1:] - scores[..., :1]
    return [dict(zip(names, moved.T, strict=True)) for moved in changes]


def figures(changes: Mapping[str, np.ndarray], resamples: int, seed: int) -> dict[str, Any]:
    """Ratios with their intervals, and for each edit the median change, its size and what share of it is a fall.

    `ratio` divides by slipped results, `ratio_operand` by wrong quantities carried out correctly. `outweighed` is the
    share of (style edit, wrong number) pairs of one solution in which the wrong number costs more.
    """
    styles = [changes[name] for name in STYLE_EDITS]
    report: dict[str, Any] = {}
    for family, key in zip(WRONG_NUMBERS, ("ratio", "ratio_operand"), strict=True):
        wrong = changes[family]
        report[key] = interval([*styles, wrong], ratio_of_medians, resamples, seed)
        report[f"outweighed_{family}"] = interval([*styles, wrong], outweighed, resamples, seed)
    report["edits"] = {
        name: {
            "median_change": float(np.median(moved)),
            "median_size": float(np.median(np.abs(moved))),
            "lowered": float((moved < 0).mean()),
        }
        for name, moved in changes.items()
    }
    return report


def ratio_of_medians(*changes: np.ndarray, axis: int = -1) -> np.ndarray:
    """median |style change| / median |change by a wrong number|; the last array holds the wrong numbers."""
    *styles, wrong = changes
    style = np.median(np.abs(np.concatenate(styles, axis=axis)), axis=axis)
    return np.asarray(style / np.median(np.abs(wrong), axis=axis))


def outweighed(*changes: np.ndarray, axis: int = -1) -> np.ndarray:
    """Share of pairs in which the wrong number lowers the score by more than the style edit does."""
    *styles, wrong = changes
    return np.asarray(np.mean([(wrong < style).mean(axis=axis) for style in styles], axis=0))


def interval(data: Sequence[np.ndarray], statistic: Any, resamples: int, seed: int) -> dict[str, Any]:
    """Value with its 95 % percentile interval, resampling problems."""
    rng = np.random.default_rng(seed)
    made = bootstrap(data, statistic, paired=True, n_resamples=resamples, method="percentile", rng=rng)
    low, high = made.confidence_interval
    return {"value": float(statistic(*data)), "low": float(low), "high": float(high), "n": len(data[-1])}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.style", description=__doc__)
    parser.add_argument("--critic", help="a critic's folder or name; without it the shipped one")
    parser.add_argument("--demonstrations", default=HUB_NAME, help="GSM8K train as JSON lines, or its hub name")
    parser.add_argument(
        "--n", type=int, default=60, help="solutions; those that an edit does not suit are passed over"
    )
    parser.add_argument("--resamples", type=int, default=1000, metavar="N", help="bootstrap resamples")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of solutions, the edits and the bootstrap")
    parser.add_argument("--out", type=output_file, metavar="style.json", help="the figures as a file")
    return parser


if __name__ == "__main__":
    main()
