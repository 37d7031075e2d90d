"""Traces from a dataset of the hub, streamed: in any format that a file may be in."""

from __future__ import annotations

import json
from collections.abc import Iterator

from irl_core.evaluation.trace_files import LabelledTrace, parse_line
from irl_core.text.json_lines import BadLine


def read_hub_traces(
    name: str, *, config: str | None = None, split: str | None = None
) -> Iterator[LabelledTrace | BadLine]:
    """Every trace of one split in order; `line` counts its records from 1.

    Args:
        name: "owner/name" on the hub, or a folder of data files.
        config, split: may be None where the dataset has only one.

    Raises:
        ValueError: if the dataset cannot be had, or a config or split has to be chosen; says which there are.
    """
    import datasets

    try:
        splits = datasets.get_dataset_split_names(name, config)
        if split is None and len(splits) > 1:
            raise ValueError(f"it has the splits {', '.join(splits)}: choose one with --split")
        rows = datasets.load_dataset(name, config, split=split or splits[0], streaming=True)
    # Of a missing dataset, a missing network and a wrong split each raises something else.
    except (OSError, ValueError, RuntimeError) as problem:
        raise ValueError(f"dataset {name}: {problem}") from problem
    for number, row in enumerate(rows, 1):
        yield from parse_line(number, json.dumps(row, default=str))
