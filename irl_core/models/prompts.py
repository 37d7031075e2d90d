"""How a question is put to a language model, as token ids.

Ids, because text that a stranger typed must stay text: a pasted `<|im_end|>` is encoded as the characters it shows,
never as the control token, so no question can close its own turn and speak for the model. The template around the
question is encoded apart from it; its control tokens are the only ones in a prompt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


PromptForm = Literal["short", "chat"]
"""`short`: what our fine-tuned policies were taught, no system prompt. `chat`: a model's own template and a hint."""


class DoesNotFit(ValueError):
    """A problem, with its solution, is longer than a model reads; the message says how long and repeats no text."""


INSTRUCTION = (
    "Solve it step by step, one short step a line. End with a line '#### ' followed by the answer as a number."
)

_QUESTION = "\ue000question\ue001"


def _plain_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])


def speaks_chatml(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether turns are marked by `<|im_start|>` and `<|im_end|>`."""
    return {"<|im_start|>", "<|im_end|>"} <= set(tokenizer.get_added_vocab())


def _template(tokenizer: PreTrainedTokenizerBase, form: PromptForm) -> tuple[str, str]:
    """What stands before and after the question."""
    if form == "short" and speaks_chatml(tokenizer):
        return "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"
    content = _QUESTION if form == "short" else f"{_QUESTION}\n\n{INSTRUCTION}"
    if tokenizer.chat_template is None:
        return "", content.removeprefix(_QUESTION) + "\n"
    messages = [{"role": "user", "content": content}]
    whole = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    before, mark, after = str(whole).partition(_QUESTION)
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
