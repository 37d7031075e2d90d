"""Traces as tokens, each decoded once: demonstrations, and rollouts in the policy's tokens and in the critic's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch

from irl_core.learning.common.encoding import Encoded
from irl_core.models.prompts import prompt_ids
from irl_core.models.solution_tokens import decode_solution, encode_solution, end_id
from irl_core.text.equations import equations_of
from irl_core.text.spans import Span
from irl_core.text.steps import split_steps, step_of_tokens
from irl_core.text.traces import Trace

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class TokenizedTrace(NamedTuple):
    """A trace as the tokens of one tokenizer, T of them in its completion.

    Attributes:
        ids: of prompt and completion.
        text: of the completion, without its end token.
        spans: T of them, the characters of `text` that each token stands for; the end token's is the one past the
            text.
        steps: T of them, the index of the step that each token belongs to; the end token belongs to the last.
        ended: whether the completion ends with the end token; if not, it was cut off.
    """

    ids: Encoded
    text: str
    spans: tuple[Span, ...]
    steps: tuple[int, ...]
    ended: bool


class Rollout(NamedTuple):
    """A trace of the policy as it was sampled, and as the critic reads it; the same where they share a tokenizer."""

    policy: TokenizedTrace
    critic: TokenizedTrace


def tokenize_trace(
    tokenizer: PreTrainedTokenizerBase, question: str, solution: str, *, ended: bool = True
) -> TokenizedTrace:
    """A solution as a model of that tokenizer reads it; `ended=False` for one that was cut off."""
    ids, spans = encode_solution(tokenizer, solution)
    end = [end_id(tokenizer)] if ended else []
    return _with_steps(Encoded(prompt_ids(tokenizer, question), ids + end), solution, spans, ended)


def decode_trace(tokenizer: PreTrainedTokenizerBase, ids: Encoded) -> TokenizedTrace:
    """A trace that was drawn, id by id."""
    ended = ids.completion[-1:] == [end_id(tokenizer)]
    text, spans = decode_solution(tokenizer, ids.completion[: len(ids.completion) - ended])
    return _with_steps(ids, text, spans, ended)


def read_rollouts(
    questions: Sequence[str],
    completions: Sequence[list[int]],
    policy_tokenizer: PreTrainedTokenizerBase,
    critic_tokenizer: PreTrainedTokenizerBase,
) -> list[Rollout]:
    """The rollouts of one step; the critic gets the sampled ids where it has the policy's tokenizer (the same object),
    else the text."""
    prompts = {question: prompt_ids(policy_tokenizer, question) for question in set(questions)}
    rollouts = []
    for question, completion in zip(questions, completions, strict=True):
        drawn = decode_trace(policy_tokenizer, Encoded(prompts[question], completion))
        same = critic_tokenizer is policy_tokenizer
        read = drawn if same else tokenize_trace(critic_tokenizer, question, drawn.text, ended=drawn.ended)
        rollouts.append(Rollout(drawn, read))
    return rollouts


def _with_steps(ids: Encoded, text: str, spans: Sequence[Span], ended: bool) -> TokenizedTrace:
    if ended:
        spans = [*spans, (len(text), len(text) + 1)]
    return TokenizedTrace(ids, text, tuple(spans), tuple(step_of_tokens(spans, split_steps(text))), ended)


def false_equation_ends(traces: Sequence[TokenizedTrace], width: int) -> torch.Tensor:
    """(B, width) float: how many false equations of each trace end in each token. No label and no model is needed."""
    counts = torch.zeros(len(traces), width)
    for i, trace in enumerate(traces):
        for check in equations_of(Trace.from_text(trace.text)):
            if not check.ok:
                last = max(t for t, (start, end) in enumerate(trace.spans) if start < min(check.span[1], end))
                counts[i, last] += 1
    return counts


def rewards_to_policy_tokens(
    rewards: Sequence[float], critic_spans: Sequence[Span], policy_spans: Sequence[Span], *, add: bool
) -> list[float]:
    """Rewards of the critic's tokens, for the policy's tokens; the spans of both partition the same text.

    A critic has read a token once it has read its last character, so the reward belongs to the policy's token that
    holds that character: earlier would pay for text that is not yet written. Local rewards (`add`) that fall on one
    token are added, and their sum stays; of levels the last one read holds, until another is.
    """
    paid = [0.0] * len(policy_spans)
    if add:
        token = 0
        for reward, (_, end) in zip(rewards, critic_spans, strict=True):
            while token + 1 < len(policy_spans) and policy_spans[token][1] < end:
                token += 1
            paid[token] += reward
        return paid
    level, following = 0.0, 0
    for i, (_, end) in enumerate(policy_spans):
        while following < len(critic_spans) and critic_spans[following][1] <= end:
            level = rewards[following]
            following += 1
        paid[i] = level
    return paid
