"""Draw solutions of many problems from a policy.

  python -m train.sample --problems P.jsonl --n 8 --out traces.jsonl [--policy NAME] [--seed N]

P.jsonl holds one problem per line: {"question", "answer"?, "id"?}. traces.jsonl gets n lines per problem, in the
order of the problems: {"id", "question", "solution", "generator", "mean_logprob", "stopped"} and, where an answer is
known, "gold_answer" and "final_correct". An answer that is a whole solution in GSM8K's form is read at its '####'.
A line that cannot be used is named in the last line of figures and skipped. Ctrl-C keeps what is finished, and
--resume goes on behind the last problem whose n lines are all there; what is drawn does not depend on where it began.

NAME is auto, a pair, a folder or a hub name; vllm:NAME is the same on vLLM; NAME@URL,URL#MODEL are servers of it,
which share the work; URL#MODEL is the chat of any server of OpenAI's protocol (docs/serve.md).
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from irl_core.learning.common.interrupts import stop_on_interrupt
from irl_core.policy.sampling import Sampling

from .cli import output_file, parse_args, print_figures


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parse_args(parser, argv)
    if not args.problems.is_file():
        parser.error(f"--problems: {args.problems} is not a file")
    if args.out.resolve() == args.problems.resolve():
        parser.error("--out would overwrite the problems")
    if args.limit is not None and args.limit < 1:
        parser.error(f"--limit must be at least 1, not {args.limit}")
    from irl_core.policy.names import PolicyError

    try:
        with stop_on_interrupt("what is finished is kept") as stop:
            figures = sample(args, stop)
    except (OSError, ValueError, PolicyError) as problem:
        parser.error(str(problem))
    print_figures(figures)


def sample(args: argparse.Namespace, stop: threading.Event) -> dict[str, Any]:
    """Run the whole job, writing lines as problems are finished; returns the figures."""
    from irl_core.evaluation.problem_files import read_problems
    from irl_core.evaluation.sampled_traces import write_traces
    from irl_core.loading import load_policy

    sampling = Sampling(args.n, args.temperature, args.top_p, args.seed, args.max_tokens, args.calculator)
    policy = load_policy(args.policy, calculator=args.calculator)
    file = read_problems(args.problems, args.limit, lambda question: policy.check_question(question, sampling))
    for line in file.skipped:
        print(f"line {line.line} skipped: {line.reason}", file=sys.stderr)
    start = time.perf_counter()
    written = write_traces(args.out, file.problems, policy, sampling, stop, resume=args.resume)
    seconds = time.perf_counter() - start
    return {
        "policy": policy.name,
        "policy_sha256": policy.sha256,
        "n_problems": len(file.problems),
        "n_problems_resumed": written.resumed,
        **written.counts.figures(),
        "seconds": round(seconds, 2),
        "tokens_per_second": round(written.counts.tokens / seconds, 1),
        **{name: value for name, value in vars(sampling).items() if name != "prefix"},
        "stopped_early": stop.is_set(),
        "skipped": [vars(line) for line in file.skipped],
    }


def build_parser() -> argparse.ArgumentParser:
    asked = Sampling()  # which holds the defaults
    parser = argparse.ArgumentParser(prog="python -m train.sample", description=__doc__)
    parser.add_argument("--problems", type=Path, required=True, metavar="P.jsonl", help="the problems")
    parser.add_argument("--out", type=output_file, required=True, metavar="traces.jsonl", help="where the traces go")
    parser.add_argument("--n", type=int, default=asked.n, help="traces per problem")
    parser.add_argument("--policy", default="auto", help="auto, a pair, a folder, a hub name, vllm:NAME or a URL")
    parser.add_argument("--seed", type=int, default=asked.seed, help="the same seed gives the same file")
    parser.add_argument("--temperature", type=float, default=asked.temperature, help="0 takes the most probable token")
    parser.add_argument(
        "--top-p", type=float, default=asked.top_p, help="nucleus: smallest set of tokens with this mass"
    )
    parser.add_argument("--max-tokens", type=int, default=asked.max_tokens, help="limit per trace")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N lines")
    parser.add_argument("--resume", action="store_true", help="go on with what --out holds of the same run")
    parser.add_argument("--calculator", action="store_true", help="fill in results after '=' by exact arithmetic")
    return parser


if __name__ == "__main__":
    main()
