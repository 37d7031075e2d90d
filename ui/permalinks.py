"""Links to recorded sessions: `?ex=gsm8k-test-262&view=projector&marks=hidden`.

The server reads which session is asked for; how it is shown is read in the browser (`assets/page.js`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from irl_core.session.record import Session

from .render.html import escape

EXAMPLE = "ex"
UNKNOWN = '<p class="status">This link names no recorded run of this page.</p>'

_NAME = re.compile(r"[\w-]{1,60}", re.ASCII)


def by_name(examples: Sequence[Mapping[str, str]], gallery: Mapping[str, Session]) -> dict[str, Session]:
    """The recorded sessions of examples by the examples' names; `gallery` holds them by question."""
    named = {example["id"]: gallery.get(example["question"]) for example in examples if "id" in example}
    return {name: session for name, session in named.items() if session is not None}


def name_asked(parameters: Mapping[str, str]) -> str | None:
    """The session that an address asks for; None where it asks for none, empty where that can be no name.

    >>> name_asked({"ex": "gsm8k-test-262"}), name_asked({"ex": "../x"}), name_asked({})
    ('gsm8k-test-262', '', None)
    """
    asked = parameters.get(EXAMPLE)
    return asked if asked is None or _NAME.fullmatch(asked) else ""


def with_link(line: str, name: str | None) -> str:
    """The line under the problem, with a button that copies a link to the session that it is about."""
    if name is None:
        return line
    button = f'<button type="button" class="copy-link" data-ex="{escape(name)}">copy link</button>'
    return f'<div class="status-line">{line}{button}</div>'
