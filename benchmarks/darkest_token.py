"""Does the darkest token lie where the solution goes wrong? Edits of expert solutions whose wrong token is known.

    python -m benchmarks.darkest_token --demonstrations gsm8k_train.jsonl [--critic NAME] [--n 200] [--scores FILE]

Expert solutions of the held-out part get one error each, of four families in turn: a result, an operator or an operand
is changed and nothing else (`learning.data.perturbations`), or a step is broken and all after it computed again, in a
manner drawn at random (`learning.data.broken_chains`). The wrong token is the first that holds a changed character.
`within` is the share of edits whose darkest token, as the page colours with the critic's calibration, is at most three
tokens from it; an edit in which no token is dark is a miss. `by_reward` is the same of the lowest raw reward, `chance`
of a random token. Intervals are 95 % bootstrap over problems.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from benchmarks.style import wrong_number
from irl_core.critic.model import Critic
from irl_core.diagnosis.suspect_step import diagnose
from irl_core.evaluation.bootstrap import ProblemBootstrap
from irl_core.evaluation.score_cache import ScoreCache
from irl_core.learning.data.broken_chains import break_solution
from irl_core.learning.data.demonstrations import HUB_NAME, Demonstration, load_gsm8k
from irl_core.learning.data.perturbations import FAMILIES
from irl_core.learning.data.solution_graph import read_solution
from irl_core.learning.data.styles.choices import draw_style
from irl_core.learning.data.styles.render import render
from irl_core.loading import load_critic
from irl_core.text.calculator_marks import strip_calculator_marks
from irl_core.text.spans import Span
from irl_core.text.traces import Trace
from train.cli import output_file, parse_args, print_figures

NEAR = 3
CARRIED = "carried"
WINDOW = 16


class Edited(NamedTuple):
    """A solution that goes wrong at character `start`; `family` says how."""

    question: str
    solution: str
    start: int
    family: str


class Place(NamedTuple):
    """Of one edit the numbers of its tokens, of the wrong one, of the darkest and of that of the lowest reward.

    `darkest` is None where no token speaks against the solution.
    """

    tokens: int
    wrong: int
    darkest: int | None
    lowest: int


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    critic = load_critic(args.critic)
    demonstrations = load_gsm8k(args.demonstrations, split="held_out", keep_marks=True)
    made = list(edited(demonstrations, args.n, random.Random(args.seed)))
    report = {
        "critic": {"name": critic.name, "sha256": critic.sha256, "supervision": critic.supervision},
        "n": len(made),
        "seed": args.seed,
        **figures(made, list(places(critic, made, ScoreCache(args.scores, critic.sha256))), args.resamples, args.seed),
    }
    if args.out:
        args.out.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    print_figures(report)


def edited(demonstrations: Sequence[Demonstration], n: int, rng: random.Random) -> Iterator[Edited]:
    """Up to `n` edits, one of a demonstration, the families in turn; what a family does not suit is passed over.

    Args:
        demonstrations: with their calculator marks, taken in random order.
    """
    taken, families = 0, cycle((*FAMILIES, CARRIED))
    family = next(families)
    for demonstration in rng.sample(demonstrations, len(demonstrations)):
        if taken == n:
            return
        made = _carried(demonstration, rng) if family == CARRIED else _changed(demonstration, family, rng)
        if made is not None:
            taken, family = taken + 1, next(families)
            yield made


def _changed(demonstration: Demonstration, family: str, rng: random.Random) -> Edited | None:
    solution = strip_calculator_marks(demonstration.solution)[0]
    wrong = wrong_number(demonstration.question, solution, family, rng)
    return None if wrong is None else Edited(demonstration.question, wrong, first_change(wrong, solution), family)


def _carried(demonstration: Demonstration, rng: random.Random) -> Edited | None:
    right = read_solution(demonstration.question, demonstration.solution)
    broken = break_solution(right, rng) if right else None
    if broken is None:
        return None
    style = draw_style(rng)
    wrong, beside = render(broken.wrong, style), render(broken.right_beside, style)
    start = first_change(wrong, beside)
    return Edited(demonstration.question, wrong, start, CARRIED) if start < len(wrong) else None


def first_change(text: str, other: str) -> int:
    """The first character of `text` that `other` has not."""
    return next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))


def places(critic: Critic, made: Sequence[Edited], cache: ScoreCache) -> Iterator[Place]:
    """Where the critic's colours are darkest in each edit."""
    for start in tqdm(range(0, len(made), WINDOW), desc="scoring", unit="batch"):
        window = [(edit, Trace.from_text(edit.solution)) for edit in made[start : start + WINDOW]]
        scores = cache.scores(critic, [(edit.question, trace) for edit, trace in window])
        for (edit, trace), score in zip(window, scores, strict=True):
            heat = diagnose(edit.question, trace, critic, score=score).token_heat or score.rewards
            darkest = int(np.argmin(heat)) if min(heat) < 0 else None
            wrong = token_at(score.offsets, edit.start)
            yield Place(len(score.offsets), wrong, darkest, int(np.argmin(score.rewards)))


def token_at(offsets: Sequence[Span], character: int) -> int:
    """The first token that ends behind a character; the last where none does."""
    return next((k for k, (_, end) in enumerate(offsets) if end > character), len(offsets) - 1)


def figures(made: Sequence[Edited], found: Sequence[Place], resamples: int, seed: int) -> dict[str, Any]:
    """The shares, over all edits and by family."""
    problems = np.unique([edit.question for edit in made], return_inverse=True)[1]
    families = np.array([edit.family for edit in made])
    bootstrap = ProblemBootstrap(problems, resamples=resamples, seed=seed)
    shares = {
        "within": np.array([is_near(place, place.darkest) for place in found]),
        "by_reward": np.array([is_near(place, place.lowest) for place in found]),
        "chance": np.array([near_share(place) for place in found]),
        "none_dark": np.array([place.darkest is None for place in found]),
    }
    values = {name: share.astype(float) for name, share in shares.items()}
    return {
        **{name: bootstrap.mean(share) for name, share in values.items()},
        "families": {
            family: {name: bootstrap.mean(share, families == family) for name, share in values.items()}
            for family in dict.fromkeys(families.tolist())
        },
    }


def is_near(place: Place, token: int | None) -> bool:
    """Is it a token, and at most `NEAR` from the wrong one?"""
    return token is not None and abs(token - place.wrong) <= NEAR


def near_share(place: Place) -> float:
    """The share of the tokens that are at most `NEAR` from the wrong one."""
    return (min(place.tokens, place.wrong + NEAR + 1) - max(0, place.wrong - NEAR)) / place.tokens


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.darkest_token", description=__doc__)
    parser.add_argument("--critic", help="a critic's folder or name; without it the shipped one")
    parser.add_argument("--demonstrations", default=HUB_NAME, help="GSM8K train as JSON lines, or its hub name")
    parser.add_argument("--n", type=int, default=200, help="edits, of four families in turn")
    parser.add_argument("--scores", type=output_file, metavar="scores.jsonl", help="keep the critic's scores here")
    parser.add_argument("--resamples", type=int, default=1000, metavar="N", help="bootstrap resamples")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of solutions, the edits and the bootstrap")
    parser.add_argument("--out", type=output_file, metavar="darkest.json", help="the figures as a file")
    return parser


if __name__ == "__main__":
    main()
