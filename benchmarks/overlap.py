"""Has the training set seen the exam? Runs of words that generated problems share with a file of problems.

    python -m benchmarks.overlap --problems svamp.jsonl [--traces sampled.jsonl] [--words 7] [--sample 20000]

Numbers count as one and the same word, so that a problem with other numbers is found; a run that more than eight of
the file's problems share is common English and does not count. With `--traces` (written by `train.sample` for the
file) the share of right solutions is told for the problems with and without a shared run.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean

from irl_core.learning.data.word_problems import generate
from train.cli import parse_args, print_figures

COMMON = 8
_WORD = re.compile(r"[a-z]+|\d+")


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    try:
        questions = [row["question"] for row in _rows(args.problems)]
        traces = _rows(args.traces) if args.traces else []
    except (OSError, ValueError, KeyError) as problem:
        raise SystemExit(f"error: {problem}") from problem
    seen = islice(generate(random.Random(args.seed), written_out=1.0), args.sample)
    shared = shared_runs(questions, ((p.story, p.question) for p in seen), args.words)
    stories: dict[str, int] = defaultdict(int)
    for story in shared.values():
        stories[story] += 1
    figures = {"problems": len(set(questions)), "with_a_shared_run": len(shared), "words": args.words}
    for name, chosen in (("shared", True), ("apart", False)):
        right = [bool(row["final_correct"]) for row in traces if (row["question"] in shared) == chosen]
        if right:
            figures[f"pass@1_{name}"] = fmean(right)
    print_figures(figures | {"stories": dict(sorted(stories.items(), key=lambda item: -item[1])[:20])})


def shared_runs(questions: Iterable[str], made: Iterable[tuple[str, str]], words: int) -> dict[str, str]:
    """For each question that shares a run of `words` words with generated text, the name of a text that has it.

    Args:
        made: pairs of a name and a text.
    """
    owners: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for question in questions:
        for run in runs(question, words):
            owners[run].add(question)
    rare = {run: own for run, own in owners.items() if len(own) <= COMMON}
    found: dict[str, str] = {}
    for name, text in made:
        for run in runs(text, words) & rare.keys():
            for question in rare[run]:
                found.setdefault(question, name)
    return found


def runs(text: str, words: int) -> set[tuple[str, ...]]:
    """All runs of so many words, in lower case, each number as `#`."""
    read = ["#" if w.isdigit() else w for w in _WORD.findall(text.lower())]
    return {tuple(read[i : i + words]) for i in range(len(read) - words + 1)}


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overlap", description=__doc__)
    parser.add_argument("--problems", type=Path, required=True, help="JSON lines with question")
    parser.add_argument("--traces", type=Path, help="JSON lines with question and final_correct")
    parser.add_argument("--words", type=int, default=7, help="length of a run")
    parser.add_argument("--sample", type=int, default=20_000, help="generated problems to look at")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
