"""Scores that were computed before, on disk: a long scoring can be stopped and resumed, and fitted on again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from irl_core.text.json_lines import BadLine, load_object, numbered_lines
from irl_core.text.plain_reading import read_plainly
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace


class ScoresMany(Protocol):
    """What scoring needs of a critic."""

    def score_many(self, items: Sequence[tuple[str, Trace]]) -> list[TraceScore]:
        """Scores of (question, trace) pairs, in their order."""
        ...


class ScoreCache:
    """Scores by critic and by what it read; without a path nothing is kept. A torn last line is ignored.

    What a critic reads is the question and the plain reading of the trace, so a change of either is another score.
    """

    def __init__(self, path: Path | None, critic_sha256: str | None) -> None:
        self.path, self._critic = path, critic_sha256 or "no checksum"
        self._known: dict[str, str] = {}
        if path is not None and path.exists():
            for line in numbered_lines(path):
                if not isinstance(line, BadLine):
                    self._remember(line[1])

    def _remember(self, raw: bytes) -> None:
        try:
            record = load_object(raw)
        except ValueError:  # the line that was being written when the last run was killed
            return
        self._known[record["key"]] = json.dumps(record["score"])

    def key(self, question: str, trace: Trace) -> str:
        """What one score is known by."""
        parts = (self._critic, question, trace.text, read_plainly(trace.text).text, str(trace.steps))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def scores(self, critic: ScoresMany, items: Sequence[tuple[str, Trace]]) -> list[TraceScore]:
        """Scores of (question, trace) pairs in order: those that are not known by the critic."""
        keys = [self.key(*item) for item in items]
        missing = {key: item for key, item in zip(keys, items, strict=True) if key not in self._known}
        new = critic.score_many(list(missing.values())) if missing else []
        for key, score in zip(missing, new, strict=True):
            self._known[key] = score.model_dump_json()
        if self.path is not None and missing:
            with self.path.open("a", encoding="utf-8") as file:
                if _ends_torn(self.path):  # or the first new score would be part of that line
                    file.write("\n")
                file.writelines(f'{{"key": "{key}", "score": {self._known[key]}}}\n' for key in missing)
        return [TraceScore.model_validate_json(self._known[key]) for key in keys]


def _ends_torn(path: Path) -> bool:
    """Whether the last line of a file lacks its line break."""
    with path.open("rb") as file:
        if not file.seek(0, 2):
            return False
        file.seek(-1, 2)
        return file.read() != b"\n"
