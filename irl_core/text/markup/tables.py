"""What the commands of LaTeX, the entities of HTML and the signs of Unicode mean in plain mathematics."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from irl_core.text.markup.pieces import Argument

_LETTERS = (
    "alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν"
    " xi ξ pi π rho ρ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ"
    " Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω"
)
_SIGNS = (
    "times × cdot · ast * star * div ÷ pm ± mp ∓ le ≤ leq ≤ leqslant ≤ ge ≥ geq ≥ geqslant ≥ lt < gt > ne ≠ neq ≠"
    " approx ≈ thickapprox ≈ approxeq ≈ equiv ≡ sim ~ simeq ≃ cong ≅ propto ∝ infty ∞ to → rightarrow → Rightarrow ⇒"
    " longrightarrow → Longrightarrow ⇒ implies ⇒ iff ⇔ Leftrightarrow ⇔ leftarrow ← mapsto ↦ therefore ∴ because ∵"
    " circ ° degree ° percent % ldots ... dots ... cdots ... dotsc ... vdots ... lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉"
    " in ∈ cup ∪ cap ∩ subset ⊂ angle ∠ triangle △ perp ⊥ parallel ∥ checkmark ✓ square □ blacksquare ■ colon :"
    " lbrace { rbrace } lbrack [ rbrack ] lvert | rvert | vert | mid | slash / bmod mod mod mod cents ¢ pounds £"
    " euro € textdollar $ textminus - sum ∑ prod ∏ int ∫ neg ¬ land ∧ lor ∨ backslash \\ bullet • textdegree °"
)
_FUNCTIONS = "sin cos tan cot sec csc log ln exp max min gcd lcm det lim arcsin arccos arctan".split()


def _pairs(words: str) -> dict[str, str]:
    items = words.split()
    return dict(zip(items[::2], items[1::2], strict=True))


SIGNS = _pairs(_LETTERS) | _pairs(_SIGNS) | {name: name for name in _FUNCTIONS}
"""Commands that stand for a sign or a word."""

_CONTENT = (
    "text textbf textit textrm textsf texttt textnormal emph underline mathrm mathbf mathit mathsf mathtt mathnormal"
    " mathbb mathcal operatorname mbox hbox fbox boxed cancel bcancel xcancel underbrace overbrace hat vec tilde"
    " ensuremath boldsymbol pmb bold mathop mathbin mathrel mathord tag"
)
ARGUMENTS: dict[str, tuple[Argument, ...]] = {
    **dict.fromkeys("frac dfrac tfrac cfrac".split(), ("top", "bottom")),
    **dict.fromkeys("binom dbinom tbinom".split(), ("content", "of")),
    **dict.fromkeys(_CONTENT.split(), ("content",)),
    **dict.fromkeys("hspace vspace phantom hphantom vphantom label color textcolor".split(), ("dropped",)),
    **dict.fromkeys("overline bar dot widehat".split(), ("period",)),
    "pmod": ("modulus",),
}
"""What the arguments of a command are. A bar over digits behind a decimal point marks the period."""

SILENT = frozenset(
    "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr displaystyle textstyle scriptstyle"
    " limits nolimits centering noindent hline newline large Large small normalsize nonumber notag rm bf it".split()
)
"""Commands that say nothing."""

SPACES = frozenset("quad qquad space enspace thinspace medspace".split())
"""Commands that leave room."""


def is_known(name: str) -> bool:
    """Whether there is a command of this name."""
    return name in SIGNS or name in ARGUMENTS or name in SILENT or name in SPACES or name == "sqrt"


LOST = {
    "\x0crac": "frac", "\times": "times", "\text": "text", "\tfrac": "tfrac", "\theta": "theta", "\to": "to",
    "\therefore": "therefore", "\x08oxed": "boxed", "\x08egin": "begin", "\right": "right",
    "\rightarrow": "rightarrow", "\x07pprox": "approx", "\x08ar": "bar", "\x08inom": "binom", "\textbf": "textbf",
    "\triangle": "triangle",
}  # fmt: skip
"""What JSON makes of a command whose backslash was not escaped: its first letter becomes a control character."""

BARE = frozenset("frac dfrac tfrac rac boxed sqrt text mathrm overline".split())
"""Commands that are known by the bracket behind them although their backslash is gone."""

ENTITIES = {
    "&times;": "×", "&divide;": "÷", "&minus;": "-", "&nbsp;": " ", "&lt;": "<", "&gt;": ">", "&amp;": "&",
    "&frac12;": "1/2", "&frac14;": "1/4", "&frac34;": "3/4", "&deg;": "°", "&radic;": "√", "&asymp;": "≈",
    "&le;": "≤", "&ge;": "≥", "&ne;": "≠", "&middot;": "·", "&quot;": '"', "&pi;": "π", "&cent;": "¢", "&pound;": "£",
    "&euro;": "€", "&plus;": "+", "&equals;": "=", "&sup2;": "^2", "&sup3;": "^3",
}  # fmt: skip

_SPACES = "\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff\xad\ufe0e\ufe0f"
_PLAIN = {
    **dict.fromkeys(_SPACES, " "),
    **dict.fromkeys(_UNSEEN, ""),
    **dict.fromkeys("−➖﹣", "-"),
    **dict.fromkeys("➕﹢", "+"),
    **dict.fromkeys("✕✖⨯⨉╳", "×"),
    **dict.fromkeys("∕⁄", "/"),
    **dict.fromkeys("∗﹡", "*"),
    **dict.fromkeys("∙⋅", "·"),
    **dict.fromkeys("﹦", "="),
    "➗": "÷", "٪": "%", "٫": ".", "٬": ",", "⅟": "1/",
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ", "0123456789+-=()n", strict=True))
RAISED = frozenset(_RAISED)
"""Characters of an exponent."""

VULGAR = frozenset("½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒")


@lru_cache(maxsize=4096)
def plain_character(character: str) -> str:
    """The plain form of one character: digits and full-width signs of any script as ASCII; others as they are."""
    if character in _PLAIN:
        return _PLAIN[character]
    if character in _RAISED:
        return _RAISED[character]
    if character in VULGAR:
        return unicodedata.normalize("NFKC", character).replace("⁄", "/")
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    return chr(ord(character) - 0xFEE0) if "！" <= character <= "～" else character
