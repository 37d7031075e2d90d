"""Scored traces as typed columns until the report is made: of a trace ninety bytes are kept, of each step sixteen."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from hashlib import blake2b
from typing import Any

import numpy as np

from irl_core.diagnosis.best_of_n import Candidates, number_groups
from irl_core.evaluation.localisation_metrics import StepLabels
from irl_core.evaluation.scoring import ScoredTrace
from irl_core.evaluation.trace_files import LabelledTrace
from irl_core.evaluation.trace_heat import NOT_KNOWN, heat_summary
from irl_core.text.answers import answers_match, canonical_answer
from irl_core.text.equations import check_equations
from irl_core.text.json_lines import BadLine
from irl_core.text.traces import Trace

UNLABELLED = -2
NOT_PREDICTED = -2
UNKNOWN = -1
UNREADABLE = 0


@dataclass(frozen=True)
class TraceTable:
    """N scored traces; arrays (N,), those of the steps (S,) with trace i's at `starts[i]:starts[i + 1]`.

    `predicted` is the suspect step, -1 for none, and `false_equation` the first step in which exact arithmetic finds
    one, -1 for none. `first_error` is `UNLABELLED` where a file does not say, `final_correct` `UNKNOWN`, `answer` a
    64-bit digest or `UNREADABLE`, `logprob` (nats per token) NaN, `generator` an index into `generators` or `UNKNOWN`;
    `file` is one into `files`. Of a critic without a calibration `predicted` is `NOT_PREDICTED` and
    `step_probability` NaN. `not_sure` and `outside` are 0 or 1, `tokens` counts what the critic read, and from
    `lowest_step` to `suspect_visible` stand the fields of `HeatSummary`.
    """

    problem: np.ndarray
    score: np.ndarray
    predicted: np.ndarray
    false_equation: np.ndarray
    first_error: np.ndarray
    final_correct: np.ndarray
    answer: np.ndarray
    length: np.ndarray
    logprob: np.ndarray
    generator: np.ndarray
    file: np.ndarray
    tokens: np.ndarray
    not_sure: np.ndarray
    outside: np.ndarray
    lowest_step: np.ndarray
    error_share: np.ndarray
    visible: np.ndarray
    visible_in_error: np.ndarray
    suspect_visible: np.ndarray
    step_probability: np.ndarray
    step_reward: np.ndarray
    starts: np.ndarray
    generators: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.problem)

    @property
    def has_probabilities(self) -> bool:
        """Whether the critic has a calibration."""
        return not np.isnan(self.step_probability).any()

    @property
    def has_heat(self) -> np.ndarray:
        """Of which traces it is known what of their tokens can be seen."""
        return np.asarray(self.visible != NOT_KNOWN)

    @property
    def has_verdict(self) -> np.ndarray:
        """Which traces are known to be right or wrong."""
        return np.asarray((self.first_error != UNLABELLED) | (self.final_correct != UNKNOWN))

    @property
    def wrong(self) -> np.ndarray:
        """A first error decides; where steps are unlabelled, the final answer does; False where nothing is known."""
        return np.where(self.first_error == UNLABELLED, self.final_correct == 0, self.first_error >= 0)

    def where(self, keep: np.ndarray) -> TraceTable:
        """The traces that `keep` (N,) marks."""
        sizes = np.diff(self.starts)
        steps = np.repeat(keep, sizes)
        per_step = {"step_probability": self.step_probability[steps], "step_reward": self.step_reward[steps]}
        other = [f.name for f in fields(self) if f.name not in (*per_step, "starts", "generators", "files")]
        columns = {name: getattr(self, name)[keep] for name in other}
        return replace(self, **columns, **per_step, starts=np.cumsum([0, *sizes[keep]]))

    def steps(self) -> StepLabels:
        """Probabilities, rewards and labels of the steps; every trace has to be labelled."""
        return StepLabels(self.step_probability, self.step_reward, self.starts, self.first_error)

    def pools(self) -> Iterator[Candidates]:
        """The candidates of each problem whose candidates all have a checked final answer."""
        order = np.argsort(self.problem, kind="stable")
        for pool in np.split(order, np.flatnonzero(np.diff(self.problem[order])) + 1):
            if not len(pool) or (self.final_correct[pool] == UNKNOWN).any():
                continue
            logprobs = self.logprob[pool]
            yield Candidates(
                scores=self.score[pool],
                correct=self.final_correct[pool] == 1,
                groups=number_groups([None if a == UNREADABLE else a for a in self.answer[pool].tolist()]),
                lengths=self.length[pool],
                logprobs=None if np.isnan(logprobs).any() else logprobs,
            )


_COLUMNS = {
    "problem": "i", "score": "d", "predicted": "i", "false_equation": "i", "first_error": "i", "final_correct": "b",
    "answer": "q", "length": "i", "logprob": "d", "generator": "i", "file": "i", "tokens": "i", "not_sure": "b",
    "outside": "b", "lowest_step": "i", "error_share": "d", "visible": "b", "visible_in_error": "b",
    "suspect_visible": "d", "step_probability": "d", "step_reward": "d", "starts": "q",
}  # fmt: skip
"""Names of `TraceTable`'s arrays and their types, as `array` writes them."""


