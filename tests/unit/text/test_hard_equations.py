"""What real people write, by kind: public bug reports of other projects, and our own variants of them.

`equation_variants.jsonl` was written before the rules; the lines of its sets "unseen", "second" and "third" were
first read by the checker when the rules were done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from irl_core.policy.calculator import result_of
from irl_core.text.equations import check_equations

HARD = Path(__file__).parents[2] / "data" / "hard_inputs.jsonl"
VARIANTS = Path(__file__).parent / "equation_variants.jsonl"


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def asked(key: str) -> list[Any]:
    found = [line for line in lines(HARD) if key in line["expect"]]
    return [pytest.param(line["text"], line["expect"][key], id=f"{line['kind']}: {line['text']!r}") for line in found]


@pytest.mark.parametrize(("text", "expected"), asked("equations"))
def test_no_true_equation_is_called_false_and_a_false_one_is_found(text, expected):
    assert any(not check.ok for check in check_equations(text)) == (expected == "a false one")


@pytest.mark.parametrize(("text", "allowed"), asked("calculator"))
def test_the_calculator_writes_nothing_that_may_be_wrong(text, allowed):
    result = result_of(text)
    assert (result.strip() if result else None) in allowed


@pytest.mark.parametrize("chosen", ["seen", "unseen", "second", "third"])
def test_of_our_variants_no_true_one_is_called_false_and_hardly_a_false_one_is_missed(chosen):
    kept = [line for line in lines(VARIANTS) if line["set"] == chosen]
    false = {line["text"]: any(not check.ok for check in check_equations(line["text"])) for line in kept}
    true_ones = [line["text"] for line in kept if line["expect"] == "none false"]
    false_ones = [line["text"] for line in kept if line["expect"] == "a false one"]
    assert [text for text in true_ones if false[text]] == []
    assert sum(not false[text] for text in false_ones) / len(false_ones) < 0.05
