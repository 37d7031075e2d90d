"""The answer that a session comes to: whom the critic-weighted vote chooses, and why, in one sentence.

The weighted vote and not the critic's favourite: it is right more often (`docs/evidence.md`).
"""

from __future__ import annotations

from irl_core.diagnosis.rerank import Vote
from irl_core.session.record import Session

from .html import escape


def headline(session: Session) -> str:
    """The answer with its reason, as HTML; why there is none where no solution states one."""
    ranking = session.ranking
    if ranking is None or not session.traces:
        return ""
    chosen = chosen_vote(session)
    if chosen is None or chosen.answer is None:
        cut = all(trace.unfinished is not None for trace in session.traces)
        return "every solution was cut off before its answer" if cut else "no solution states an answer"
    return f"answer <b><bdi>{escape(chosen.answer)}</bdi></b>: {_why(chosen, ranking.votes, len(session.traces))}"


def chosen_vote(session: Session) -> Vote | None:
    """The group of equal answers that the weighted vote elects; None where there was no vote."""
    ranking = session.ranking
    if ranking is None:
        return None
    index = ranking.chosen.get("weighted_vote")
    # A stranger's session may choose a solution that is in no group.
    return next((vote for vote in ranking.votes if index in vote.members), None)


def _why(chosen: Vote, votes: tuple[Vote, ...], of: int) -> str:
    if of == 1:
        return "the only solution says so"
    if chosen.count == of:
        return f"all {of} solutions say so"
    others = [vote for vote in votes if vote is not chosen and vote.answer is not None]
    most = max(others, key=lambda vote: vote.count, default=None)
    say = f"{chosen.count} of {of} solutions {_say(chosen.count)} so"
    if most is None:
        return f"{say}, and no other states an answer"
    if chosen.count > most.count:
        more = "" if chosen.count > of / 2 else ", more than any other answer"
        return f"{say}{more}, and weighed by the critic they still lead"
    if chosen.count == most.count == 1:
        return f"no two of {of} solutions agree, and the critic trusts this one most"
    rival = f"<b><bdi>{escape(most.answer or '')}</bdi></b>"
    if chosen.count == most.count:
        return f"{say} and as many say {rival}; the critic trusts these more"
    return f"{say} and {most.count} say {rival}, but the critic trusts {'it' if chosen.count == 1 else 'these'} more"


def _say(count: int) -> str:
    return "says" if count == 1 else "say"
