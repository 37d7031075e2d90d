"""Write right and wrong solutions in many manners as JSON lines of the trace schema.

    python -m train.broken --demonstrations gsm8k_train.jsonl --n 600 --seed 0 --out broken.jsonl

Half of the lines are a demonstration's solution, half the same with one step broken and all after it computed again;
each is written in a manner drawn at random. Each line holds {"id", "question", "solution", "first_error_step",
"final_correct", "gold_answer", "generator", "kind", "style"}; `generator` is the family of the manner.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Sequence

from irl_core.learning.data.demonstrations import HUB_NAME, load_gsm8k
from irl_core.learning.data.styled_examples import styled_examples

from .cli import output_file, parse_args, print_figures


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    try:
        demonstrations = load_gsm8k(args.demonstrations, split=args.split, keep_marks=True)
    except (OSError, ValueError) as problem:
        raise SystemExit(f"error: {problem}") from problem
    kinds: Counter[str] = Counter()
    with args.out.open("w", encoding="utf-8") as out:
        for i, example in enumerate(styled_examples(demonstrations, args.n, random.Random(args.seed))):
            kinds[example.kind] += 1
            record = {
                "id": f"broken-{args.seed}-{i}",
                "question": example.question,
                "solution": example.solution,
                "first_error_step": example.first_error_step,
                "final_correct": example.is_answer_right,
                "gold_answer": example.gold_answer,
                "generator": example.family,
                "kind": example.kind,
                "style": example.style,
            }
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
    print_figures({"examples": kinds.total(), "kinds": dict(kinds.most_common()), "out": str(args.out)})


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.broken", description=__doc__)
    parser.add_argument("--demonstrations", default=HUB_NAME, help="openai/gsm8k, or its file of JSON lines")
    parser.add_argument("--out", type=output_file, required=True, help="file to write")
    parser.add_argument("--n", type=int, default=600, help="lines, right and wrong in turn")
    parser.add_argument("--split", choices=("train", "held_out"), default="train", help="part of the demonstrations")
    parser.add_argument("--seed", type=int, default=0, help="two runs with one seed write the same file")
    return parser


if __name__ == "__main__":
    main()
