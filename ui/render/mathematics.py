"""What of a step is LaTeX or Markdown, and how it is shown: each character is a part of exactly one piece.

A formula that reads from left to right, such as `\\(12 \\times 5 = 60\\)`, is shown by signs in the place of its
commands, so that every token keeps its colour. Any other is handed to KaTeX whole. What could do more than show
mathematics, or does not add up, stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Literal, NamedTuple

from irl_core.text.markup import read_markup
from irl_core.text.markup.delimiters import delimiters

Style = Literal["", "strong", "em", "code", "heading"]

MAX_FORMULA = 2_000
MAX_TEXT = 10_000
"""Characters of one formula, and of one step, above which all is shown as written."""

_DELIMITED = re.compile(
    rf"\$\$(?P<dollars>.{{1,{MAX_FORMULA}}}?)\$\$|\\\[(?P<bracket>.{{1,{MAX_FORMULA}}}?)\\\]"
    rf"|\\\((?P<round>.{{1,{MAX_FORMULA}}}?)\\\)"
    rf"|(?P<section>\\begin\{{(?P<name>(?:align|aligned|equation|gather|gathered|cases|array|[bp]?matrix)\*?)\}}"
    rf".{{1,{MAX_FORMULA}}}?\\end\{{(?P=name)\}})"
    r"|(?P<boxed>\\boxed\{(?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]{0,200}\}){0,200}\}){1,400}\})",
    re.DOTALL,
)
# Commands that leave mathematics: links, files, attributes, definitions, sizes and colours of somebody else's choice.
_NEVER = re.compile(
    r"\\(?:href|url|html\w*|include\w*|input|def|[egx]def|g?let|futurelet|global|long|\w*newcommand|providecommand"
    r"|DeclareMathOperator|char|catcode|csname|expandafter|noexpand|verb|rule|[hmk]?kern|[hm]skip|hspace|vspace"
    r"|raisebox|\w*color\w*|\w*box(?<!\\boxed)(?<!\\mbox)(?<!\\fbox)|tag|label|ref|eqref|require|mathchoice)(?![a-z])"
)
_WORDS = re.compile(r"[^\W\d_]{2,}")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+|.)", re.DOTALL)
_LINEAR = re.compile(r"(?:[\w .,:;+*/=()<>%|!?'-]|\{,\}|\\[,;:! $%]|\\[A-Za-z]+|[×÷·−≈≤≥°$£€]|\n)+")
_BENT = re.compile(
    r"[_^]|\\(?:[dtc]?frac|sqrt|left|right|begin|end|over\w*|under\w*|boxed|text\w*|math\w*|operatorname)"
)
_HEADING = re.compile(r"^([ \t]{0,8}#{1,6}[ \t]+)(?![-$£€]?[ ]?[0-9])(.+)$", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]{0,8}([*•◦▪‣]|[-+](?=[ \t]+(?:[^\W\d_]|[$]?[*]{2}|\\\(|\\\[)))(?=[ \t]+\S)", re.MULTILINE)
_STRONG = re.compile(
    r"(?<![\w*])\*\*(?=[^\s*])([^*\n]{1,400})(?<=\S)\*\*(?!\*)|(?<!\w)__(?=\S)([^_\n]{1,400})(?<=\S)__(?!\w)"
)
_CODE = re.compile(r"(?<!`)`([^`\n]{1,400})`(?!`)")


class Piece(NamedTuple):
    """The characters `start` to `end` of the text, and how they are shown.

    `shown` takes their place (nothing where it is empty); None leaves them as they are written. Where there is `tex`,
    KaTeX shows it, on a line of its own where it is a `display`.
    """

    start: int
    end: int
    style: Style = ""
    shown: str | None = None
    tex: str | None = None
    display: bool = False


class _Formula(NamedTuple):
    start: int
    end: int
    inner: tuple[int, int]
    display: bool


class _Look(NamedTuple):
    """How one character is shown; characters of one `group` belong together."""

    style: Style = ""
    shown: str | None = None
    formula: _Formula | None = None
    group: int = -1


def lay_out(text: str, start: int, end: int) -> tuple[Piece, ...]:
    """The pieces of `text[start:end]`, which cover it once, in order; none where all is shown as it is written."""
    written = text[start:end]
    if len(written) > MAX_TEXT:
        return ()
    looks = [_Look()] * len(written)
    bare = list(written)
    for formula in formulas(written):
        if renderable(written[slice(*formula.inner)]):
            _lay_out_formula(written, formula, looks)
        bare[formula.start : formula.end] = "x" * (formula.end - formula.start)
    _lay_out_markdown("".join(bare), looks)
    if not any(look != _Look() for look in looks):
        return ()
    return tuple(_pieces(looks, start, written))


def formulas(written: str) -> list[_Formula]:
    """The formulas of a text, which do not overlap. Dollar signs of money begin none."""
    found = []
    for match in _DELIMITED.finditer(written):
        kind = next(name for name in ("dollars", "bracket", "round", "section", "boxed") if match[name] is not None)
        found.append(_Formula(match.start(), match.end(), match.span(kind), kind in ("dollars", "bracket", "section")))
    taken = [range(f.start, f.end) for f in found if not written.startswith("\\boxed", f.start)]
    singles = sorted(at for at in delimiters(written) if written[at] == "$")
    for a, b in zip(singles[::2], singles[1::2], strict=False):
        if not any(a in one or b in one for one in taken) and _is_mathematics(written[a + 1 : b]):
            found = [f for f in found if not a < f.start < b]  # "$\\boxed{3}$" is one
            found.append(_Formula(a, b + 1, (a + 1, b), False))
    return sorted(found)


def renderable(tex: str) -> bool:
    """Whether KaTeX may be given a formula: short, with braces that match, and no command but those of mathematics."""
    if (
        not tex.strip()
        or len(tex) > MAX_FORMULA
        or _NEVER.search(tex)
        or re.search(r"[\x00-\x08\x0b-\x1f%]", _plain(tex))
    ):
        return False
    depth = 0
    for sign in re.findall(r"(?<!\\)(?:\\\\)*([{}])", tex):
        depth += 1 if sign == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def _plain(tex: str) -> str:
    return tex.replace("\\%", "")


def _is_mathematics(inner: str) -> bool:
    """Whether what stands between two dollar signs has no words but those that are a command's."""
    return not _WORDS.search(re.sub(r"\\[A-Za-z]+(?:\s?\{[^{}]{0,200}\})?", " ", inner))


