"""A step as text: its equation within the sentence, before it, behind it, or alone."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import NamedTuple

from irl_core.learning.data.solution_graph import Piece, WorkedSolution
from irl_core.learning.data.styles.choices import Form, Notation, Style
from irl_core.learning.data.styles.notation import wrapped, write_equation, write_number
from irl_core.learning.data.worked_equations import Quantity

# A sentence that breaks off here needs its equation where it stands.
_NEEDS_EQUATION = re.compile(
    r"(?:\b(?:because|since|as|so|that|means|from|with|and|or|by|if|then|when|for)|[=:(+*/÷×-])\s*\Z", re.IGNORECASE
)
_CAN_BE_LOWER = frozenset(
    "the a an he she it they we you there this that these those his her their its our each every all both if in"
    " on at to since because so for from with when after before of by half one two three then now next total thus"
    " as altogether together another some first let calculate work therefore hence between during twice everyone"
    " everybody overall half only even without until while per how what also later yesterday today tomorrow who"
    " whoever it's he's she's that's there's they're".split()
)
_NOUNS = re.compile(r"(?: ([a-z]{3,}))(?: ([a-z]{3,}))?(?: ([a-z]{3,}))?")
_NO_NOUN = frozenset(
    "for from with and because since then than per each every the more less after before when while that which are"
    " was were left altogether total all who she they but this during has had have will can each out into onto".split()
)
_AGAIN = (
    "That makes {}.", "So that is {}.", "The result is {}.", "This gives {}.", "So we get {}.", "That gives us {}.",
)  # fmt: skip
OPENER = re.compile(
    r"\s*(?:first|second|third|then|next|now|finally|lastly|so|therefore|thus|hence|after|also|and|but|this means"
    r"|that means|in the end|to begin)\b",
    re.IGNORECASE,
)
_MIDDLE = ("Next, ", "Then, ", "Now, ", "After that, ", "Next, ", "Then ")
_LAST = ("Finally, ", "Finally, ", "Lastly, ", "Now, ", "So, ")


class _Draws(NamedTuple):
    """What is drawn for a line, whatever its numbers are; each in [0, 1)."""

    form: float
    link: float
    opens: float
    opening: float
    again: float
    phrase: float


def write_line(solution: WorkedSolution, k: int, style: Style, rng: random.Random) -> str:
    """Line `k` in a style, without its label. It may hold line breaks around a display formula."""
    draws = _Draws(*(rng.random() for _ in _Draws._fields))
    form = _picked(style, draws.form)
    text = _formed(solution, k, form, style.notation, draws.link)
    if draws.opens < style.openings and form != "terse":
        text = _opened(text, k, len(solution.lines), draws.opening)
    if form != "terse":
        text = _stopped(text)
    nodes = solution.nodes_in(k)
    if nodes and draws.again < style.again and not text.endswith(("]", "$$")):
        result = write_number(solution.nodes[nodes[-1]].result, style.notation)
        text = f"{_stopped(text)} {_at(_AGAIN, draws.phrase).format(result)}"
    return text.lower().rstrip(".") if style.lower else text


def said(solution: WorkedSolution, k: int, notation: Notation) -> str | None:
    """Line `k` as a sentence with its result alone, its equation left out; None where that makes no sentence."""
    pieces, nodes = solution.lines[k], solution.nodes_in(k)
    if len(nodes) != 1:
        return None
    at = pieces.index(nodes[0])
    before = _words(solution, pieces[:at], notation)
    if _NEEDS_EQUATION.search(before) or not re.search(r"[A-Za-z]", before):
        return None
    after = _words(solution, pieces[at + 1 :], notation)
    return (before + write_number(solution.nodes[nodes[0]].result, notation) + after).strip()


def lowered(text: str) -> str:
    """The text with a small first letter, where its first word is no name."""
    first = re.match(r"[A-Za-z']+", text)
    is_small = first is not None and (
        first[0].lower() in _CAN_BE_LOWER or (first[0].endswith("ing") and len(first[0]) > 6)
    )
    return text[:1].lower() + text[1:] if is_small else text


def _picked(style: Style, draw: float) -> Form:
    total = sum(style.forms.values())
    for form, weight in style.forms.items():
        draw -= weight / total
        if draw < 0:
            return form
    return next(reversed(style.forms))


def _at(choices: Sequence[str], draw: float) -> str:
    return choices[int(draw * len(choices))]


def _formed(solution: WorkedSolution, k: int, form: Form, notation: Notation, draw: float) -> str:
    pieces, nodes = solution.lines[k], solution.nodes_in(k)
    if form == "terse" and nodes:
        return _terse(solution, pieces, nodes, notation)
    sentence = said(solution, k, notation)
    if notation.is_display and form == "inline":
        form, draw = ("result_first", 2 * draw) if draw < 0.5 else ("equation_first", 2 * draw - 1)
    if form == "inline" or sentence is None:
        return _words(solution, pieces, notation.inline()).strip()
    equation = wrapped(write_equation(solution.nodes[nodes[0]], notation), notation)
    return (_result_first if form == "result_first" else _equation_first)(sentence, equation, notation, draw)


def _result_first(sentence: str, equation: str, notation: Notation, draw: float) -> str:
    sentence = sentence.rstrip(" .")
    if notation.is_display:
        return f"{sentence}:\n{equation}"
    return _at(("{}: {}", "{} ({})", "{} because {}", "{}, since {}", "{}. {}"), draw).format(sentence, equation)


def _equation_first(sentence: str, equation: str, notation: Notation, draw: float) -> str:
    has_opener = bool(OPENER.match(sentence))
    if notation.is_display:
        lead = _at(("", "", "", "We calculate:\n", "Calculate:\n", "Work it out:\n"), draw)
        link = "" if has_opener else _at(("So ", "This means ", ""), draw * 6 % 1)
        return f"{lead}{equation}\n{link}{lowered(sentence) if link else sentence}"
    link = ". " if has_opener else _at((", so ", ". So ", ". ", ". This means "), draw)
    return equation + link + (sentence if link == ". " else lowered(sentence))


def _words(solution: WorkedSolution, pieces: Sequence[Piece], notation: Notation) -> str:
    return "".join(_piece(solution, piece, notation) for piece in pieces)


def _piece(solution: WorkedSolution, piece: Piece, notation: Notation) -> str:
    if isinstance(piece, str):
        return piece.replace("$", "\\$") if notation.wrapper == "$" else piece
    if isinstance(piece, Quantity):
        return write_number(piece, notation)
    node = solution.nodes[piece]
    if not node.is_shown:
        return write_number(node.result, notation)
    return wrapped(write_equation(node, notation), notation)


def _terse(solution: WorkedSolution, pieces: Sequence[Piece], nodes: Sequence[int], notation: Notation) -> str:
    """The equations alone, the last with the noun behind its result."""
    equations = [wrapped(write_equation(solution.nodes[node], notation), notation) for node in nodes]
    joined = ("\n" if notation.is_display else "; ").join(equations)
    behind = "".join(map(str, pieces[pieces.index(nodes[-1]) + 1 :][:1]))
    match = None if notation.is_latex else _NOUNS.match(behind)
    for word in match.groups() if match else ():
        if word is None or word in _NO_NOUN:
            break
        joined += f" {word}"
    return joined


def _opened(text: str, k: int, n: int, draw: float) -> str:
    if OPENER.match(text) or text.startswith(("\\[", "$$")):
        return text
    opening = "First, " if k == 0 else _at(_LAST if k == n - 1 else _MIDDLE, draw)
    return opening + (lowered(text) if text[:1].isalpha() else f"we calculate {text}")


def _stopped(text: str) -> str:
    """The text with a full stop where it ends in words or a number."""
    return text if not text or text[-1] in ".!?:;]" or text.endswith("$$") else f"{text}."
