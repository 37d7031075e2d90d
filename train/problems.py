"""Write generated word problems with exact solutions as JSON lines, in GSM8K's own form.

    python -m train.problems --n 3000 --seed 11 --out problems.jsonl

Each line holds {"id", "question", "answer", "source"}; `answer` is the expert's whole solution with its `#### number`.
With `--gsm8k` short problems of its training part stand between the others, in random order. `train.sample --problems`
draws a policy's solutions of them, `train.sft --demonstrations` and `train.airl --demonstrations` learn from them.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from itertools import islice

from irl_core.learning.data.demonstrations import Demonstration, load_gsm8k
from irl_core.learning.data.word_problems import drills, generate

from .cli import output_file, parse_args, print_figures


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    rng = random.Random(args.seed)
    made = [
        *islice(generate(rng, args.split, written_out=args.written_out), args.n),
        *islice(drills(rng, written_out=args.written_out), args.drills),
    ]
    lines = [(p.question, p.solution, p.story) for p in made]
    if args.gsm8k:
        try:
            lines += [(d.question, d.solution, d.source) for d in short_gsm8k(args)]
        except (OSError, ValueError) as problem:
            raise SystemExit(f"error: {problem}") from problem
        rng.shuffle(lines)
    with args.out.open("w", encoding="utf-8") as out:
        for i, (question, answer, source) in enumerate(lines):
            record = {"id": f"{args.split}-{args.seed}-{i}", "question": question, "answer": answer, "source": source}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
    print_figures({"problems": len(lines), "sources": len({source for *_, source in lines}), "out": str(args.out)})


def short_gsm8k(args: argparse.Namespace) -> list[Demonstration]:
    """Problems of GSM8K's training part with few steps, in its order."""
    demonstrations = load_gsm8k(args.gsm8k)[args.gsm8k_skip :]
    longest = args.gsm8k_characters
    return [
        d
        for d in demonstrations
        if d.solution.count("\n") <= args.gsm8k_steps and max(len(d.question), len(d.solution)) < longest
    ]


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.problems", description=__doc__)
    parser.add_argument("--out", type=output_file, required=True, help="file to write")
    parser.add_argument("--n", type=int, default=1000, help="word problems")
    parser.add_argument("--drills", type=int, default=0, help="arithmetic drills after them")
    parser.add_argument("--split", choices=("train", "held_out"), default="train", help="stories to draw from")
    parser.add_argument("--seed", type=int, default=0, help="two runs with one seed write the same file")
    parser.add_argument(
        "--written-out", type=float, default=0.0, help="share of problems with hard arithmetic written out in a chain"
    )
    parser.add_argument("--gsm8k", metavar="SOURCE", help="openai/gsm8k, or its file of JSON lines")
    parser.add_argument("--gsm8k-skip", type=int, default=0, help="leave out the first so many of it")
    parser.add_argument("--gsm8k-steps", type=int, default=2, help="steps of its solutions at the most")
    parser.add_argument("--gsm8k-characters", type=int, default=260, help="no question or solution as long as this")
    return parser


if __name__ == "__main__":
    main()
