"""Many solutions of many problems, drawn and written as JSON lines, and what is counted of them."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

from tqdm import tqdm

from irl_core.diagnosis.best_of_n import pass_at_k
from irl_core.evaluation.problem_files import NamedProblem
from irl_core.policy.sampling import Sampling
from irl_core.text.answers import answers_match
from irl_core.text.json_lines import load_object
from irl_core.text.traces import Problem, Trace

if TYPE_CHECKING:
    from irl_core.policy.base import Policy

TraceLine = dict[str, Any]
"""One line of a trace file: {"id", "question", "solution", "generator", "mean_logprob" (nats), "stopped"} and, where
an answer is known, "gold_answer" and "final_correct"."""


class DrawnTraces(NamedTuple):
    """The finished traces of a problem by their index."""

    problem: int
    traces: dict[int, Trace]


class WrittenTraces(NamedTuple):
    """What a trace file holds at the end of a run, and how many of its problems an earlier run had finished."""

    counts: SampleCounts
    resumed: int


class SampleCounts:
    """Counts what is drawn; a problem counts for pass@k once all of its n traces are there."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._correct: list[int] = []
        self.traces = self.tokens = 0
        self.stopped: Counter[str] = Counter()

    def add(self, problem: Problem, traces: dict[int, Trace]) -> None:
        """What was drawn of one problem."""
        self.traces += len(traces)
        self.tokens += sum(t.n_tokens for t in traces.values())
        self.stopped.update(str(t.stopped) for t in traces.values())
        if problem.answer is not None and len(traces) == self._n:
            self._correct.append(sum(answers_match(problem.answer, t.answer) for t in traces.values()))

    def add_written(self, lines: Sequence[TraceLine]) -> None:
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


def trace_line(named: NamedProblem, index: int, trace: Trace, generator: str) -> TraceLine:
    """One line of a trace file.

    Args:
        generator: the name of the policy.
    """
    line: TraceLine = {
        "id": f"{named.name}:{index}",
        "question": named.problem.question,
        "solution": trace.text,
        "generator": generator,
        "mean_logprob": round(fmean(trace.logprobs), 6) if trace.logprobs else None,
        "stopped": trace.stopped,
    }
    if named.problem.answer is not None:
        line["gold_answer"] = named.problem.answer
        line["final_correct"] = answers_match(named.problem.answer, trace.answer)
    return line


def write_traces(
    path: Path,
    problems: Sequence[NamedProblem],
    policy: Policy,
    sampling: Sampling,
    stop: threading.Event,
    *,
    resume: bool = False,
) -> WrittenTraces:
    """Draw `sampling.n` traces of each problem and write them in the order of the problems, each as it is finished.

    Args:
        stop: once it is set, what is finished stays and no other trace is begun.
        resume: keep what the file holds of whole problems, and go on behind them.

    Raises:
        ValueError: if the file to be gone on with is of another run.
    """
    counts, done = SampleCounts(sampling.n), 0
    if resume and path.exists():
        for lines in keep_whole_problems(path, problems, sampling.n, policy.name):
            counts.add_written(lines)
            done += 1
    with path.open("a" if done else "w", encoding="utf-8") as out:
        for drawn in draw(problems[done:], policy, sampling, stop):
            named = problems[done + drawn.problem]
            counts.add(named.problem, drawn.traces)
            for index, trace in drawn.traces.items():
                out.write(json.dumps(trace_line(named, index, trace, policy.name), ensure_ascii=False) + "\n")
            out.flush()
    return WrittenTraces(counts, done)


def keep_whole_problems(
    path: Path, problems: Sequence[NamedProblem], n: int, generator: str
) -> Iterator[list[TraceLine]]:
    """The lines of each problem, in order, that an earlier run finished; the rest of the file is cut off at the end.

    Raises:
        ValueError: if the file is of other problems or another policy.
    """
    whole = 0
    with path.open("r+b") as file:
        for named in problems:
            lines = list(islice(file, n))
            if len(lines) < n or not lines[-1].endswith(b"\n"):
                break
            records = [load_object(line) for line in lines]
            expected = [(f"{named.name}:{i}", named.problem.question, generator) for i in range(n)]
            if [(r.get("id"), r.get("question"), r.get("generator")) for r in records] != expected:
                # Behind a whole problem these are what a stop left unfinished; at the head, or where a problem has
                # more than n of them, they are another run's.
                if not whole or any(str(r.get("id")).endswith(f":{n}") for r in records):
                    raise ValueError(f"{path} holds traces of other problems, policy or n: give another --out")
                break
            whole += sum(map(len, lines))
            yield records
        file.truncate(whole)


def draw(
    problems: Sequence[NamedProblem], policy: Policy, sampling: Sampling, stop: threading.Event
) -> Iterator[DrawnTraces]:
    """The finished traces of each problem, in the order of the problems; after a stop, of those that were begun."""
    ended: dict[int, dict[int, Trace]] = defaultdict(dict)
    counted: Counter[int] = Counter()
    following = 0
    with tqdm(total=len(problems) * sampling.n, unit="trace", file=sys.stderr) as bar:
        for request, event in policy.sample_many([p.problem.question for p in problems], sampling, stop):
            bar.update()
            counted[request] += 1
            if event.trace.stopped != "cancelled":
                ended[request][event.index] = event.trace
            while counted[following] == sampling.n:
                yield DrawnTraces(following, dict(sorted(ended.pop(following, {}).items())))
                following += 1
