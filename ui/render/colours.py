"""What the tokens and steps are coloured by, how strongly, and the legend that says so.

Evidence is the diagnosis's: a token's share in the log-odds that its step is the first wrong one, on the one scale of
its critic, and a step's P(error). Raw rewards are the critic's own, on one scale too.
`assets/errata.css` makes colours of the numbers and shows one of the two; which one is the reader's choice.
"""

from __future__ import annotations

from dataclasses import dataclass

from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.text.scores import TraceScore

from .html import escape, signed

_LEAST_SEEN = 0.1  # of a scale: what is less would make a page of right steps look stained


@dataclass(frozen=True)
class Scale:
    """Half widths, in nats, at which a token's and a step's raw reward has its full tint.

    One for all sessions: the same colour is the same reward, whatever stands beside it. 95 % of the small and 99 % of
    the default critic's token rewards lie within it.
    """

    token: float = 1.0
    step: float = 5.0


FIXED = Scale()


@dataclass(frozen=True)
class Evidence:
    """What a solution is coloured by beside its raw rewards.

    `heat` runs parallel to the score's tokens and has its full tint at `scale`. Both are empty where the critic does
    not judge the text: then evidence is shown as no colour at all.
    """

    heat: tuple[float, ...] = ()
    scale: float | None = None

    def tint(self, heat: float) -> float:
        """-1 (full, against the step) to 1 (full, for it); 0 below what is worth a colour."""
        return 0.0 if self.scale is None else _seen(heat / self.scale)


def evidence_of(score: TraceScore | None, diagnosis: Diagnosis | None) -> Evidence | None:
    """None where raw rewards are all there is: without a calibration, or in a session of an earlier version."""
    if score is None or diagnosis is None:
        return None
    if diagnosis.outside:
        return Evidence()
    heat, scale = diagnosis.token_heat, diagnosis.heat_scale
    if not heat or len(heat) != len(score.offsets) or scale is None or scale <= 0:
        return None
    return Evidence(heat, scale)


def probability_tint(probability: float) -> float:
    """-1 (certainly the first wrong step) to 0."""
    return _seen(-probability)


def reward_tint(reward: float, width: float) -> float:
    """-1 to 1; full at `width`."""
    return _clamped(reward / width)


def _seen(share: float) -> float:
    return 0.0 if abs(share) < _LEAST_SEEN else _clamped(share)


def _clamped(share: float) -> float:
    return max(-1.0, min(1.0, share))


def render_legend(scale: Scale, evidence: Evidence | None, name: str | None = None) -> str:
    """The scales, of which the page shows the one in use; with a `name`, unique on the page, also the switches."""
    raw = "reward-only " if evidence else ""
    ramps = [
        _ramp(f"{raw}{grain}-only", "", signed(-width, 1), signed(width, 1), f"raw reward by {grain}, nats")
        for grain, width in (("token", scale.token), ("step", scale.step))
    ]
    if evidence:
        ramps = [*_evidence_ramps(evidence), *ramps]
    switches = []
    if name is not None:
        if evidence:
            switches.append(switch(name, "colours", "Colour by", ("evidence", "raw reward")))
        switches.append(switch(name, "grain", "Colour each", ("token", "step")))
    return f'<div class="legend">{"".join(ramps)}<span class="switches">{"".join(switches)}</span></div>'


def _evidence_ramps(evidence: Evidence) -> list[str]:
    if evidence.scale is None:
        return ['<span class="evidence-only"><em>no colours: the critic does not judge this text</em></span>']
    end = evidence.scale
    by_token = "evidence of an error, by token: a share in the step’s log-odds"
    by_step = "P(error), by step: the chance that it is the first wrong one"
    return [
        _ramp("evidence-only token-only", "", signed(end, 1), signed(-end, 1), by_token),
        _ramp("evidence-only step-only", " against", "1", "0", by_step),
    ]


def _ramp(shown: str, kind: str, left: str, right: str, words: str) -> str:
    return (
        f'<span class="{shown}"><span>{left}</span><i class="ramp{kind}" aria-hidden="true"></i>'
        f"<span>{right}</span><em>{words}</em></span>"
    )


def switch(name: str, kind: str, legend: str, choices: tuple[str, str]) -> str:
    """Two choices, whose values are their last words; the page's body has the class `by-…` of the second's value while
    that one is made."""
    first, second = values = [words.split()[-1] for words in choices]
    labels = "".join(
        f'<label><input type="radio" name="{kind}-{escape(name)}" value="{value}"{" checked" * (value == first)}>'
        f"<span>{words}</span></label>"
        for value, words in zip(values, choices, strict=True)
    )
    heading = f'<legend class="sr">{legend}</legend>'
    return f'<fieldset class="switch {kind}" data-second="{second}">{heading}{labels}</fieldset>'
