"""What a person waits for who edits a step: the seconds to read and diagnose it anew, beside a full reading.

    python -m benchmarks.edits [--critic small] [--tokens 200] [--rounds 9] [--out edits.json]

Each round words the last equation of a solution of its own anew; what stands before it was read when the editor was
opened. The full reading is of the same edited solution by a reader that knows nothing. One round does not count.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.first_marks import QUESTION, pasted
from benchmarks.timing import machine
from irl_core.critic.model import Critic, ProblemScorer
from irl_core.diagnosis.suspect_step import diagnose
from irl_core.loading import load_critic
from irl_core.session.edits import change_step
from irl_core.text.traces import Trace
from train.cli import output_file, parse_args, print_figures


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    critic = load_critic(args.critic)
    report = {"critic": critic.name, "machine": machine(), **edits(critic, args.tokens, args.rounds)}
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print_figures(report)


def edits(critic: Critic, tokens: int, rounds: int) -> dict[str, Any]:
    """Medians in milliseconds of an edit and of a full reading, their ratio, and the tokens in the mean."""
    edited, full, length = [], [], 0
    for number in range(rounds + 1):
        before = Trace.from_text(pasted(number, tokens))
        after = edit(before)
        scorer = critic.problem_scorer(QUESTION)
        scorer.score([before])
        edited.append(_milliseconds(critic, scorer, after))
        full.append(_milliseconds(critic, critic.problem_scorer(QUESTION), after))
        length += len(scorer.score([after])[0].offsets)
    per_edit, per_reading = median(edited[1:]), median(full[1:])
    return {
        "tokens": round(length / (rounds + 1)),
        "edit_ms": per_edit,
        "full_ms": per_reading,
        "edit_of_full": per_edit / per_reading,
    }


def edit(trace: Trace) -> Trace:
    """The last step as it should have been: `pasted` makes its result one too large."""
    last = trace.step_texts()[-1]
    head, _, result = last.rpartition(" = ")
    number = int(result.split()[0])
    return change_step(trace, len(trace.steps) - 1, f"{head} = {result.replace(str(number), str(number - 1), 1)}")


def _milliseconds(critic: Critic, scorer: ProblemScorer, trace: Trace) -> float:
    began = perf_counter()
    (score,) = scorer.score([trace])
    diagnose(QUESTION, trace, critic, score=score)
    return (perf_counter() - began) * 1000


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edits", description=__doc__)
    parser.add_argument("--critic", default="small", help="a critic's folder or name")
    parser.add_argument("--tokens", type=int, default=200, help="length of the solutions, about")
    parser.add_argument("--rounds", type=int, default=9, help="rounds that count, after one that does not")
    parser.add_argument("--out", type=output_file, metavar="edits.json", help="the figures as a file")
    return parser


if __name__ == "__main__":
    main()
