"""What a visitor may ask for. The browser's limits are hints; these hold for every caller of the endpoints."""

from __future__ import annotations

import math

import gradio as gr
from pydantic import ValidationError

from irl_core.policy.sampling import Sampling
from irl_core.session.record import Session, load_session
from irl_core.text.steps import split_steps
from irl_core.text.traces import Problem, Trace

from .session_limits import MAX_ANSWER, MAX_PROBLEM, MAX_SOLUTION, MAX_STEPS, excess

MAX_TRACES = 16
MAX_TEMPERATURE = 2.0
MAX_SEED = 2**32 - 1


def refusal(message: str) -> gr.Error:
    """What was wrong, why, and what to do next. The browser shows it as HTML: no user text goes into it, nor into the
    log, which a stack trace would take there."""
    return gr.Error(message, print_exception=False)


def read_problem(question: object, answer: object = None) -> Problem:
    """The problem of a form.

    Raises:
        gr.Error: if the question is empty or too long, or the known answer too long. User text is never repeated,
            because the browser shows these messages as HTML.
    """
    asked = _text(question, "problem", MAX_PROBLEM)
    if not asked.strip():
        raise refusal("There is no problem to work on. Type one, or choose an example.")
    known = _text(answer, "known answer", MAX_ANSWER).strip()
    return Problem(question=asked, answer=known or None)


def read_solution(solution: object) -> str:
    """The pasted solution of a form; raises gr.Error if it is empty, too long, or has too many steps."""
    text = _text(solution, "solution", MAX_SOLUTION)
    if not text.strip():
        raise refusal("There is no solution to check. Paste one, a step to a line.")
    steps = len(split_steps(text))
    if steps > MAX_STEPS:
        raise refusal(f"The solution has {steps} steps and at most {MAX_STEPS} can be checked. Shorten it.")
    return text


def read_step(text: object) -> str:
    """One step as somebody words it; empty where it is to go. Raises gr.Error as `read_problem`."""
    return _text(text, "step", MAX_SOLUTION)


def read_changed(trace: Trace) -> Trace:
    """A solution that somebody changed; raises gr.Error if it has become longer than can be checked."""
    _text(trace.text, "changed solution", MAX_SOLUTION)
    if len(trace.steps) > MAX_STEPS:
        raise refusal(
            f"The changed solution has {len(trace.steps)} steps and at most {MAX_STEPS} can be checked. "
            "Shorten it; nothing was changed."
        )
    return trace


def read_sampling(n: object, temperature: object, seed: object, calculator: object, prefix: str = "") -> Sampling:
    """The form's request to the policy. What the form does not ask for is as `Sampling` has it.

    `prefix` is not the visitor's: it is cut from a solution that has passed `read_session` or came from the policy.

    Raises:
        gr.Error: for anything but numbers inside their limits and a plain yes or no.
    """
    if not isinstance(calculator, bool):
        raise refusal("The calculator is either on or off. Correct it and try again.")
    return Sampling(
        n=int(_number(n, "number of solutions", 1, MAX_TRACES, whole=True)),
        temperature=_number(temperature, "temperature", 0.0, MAX_TEMPERATURE),
        seed=int(_number(seed, "seed", 0, MAX_SEED, whole=True)),
        calculator=calculator,
        prefix=prefix,
    )


def read_session(data: bytes | None) -> Session:
    """An uploaded session file; raises gr.Error in plain words where it cannot be used."""
    try:
        session = load_session(data or b"")
    except ValueError as fault:
        newer = isinstance(fault, ValidationError) and any(e["loc"] == ("schema_version",) for e in fault.errors())
        why = " It may have been saved by a newer one: open it there." if newer else ""
        raise refusal(
            "This is not a session that this version of Errata can read."
            f"{why} Choose a file saved with “Save session”.",
        ) from fault
    if too_large := excess(session):
        raise refusal(f"{too_large} Choose another file.")
    return session


def form_settings(settings: Sampling | None) -> Sampling:
    """A session's settings as the form can hold them: what is beyond its limits, or not known, is as it opens."""
    asked, default = settings or Sampling(), Sampling()
    return Sampling(
        n=asked.n if asked.n <= MAX_TRACES else default.n,
        temperature=asked.temperature if asked.temperature <= MAX_TEMPERATURE else default.temperature,
        seed=asked.seed if asked.seed <= MAX_SEED else default.seed,
        calculator=asked.calculator,
    )


def read_index(value: object, size: int) -> int | None:
    """An index that came from a browser, or None if it is none of `size` things."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < size else None


def lines(text: object) -> list[str]:
    """A text as a browser's field gives it back: with one kind of line break."""
    return str(text).splitlines()


def _text(value: object, name: str, limit: int) -> str:
    text = "" if value is None else value
    if not isinstance(text, str):
        raise refusal(f"The {name} must be text.")
    if len(text) > limit:
        raise refusal(
            f"The {name} has {len(text):,} characters and may have {limit:,}. Shorten it; nothing was changed.",
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as fault:
        raise refusal(f"The {name} holds half of a character. Delete it and try again.") from fault
    return text


def _number(value: object, name: str, low: float, high: float, whole: bool = False) -> float:
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not low <= number <= high or (whole and not number.is_integer()):
        kind = "a whole number" if whole else "a number"
        raise refusal(
            f"The {name} must be {kind} from {low:,.12g} to {high:,.12g}. Correct it and try again.",
        )
    return number
