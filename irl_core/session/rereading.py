"""A session that is read anew by another critic, with all that was changed in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from irl_core.diagnosis.suspect_step import Diagnosis
from irl_core.session.record import ModelCard, Session
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace


class Read(NamedTuple):
    """What a critic says of one trace."""

    score: TraceScore
    diagnosis: Diagnosis


def same_critic(one: ModelCard | None, other: ModelCard | None) -> bool:
    """Whether scores of the two can be compared: they have the same weights or, where those are not known, a name."""
    if one is None or other is None:
        return False
    if one.sha256 and other.sha256:
        return one.sha256 == other.sha256
    return one.name == other.name


def read_by(session: Session, critic: ModelCard, read: Callable[[Sequence[Trace]], Sequence[Read]]) -> Session:
    """The session as `critic` reads it: every scored trace, and every earlier wording of it; the ranking stays.

    `read` is called once, with all of them.
    """
    scored = session.traces[: len(session.scores)]
    earlier = [version.trace for history in session.histories for version in history.versions]
    results = iter(read([*scored, *earlier]))
    now = [next(results) for _ in scored]
    histories = []
    for history in session.histories:
        versions = tuple(v.model_copy(update=next(results)._asdict()) for v in history.versions)
        histories.append(history.model_copy(update={"versions": versions}))
    return session.model_copy(
        update={
            "critic": critic,
            "scores": tuple(one.score for one in now),
            "diagnoses": tuple(one.diagnosis for one in now),
            "histories": tuple(histories),
        }
    )
