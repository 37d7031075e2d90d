"""What a person waits for who pastes a solution: seconds from its text to its marks, with the models loaded.

    python -m benchmarks.first_marks [--critic standard] [--tokens 200] [--rounds 9] [--out first_marks.json]

Each round pastes a solution that nobody has seen, with other numbers, so that nothing of it is known from a round
before: it is split into steps, scored, read exactly and diagnosed. One round before the others does not count.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from itertools import count
from statistics import median
from typing import Any

from benchmarks.timing import OURS, machine, race
from irl_core.critic.model import Critic
from irl_core.diagnosis.suspect_step import diagnose
from irl_core.loading import load_critic
from irl_core.text.traces import Trace
from train.cli import output_file, parse_args, print_figures

QUESTION = "A boy has some cards and buys more every week. How many cards does he have at the end?"
TOKENS = re.compile(r"\d|[^\W\d]+|[^\w\s]|\n")


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    critic = load_critic(args.critic)
    report = {"critic": critic.name, "machine": machine(), **first_marks(critic, args.tokens, args.rounds)}
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print_figures(report)


def first_marks(critic: Critic, tokens: int, rounds: int) -> dict[str, Any]:
    """Seconds of each round with their median, and how many tokens were read in the mean."""

    def work(number: int) -> int:
        trace = Trace.from_text(pasted(number, tokens))
        score = critic.score(QUESTION, [trace])[0]
        found = diagnose(QUESTION, trace, critic, score=score)
        assert len(found.steps) == len(trace.steps)
        return len(score.offsets)

    name = f"first marks {OURS}"
    measured = race({name: work}, rounds, "pasting")[name]
    seconds = measured["seconds"]
    return {
        "tokens": round(sum(measured["tokens"]) / len(seconds)),
        "seconds": seconds,
        "median_s": median(seconds),
        "low_s": min(seconds),
        "high_s": max(seconds),
    }


def pasted(number: int, tokens: int) -> str:
    """A solution of about so many tokens, whose numbers no other `number` has; its last equation is false."""
    lines: list[str] = []
    cards = 11 + 37 * number
    for week in count(1):
        more = 3 + week + 2 * number
        line = f"Week {week}: he has {cards} cards and buys {more} more, so {cards} + {more} = {cards + more} cards."
        if lines and _size([*lines, line]) > tokens:
            break
        lines.append(line)
        cards += more
    lines[-1] = lines[-1].replace(f"= {cards} cards", f"= {cards + 1} cards")
    return "\n".join(lines)


def _size(lines: Sequence[str]) -> int:
    """Tokens, roughly: a word, a digit or a sign each."""
    return len(TOKENS.findall("\n".join(lines)))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_marks", description=__doc__)
    parser.add_argument("--critic", default="standard", help="a critic's folder or name")
    parser.add_argument("--tokens", type=int, default=200, help="length of the pasted solutions, about")
    parser.add_argument("--rounds", type=int, default=9, help="rounds that count, after one that does not")
    parser.add_argument("--out", type=output_file, metavar="first_marks.json", help="the figures as a file")
    return parser


if __name__ == "__main__":
    main()
