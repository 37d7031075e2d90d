"""Several files of traces, and datasets of the hub, read one after the other under names that tell them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from irl_core.evaluation.hub import read_hub_traces
from irl_core.evaluation.trace_files import BadLineOfFile, LabelledTrace, read_traces
from irl_core.text.json_lines import BadLine

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(?<!\.jsonl)(?<!\.json)")


def is_hub_name(source: str) -> bool:
    """Whether it reads like owner/dataset."""
    return _HUB_NAME.fullmatch(source) is not None


def source_names(sources: Sequence[str]) -> tuple[str, ...]:
    """A name for each source, no two the same: the file's stem, or the hub's name.

    >>> source_names(["a/dev.jsonl", "other.jsonl"])
    ('dev', 'other')

    Files with the same stem have as much of their path before it as tells them apart, and also their suffix where they
    lie in one folder.

    >>> source_names(["a/dev.jsonl", "b/dev.jsonl", "other.jsonl"])
    ('a/dev', 'b/dev', 'other')

    Raises:
        ValueError: if the same source is given twice.
    """
    places = [Path(source).resolve() if _is_file(source) else Path(source) for source in sources]
    for source, place in zip(sources, places, strict=True):
        if places.count(place) > 1:
            raise ValueError(f"{source} is given more than once")
    candidates = [list(_candidates(source)) for source in sources]
    return tuple(
        next((c for c in own if not any(c in other for other in candidates if other is not own)), own[-1])
        for own in candidates
    )


def file_names(paths: Iterable[Path]) -> dict[Path, str]:
    """`source_names` of files of which some may be given more than once, by path."""
    distinct = list(dict.fromkeys(paths))
    return dict(zip(distinct, source_names([str(path) for path in distinct]), strict=True))


def _is_file(source: str) -> bool:
    return Path(source).is_file() or not is_hub_name(source)


def _candidates(source: str) -> Iterator[str]:
    """Names that a source may have, the shortest first; the last is the whole of it."""
    if not _is_file(source):
        yield source
        return
    path = Path(source).absolute()
    for depth in range(1, len(path.parts)):
        yield "/".join(path.with_suffix("").parts[-depth:])
        yield "/".join(path.parts[-depth:])
    yield path.as_posix()


def read_sources(
    sources: Sequence[str], *, config: str | None = None, split: str | None = None, limit: int | None = None
) -> Iterator[LabelledTrace | BadLine]:
    """The traces of every source in order, each with the name of its source where there are several.

    Args:
        config, split: of datasets of the hub.
        limit: how many lines of each source are read; all if None.

    Raises:
        OSError: if a file cannot be read.
        ValueError: if a dataset cannot be had, or a source is given twice.
    """
    for source, name in zip(sources, source_names(sources), strict=True):
        lines = read_traces(source) if Path(source).is_file() else read_hub_traces(source, config=config, split=split)
        for line in islice(lines, limit):
            yield line if len(sources) == 1 else _of_file(line, name)


def _of_file(line: LabelledTrace | BadLine, name: str) -> LabelledTrace | BadLine:
    return replace(line, file=name) if isinstance(line, LabelledTrace) else BadLineOfFile(line.line, line.reason, name)
