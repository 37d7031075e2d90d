"""Public benchmarks in their own formats, turned into records of the trace schema.

- ProcessBench (arXiv 2412.06559): `problem`, `steps`, `label` (0-based first error, -1 for none).
- MR-GSM8K and MR-MATH (arXiv 2312.17080): `model_output_steps`, first error counted from 1, "N/A" for none.
- PRM800K (arXiv 2305.20050): one rated completion or several per step; the first rated -1 is the first error.
- TRL's stepwise supervision: a `prompt`, its `completions` step by step and `labels`, true for a right step.
- Math-Shepherd (arXiv 2312.08935): `input` marks the end of each step with "ки", `label` says + or - there.
- RewardBench (arXiv 2403.13787): a `prompt` with `chosen` and `rejected` answers, which become candidates of it.
- ROSCOE (arXiv 2212.07919), its GSM8K part: a `premise`, the solution as `gpt-3`, and `answer`, which says "yes" where
  the final answer is right. What people said of its steps lies in a CSV file beside it and is not read.

What a record does not say stays absent, which the schema reads as "not labelled". Labels that contradict each other
are refused. A record in no known format is taken to be of the schema already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from irl_core.evaluation.step_labels import math_shepherd, stepwise
from irl_core.text.answers import answers_match

JsonObject = dict[str, Any]


def to_schema(record: JsonObject) -> Iterator[JsonObject]:
    """The record as one or more records of the trace schema.

    Raises:
        ValueError: if it is in one of the formats but holds no label, or is not what that format should hold.
    """
    if {"problem", "steps", "label"} <= record.keys():
        yield _process_bench(record)
    elif "model_output_steps" in record:
        yield _mr_gsm8k(record)
    elif isinstance(record.get("label"), dict) and isinstance(record.get("question"), dict):
        yield _prm800k(record["question"], record["label"])
    elif {"prompt", "chosen", "rejected"} <= record.keys():
        yield from _reward_bench(record)
    elif {"premise", "hypothesis", "gpt-3"} <= record.keys():
        yield _roscoe(record)
    elif {"prompt", "completions", "labels"} <= record.keys():
        yield stepwise(record)
    elif isinstance(record.get("input"), str) and isinstance(record.get("label"), str):
        yield math_shepherd(record["input"], record["label"])
    else:
        yield record


def _process_bench(record: JsonObject) -> JsonObject:
    return _without_gaps(
        id=record.get("id"),
        question=record["problem"],
        steps=record["steps"],
        first_error_step=record["label"],
        final_correct=record.get("final_answer_correct"),
        generator=record.get("generator"),
    )


def _mr_gsm8k(record: JsonObject) -> JsonObject:
    written = record["model_output_steps"]
    if isinstance(written, list):
        steps = [step[0] if isinstance(step, list) and len(step) == 1 else step for step in written]
    gold = record.get("ground_truth_answer")
    return _without_gaps(
        id=record.get("uuid"),
        question=record.get("question"),
        **({"steps": steps} if isinstance(written, list) else {"solution": written}),
        gold_answer=None if gold is None else str(gold),
        first_error_step=_counted_from_one(record),
        final_correct=_verdict(record.get("model_output_answer_correctness")),
    )


def _counted_from_one(record: JsonObject) -> int | None:
    """MR-GSM8K's first error as ours; None where a wrong solution has none marked.

    Raises:
        ValueError: if a step is marked that cannot be, or in a solution that is called right.
    """
    said = record.get("model_output_solution_first_error_step")
    right = _verdict(record.get("model_output_solution_correctness"))
    if said is None or (isinstance(said, str) and said.strip().lower() in _NO_STEP):
        return -1 if right else None
    marked = _step_number(said)
    if marked is None or marked < 1:
        raise ValueError(f"MR-GSM8K: the first wrong step is {said!r}, but steps are counted from 1"[:200])
    if right:
        raise ValueError(f"MR-GSM8K: the solution is called right, but step {marked} its first wrong one")
    return marked - 1


_NO_STEP = frozenset(["", "n/a", "na", "none", "null", "-"])
_STEP_NUMBER = re.compile(r"(?:step[ ]?)?#?([0-9]{1,6})(?:\.0?|:)?", re.IGNORECASE)


def _step_number(said: Any) -> int | None:
    """The number in 2, 2.0, "2" or "Step 2"; None if there is none."""
    if isinstance(said, str):
        match = _STEP_NUMBER.fullmatch(said.strip())
        return int(match[1]) if match else None
    is_whole = not isinstance(said, bool) and isinstance(said, (int, float)) and said == int(said)
    return int(said) if is_whole else None


def _verdict(said: Any) -> bool | None:
    words = {"correct": True, "wrong": False, "incorrect": False}
    return said if isinstance(said, bool) else words.get(str(said).strip().lower())


def _prm800k(question: JsonObject, label: JsonObject) -> JsonObject:
    """In phase 2 the whole solution was written beforehand and labelled up to its first error."""
    finish = label.get("finish_reason")
    if finish not in ("solution", "found_error"):
        raise ValueError(f"PRM800K: the labelling ended with {finish!r}, which says nothing of the steps")
    written = question.get("pre_generated_steps")
    rated = [_completion(step) for step in _list(label.get("steps"))]
    first_error = next((i for i, (_, rating) in enumerate(rated) if rating == -1), -1)
    if finish == "found_error" and first_error < 0:
        first_error = _error_beside(_list(label.get("steps")))
    gold, answer = question.get("ground_truth_answer"), question.get("pre_generated_answer")
    right = answers_match(gold, answer) if isinstance(gold, str) and isinstance(answer, str) else None
    return _without_gaps(
        question=question.get("problem"),
        steps=written or [text for text, _ in rated],
        gold_answer=gold,
        first_error_step=first_error,
        final_correct=True if finish == "solution" else right,
    )


def _error_beside(steps: list[Any]) -> int:
    """The last step, if none of its completions was taken and one of them is rated -1.

    Raises:
        ValueError: if it is not so: the labelling says that there is an error, and not where.
    """
    last = steps[-1] if steps else {}
    ratings = [one.get("rating") for one in _list(last.get("completions")) if isinstance(one, dict)]
    if last.get("chosen_completion") is None and -1 in ratings:
        return len(steps) - 1
    raise ValueError("PRM800K: the labelling ended with 'found_error', but no step that was taken is rated -1")


def _completion(step: Any) -> tuple[str, int | None]:
    """What stands at a step of PRM800K, and its rating: the chosen completion, a person's own, or the one rated first.

    Where none was chosen the step ended the solution, and what the model had written there is the first completion.
    """
    if not isinstance(step, dict):
        raise ValueError("PRM800K: a step of the label is not an object")
    human = step.get("human_completion")
    if isinstance(human, dict):
        return human.get("text", ""), human.get("rating", 1)
    if isinstance(human, str) and human.strip():
        return human, 1
    completions, chosen = _list(step.get("completions")), step.get("chosen_completion")
    if not completions:
        raise ValueError("PRM800K: a step of the label has no completion")
    completion = completions[chosen if isinstance(chosen, int) and 0 <= chosen < len(completions) else 0]
    if not isinstance(completion, dict):
        raise ValueError("PRM800K: a completion is not an object")
    return completion.get("text", ""), completion.get("rating")


def _reward_bench(record: JsonObject) -> Iterator[JsonObject]:
    for kind, right in (("chosen", True), ("rejected", False)):
        answers = record[kind] if isinstance(record[kind], list) else [record[kind]]
        for i, answer in enumerate(answers):
            yield _without_gaps(
                id=f"{record.get('id', 'pair')}:{kind}:{i}",
                question=record["prompt"],
                solution=answer,
                final_correct=right,
                generator=record.get(f"{kind}_model"),
            )


_ROSCOE_GSM8K = "IGNORE THIS. Ground truth here for reference."


def _roscoe(record: JsonObject) -> JsonObject:
    if not str(record["hypothesis"]).startswith(_ROSCOE_GSM8K):
        raise ValueError("ROSCOE: it is of a claim and no solution of a problem; only the part of GSM8K is read")
    return _without_gaps(
        question=record["premise"],
        solution=record["gpt-3"],
        final_correct={"yes": True, "no": False}.get(str(record.get("answer")).strip().lower()),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _without_gaps(**fields: Any) -> JsonObject:
    return {key: value for key, value in fields.items() if value is not None}