def _lay_out_formula(written: str, formula: _Formula, looks: list[_Look]) -> None:
    for at in range(formula.start, formula.end):
        looks[at] = _Look(formula=formula, group=formula.start)
    a, b = formula.inner
    inner = written[a:b]
    if not _LINEAR.fullmatch(inner) or _BENT.search(inner) or not inner.isprintable():
        return
    plain = read_markup(inner)
    if "\\" in plain.text:
        return
    for at in range(formula.start, formula.end):
        looks[at] = _Look(shown="", group=formula.start)
    within = slice(len(plain.text) - len(plain.text.lstrip()), len(plain.text.rstrip()))
    spans = zip(plain.starts[within], plain.ends[within], plain.text[within], strict=True)
    for (start, end), characters in groupby(spans, key=lambda one: one[:2]):
        shown = "".join(character for *_, character in characters)
        variable = shown.isalpha() and not re.search(r"\w", inner[start - 1 : start] + inner[end : end + 1])
        look = _Look("em" if variable else "", None if shown == inner[start:end] else shown, None, a + start)
        for at in range(a + start, a + end):
            looks[at] = look if look.shown is not None else look._replace(group=-1)


def _lay_out_markdown(bare: str, looks: list[_Look]) -> None:
    """Marks what Markdown means outside of formulas, whose characters are letters in `bare`."""

    def hide(start: int, end: int, shown: str = "") -> None:
        for at in range(start, end):
            looks[at] = looks[at]._replace(shown=shown, group=start)

    def style(start: int, end: int, name: Style) -> None:
        for at in range(start, end):
            looks[at] = looks[at]._replace(style=looks[at].style or name)

    for match in _CODE.finditer(bare):
        style(*match.span(1), "code")
        hide(match.start(), match.start(1))
        hide(match.end(1), match.end())
    for match in _STRONG.finditer(bare):
        inner = match.span(1) if match[1] is not None else match.span(2)
        style(*inner, "strong")
        hide(match.start(), inner[0])
        hide(inner[1], match.end())
    stars = sorted(at for at in delimiters(bare) if bare[at] == "*")
    for a, b in zip(stars[::2], stars[1::2], strict=False):
        style(a + 1, b, "em")
        hide(a, a + 1)
        hide(b, b + 1)
    for match in _HEADING.finditer(bare):
        style(*match.span(2), "heading")
        hide(*match.span(1))
    for match in _BULLET.finditer(bare):
        hide(*match.span(1), "•")


def _pieces(looks: list[_Look], offset: int, written: str) -> Iterator[Piece]:
    at = 0
    for look, same in groupby(looks):
        end = at + len(list(same))
        formula = look.formula
        tex = written[slice(*formula.inner)] if formula else None
        yield Piece(offset + at, offset + end, look.style, look.shown, tex, bool(formula and formula.display))
        at = end
