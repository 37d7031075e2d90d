"""Does the app's memory stay flat in use? Hundreds of problems solved and solutions diagnosed, each another one.

    python -m benchmarks.memory [--pair standard] [--uses 200] [--n 8]

The app runs as a process of its own and is asked as a browser would ask it, by a new visitor every ten uses. A use is
a generated problem that is solved and a solution of another that is diagnosed, a fifth of them edited and diagnosed
again. The last line is JSON: resident memory in GB after some of the uses, its peak, and by how much it grew after the
twentieth.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from itertools import islice

from tqdm import tqdm

from benchmarks.app_start import kilobytes, running_app
from irl_core.learning.data.word_problems import generate
from irl_core.models.pairs import PAIRS, STANDARD
from train.cli import parse_args, print_figures

SETTLED = 20
_USES_OF_A_VISITOR = 10


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    with running_app(args.pair) as app:
        held = [
            kilobytes(app.pid, "VmRSS") / 1e6
            for _ in tqdm(use(app.url, args.uses, args.n, args.seed), total=args.uses, unit="use")
        ]
        peak = kilobytes(app.pid, "VmHWM") / 1e6
    print_figures({"pair": args.pair, "n": args.n, "uses": args.uses, "peak_gb": round(peak, 3), **growth(held)})


def use(url: str, uses: int, n: int, seed: int) -> Iterator[None]:
    """Solve and diagnose; yields after each use."""
    from gradio_client import Client

    dice = random.Random(seed)
    problems = stories(random.Random(seed))
    for i in range(uses):
        if i % _USES_OF_A_VISITOR == 0:
            visitor = Client(url, verbose=False)
        posed, _ = next(problems)
        visitor.predict(posed, "", n, 0.7, i, False, api_name="/solve")
        question, solution = next(problems)
        visitor.predict(question, solution, api_name="/diagnose")
        if i % 5 == 0:
            at = dice.randrange(len(solution))
            visitor.predict(question, f"{solution[:at]}7{solution[at:]}", api_name="/diagnose")
        yield


def stories(dice: random.Random) -> Iterator[tuple[str, str]]:
    """Generated problems and their solutions, of many lengths: some are up to four told as one."""
    made = generate(dice)
    while True:
        told = list(islice(made, dice.randint(1, 4)))
        yield " ".join(story.question for story in told), "\n".join(story.solution for story in told)


def growth(held: Sequence[float]) -> dict[str, float | dict[int, float]]:
    """What was held after 1, 20, 50, 100 … uses, and the last as a multiple of what was held after the twentieth."""
    marks = [mark for mark in (1, SETTLED, 50, 100, 200, 500, 1000) if mark <= len(held)]
    figures: dict[str, float | dict[int, float]] = {"held_gb": {mark: round(held[mark - 1], 3) for mark in marks}}
    if len(held) > SETTLED:
        figures["growth"] = round(held[-1] / held[SETTLED - 1], 4)
    return figures


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--pair", choices=list(PAIRS), default=STANDARD.name, help="which policy and critic")
    parser.add_argument("--uses", type=int, default=200, help="problems to solve, and solutions to diagnose")
    parser.add_argument("--n", type=int, default=8, help="solutions of each problem")
    parser.add_argument("--seed", type=int, default=0, help="of the problems")
    return parser


if __name__ == "__main__":
    main()
