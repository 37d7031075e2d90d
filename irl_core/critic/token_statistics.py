"""From text to per-token statistics: encoding, batching, log-probabilities or values of tokens, their characters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch

from irl_core.critic.prefix_reader import ReadSequence
from irl_core.models.prompts import DoesNotFit, prompt_ids
from irl_core.models.solution_tokens import encode_solution
from irl_core.text.plain_reading import read_plainly
from irl_core.text.spans import Span, partition
from irl_core.text.traces import Trace

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MAX_TOKENS = 1536
BATCH_TOKENS, GPU_BATCH_TOKENS = 2048, 16384
Head = Callable[[torch.Tensor], torch.Tensor]
"""From last hidden states (N, d) to logits (N, vocabulary), or to a value (N, 1)."""
Logprobs = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From last hidden states (N, d) and the ids (N,) that follow to the log-probabilities (N,) of those, in nats."""

# Logits of more rows than this leave the processor's cache and the allocator's; a GPU waits for few rows as for many.
_HEAD_CHUNK, _GPU_HEAD_CHUNK = 64, 2048


class TokenStatistics(NamedTuple):
    """Per completion token, each (T,) float32: log-probability (nats), also of a reference, or a head's value V_t."""

    logprobs: torch.Tensor | None = None
    values: torch.Tensor | None = None
    reference: torch.Tensor | None = None


class EncodedTrace(NamedTuple):
    """`offsets` partition the text of the trace as it was given, calculator marks included.

    `numbers` (T,) is true for tokens that hold a digit of the solution (not of a mark).
    """

    prompt: list[int]
    completion: list[int]
    offsets: tuple[Span, ...]
    numbers: torch.Tensor
    truncated_at: int | None


def encode_items(tokenizer: PreTrainedTokenizerBase, items: Sequence[tuple[str, Trace]]) -> list[EncodedTrace]:
    """Question and trace as ids, the trace in its plain reading (`read_plainly`).

    Characters that are not read, such as markup and calculator marks, belong to the token before them.

    A trace is read to its first `MAX_TOKENS` tokens; `truncated_at` says where the reading ends.

    Raises:
        DoesNotFit: for a question whose prompt has more than `MAX_TOKENS` tokens.
        ValueError: for a trace without text.
    """
    encoded = []
    prompts = {question: _whole_prompt(tokenizer, question) for question in {q for q, _ in items}}
    for question, trace in items:
        plain = read_plainly(trace.text)
        ids, spans = encode_solution(tokenizer, plain.text)
        if not ids:
            raise ValueError("the trace has no text to score")
        truncated_at = None
        length = len(trace.text)
        starts = [plain.starts[a] if a < len(plain.starts) else length for a, _ in spans]
        if len(ids) > MAX_TOKENS:
            truncated_at = length = starts[MAX_TOKENS]
            ids, starts = ids[:MAX_TOKENS], starts[:MAX_TOKENS]
        numbers = number_mask(plain.text, spans[: len(ids)])
        encoded.append(EncodedTrace(prompts[question], ids, partition(starts, length), numbers, truncated_at))
    return encoded


def _whole_prompt(tokenizer: PreTrainedTokenizerBase, question: str) -> list[int]:
    ids = prompt_ids(tokenizer, question)
    if len(ids) > MAX_TOKENS:
        raise DoesNotFit(f"the problem takes {len(ids):,} tokens; the critic reads at most {MAX_TOKENS:,}: shorten it")
    return ids


def scoring_batches(encoded: Sequence[EncodedTrace], budget: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Indices in batches of at most `budget` tokens, a longer trace alone; traces of one prompt together.

    A prompt that a batch has counts once: `irl_core.critic.prefix_reader` reads it once.
    """
    by_prompt: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for i, e in enumerate(encoded):
        by_prompt[tuple(e.prompt)].append(i)
    batch: list[int] = []
    tokens = 0
    for prompt, group in by_prompt.items():
        tokens += len(prompt)
        for i in group:
            if batch and tokens + len(encoded[i].completion) > budget:
                yield batch
                batch, tokens = [], len(prompt)
            batch.append(i)
            tokens += len(encoded[i].completion)
    if batch:
        yield batch


def causal_statistics(logprobs_after: Logprobs, sequences: Sequence[ReadSequence]) -> list[TokenStatistics]:
    """Log-probability of each token of `sequences`, all that one pass has read, under a causal language model.

    Those already known are kept.
    """
    known = [sequence.shared if sequence.logprobs is None else len(sequence.logprobs) for sequence in sequences]
    fresh = [(sequence, start) for sequence, start in zip(sequences, known, strict=True) if start < len(sequence.ids)]
    logprobs = torch.empty(0)
    if fresh:
        hidden = torch.cat([sequence.before(start) for sequence, start in fresh])
        targets = torch.tensor([i for sequence, start in fresh for i in sequence.ids[start:]], device=hidden.device)
        logprobs = logprobs_after(hidden, targets)
    counts = [len(sequence.ids) - start for sequence, start in zip(sequences, known, strict=True)]
    for sequence, new in zip(sequences, torch.split(logprobs, counts), strict=True):
        before = sequence.logprobs
        if before is None and sequence.origin and sequence.origin.logprobs is not None:
            before = sequence.origin.logprobs[: sequence.shared]
        sequence.logprobs = new if before is None else torch.cat([before, new])
    return [TokenStatistics(logprobs=sequence.logprobs) for sequence in sequences]


def by_head(lm_head: Head) -> Logprobs:
    """Log-probabilities by a module of PyTorch, in chunks: the logits of a whole batch would take a gigabyte."""

    def logprobs(states: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        chunk = _HEAD_CHUNK if states.device.type == "cpu" else _GPU_HEAD_CHUNK
        chunks = zip(torch.split(states, chunk), torch.split(ids, chunk), strict=True)
        return torch.cat([logprobs_of(lm_head(some), of_some) for some, of_some in chunks]).cpu()

    return logprobs


def logprobs_of(logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Log-probability (T,) float32 of each of `ids` (T,) under its row of `logits` (T, vocabulary), which it spoils.

    Logits in bfloat16 are not copied to float32, which costs a third of what their product does: their difference to
    the highest is rounded, at random and thousands of times, and what is summed of them is summed in float32.
    """
    of_ids, highest = logits.gather(1, ids[:, None])[:, 0], logits.amax(-1, keepdim=True)
    mass = logits.sub_(highest).exp_().sum(-1, dtype=torch.float32)  # in place: fresh memory costs more than this does
    return of_ids.float() - highest[:, 0].float() - mass.log()


def head_statistics(head: Head, sequences: Sequence[ReadSequence]) -> list[TokenStatistics]:
    """V_t after each token of `sequences`, less V at the prompt's last token, from a head with one label."""
    states = [sequence.states_from_prompt() for sequence in sequences]
    values = head(torch.cat(states)).float()[:, 0].cpu()
    return [TokenStatistics(values=v[1:] - v[0]) for v in torch.split(values, [len(s) for s in states])]


def number_mask(text: str, offsets: Sequence[Span]) -> torch.Tensor:
    """True for tokens that hold a digit, (T,)."""
    return torch.tensor([any(c.isdigit() for c in text[a:b]) for a, b in offsets])
