"""The tokens of a solution and the characters that each stands for, in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from irl_core.models.prompts import speaks_chatml
from irl_core.text.spans import Span, partition

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def end_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id that ends a solution: the end of the turn where the model speaks ChatML, else its end of text.

    Raises:
        ValueError: if the tokenizer has neither.
    """
    if speaks_chatml(tokenizer):
        return int(tokenizer.get_added_vocab()["<|im_end|>"])
    end = tokenizer.eos_token_id
    if end is None:
        raise ValueError("this tokenizer has no end-of-sequence token, so a solution could never end")
    return int(end)


def encode_solution(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[list[int], tuple[Span, ...]]:
    """Token ids of a solution, without an end token, and the character span of each; the spans partition `text`.

    A character that takes several byte tokens belongs to the first of them; the others have empty spans.
    """
    encoded = tokenizer(text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True)
    spans = encoded["offset_mapping"]
    # A later byte of a character repeats its span: it begins where that character ends.
    repeats = [span[1] - span[0] == 1 and span == before for before, span in pairwise([(0, 0), *spans])]
    starts = [end if repeat else start for repeat, (start, end) in zip(repeats, spans, strict=True)]
    return encoded["input_ids"], partition(starts, len(text))


_UNFINISHED = "\ufffd"  # what a decoder shows for a character whose last bytes are still to come


def _decode(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    # Not `tokenizer.decode`, which looks at each id three times before it says the same.
    return str(tokenizer.backend_tokenizer.decode(list(ids), skip_special_tokens=True))


def text_so_far(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """The text of a growing trace, without a character of which only some bytes are there."""
    return _decode(tokenizer, ids).rstrip(_UNFINISHED)


class GrowingText:
    """The text of a trace that is being drawn, at a cost that does not grow with it: the newest tokens are decoded,
    after those before them, since a token may read otherwise at the start of a text.

    `text` shows a character when all its bytes are there; `held` is what the newest tokens say before that.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.text = self.held = ""
        self._tokenizer = tokenizer
        self._start = self._shown = 0  # tokens: the context's first, the first that `text` does not hold
        self._context = ""

    def grow(self, ids: Sequence[int]) -> bool:
        """Take all ids drawn so far; tells whether there is more text to show."""
        self.held = _decode(self._tokenizer, ids[self._start :])[len(self._context) :]
        if not self.held or self.held.endswith(_UNFINISHED):
            return False
        self.text, self.held = self.text + self.held, ""
        self._start, self._shown = self._shown, len(ids)
        self._context = _decode(self._tokenizer, ids[self._start :])
        return True


def decode_solution(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> tuple[str, tuple[Span, ...]]:
    """Text of drawn tokens and the span of each; the spans partition the text as in `encode_solution`.

    Control tokens show nothing and have an empty span; bytes that are no UTF-8 show as U+FFFD.
    """
    text = _decode(tokenizer, ids)
    again, offsets = encode_solution(tokenizer, text)
    if again == list(ids):
        return text, offsets
    before, starts = GrowingText(tokenizer), []
    for drawn in range(len(ids)):
        starts.append(len(before.text + before.held.rstrip(_UNFINISHED)) + bool(before.held))
        before.grow(ids[: drawn + 1])
    return text, partition(starts, len(text))
