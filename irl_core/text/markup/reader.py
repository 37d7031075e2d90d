"""One pass over a written text: its lexemes, and what each of them is in plain mathematics."""

from __future__ import annotations

import re
from collections.abc import Callable

from irl_core.text.markup import tables
from irl_core.text.markup.delimiters import delimiters
from irl_core.text.markup.pieces import Argument, Pieces, PlainText


def read_markup(text: str) -> PlainText:
    """The plain mathematics of `text`, line by line. Text without markup comes back as it is. Never raises.

    >>> read_markup(r"$2\\frac{1}{2} \\times 4 = \\boxed{10}$").text
    '2 1/2 × 4 = 10'

    GSM8K's calculator marks are left out. Linear in the text.
    """
    if not _MARKED.search(text):
        return PlainText(text, range(len(text)), range(1, len(text) + 1))
    return _Reader(text).read()


# Characters that may be markup; the signs that need no reading are left out.
_MARKED = re.compile(
    r"[\\$*_`#|{<«&^~\x07\x08\x0c]|[\t\r][a-z]|(?:imes|rac)\b|[²³]|(?![–—“”‘’…€£¢×÷·√≈≤≥≠→°✓])[^\x00-\x7f]"
)
_LEXEME = re.compile(
    r"""
    (?P<mark>     <<[^<>\n]{0,200}>> | «[^«»\n]{0,200}» )
  | (?P<fence>    ^[ \t]{0,8}(?:```+|~~~+)[A-Za-z]{0,20} )
  | (?P<heading>  ^[ \t]{0,8}\#{1,6}[ \t]+(?![-$£€]?[ ]?[0-9]) )
  | (?P<ruler>    ^[ \t]{0,8}\|[-:| \t]{2,400}$ )
  | (?P<row>      ^[ \t]{0,8}\|[ ](?=[^\n|]{0,200}\|) )
  | (?P<bullet>   ^[ \t]{0,8}(?:[*•◦▪‣][ \t]+|[-+][ \t]+(?=[^\W\d_]|[$]?[*]{2}|\\\(|\\\[)) )
  | (?P<entity>   &[a-z]{2,6}[0-9]{0,2}; )
  | (?P<html>     </?(?:sup|sub|b|i|em|strong|br|p|u)[ ]?/?> )
  | (?P<degree>   \^[ ]?(?:\{[ ]?\\(?:circ|degree)[ ]?\}|\\(?:circ|degree)(?![A-Za-z])) )
  | (?P<section>  \\{1,2}(?:begin|end)[ ]?\{[A-Za-z]{1,20}\*?\}(?:\{[^{}\n]{0,40}\})? )
  | (?P<command>  \\+[A-Za-z]+ | [\x07\x08\x0c\t\r](?=[a-z])[a-z]{2,10} )
  | (?P<grouping> \{,\} )
  | (?P<thin>     \\[,!;:\ >] )
  | (?P<newrow>   (?:\\\\)+(?:\[[0-9.]{1,6}[a-z]{2}\])? )
  | (?P<display>  \\[()\[\]] | \$\$ )
  | (?P<escaped>  \\(?:_|[^\w\s\\]) )
  | (?P<strong>   [*]{2,3} | _{2,3} )
  | (?P<plain>    [A-Za-z0-9 .,:;!?()='"+/%-]+ )
  | (?P<raised>   [⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ]+ )
  | (?P<sign>     . )
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
_INDEX = re.compile(r"[ ]?\[[ ]?([0-9]{1,3})[ ]?\]")
_LOST_TIMES = re.compile(r"(?<=[0-9] )imes(?=[ 0-9(])")
_LAST_WORD = re.compile(r"[A-Za-z]{1,12}\Z")
_AHEAD = 6  # characters behind a fraction that may belong to it


class _Reader:
    """Where the reading stands. A method per lexeme; each is given what is written and where."""

    def __init__(self, written: str):
        self._written = written
        self._at = 0
        self._pieces = Pieces()
        self._delimiters = delimiters(written)
        self._sections = 0
        self._row = False

    def read(self) -> PlainText:
        while self._at < len(self._written):
            character = self._written[self._at]
            wanted = self._pieces.frame.wanted
            if not wanted or character == "{":
                self._lexeme()
            elif character == " ":
                self._at += 1
            elif character.isalnum() or character == "\\":
                self._bare_argument(wanted.pop(0))
            else:
                wanted.clear()
        return self._pieces.plain_text()

    def _lexeme(self) -> None:
        match = _LEXEME.match(self._written, self._at)
        assert match is not None
        assert match.lastgroup is not None
        self._at = match.end()
        read: Callable[[str, int, int], None] = getattr(self, f"_read_{match.lastgroup}")
        read(match[0], match.start(), match.end())

    def _bare_argument(self, kind: Argument) -> None:
        """An argument without braces: one digit, one letter or one command."""
        start = self._at
        self._pieces.open(kind, start, start + 1)
        if self._written[start] == "\\":
            self._lexeme()
        else:
            self._at += 1
            self._pieces.emit(tables.plain_character(self._written[start]), start, self._at)
        self._close(start, self._at)

    def _close(self, start: int, end: int) -> None:
        if len(self._pieces.frames) > 1:
            self._pieces.close(start, end, self._written[self._at : self._at + _AHEAD])

    def _copy(self, text: str, start: int, end: int) -> None:
        self._pieces.emit(text, start, end, literal=True)

    def _skip(self, text: str, start: int, end: int) -> None:
        """What says nothing."""

    _read_mark = _read_fence = _read_heading = _read_ruler = _read_display = _skip

    def _read_row(self, text: str, start: int, end: int) -> None:
        self._row = True

    def _read_bullet(self, text: str, start: int, end: int) -> None:
        self._row = False

    def _read_entity(self, text: str, start: int, end: int) -> None:
        self._pieces.emit(tables.ENTITIES.get(text, text), start, end)

    def _read_html(self, text: str, start: int, end: int) -> None:
        self._pieces.emit("; " if text.startswith("<br") else {"<sup>": "^", "<sub>": "_"}.get(text, ""), start, end)

    def _read_degree(self, text: str, start: int, end: int) -> None:
        self._pieces.emit("°", start, end)

    def _read_section(self, text: str, start: int, end: int) -> None:
        self._sections = max(0, self._sections + (1 if "begin" in text else -1))
        if self._pieces.last and not self._pieces.spaced:
            self._pieces.emit(" ", start, end)

    def _read_grouping(self, text: str, start: int, end: int) -> None:
        self._pieces.emit(",", start, end)

    def _read_thin(self, text: str, start: int, end: int) -> None:
        if text != "\\!":
            self._pieces.emit(" ", start, end)

    def _read_newrow(self, text: str, start: int, end: int) -> None:
        follows = self._written[end : end + 1]
        self._pieces.emit("; " if follows and not follows.isspace() else ";", start, end)

    def _read_escaped(self, text: str, start: int, end: int) -> None:
        self._pieces.emit(text[1], start, end)

    def _read_raised(self, text: str, start: int, end: int) -> None:
        self._pieces.emit("^", start, start + 1)
        for i, character in enumerate(text, start):
            self._pieces.emit(tables.plain_character(character), i, i + 1)

    def _read_strong(self, text: str, start: int, end: int) -> None:
        """Bold, but for the power of "2**3" and the blank of "___"."""
        before, after = self._written[start - 1 : start], self._written[end : end + 1]
        between = (before.isdigit() and after.isdigit()) or (before == " " == after and self._pieces.last.isdigit())
        if text == "**" and between:
            self._pieces.emit("^", start, end)
        elif text.startswith("_") and not (before.isalnum() or after.isalnum()):
            self._copy(text, start, end)

    def _read_plain(self, text: str, start: int, end: int) -> None:
        """Words and signs, and among them a command whose backslash is gone: "frac{", "3 imes 4"."""
        lost = _LOST_TIMES.search(text)
        if lost is not None:
            self._copy(text[: lost.start()], start, start + lost.start())
            self._at = start + lost.end()
            self._command("times", start + lost.start(), self._at)
            return
        bare = _LAST_WORD.search(text) if self._written[end : end + 1] == "{" else None
        if bare is not None and bare[0] in tables.BARE:
            self._copy(text[: bare.start()], start, start + bare.start())
            self._command("frac" if bare[0] == "rac" else bare[0], start + bare.start(), end)
        else:
            self._copy(text, start, end)

    def _read_command(self, text: str, start: int, end: int) -> None:
        name = text.lstrip("\\")
        slashes = len(text) - len(name)
        if slashes == 0:
            lost = next((known for known in (text[:n] for n in range(len(text), 2, -1)) if known in tables.LOST), None)
            if lost is None:
                self._at = start + 1
                self._copy(text[0], start, start + 1)
            else:
                self._at = start + len(lost)
                self._command(tables.LOST[lost], start, self._at)
            return
        if slashes > 2 and slashes % 2:
            self._read_newrow("\\\\", start, end)
        if slashes % 2 == 0 and not tables.is_known(name):
            self._at = start + slashes
            self._read_newrow("\\\\", start, self._at)
        else:
            self._command(name, start, end)

    def _command(self, name: str, start: int, end: int) -> None:
        if name in tables.SIGNS:
            sign = tables.SIGNS[name]
            apart = sign[0].isalpha() and sign.isascii() and not self._pieces.spaced and self._pieces.last.isalnum()
            self._pieces.emit(" " * apart + sign, start, end)
        elif name in tables.SPACES:
            self._pieces.emit(" ", start, end)
        elif name == "sqrt":
            index = _INDEX.match(self._written, end)
            self._at = index.end() if index else end
            digits = index[1] if index else ""
            self._pieces.emit(_ROOTS.get(digits, f"[{digits}]√"), start, self._at)
            self._pieces.want("root", start=start, end=end)
        elif name in tables.ARGUMENTS:
            self._pieces.emit(
                {"binom": "C(", "dbinom": "C(", "tbinom": "C(", "pmod": " (mod "}.get(name, ""), start, end
            )
            self._pieces.want(*tables.ARGUMENTS[name], start=start, end=end)
        elif name not in tables.SILENT:
            self._copy(self._written[start:end], start, end)

    def _read_sign(self, text: str, start: int, end: int) -> None:
        if text == "{":
            wanted = self._pieces.frame.wanted
            if wanted:
                self._pieces.open(wanted.pop(0), start, end)
            else:
                self._copy(text, start, end)
                self._pieces.open("brace", start, end)
        elif text == "}":
            if self._pieces.frame.kind in ("text", "brace"):
                self._copy(text, start, end)
            self._close(start, end)
        elif text == "^" and self._written[end : end + 1] == "{":
            self._copy(text, start, end)
            self._pieces.want("power", start=start, end=end)
        elif text == "_" and self._written[end : end + 1] == "{":
            self._copy(text, start, end)
            self._pieces.want("content", start=start, end=end)
        else:
            self._read_single(text, start, end)

    def _read_single(self, text: str, start: int, end: int) -> None:
        after = self._written[end : end + 1]
        if text == "\n":
            self._row = False
            self._copy(text, start, end)
        elif start in self._delimiters or text == "`" or (text == "&" and self._aligns(after)):
            return
        elif text == "|" and self._row:
            if after not in ("", "\n"):
                self._pieces.emit(";", start, end)
        elif text == "~" and self._pieces.last.isalnum() and (after == "\\" or after.isalpha()):
            self._pieces.emit(" ", start, end)
        else:
            plain = tables.plain_character(text)
            if text in tables.VULGAR:
                plain = self._vulgar(plain)
            self._pieces.emit(plain, start, end)

    def _aligns(self, after: str) -> bool:
        return bool(self._sections) or "=" in (after, self._pieces.last)

    def _vulgar(self, plain: str) -> str:
        """ "½" behind a number makes a mixed number, behind a sign that binds closer it needs brackets."""
        if self._pieces.last.isdigit():
            return plain if self._pieces.spaced else f" {plain}"
        return f"({plain})" if self._pieces.last in tuple("/÷^√") else plain
