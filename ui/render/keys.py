"""The keys of the page and what they do, as the dialog that `?` opens. The scripts in `assets` act on them."""

from __future__ import annotations

from typing import NamedTuple

from .html import escape


class Key(NamedTuple):
    """One key, or some that belong together, and what it does in a few words."""

    keys: str
    does: str


KEYS = {
    "Anywhere": (
        Key("?", "this list"),
        Key("Ctrl Enter", "solve or check; in an edited step, keep it"),
        Key("m", "hide the marks, or reveal them"),
        Key("g", "guide only: say where, not what"),
        Key("p", "large type for a projector"),
        Key("t", "light or dark"),
        Key("l", "copy a link to the recorded run"),
    ),
    "Solutions": (
        Key("] and [", "next and previous solution"),
        Key("o", "the critic’s order, or as sampled"),
        Key("w", "formulas rendered, or as written"),
        Key("q", "next number, and where it comes from"),
        Key("j and k", "next and previous step"),
        Key("→ and ←", "at a token: the next and the previous one"),
    ),
    "The solution that is read": (
        Key("Enter", "at a step: edit it"),
        Key("Escape", "leave an edit"),
        Key("Ctrl Z and Ctrl Y", "undo a change, and do it again"),
        Key("a", "your verdict: you agree with the mark"),
        Key("s", "your verdict: this or another step is wrong"),
        Key("n", "your verdict: nothing is wrong"),
    ),
    "While the marks are hidden": (
        Key("1 to 9", "somebody points at that step"),
        Key("+", "somebody points at the step that has the focus"),
        Key("0", "somebody says that all steps hold"),
        Key("Backspace", "take the last one back"),
    ),
}


def render_keys() -> str:
    """The dialog, closed; with a box that switches the single keys off, for those who press them by speaking."""
    groups = "".join(f"<h3>{name}</h3><dl>{''.join(map(_row, keys))}</dl>" for name, keys in KEYS.items())
    return (
        '<dialog class="keys" aria-labelledby="keys-title"><header class="bar"><h2 id="keys-title">Keys</h2>'
        '<button type="button" data-close autofocus>close</button></header>'
        f'<div class="groups">{groups}</div>'
        '<label><input type="checkbox" data-single checked> single letters and digits act</label></dialog>'
    )


def _row(key: Key) -> str:
    return f"<div><dt><kbd>{escape(key.keys)}</kbd></dt><dd>{escape(key.does)}</dd></div>"
