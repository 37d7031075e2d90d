"""The independent choices that make a manner of writing, and how they are drawn."""

from __future__ import annotations

import random
from typing import Literal, NamedTuple

Form = Literal["inline", "result_first", "equation_first", "terse"]
Wrapper = Literal["", "\\(", "$", "\\[", "$$"]


class Notation(NamedTuple):
    """How an equation is written.

    `times` and `divide` are signs ("" keeps the source's plain ones, "frac" writes fractions); `wrapper` is the LaTeX
    delimiter; `commas` sets thousands apart (None: as in the source); `units` keeps the words behind operands.
    """

    times: str = "*"
    divide: str = "/"
    is_tight: bool = False
    wrapper: Wrapper = ""
    commas: bool | None = None
    units: bool = True

    @property
    def is_latex(self) -> bool:
        return bool(self.wrapper)

    @property
    def is_display(self) -> bool:
        return self.wrapper in ("\\[", "$$")

    def inline(self) -> Notation:
        """The same within a sentence."""
        wrapper: Wrapper = {"\\[": "\\(", "$$": "$"}.get(self.wrapper, self.wrapper)  # type: ignore[assignment]
        return self._replace(wrapper=wrapper)


class Style(NamedTuple):
    """A manner of writing. `seed` decides what is drawn anew for each step.

    Attributes:
        forms: weights of the forms of a step's sentence.
        label: what stands before a step, with {n} and {title}; "" for none.
        join: what stands between steps.
        openings: the share of steps that open with "First," or "Next,".
        again: the share of steps that say their result again in words.
        intro, ending: names of what comes before and behind (`layouts`).
        lower: everything in lower case and no full stops, as a pupil in a hurry.
    """

    seed: int
    notation: Notation
    forms: dict[Form, float]
    label: str = ""
    join: str = "\n"
    openings: float = 0.0
    again: float = 0.0
    intro: str = ""
    ending: str = "hashes"
    lower: bool = False

    @property
    def family(self) -> str:
        """A coarse name: who writes so."""
        if self.lower:
            return "pupil"
        if self.notation.is_latex:
            return "latex"
        if any(mark in self.label for mark in ("**", "#")):
            return "markdown"
        if self.label:
            return "labelled"
        if self.forms.get("terse", 0) == 1:
            return "terse"
        if self.join == " ":
            return "paragraph"
        return "prose" if self.openings or self.intro or self.again else "plain"

    @property
    def description(self) -> str:
        """The choices in short, for a column of a table."""
        n = self.notation
        signs = f"{n.times}{n.divide}{'tight' if n.is_tight else ''}{n.wrapper}"
        form = "mixed" if len(self.forms) > 1 else next(iter(self.forms))
        label = self.label.strip().replace("\n", "|")
        return f"{self.family};{signs};{form};{label};{self.join!r};{self.intro};{self.ending}"


LABELS = {
    "": 6.0,
    "Step {n}: ": 3, "Step {n} - ": 0.5, "Step {n}. ": 0.5, "{n}. ": 3, "{n}) ": 1.5, "({n}) ": 0.5,
    "- ": 1.5, "* ": 0.7, "• ": 0.7, "Step {n}:\n": 1, "**Step {n}:** ": 2, "**Step {n}: {title}**\n": 2.5,
    "{n}. **{title}:** ": 2, "{n}. **{title}**:\n   ": 0.8, "- **{title}:** ": 1,
    "### Step {n}\n": 1, "### Step {n}: {title}\n": 2.5, "## {title}\n": 0.3, "Step {n}: {title}\n": 1.2,
}  # fmt: skip
INTROS = {"": 5.0, "lets": 2, "heres": 1.5, "find": 3, "question": 1, "given": 1.2, "lets_find": 1}
ENDINGS = {
    "hashes": 3.0, "answer_is": 2, "bold": 1.5, "boxed": 2, "therefore": 2, "boxed_sentence": 1, "final": 1,
    "bold_sentence": 1.5, "heading": 0.7, "colon": 1, "restated": 2, "none": 1.2,
}  # fmt: skip
PUPIL_ENDINGS = {"so": 3.0, "answer": 2, "colon": 1.5, "none": 2, "hashes": 1, "equals": 0.5}


