"""What each line of a solution is to its steps: something said, a heading, or scaffolding of LaTeX and Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import NamedTuple

from irl_core.text.headings import is_heading

MAX_SCAFFOLD = 200


class Role(Enum):
    """A line `BEGINS` a step, `OPENS` one together with the line behind it, or `GOES_ON` with the step before it."""

    BEGINS = auto()
    OPENS = auto()
    GOES_ON = auto()
    BLANK = auto()


class Line(NamedTuple):
    """The line at characters `start` to `end`, line break included."""

    start: int
    end: int
    role: Role
    in_block: bool


# A form feed before "rac" and its like is what is left of a "\\frac" whose backslash a program took for its own.
_LINE_END = re.compile("\r\n|[\n\x1c-\x1e\x85\u2028\u2029]|\r(?!ight|ho)|\x0c(?!rac|orall)|\x0b(?!ec|ert|dots|ar[pt])")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)[`~]*[ \t]*([\w+#.-]*)[ \t]*\Z")
_TABLE_ROW = re.compile(r"[ \t]*\|.*\|[ \t]*\Z")
_TABLE_RULE = re.compile(r"[ \t|:+-]*-[ \t|:+-]*\Z")
_RULE = re.compile(r"(?:[-_*=~–—•.]|[ \t])+\Z")
_MARKUP = re.compile(
    r"\$\$|\\[\[\]()]|\\(?:begin|end)\{[A-Za-z]{1,20}\*?\}(?:\{[^{}]{0,20}\}|\[[^\[\]]{0,20}\])?"
    r"|\\hline|\\(?:small|med|big)skip|\\noindent|\\centering|</?(?:br|hr|p|div|center|ol|ul)[ ]?/?>",
    re.IGNORECASE,
)
_OPENER = re.compile(r"(?<!\\)\\\[|\\begin\{([A-Za-z]{1,20})\*?\}")
_CLOSER = re.compile(r"(?<!\\)\\\]|\\end\{([A-Za-z]{1,20})\*?\}")
_MATHS = frozenset(
    "equation align aligned alignat alignedat gather gathered multline split cases array eqnarray matrix pmatrix"
    " bmatrix vmatrix displaymath math".split()
)
_TABLES = re.compile(r"\\(begin|end)\{(?:array|[pbvBV]?matrix)")
_RELATION = re.compile(r"=|≈|≠|\\(?:approx|implies|Rightarrow|iff|equiv)\b|⇒|⟹")
_LEADING_RELATION = re.compile(r"[ \t&]*(?:=|≈|\\(?:approx|implies|Rightarrow)\b|⇒)")


def read_lines(text: str) -> list[Line]:
    """The lines of `text` with their roles, in order; every kind of line break ends a line. Linear in the text."""
    written = list(_written_lines(text))
    fences = _paired_fences(written)
    lines: list[Line] = []
    reader = _Reader()
    start = 0
    skip_to = 0
    for i, line in enumerate(written):
        end = start + len(line)
        if i in fences:
            skip_to = fences[i]
            lines += _fenced(written, i, skip_to, start)
        if i >= skip_to:
            role = reader.role(line)
            lines.append(Line(start, end, role, reader.within))
        start = end
    return lines


def _written_lines(text: str) -> Iterator[str]:
    start = 0
    for line_end in _LINE_END.finditer(text):
        yield text[start : line_end.end()]
        start = line_end.end()
    if start < len(text):
        yield text[start:]


def _paired_fences(written: Sequence[str]) -> dict[int, int]:
    """Code blocks: the index of their first line and the index behind their last."""
    marks = [
        i for i, line in enumerate(written) if line.lstrip(" \t")[:3] in ("```", "~~~") and _FENCE.match(line.rstrip())
    ]
    return {a: b + 1 for a, b in zip(marks[::2], marks[1::2], strict=False)}


def _fenced(written: Sequence[str], first: int, behind: int, start: int) -> Iterator[Line]:
    """A code block is one step; one that names no language and calculates in every line has a step in each."""
    inside = [line for line in written[first + 1 : behind - 1] if line.strip()]
    named = _FENCE.match(written[first].rstrip())
    by_line = bool(inside) and not (named and named[1]) and all("=" in line for line in inside)
    begun = False
    for i in range(first, behind):
        end = start + len(written[i])
        if i == first:
            role = Role.OPENS if inside else Role.GOES_ON
        elif i == behind - 1:
            role = Role.GOES_ON
        elif not written[i].strip():
            role = Role.BLANK
        else:
            role = Role.BEGINS if by_line or not begun else Role.GOES_ON
            begun = True
        yield Line(start, end, role, True)
        start = end


class _Reader:
    """One pass over the lines outside code blocks; remembers the display formula or the table it stands in."""

    def __init__(self) -> None:
        self.depth = 0
        self.dollars = False
        self.tables = 0
        self.in_table = False
        self.within = False
        self._related = False
        self._ended = False
        self._begun = False

    def role(self, line: str) -> Role:
        self.within = self.depth > 0 or self.dollars
        if line.isspace():
            # No blank line may stand in a display formula: one that was never closed ends here.
            self.depth, self.dollars, self.tables, self.in_table = 0, False, 0, False
            return Role.BLANK
        bare = line.strip()
        is_row = bool(_TABLE_ROW.match(bare))
        table, self.in_table = self.in_table, is_row
        if table and is_row:
            self.within = True
            return Role.GOES_ON
        opened, in_table = self.within, self.tables > 0
        self._follow(bare)
        if not opened and self.within:
            self._related = self._ended = self._begun = False
        if _is_scaffold(bare):
            opens = self.depth > 0 or self.dollars
            return Role.OPENS if opens and not (opened and self._begun) else Role.GOES_ON
        if not opened:
            self._note(bare)
            return Role.OPENS if is_heading(bare) else Role.BEGINS
        return self._row(bare, in_table)

    def _follow(self, bare: str) -> None:
        """Keeps count of the display formulas that the line opens and closes."""
        opened = sum(m[1] is None or m[1] in _MATHS for m in _OPENER.finditer(bare))
        closed = sum(m[1] is None or m[1] in _MATHS for m in _CLOSER.finditer(bare))
        self.depth = max(0, self.depth + opened - closed)
        # Not the "$$" of a slip such as "4 * 15 = $$60".
        at_edge = bare.startswith("$$") or bare.rstrip(".,;").endswith("$$")
        self.dollars ^= at_edge and bare.count("$$") % 2 == 1
        self.tables += sum(1 if m[1] == "begin" else -1 for m in _TABLES.finditer(bare))
        self.within = self.within or self.depth > 0 or self.dollars

    def _row(self, bare: str, in_table: bool) -> Role:
        """A row of a display formula begins a step if it relates two sides and so does what stands before it."""
        related = bool(_RELATION.search(bare))
        starts = related and self._related and (self._ended or not _LEADING_RELATION.match(bare))
        begins = not self._begun or (starts and not in_table)
        self._related = related or (self._related and not begins)
        self._note(bare)
        return Role.BEGINS if begins else Role.GOES_ON

    def _note(self, bare: str) -> None:
        self._begun = True
        self._related = self._related or bool(_RELATION.search(bare))
        self._ended = bare.endswith("\\\\") or bare.endswith("\\cr")


def _is_scaffold(bare: str) -> bool:
    if len(bare) > MAX_SCAFFOLD:
        return False
    rest = _MARKUP.sub("", bare).strip()
    if not rest:
        return True
    is_rule = len(rest) >= 3 and (_RULE.match(rest) or _TABLE_RULE.match(rest))
    return bool(is_rule or _FENCE.match(rest))
