"""Rewards between tokenisers: from the critic's tokens to the policy's, through the characters both stand for."""

from __future__ import annotations

from collections.abc import Sequence

from irl_core.text.spans import Span


def transfer(rewards: Sequence[float], theirs: Sequence[Span], ours: Sequence[Span], *, add: bool) -> list[float]:
    """Rewards of the critic's tokens `theirs`, for the policy's tokens `ours`; both partition the same text.

    A critic has judged a token once it has read its last character, so the reward belongs to the token of ours that
    holds that character: earlier would pay for text that is not yet written. Local rewards (`add`) that fall on one
    token are added, and their sum stays; of levels the last one read holds, until another is.
    """
    found = [0.0] * len(ours)
    owner, level, following = 0, 0.0, 0
    if add:
        for reward, (_, end) in zip(rewards, theirs, strict=True):
            while owner + 1 < len(ours) and ours[owner][1] < end:
                owner += 1
            found[owner] += reward
        return found
    for i, (_, end) in enumerate(ours):
        while following < len(theirs) and theirs[following][1] <= end:
            level = rewards[following]
            following += 1
        found[i] = level
    return found


def with_end(spans: Sequence[Span], ended: bool) -> list[Span]:
    """The spans, and one character past the text for the end token where there is one."""
    length = spans[-1][1] if spans else 0
    return [*spans, (length, length + 1)] if ended else list(spans)