def _one(rng: random.Random, weights: dict[str, float]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def _source(seed: int, rng: random.Random) -> Style:
    """As GSM8K's own experts write."""
    return Style(seed, Notation(), {"inline": 1}, ending=_one(rng, {"hashes": 4, "answer_is": 1}))


def _pupil(seed: int, rng: random.Random) -> Style:
    notation = Notation(rng.choice("xx*×·"), rng.choice("//÷"), rng.random() < 0.7, units=False)
    choices: list[dict[Form, float]] = [{"terse": 1}, {"inline": 1}, {"terse": 1, "inline": 1}]
    forms = rng.choice(choices)
    label = _one(rng, {"": 8, "{n}. ": 1, "{n}) ": 1, "- ": 1})
    return Style(
        seed,
        notation,
        forms,
        label,
        "\n" if label else rng.choice(("\n", "\n", "\n", " ")),
        again=rng.choice((0, 0, 0.3)),
        ending=_one(rng, PUPIL_ENDINGS),
        lower=True,
    )


def _terse(seed: int, rng: random.Random) -> Style:
    label = _one(rng, {"": 5, "{n}. ": 1, "Step {n}: ": 1, "- ": 1})
    join = rng.choice(("\n", "\n", "\n\n"))
    return Style(seed, _plain_notation(rng), {"terse": 1}, label, join, ending=_one(rng, ENDINGS))


def _prose(seed: int, rng: random.Random) -> Style:
    return Style(
        seed,
        _plain_notation(rng),
        _forms(rng),
        join=rng.choice(("\n", "\n", "\n\n", " ", " ")),
        openings=rng.choice((0, 0.3, 0.8)),
        again=rng.choice((0, 0, 0.2, 0.5)),
        intro=_one(rng, INTROS) if rng.random() < 0.5 else "",
        ending=_one(rng, ENDINGS),
    )


def _chat(seed: int, rng: random.Random) -> Style:
    label = _one(rng, LABELS)
    latex = rng.random() < 0.5
    notation = _latex_notation(rng) if latex else _plain_notation(rng)
    return Style(
        seed,
        notation,
        _forms(rng),
        label,
        rng.choice(("\n", "\n\n", "\n\n") if label or notation.is_display else ("\n", "\n\n", " ")),
        openings=rng.choice((0, 0.3, 0.8)) if not label or rng.random() < 0.3 else 0,
        again=rng.choice((0, 0, 0.2, 0.5)),
        intro=_one(rng, INTROS),
        ending=_one(rng, ENDINGS),
    )


def _forms(rng: random.Random) -> dict[Form, float]:
    choices: list[dict[Form, float]] = [
        {"inline": 1},
        {"inline": 1},
        {"result_first": 3, "inline": 1},
        {"equation_first": 3, "inline": 1},
        {"inline": 2, "result_first": 1, "equation_first": 1},
    ]
    return rng.choice(choices)


def _plain_notation(rng: random.Random) -> Notation:
    is_tight = rng.random() < 0.2
    return Notation(
        times=_one(rng, {"*": 4, "×": 4, "x": 2, "·": 0.5}),
        divide=_one(rng, {"/": 4, "÷": 2.5}),
        is_tight=is_tight,
        commas=rng.choice((None, None, True, False)),
        units=rng.random() < 0.7 and not is_tight,  # nobody writes "7 stickers/pagex6 pages"
    )


def _latex_notation(rng: random.Random) -> Notation:
    wrappers: tuple[Wrapper, ...] = ("\\(", "\\(", "$", "\\[", "\\[", "\\[", "$$")
    return Notation(
        times=_one(rng, {"\\times": 6, "\\cdot": 1}),
        divide=_one(rng, {"frac": 4, "\\div": 3, "/": 1}),
        wrapper=rng.choice(wrappers),
        commas=rng.choice((None, None, True, False)),
        units=rng.random() < 0.6,
    )


_HANDS = {_source: 1.0, _pupil: 1.3, _terse: 1.2, _prose: 3.5, _chat: 5.0}


def draw_style(rng: random.Random) -> Style:
    """A manner of writing, drawn at random; what does not go together is not drawn together."""
    hand = rng.choices(list(_HANDS), list(_HANDS.values()))[0]
    return hand(rng.getrandbits(32), rng)
