"""A reader's own verdict on a solution: which step is the first wrong one, or that none is.

Verdicts are kept in the session as words ("step 2", "nothing wrong"), leave it as step labels in the schema of
`train.evaluate`, and say how often the critic is of the same mind as this reader.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.session.edits import is_edited
from irl_core.session.record import Session
from irl_core.text.answers import answers_match, known_answer

NOTHING = -1
"""The label of a solution without an error, as `first_error_step` has it."""

_NOTHING_WRONG = "nothing wrong"
_AGREE = "agree"
_STEP = re.compile(r"step ([1-9]\d{0,3})")


def found_by_critic(diagnosis: Diagnosis) -> int | None:
    """The first wrong step by the marks, -1 for none; None where they leave it open.

    They do where the critic is not sure or does not judge, and no equation is false.
    """
    suspect = diagnosis.first_suspect
    if suspect is not None and 0 <= suspect < len(diagnosis.steps) and not diagnosis.outside:
        return suspect
    for step, finding in enumerate(diagnosis.steps):
        if any(not equation.ok for equation in finding.equations):
            return step
    judged = any(finding.verdict not in ("not judged", "unfinished") for finding in diagnosis.steps)
    return NOTHING if judged and not diagnosis.not_sure and not diagnosis.outside else None


def said_by_reader(session: Session, index: int) -> int | None:
    """The first wrong step by the reader's verdict, -1 for none; None without a verdict that can be read."""
    said = session.verdicts.get(str(index), "")
    if said == _NOTHING_WRONG:
        return NOTHING
    if said == _AGREE and 0 <= index < len(session.diagnoses):
        return found_by_critic(session.diagnoses[index])
    matched = _STEP.fullmatch(said)
    step = int(matched[1]) - 1 if matched else None
    known = step is not None and 0 <= index < len(session.traces) and step < len(session.traces[index].steps)
    return step if known else None


def with_verdict(session: Session, index: int, first_error: int | None) -> Session:
    """The session with a verdict on trace `index`: its first wrong step, -1 for none; None takes the verdict back.

    Raises:
        ValueError: if there is no such trace or step.
    """
    if not 0 <= index < len(session.traces):
        raise ValueError(f"there is no solution {index + 1} to judge")
    if first_error is not None and not NOTHING <= first_error < len(session.traces[index].steps):
        raise ValueError(f"solution {index + 1} has no step {first_error + 1}")
    verdicts = {key: verdict for key, verdict in session.verdicts.items() if key != str(index)}
    if first_error is not None:
        verdicts[str(index)] = _NOTHING_WRONG if first_error == NOTHING else f"step {first_error + 1}"
    return session.model_copy(update={"verdicts": verdicts})


class Judged(NamedTuple):
    """One solution that was judged: its labelled line, and what the critic's marks say (as `found_by_critic`)."""

    line: dict[str, Any]
    found: int | None

    @property
    def said(self) -> int:
        """The reader's label."""
        label: int = self.line["first_error_step"]
        return label

    def is_of(self, question: str, steps: list[str]) -> bool:
        """Whether it is of this solution."""
        return bool(self.line["question"] == question and self.line["steps"] == steps)


def step_labels(session: Session) -> list[Judged]:
    """The judged solutions of a session as lines of the trace schema, in the order of its traces."""
    labels = []
    for index, trace in enumerate(session.traces):
        said = said_by_reader(session, index)
        if said is None:
            continue
        gold = known_answer(session.problem.answer)
        line = {
            "question": session.problem.question,
            "steps": trace.step_texts(),
            "gold_answer": gold,
            "final_correct": None if gold is None else answers_match(gold, trace.answer),
            "first_error_step": said,
            "generator": _generator(session, index),
        }
        found = found_by_critic(session.diagnoses[index]) if index < len(session.diagnoses) else None
        labels.append(Judged({key: value for key, value in line.items() if value is not None}, found))
    return labels


def _generator(session: Session, index: int) -> str | None:
    """Who wrote a solution; None for one that was pasted and is as it was."""
    wrote = session.policy.name if session.policy else None
    if not is_edited(session, index):
        return wrote
    return f"{wrote}, edited by a person" if wrote else "edited by a person"


def collected(before: Iterable[Judged], session: Session) -> tuple[Judged, ...]:
    """What was judged `before`, in other sessions too, with the verdicts that this session has now."""
    question = session.problem.question
    here = [trace.step_texts() for trace in session.traces]
    elsewhere = [one for one in before if not any(one.is_of(question, steps) for steps in here)]
    return (*elsewhere, *step_labels(session))


def to_json_lines(judged: Iterable[Judged]) -> str:
    """Step labels as a file that `train.evaluate` reads."""
    return "".join(json.dumps(one.line, ensure_ascii=False) + "\n" for one in judged)


class Agreement(NamedTuple):
    """How often the critic's marks say the same as a reader: of `judged` solutions, `same` of them; on `left_open` of
    the others the marks say nothing."""

    judged: int
    same: int
    left_open: int


def agreement(judged: Iterable[Judged]) -> Agreement:
    """The critic's agreement with a reader on the first wrong step, or on there being none."""
    all_of_them = list(judged)
    return Agreement(
        judged=len(all_of_them),
        same=sum(one.found == one.said for one in all_of_them),
        left_open=sum(one.found is None for one in all_of_them),
    )
