"""The same solution in another style: a reward of reasoning should not move much; a wrong number should move it.

Pure edits of a right solution, one step a line and `#### answer` last (claim D3). None of them changes a number, an
operation or the order of the steps, and each returns None where it would change nothing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from irl_core.text.equations import check_equations

StyleEdit = Callable[[str, random.Random], str | None]

_OPENINGS = ("So ", "Now ", "Then ", "Next, ", "Therefore, ", "This means that ", "We see that ", "From this, ")
_OPENING = re.compile(r"^(?:So|Now|Then|Next|Thus|Hence|Therefore|First|Finally|This means|In total|Altogether)\b,? *")
_SYNONYMS = {
    "altogether": "in total", "in total": "altogether", "a total of": "altogether", "each": "apiece",
    "needs to": "has to", "has to": "needs to", "gets": "receives", "bought": "purchased", "costs": "is priced at",
    "spent": "paid out", "left": "remaining", "remaining": "left over", "earns": "makes", "makes": "gets",
    "will be": "comes to", "would be": "comes to", "must": "has to", "because": "since", "since": "because",
}  # fmt: skip
_WORDS = re.compile(rf"\b(?:{'|'.join(map(re.escape, _SYNONYMS))})\b")
_MAY_BE_LOWERED = re.compile(
    r"(?:A|After|An|At|Because|Each|For|He|Her|His|If|In|It|On|She|Since|The|Their|There|They|This|To)\b"
)
_OPERATOR = re.compile(r"(?<=[\d)%]) *([-+*/x×÷=]) *(?=\$? ?[\d(.])")
_RESTATED = ("That makes {}.", "So this comes to {}.", "The result of this step is {}.", "We keep {} in mind.")


def reworded(solution: str, rng: random.Random) -> str | None:
    """Other openings of the steps and synonyms for common words; everything between equal signs stays."""
    used = rng.sample(_OPENINGS, len(_OPENINGS))
    steps, answer = _parts(solution)
    new = [_reword(step, used[k % len(used)]) for k, step in enumerate(steps)]
    return _changed(solution, new, answer)


def _reword(step: str, opening: str) -> str:
    body = _WORDS.sub(lambda word: _SYNONYMS[word[0]], _OPENING.sub("", step))
    lowered = (
        body[:1].lower() + body[1:] if re.match(r"(?:The|There|He|She|They|It|In|On|To|If|Each)\b", body) else body
    )
    return opening + lowered


def reformatted(solution: str, rng: random.Random) -> str | None:
    """Other spacing around operators, `×` for `*` or `x` (and the reverse), no dollar signs."""
    steps, answer = _parts(solution)
    gap = "" if re.search(r"\d [-+*/x=] ?\d", solution) else " "
    times = rng.choice(["×", "x"]) if "*" in solution else "*"
    shown = {"*": times, "x": times, "×": times}
    new = [_OPERATOR.sub(lambda m: gap + shown.get(m[1], m[1]) + gap, step).replace("$", "") for step in steps]
    return _changed(solution, new, answer)


def lengthened(solution: str, rng: random.Random) -> str | None:
    """A sentence after each step that says its result again."""
    steps, answer = _parts(solution)
    new = []
    for step in steps:
        results = [check.stated for check in check_equations(step)]
        restated = f" {rng.choice(_RESTATED).format(results[-1])}" if results else ""
        new.append(step + ("" if not restated or step.endswith((".", "!")) else ".") + restated)
    return _changed(solution, new, answer)


def stripped(solution: str, rng: random.Random) -> str | None:
    """The equations alone, one step a line; None where a step has none, because its meaning would be lost."""
    steps, answer = _parts(solution)
    equations = [[check.text.strip() for check in check_equations(step)] for step in steps]
    if not all(equations):
        return None
    return _changed(solution, [", ".join(texts) for texts in equations], answer)


STYLE_EDITS: dict[str, StyleEdit] = {
    "reworded": reworded,
    "reformatted": reformatted,
    "lengthened": lengthened,
    "stripped": stripped,
}


def _parts(solution: str) -> tuple[list[str], str]:
    """The steps, and the line with the answer."""
    *steps, answer = [line.strip() for line in solution.strip().splitlines() if line.strip()]
    return steps, answer


def _changed(solution: str, steps: list[str], answer: str) -> str | None:
    edited = "\n".join([*steps, answer])
    return None if edited == "\n".join([*_parts(solution)[0], answer]) else edited
