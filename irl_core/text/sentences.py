"""Where the sentences of one line end: not behind abbreviations, list numbers, initials or factorials."""

from __future__ import annotations

import re

_GAP = re.compile(r"(?<=[.!?;])\s+(?=\S)")
_LAST_WORD = re.compile(r"[^\s(\[\"“]*\Z")
MAX_WORD = 24

# What stands before a name or a number and never ends a sentence.
_PREFIXES = frozenset(
    "mr mrs ms mx dr prof st sr fr rev hon capt sgt lt col gen gov sen rep mt ft vs v e.g i.e cf viz approx ca resp"
    " incl excl est avg min max".split()
)
# What stands before a number: "No. 5 is red", but "No. He has 4."
_BEFORE_NUMBERS = frozenset(
    "no nos nr fig figs eq eqs ch sec p pp vol art ex prob jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
# What a sentence may end with: "At 5 p.m. he leaves", but "It is 5 p.m. He leaves."
_MAY_END = frozenset(
    "etc al inc ltd co corp jr sr bros dept a.m p.m am pm u.s u.k u.s.a e.u d.c ph.d b.c a.d jan feb mar apr jun jul"
    " aug sep sept oct nov dec mon tue tues wed thu thurs fri sat sun in ft yd mi oz lb lbs gal qt pt hr hrs min mins"
    " sec secs yr yrs wk wks cm mm km kg tbsp tsp sq cu mph no".split()
)
_UNIT_LETTERS = frozenset("mglhs")  # "5 m. long"
# A letter behind these names a thing, and may end a sentence: "He goes to store A. Then he walks."
_LABELLED = frozenset(
    "option choice plan answer point box bag group store shop car team train type part case class school bus machine"
    " city town line side angle company bank section room number set step jar tank house".split()
)
_ENUMERATOR = re.compile(
    r"\(?(?P<label>(?:step|part|case|question|problem|example|exercise|stage|phase|method|rule|day|round)[ ])?"
    r"(?P<count>[0-9]{1,2}|[A-Za-z])[.):]+",
    re.IGNORECASE,
)


def sentence_starts(text: str, *, numbered: bool = True) -> list[int]:
    """Where each sentence of `text` but the first begins. Linear in the text.

    `numbered`: the text may be a list with numbers, which belong to what is behind them.

    >>> sentence_starts("Mr. Smith has 3 pens. He buys 4.")
    [22]
    """
    starts = []
    begin = 0
    counted: str | None = None
    for gap in _GAP.finditer(text.rstrip()):
        count = _enumerator(text[begin : gap.start()], counted, begin == 0) if numbered else None
        if count is not None:
            counted = count
        elif _opens_item(text, gap.end(), counted) or not _goes_on(text, begin, gap.start(), gap.end()):
            starts.append(gap.end())
            begin = gap.end()
    return starts


def _enumerator(sentence: str, counted: str | None, first: bool) -> str | None:
    """The count that a sentence consists of ("2.", "Step 2.", "b)"), where it opens a list or carries one on."""
    match = _ENUMERATOR.fullmatch(sentence) if len(sentence) <= MAX_WORD else None
    if match is None:
        return None
    count = match["count"].lower()
    if match["label"] or first:
        return count
    return count if counted is not None and count == _next(counted) else None


def _opens_item(text: str, at: int, counted: str | None) -> bool:
    """Does the next item of the list begin there?"""
    match = _ENUMERATOR.match(text, at, at + MAX_WORD) if counted is not None else None
    return match is not None and match["count"].lower() == _next(counted or "")


def _next(count: str) -> str:
    return str(int(count) + 1) if count.isdigit() else chr(ord(count) + 1)


def _goes_on(text: str, begin: int, end: int, following: int) -> bool:
    """Does the sentence from `begin` go on behind the mark that stands before `end`?"""
    mark = text[end - 1]
    after = text[following]
    if mark == "!":
        # The factorial of "5! = 120" and "3! + 4".
        return text[end - 2 : end - 1].isalnum() and after in "=+-−*/×÷^·≈<>"
    if mark != ".":
        return False
    word = _word_before(text, begin, end - 1)
    bare = word.lower()
    if bare in _BEFORE_NUMBERS and after.isdigit():
        return True
    if bare in ("e.g", "i.e"):
        return True
    if bare in _MAY_END or _is_dotted(bare):
        return after.islower() or after in "(,:"
    if bare in _UNIT_LETTERS:
        return after.islower()
    return bare in _PREFIXES or _is_initial(text, begin, end - 1 - len(word), word, after)


def _word_before(text: str, begin: int, end: int) -> str:
    match = _LAST_WORD.search(text, max(begin, end - MAX_WORD), end)
    return match[0] if match else ""


def _is_dotted(word: str) -> bool:
    """Letters with points between, "p.m" or "u.s.a"."""
    return len(word) >= 3 and "." in word and all(len(part) == 1 and part.isalpha() for part in word.split("."))


def _is_initial(text: str, begin: int, at: int, word: str, after: str) -> bool:
    """The "J" of "J. Smith" and of "Samuel J. Smith" where a sentence begins; elsewhere it may be "farm J"."""
    if len(word) != 1 or not word.isupper() or not after.isupper():
        return False
    before = text[begin:at].split() if at - begin <= MAX_WORD else ["the", "last"]
    if not before:
        return True
    name = before[0].rstrip(".")
    return len(before) == 1 and name[:1].isupper() and name.isalpha() and name.lower() not in _LABELLED
