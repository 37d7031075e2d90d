"""Fills in the result of an arithmetic expression while a trace is drawn, as GSM8K's authors did.

Cobbe et al. (2021, "Training Verifiers to Solve Math Word Problems", section 4.1) override sampling when an
annotated expression ends in '='. Here no annotation is needed: the checker of this library reads the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from irl_core.models.solution_tokens import encode_solution, text_so_far
from irl_core.text.exact_results import exact_result
from irl_core.text.numerals import show_number

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def result_of(text: str) -> str | None:
    """What should follow `text`, which ends in '=': the exact result with the line's own spacing and currency.

    None where the line does not end in an expression and '=' that can be read in one way only (no mixed units, no
    percentage that may be relative, no function or unknown), or where the result has no finite decimal form.
    """
    line = text.rpartition("\n")[2]
    if not line.endswith("="):
        return None
    result = exact_result(line)
    if result is None:
        return None
    value, in_dollars = result
    return " " * line.endswith(" =") + "$" * in_dollars + show_number(value)


class Calculator:
    """Knows which tokens to force after '=', and which would write further digits behind them.

    Attributes:
        digit_ids: the tokens that begin with a digit.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        self._tokenizer = tokenizer
        pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        self.digit_ids = [i for i, piece in enumerate(pieces) if piece[:1].isdigit()]

    def result_ids(self, token_ids: Sequence[int]) -> list[int]:
        """Tokens of the result if what is drawn so far ends in an expression and '='; else none."""
        if not str(self._tokenizer.decode(list(token_ids[-1:]))).endswith("="):
            return []
        result = result_of(text_so_far(self._tokenizer, token_ids))
        return encode_solution(self._tokenizer, result)[0] if result else []
