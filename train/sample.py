"""Draw solutions of many problems from a policy.

  python -m train.sample --problems P.jsonl --n 8 --out traces.jsonl [--policy NAME] [--seed N]

P.jsonl holds one problem per line: {"question", "answer"?, "id"?}. traces.jsonl gets n lines per problem, in the
order of the problems: {"id", "question", "solution", "generator", "mean_logprob", "stopped"} and, where an answer is
known, "gold_answer" and "final_correct". An answer that is a whole solution in GSM8K's form is read at its '####'.
A line that cannot be used is named in the last line of figures and skipped. Ctrl-C keeps what is finished, and
--resume goes on behind the last problem whose n lines are all there; what is drawn does not depend on where it began.

NAME is auto, embedded, a folder or a hub name; vllm:NAME is the same on vLLM; NAME@URL,URL#MODEL are servers of it,
which share the work; URL#MODEL is the chat of any server of OpenAI's protocol (docs/serve.md).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

from tqdm import tqdm

from irl_core.diagnosis.best_of_n import pass_at_k
from irl_core.text.answers import answers_match, extract_answer
from irl_core.text.json_lines import BadLine, load_object, numbered_lines
from irl_core.text.traces import Problem, Trace
from train.cli import output_file, parse_args, print_figures


@dataclass(frozen=True)
class Posed:
    """A problem, the name it carries and the line it stands on."""

    problem: Problem
    name: str


def read_problem(number: int, raw: bytes) -> Posed | BadLine:
    """One line of a problem file, or what is wrong with it."""
    try:
        record = load_object(raw)
    except ValueError as problem:
        return BadLine(number, str(problem))
    question, answer = record.get("question"), record.get("answer")
    if not isinstance(question, str) or not question.strip():
        return BadLine(number, "'question' must be a text that is not empty")
    if isinstance(answer, (int, float)) and not isinstance(answer, bool):
        answer = str(answer)
    if answer is not None and not isinstance(answer, str):
        return BadLine(number, "'answer' must be a text or a number")
    if answer is not None and "####" in answer:
        answer = extract_answer(answer)
    name = record.get("id")
    return Posed(Problem(question=question, answer=answer), name if isinstance(name, str) else f"line-{number}")


def read_problems(path: Path, limit: int | None, check: Callable[[str], Any]) -> tuple[list[Posed], list[BadLine]]:
    """The first `limit` problems of a file that `check` lets pass (it raises ValueError for one that cannot be put).

    Raises:
        OSError: if the file cannot be read.
    """
    posed: list[Posed] = []
    skipped: list[BadLine] = []
    for line in islice(numbered_lines(path), limit):
        found = line if isinstance(line, BadLine) else read_problem(*line)
        if isinstance(found, Posed):
            try:
                check(found.problem.question)
            except ValueError as problem:
                found = BadLine(line[0], str(problem))
        (posed if isinstance(found, Posed) else skipped).append(found)
    return posed, skipped


class SampleCounts:
    """Counts what is drawn; a problem counts for pass@k once all of its traces are there."""

    def __init__(self, n: int):
        self._n = n
        self._correct: list[int] = []
        self.traces = self.tokens = 0
        self.stopped: Counter[str] = Counter()

    def add(self, problem: Problem, traces: dict[int, Trace]) -> None:
        self.traces += len(traces)
        self.tokens += sum(t.n_tokens for t in traces.values())
        self.stopped.update(t.stopped for t in traces.values())
        if problem.answer is not None and len(traces) == self._n:
            self._correct.append(sum(answers_match(problem.answer, t.answer) for t in traces.values()))

    def add_written(self, lines: Sequence[dict[str, Any]]) -> None:
        """The lines of one problem that an earlier run wrote; they do not say how many tokens they took."""
        self.traces += len(lines)
        self.stopped.update(line["stopped"] for line in lines)
        if "final_correct" in lines[0]:
            self._correct.append(sum(line["final_correct"] for line in lines))

    def figures(self) -> dict[str, Any]:
        """Unbiased pass@k (Chen et al. 2021) for k = 1, 2, 4, ... n; absent where no answer is known."""
        sizes = sorted({min(2**i, self._n) for i in range(self._n.bit_length() + 1)})
        passed = {f"pass@{k}": fmean(pass_at_k(self._n, c, k) for c in self._correct) for k in sizes if self._correct}
        return {
            "n_traces": self.traces,
            "n_tokens": self.tokens,
            "n_problems_graded": len(self._correct),
            **passed,
            "ended": self.stopped["end"],
            "cut_at_max_tokens": self.stopped["length"],
        }


def trace_line(posed: Posed, index: int, trace: Trace, generator: str) -> dict[str, Any]:
    """One line of the trace schema."""
    line: dict[str, Any] = {
        "id": f"{posed.name}:{index}",
        "question": posed.problem.question,
        "solution": trace.text,
        "generator": generator,
        "mean_logprob": round(fmean(trace.logprobs), 6) if trace.logprobs else None,
        "stopped": trace.stopped,
    }
    if posed.problem.answer is not None:
        line["gold_answer"] = posed.problem.answer
        line["final_correct"] = answers_match(posed.problem.answer, trace.answer)
    return line


def keep_whole_problems(path: Path, posed: Sequence[Posed], n: int, generator: str) -> Iterator[list[dict[str, Any]]]:
    """The lines of each problem, in order, that an earlier run finished; the rest of the file is cut off at the end.

    Raises:
        ValueError: if the file is of other problems or another policy.
    """
    whole = 0
    with path.open("r+b") as file:
        for one in posed:
            lines = list(islice(file, n))
            if len(lines) < n or not lines[-1].endswith(b"\n"):
                break
            records = [load_object(line) for line in lines]
            whole_one = [(f"{one.name}:{i}", one.problem.question, generator) for i in range(n)]
            if [(r.get("id"), r.get("question"), r.get("generator")) for r in records] != whole_one:
                # Behind a whole problem these are what a stop left unfinished; at the head, or where a problem has
                # more than n of them, they are another run's.
                if not whole or any(str(r.get("id")).endswith(f":{n}") for r in records):
                    raise ValueError(f"{path} holds traces of other problems, policy or n: give another --out")
                break
            whole += sum(map(len, lines))
            yield records
        file.truncate(whole)


def draw(
    posed: Sequence[Posed], policy: Any, sampling: Any, stop: threading.Event
) -> Iterator[tuple[int, dict[int, Trace]]]:
    """(problem, its finished traces by index), in the order of the problems; after a stop those that were begun."""
    ended: dict[int, dict[int, Trace]] = defaultdict(dict)
    counted: Counter[int] = Counter()
    following = 0
    with tqdm(total=len(posed) * sampling.n, unit="trace", file=sys.stderr) as bar:
        for request, event in policy.sample_many([p.problem.question for p in posed], sampling, stop):
            bar.update()
            counted[request] += 1
            if event.trace.stopped != "cancelled":
                ended[request][event.index] = event.trace
            while counted[following] == sampling.n:
                yield following, dict(sorted(ended.pop(following, {}).items()))
                following += 1


def sample(args: argparse.Namespace, stop: threading.Event) -> dict[str, Any]:
    """Run the whole job, writing lines as problems are finished; returns the figures."""
    from irl_core.loading import load_policy
    from irl_core.policy.sampling import Sampling

    sampling = Sampling(args.n, args.temperature, args.top_p, args.seed, args.max_tokens, args.calculator)
    policy = load_policy(args.policy, calculator=args.calculator)
    posed, skipped = read_problems(
        args.problems, args.limit, lambda question: policy.check_question(question, sampling)
    )
    for line in skipped:
        print(f"line {line.line} skipped: {line.reason}", file=sys.stderr)
    counts, done = SampleCounts(sampling.n), 0
    if args.resume and args.out.exists():
        for lines in keep_whole_problems(args.out, posed, sampling.n, policy.name):
            counts.add_written(lines)
            done += 1
    start = time.perf_counter()
    with args.out.open("a" if done else "w", encoding="utf-8") as out:
        for request, traces in draw(posed[done:], policy, sampling, stop):
            one = posed[done + request]
            counts.add(one.problem, traces)
            for index, trace in traces.items():
                out.write(json.dumps(trace_line(one, index, trace, policy.name), ensure_ascii=False) + "\n")
            out.flush()
    seconds = time.perf_counter() - start
    return {
        "policy": policy.name,
        "policy_sha256": policy.sha256,
        "n_problems": len(posed),
        "n_problems_resumed": done,
        **counts.figures(),
        "seconds": round(seconds, 2),
        "tokens_per_second": round(counts.tokens / seconds, 1),
        **{name: value for name, value in vars(sampling).items() if name != "prefix"},
        "stopped_early": stop.is_set(),
        "skipped": [vars(line) for line in skipped],
    }


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.sample", description=__doc__)
    parser.add_argument("--problems", type=Path, required=True, metavar="P.jsonl", help="the problems")
    parser.add_argument("--out", type=output_file, required=True, metavar="traces.jsonl", help="where the traces go")
    parser.add_argument("--n", type=int, default=8, help="traces per problem")
    parser.add_argument("--policy", default="auto", help="auto, embedded, a folder, a hub name, vllm:NAME or a URL")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same file")
    parser.add_argument("--temperature", type=float, default=0.7, help="0 takes the most probable token")
    parser.add_argument("--top-p", type=float, default=0.95, help="nucleus: smallest set of tokens with this mass")
    parser.add_argument("--max-tokens", type=int, default=160, help="limit per trace")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N lines")
    parser.add_argument("--resume", action="store_true", help="go on with what --out holds of the same run")
    parser.add_argument("--calculator", action="store_true", help="fill in results after '=' by exact arithmetic")
    return parser


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

    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        figures = sample(args, stop)
    except (OSError, ValueError, PolicyError) as problem:
        parser.error(str(problem))
    print_figures(figures)


if __name__ == "__main__":
    main()
