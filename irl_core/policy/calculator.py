"""Fills in the result of an arithmetic expression while a trace is drawn, as GSM8K's authors did.

Cobbe et al. (2021, "Training Verifiers to Solve Math Word Problems", section 4.1) override sampling when an
annotated expression ends in '='. Here no annotation is needed: the checker of this library reads the line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from irl_core.models.solution_tokens import encode_solution, text_so_far
from irl_core.text.equations import check_equations

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_EXACT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_MONEY = re.compile(r"\$[^=\n]*=$")
_PROBE = "918273645"  # stated as the result, so that the checker says what it expected instead


def result_of(text: str) -> str | None:
    """What should follow `text`, which ends in '=': the exact result with the line's own spacing and currency.

    None where the line does not end in an expression and '=' that can be read with certainty, or where the result
    has no finite decimal form.
    """
    line = text.rpartition("\n")[2]
    if not line.endswith("="):
        return None
    asked = f"{line} {_PROBE}"
    checks = [c for c in check_equations(asked) if c.span[1] == len(asked)]
    if not checks or not _EXACT.fullmatch(checks[-1].expected):
        return None
    return " " * line.endswith(" =") + "$" * bool(_MONEY.search(line)) + checks[-1].expected


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
