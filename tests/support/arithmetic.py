"""A critic that checks sums and products, and nothing else, exactly, and traces for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from irl_core.diagnosis.calibration import Calibration
from irl_core.diagnosis.features import FEATURES
from irl_core.diagnosis.first_error import log_odds
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace

EQUATION = re.compile(r"(\d+) ([+*]) (\d+) = (\d+)")


def is_false(step: str) -> bool:
    return any((int(a) + int(b) if op == "+" else int(a) * int(b)) != int(c) for a, op, b, c in EQUATION.findall(step))


# Alone, a step with a false equation is wrong with probability 0.9, any other with 0.05. Its result shows it wholly.
CALIBRATION = Calibration(
    features=FEATURES,
    weights=tuple(log_odds(0.9) - log_odds(0.05) if name == "false_equation" else 0.0 for name in FEATURES),
    intercept=log_odds(0.05),
    threshold=0.5,
    unsure_above=0.5,
    heat_scale=log_odds(0.9) - log_odds(0.05),
    source="arithmetic",
    n_traces=0,
    supervision="none",
)


@dataclass
class ArithmeticCritic:
    """One token per character; a step with a false equation costs one nat, spread over its characters."""

    name: str = "arithmetic"
    path: str | None = None
    sha256: str | None = "0" * 64
    supervision: str = "none"
    weight_temperature: float = 0.5
    calibration: Calibration | None = CALIBRATION
    windows: list[int] = field(default_factory=list)

    def score(self, question: str, traces: Sequence[Trace]) -> list[TraceScore]:
        return self.score_many([(question, trace) for trace in traces])

    def score_many(self, items: Sequence[tuple[str, Trace]]) -> list[TraceScore]:
        self.windows.append(len(items))
        if any("unscorable" in question for question, _ in items):
            raise ValueError("the question is longer than the context")
        return [self._score(trace) for _, trace in items]

    def _score(self, trace: Trace) -> TraceScore:
        steps = [-float(is_false(trace.text[a:b])) for a, b in trace.steps]
        rewards = [step / (b - a) for step, (a, b) in zip(steps, trace.steps, strict=True) for _ in range(a, b)]
        return TraceScore(
            offsets=tuple((i, i + 1) for i in range(len(trace.text))),
            rewards=tuple(rewards),
            values=tuple(sum(rewards[: i + 1]) for i in range(len(rewards))),
            step_rewards=tuple(steps),
            surprise=tuple(0.1 * (b - a) for a, b in trace.steps),
            trace_score=sum(steps),
        )


RIGHT = {"question": "2 boxes of 3?", "steps": ["2 * 3 = 6", "#### 6"], "gold_answer": "6"}
WRONG = {"question": "2 boxes of 3?", "steps": ["Boxes.", "2 * 3 = 7", "#### 7"], "gold_answer": "6"}
MISREAD = {"question": "2 boxes of 3?", "steps": ["2 + 3 = 5", "#### 5"], "gold_answer": "6"}


def labelled(line: dict, first_error: int, final_correct: bool) -> dict:
    return {**line, "first_error_step": first_error, "final_correct": final_correct}


LABELLED = [labelled(RIGHT, -1, True), labelled(WRONG, 1, False), labelled(MISREAD, 0, False)]