@dataclass
class ScoredTraces:
    """The scored traces of a run so far, as columns that grow, and what else its report needs.

    `files` names the files that the run reads; traces without a file's name are of the first of them.

    `n_tokens` counts the tokens of all traces, `timed_tokens` those that took `seconds` of the critic's time (not
    those that were scored earlier). `borrowed_logprobs` says that a trace came without log-probabilities of its policy
    and the critic's reference stood in.
    """

    files: tuple[str, ...] = ()
    skipped: list[BadLine] = field(default_factory=list)
    n_tokens: int = 0
    timed_tokens: int = 0
    seconds: float = 0.0
    borrowed_logprobs: bool = False
    _problems: dict[bytes, int] = field(default_factory=dict)
    _generators: dict[str, int] = field(default_factory=dict)
    _columns: dict[str, array[Any]] = field(
        default_factory=lambda: {name: array(code) for name, code in _COLUMNS.items()}
    )

    def __len__(self) -> int:
        return len(self._columns["problem"])

    @property
    def n_problems(self) -> int:
        """How many different questions there are."""
        return len(self._problems)

    def add(self, line: ScoredTrace | BadLine) -> None:
        """Take one more trace, or a line that was skipped."""
        if isinstance(line, BadLine):
            self.skipped.append(line)
            return
        item, correct = line.item, _final_correct(line.item)
        tokens = len(line.token_rewards)
        self.n_tokens += tokens
        self.timed_tokens += tokens if line.seconds > 0 else 0
        self.seconds += line.seconds
        row = {
            "problem": self._problems.setdefault(_digest(item.question.strip(), 12), len(self._problems)),
            "score": line.trace_score,
            "predicted": NOT_PREDICTED if line.predicted_first_error is None else line.predicted_first_error,
            "false_equation": _first_false_equation(item.trace),
            "first_error": UNLABELLED if item.first_error_step is None else item.first_error_step,
            "final_correct": UNKNOWN if correct is None else correct,
            "answer": _answer_digest(item),
            "length": len(item.trace.text),
            "logprob": self._mean_logprob(line),
            "generator": self._generator(item.generator),
            "file": 0 if item.file is None else self.files.index(item.file),
            "tokens": tokens,
            "not_sure": line.not_sure,
            "outside": line.outside,
            **heat_summary(line)._asdict(),
            "starts": len(self._columns["step_reward"]),
        }
        for name, value in row.items():
            self._columns[name].append(value)
        unknown = [float("nan")] * len(line.step_scores)
        self._columns["step_probability"].extend(line.step_error_probability or unknown)
        self._columns["step_reward"].extend(line.step_scores)

    def _generator(self, name: str | None) -> int:
        return UNKNOWN if name is None else self._generators.setdefault(name, len(self._generators))

    def _mean_logprob(self, line: ScoredTrace) -> float:
        if line.item.mean_logprob is not None:
            return line.item.mean_logprob
        if not line.step_surprise or not line.token_rewards:
            return float("nan")
        self.borrowed_logprobs = True
        return -sum(line.step_surprise) / len(line.token_rewards)

    def table(self) -> TraceTable:
        """The traces that were added so far."""
        columns = {name: np.array(column) for name, column in self._columns.items()}
        columns["starts"] = np.append(columns["starts"], len(columns["step_reward"]))
        return TraceTable(**columns, generators=tuple(self._generators), files=self.files)


def _digest(text: str, size: int) -> bytes:
    """Stands for a text of any length in memory."""
    return blake2b(text.encode("utf-8"), digest_size=size).digest()


def _first_false_equation(trace: Trace) -> int:
    steps = (trace.text[start:end] for start, end in trace.steps)
    return next((k for k, step in enumerate(steps) if any(not e.ok for e in check_equations(step))), -1)


def _answer_digest(item: LabelledTrace) -> int:
    answer = canonical_answer(item.trace.answer)
    return UNREADABLE if answer is None else int.from_bytes(_digest(answer, 8), signed=True) or 1


def _final_correct(item: LabelledTrace) -> bool | None:
    """The file's own verdict, else the comparison with the gold answer, else unknown."""
    if item.final_correct is not None or item.gold_answer is None:
        return item.final_correct
    return answers_match(item.gold_answer, item.trace.answer)
