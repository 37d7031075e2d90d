"""Plain text under construction: pieces that know where they were written, arguments of commands, fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from irl_core.text.spans import Span

Argument = Literal["text", "brace", "content", "top", "bottom", "root", "power", "period", "dropped", "modulus", "of"]
"""What a bracket holds: plain text, a bracket of the text itself, or the argument of a command.

`content` is read as if there were no command, `dropped` not at all; `top` and `bottom` belong to a fraction, `of` is
the second argument of a binomial coefficient.
"""
_NEED_BRACKETS: frozenset[Argument] = frozenset(["top", "bottom", "root", "power"])
_BINDS_CLOSER = frozenset("/÷^√∛∜:)")


class PlainText(NamedTuple):
    """Plain mathematics; the character at i was written at `starts[i]` to `ends[i]`. Both never decrease."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def written_span(self, start: int, end: int) -> Span:
        """Where the plain characters `start` to `end` stand in the text as written; empty if there are none."""
        if start < end:
            return self.starts[start], self.ends[end - 1]
        at = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
        return at, at


class _Piece(NamedTuple):
    """Plain characters, written one for one from `start` on where `literal`, else together from `start` to `end`."""

    text: str
    start: int
    end: int
    literal: bool = False


@dataclass
class _Fraction:
    """A fraction that is being read: the place before it, what stands there, and whether it holds digits alone."""

    lead: int
    before: str
    spaced: bool
    plain: bool = True


@dataclass
class Frame:
    """A bracket that is open: where its plain bracket would stand, what it holds, what its last command still wants.

    `digits` says that it holds nothing but digits, `compound` that it holds more than one word or number.
    """

    kind: Argument
    opening: int = 0
    digits: bool = True
    compound: bool = False
    empty: bool = True
    wanted: list[Argument] = field(default_factory=list)
    fraction: _Fraction | None = None


class Pieces:
    """The plain text so far, and the brackets that are open."""

    def __init__(self) -> None:
        self.frames = [Frame("text")]
        self.last = ""  # the last plain character that is no space
        self.spaced = False
        self._pieces: list[_Piece] = []
        self._hidden = 0
        self._begun: int | None = None  # where the command began whose argument is to come

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    def plain_text(self) -> PlainText:
        starts: list[int] = []
        ends: list[int] = []
        for text, start, end, literal in self._pieces:
            starts.extend(range(start, end) if literal else [start] * len(text))
            ends.extend(range(start + 1, end + 1) if literal else [end] * len(text))
        return PlainText("".join(piece.text for piece in self._pieces), starts, ends)

    def emit(self, text: str, start: int, end: int, literal: bool = False) -> None:
        if self._hidden or not text:
            return
        if self._begun is not None and self._begun < start:
            # The first character of an argument stands for its command as well.
            self._pieces.append(_Piece(text[0], self._begun, start + 1 if literal else end))
            self._pieces.append(_Piece(text[1:], start + 1 if literal else start, end, literal))
        else:
            self._pieces.append(_Piece(text, start, end, literal))
        self._begun = None
        bare = text.strip(" ")
        self.spaced = text[-1] == " "
        if not bare:
            return
        self.last = bare[-1]
        frame = self.frame
        frame.empty = False
        frame.digits = frame.digits and bare.isdigit()
        frame.compound = frame.compound or not (bare.isalnum() or _is_decimal(bare))

    def want(self, *arguments: Argument, start: int, end: int) -> None:
        """Arguments that the command at `start` to `end` takes; whatever was wanted before is not."""
        self.frame.wanted = list(arguments)
        if self._begun is None:
            self._begun = start
        if arguments[0] == "top":
            self.frame.fraction = _Fraction(self._place(start, end), self.last, self.spaced)

    def open(self, kind: Argument, start: int, end: int) -> None:
        if kind == "bottom":
            self.emit("/", start, end)
        elif kind == "of":
            self.emit(", ", start, end)
        self._hidden += kind == "dropped"
        begin = start if self._begun is None else self._begun
        self.frames.append(Frame(kind, self._place(begin, end)))
        if kind in _NEED_BRACKETS:
            self.last, self.spaced = "", False

    def close(self, start: int, end: int, following: str = "") -> None:
        """Ends the innermost bracket; `following` is what is written behind it."""
        frame = self.frames.pop()
        self._begun = None
        if not frame.empty and not self._hidden:
            self._extend(end)
        self._hidden -= frame.kind == "dropped"
        outer = self.frame
        outer.empty = outer.empty and frame.empty
        outer.digits = outer.digits and frame.digits
        outer.compound = outer.compound or frame.compound
        in_need = frame.kind in _NEED_BRACKETS and (frame.compound or (frame.kind == "root" and not frame.digits))
        if in_need or (frame.kind == "period" and frame.digits and not frame.empty):
            self._fill(frame.opening, "(")
            self.emit(")", start, end)
        elif frame.kind in ("modulus", "of"):
            self.emit(")", start, end)
        if outer.fraction is not None and frame.kind in ("top", "bottom"):
            outer.fraction.plain &= frame.digits and not frame.empty
            if frame.kind == "bottom":
                self._end_fraction(outer.fraction, start, end, following)

    def _end_fraction(self, fraction: _Fraction, start: int, end: int, following: str) -> None:
        """Sets a fraction apart from what stands around it: "2 1/2", "12 ÷ (3/4)", "(1/2)^2"."""
        self.frame.fraction = None
        self.frame.compound = True
        grips = following[:1].isalnum() or following[:1] in ("^", "!", "(", "{")
        grips = grips or following.startswith(("\\left", "\\pi", "\\sqrt", "\\frac", "\\dfrac"))
        if fraction.plain and fraction.before.isdigit() and not grips:
            self._fill(fraction.lead, "" if fraction.spaced else " ")
        elif grips or (fraction.before and (fraction.before in _BINDS_CLOSER or _glued(fraction))):
            self._fill(fraction.lead, "(")
            self.emit(")", start, end)

    def _place(self, start: int, end: int) -> int:
        """An empty place that may be filled later."""
        self._pieces.append(_Piece("", start, end))
        return len(self._pieces) - 1

    def _extend(self, end: int) -> None:
        """The last character stands for the closing bracket behind it as well."""
        last = self._pieces[-1]
        if not last.text:
            return
        if last.literal:
            self._pieces[-1] = _Piece(last.text[:-1], last.start, last.end - 1, True)
            self._pieces.append(_Piece(last.text[-1], last.end - 1, end))
        else:
            self._pieces[-1] = last._replace(end=max(last.end, end))

    def _fill(self, place: int, text: str) -> None:
        if not self._hidden:
            self._pieces[place] = self._pieces[place]._replace(text=text)


def _is_decimal(text: str) -> bool:
    whole, point, decimals = text.partition(".")
    return bool(point) and (whole + decimals).isdigit()


def _glued(fraction: _Fraction) -> bool:
    return fraction.before.isdigit() or (fraction.before.isalpha() and not fraction.spaced)
