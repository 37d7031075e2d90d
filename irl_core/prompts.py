"""How a question is put to a language model, as token ids.

Ids, because text that a stranger typed must stay text: a pasted `<|im_end|>` is encoded as the characters it shows,
never as the control token, so no question can close its own turn and speak for the model. The template around the
question is encoded apart from it; its control tokens are the only ones in a prompt.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from irl_core.traces import Span, partition

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PromptForm = Literal["short", "chat"]
"""`short`: what our fine-tuned policies were taught, no system prompt. `chat`: a model's own template and a hint."""

INSTRUCTION = (
    "Solve it step by step, one short step a line. End with a line '#### ' followed by the answer as a number."
)

_QUESTION = "\ue000question\ue001"


def _plain_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]


def _speaks_chatml(tokenizer: PreTrainedTokenizerBase) -> bool:
    return {"<|im_start|>", "<|im_end|>"} <= set(tokenizer.get_added_vocab())


def _template(tokenizer: PreTrainedTokenizerBase, form: PromptForm) -> tuple[str, str]:
    """What stands before and after the question."""
    if form == "short" and _speaks_chatml(tokenizer):
        return "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"
    content = _QUESTION if form == "short" else f"{_QUESTION}\n\n{INSTRUCTION}"
    if tokenizer.chat_template is None:
        return "", content.removeprefix(_QUESTION) + "\n"
    messages = [{"role": "user", "content": content}]
    whole = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    before, mark, after = whole.partition(_QUESTION)
    if not mark:
        raise ValueError("this model's chat template leaves out the user's message; use another model")
    return before, after


def prompt_ids(tokenizer: PreTrainedTokenizerBase, question: str, form: PromptForm = "short") -> list[int]:
    """Token ids of the prompt for `question`; the model's solution follows directly after them."""
    before, after = _template(tokenizer, form)
    special = {"add_special_tokens": False, "split_special_tokens": False}
    return [
        *tokenizer(before, **special)["input_ids"],
        *_plain_ids(tokenizer, question.strip()),
        *tokenizer(after, **special)["input_ids"],
    ]


def format_prompt(tokenizer: PreTrainedTokenizerBase, question: str, form: PromptForm = "short") -> str:
    """The same prompt as text, for people to read; encode with `prompt_ids`, never from this."""
    before, after = _template(tokenizer, form)
    return f"{before}{question.strip()}{after}"


def end_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id that ends a solution: the end of the turn where the model speaks ChatML, else its end of text.

    Raises:
        ValueError: if the tokenizer has neither.
    """
    if _speaks_chatml(tokenizer):
        return tokenizer.convert_tokens_to_ids("<|im_end|>")
    if tokenizer.eos_token_id is None:
        raise ValueError("this tokenizer has no end-of-sequence token, so a solution could never end")
    return tokenizer.eos_token_id


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
