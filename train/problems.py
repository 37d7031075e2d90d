"""Write generated word problems with exact solutions as JSON lines, in GSM8K's own form.

    python -m train.problems --n 3000 --seed 11 --out problems.jsonl

Each line holds {"id", "question", "answer", "source"}; `answer` is the expert's whole solution with its `#### number`.
`train.sample --problems` draws a policy's solutions of them, `train.sft --demonstrations` and `train.airl
--demonstrations` learn from them.
"""

from __future__ import annotations

import argparse
import json
import random
from itertools import islice
from pathlib import Path

from irl_core.learning.word_problems import drills, generate
from train.cli import parse_args, print_figures


def main(argv: list[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    rng = random.Random(args.seed)
    made = [
        *islice(generate(rng, args.split, written_out=args.written_out), args.n),
        *islice(drills(rng, written_out=args.written_out), args.drills),
    ]
    with Path(args.out).open("w", encoding="utf-8") as out:
        for i, p in enumerate(made):
            record = {"id": f"{args.split}-{args.seed}-{i}", "question": p.question, "answer": p.solution}
            out.write(json.dumps({**record, "source": p.story}, ensure_ascii=False) + "\n")
    print_figures({"problems": len(made), "stories": len({p.story for p in made}), "out": str(args.out)})


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.problems", description=__doc__)
    parser.add_argument("--out", required=True, help="file to write")
    parser.add_argument("--n", type=int, default=1000, help="word problems")
    parser.add_argument("--drills", type=int, default=0, help="arithmetic drills after them")
    parser.add_argument("--split", choices=("train", "held_out"), default="train", help="stories to draw from")
    parser.add_argument("--seed", type=int, default=0, help="two runs with one seed write the same file")
    parser.add_argument(
        "--written-out", type=float, default=0.0, help="share of problems with hard arithmetic written out in a chain"
    )
    return parser


if __name__ == "__main__":
    main()
