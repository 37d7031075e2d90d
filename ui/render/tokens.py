"""Tokens of one step as HTML: coloured, with their numbers, and laid over what is rendered of the step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from irl_core.text.number_sources import NumberSource
from irl_core.text.spans import Span

from .colours import Evidence, Scale, reward_tint
from .html import escape, has_bidi_control, signed
from .mathematics import Piece
from .quantities import link, name_of
from .visible_tokens import VisibleToken


class Paint(NamedTuple):
    """What the marks of one solution go by."""

    text: str
    guilty: Span | None
    scale: Scale
    evidence: Evidence | None
    numbers: tuple[NumberSource, ...] = ()


class Trimmed(NamedTuple):
    """A visible token, and how many of its first and last characters are line breaks around its step."""

    token: VisibleToken
    head: int = 0
    foot: int = 0


def trim(text: str, own: list[VisibleToken]) -> list[Trimmed]:
    """The tokens of one step, with the line breaks around it told.

    The list item is already a line of its own: shown as well, these would leave empty lines.
    """
    if not own:
        return []
    # Not the step's own span: a token that begins with the line break before the step is shown in the step.
    origin, shown = own[0].start, text[own[0].start : own[-1].end]
    lead = origin + len(shown) - len(shown.lstrip("\r\n"))
    tail = origin + len(shown.rstrip("\r\n"))
    trimmed = []
    for token in own:
        head = min(max(lead - token.start, 0), token.end - token.start)
        foot = min(max(token.end - max(tail, lead), 0), token.end - token.start - head)
        trimmed.append(Trimmed(token, head, foot))
    return trimmed


def render_tokens(own: Sequence[Trimmed], paint: Paint, pieces: Sequence[Piece] = ()) -> str:
    """The tokens of a step in order; where it has `pieces`, which cover the same text, cut and shown by these."""
    if not pieces:
        return "".join(_part(one, one.token.start, one.token.end, paint) for one in own)
    return "".join(_piece(piece, own, paint) for piece in pieces)


def _piece(piece: Piece, own: Sequence[Trimmed], paint: Paint) -> str:
    over = [one for one in own if one.token.start < piece.end and piece.start < one.token.end]
    cuts = [(one, max(one.token.start, piece.start), min(one.token.end, piece.end)) for one in over]
    if piece.tex is not None:
        written = "".join(_part(*cut, paint) for cut in cuts)
        inner = f'<span class="tex">{written}</span>{_formula(piece, [one.token for one in over], paint)}'
        inner = f'<span class="formula{" display" if piece.display else ""}">{inner}</span>'
    else:
        # Of a sign that takes the place of several tokens the last one has the colour: it names the command.
        inner = "".join(
            _part(*cut, paint, "" if piece.shown and n < len(cuts) - 1 else piece.shown) for n, cut in enumerate(cuts)
        )
    return f'<span class="md md-{piece.style}">{inner}</span>' if piece.style else inner


def _part(one: Trimmed, start: int, end: int, paint: Paint, shown: str | None = None) -> str:
    """The characters `start` to `end` of a token; where `shown` is not None they are hidden behind it."""
    raw = paint.text[start:end]
    a, b = one.token.start + one.head, one.token.end - one.foot
    head, foot = min(max(a - start, 0), len(raw)), min(max(end - b, 0), len(raw))
    foot = min(foot, len(raw) - head)
    inner = (
        _broken(raw[:head])
        + link(paint.numbers, paint.text, start + head, end - foot)
        + _broken(raw[len(raw) - foot :] if foot else "")
    )
    if shown is not None:
        glyph = f'<i class="glyph" data-shown="{escape(shown)}"></i>' if shown else ""
        inner = f'<span class="sign">{inner}</span>{glyph}'
    attributes = (
        "" if one.token.reward is None else f' style="{_tints([one.token], paint)}" data-tip="{_tip(one.token)}"'
    )
    return f'<span class="{_classes([one.token], raw, paint)}"{attributes}>{inner}</span>'


def _formula(piece: Piece, tokens: list[VisibleToken], paint: Paint) -> str:
    """The place where KaTeX shows a formula, coloured as one by the token that speaks most against its step."""
    attributes = f' data-tex="{escape(piece.tex or "")}" data-display="{str(piece.display).lower()}"'
    names = (name_of(n.value) for n in paint.numbers if piece.start <= n.span[0] and n.span[1] <= piece.end)
    attributes += f' data-qs="{" ".join(dict.fromkeys(names))}"'
    scored = [token for token in tokens if token.reward is not None]
    if scored:
        worst = min(scored, key=lambda token: (token.heat or 0.0, token.reward or 0.0))
        told = f"formula of {len(scored)} tokens, coloured by this one: " if len(scored) > 1 else ""
        attributes += f' style="{_tints(scored, paint)}" data-tip="{told}{_tip(worst)}"'
    raw = paint.text[piece.start : piece.end]
    return f'<span class="{_classes(scored or tokens, raw, paint)} math"{attributes}></span>'


def _classes(tokens: Iterable[VisibleToken], raw: str, paint: Paint) -> str:
    classes, tokens = ["t"], list(tokens)
    wavy = paint.guilty
    if wavy and raw.strip() and any(t.start < wavy[1] and wavy[0] < t.end for t in tokens):
        classes.append("guilty")
    if has_bidi_control(raw):
        classes.append("bidi")
    if all(token.reward is None for token in tokens):
        classes.append("off")
    return " ".join(classes)


def _tints(tokens: Sequence[VisibleToken], paint: Paint) -> str:
    """The raw reward's tint, and that of the evidence where there is any to see: the lowest of these tokens'."""
    tints = f"--r:{min(reward_tint(token.reward or 0.0, paint.scale.token) for token in tokens):.3f}"
    heats = [token.heat for token in tokens if token.heat is not None]
    if paint.evidence and heats and (seen := paint.evidence.tint(min(heats))):
        tints += f";--e:{seen:.3f}"
    return tints


def _tip(token: VisibleToken) -> str:
    """The numbers of one token. Heat has the sign of a reward; a share in the log-odds of an error has the other."""
    evidence = "" if token.heat is None else f"evidence of an error {signed(-token.heat)} · "
    return f"{evidence}reward {signed(token.reward or 0.0)} · belief {signed(token.value or 0.0)} nats"


def _broken(line_breaks: str) -> str:
    return f'<span class="nl">{escape(line_breaks)}</span>' if line_breaks else ""
