"""Draws traces with transformers alone: any causal model, any device, and the only road with a calculator.

The prompt is computed once; its cache is repeated for the `n` traces, which grow token by token. A finished trace
leaves the batch. Each trace has its own random generator, so that it does not depend on its neighbours.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from transformers import DynamicCache
from transformers.generation import TemperatureLogitsWarper, TopPLogitsWarper

from irl_core.calculator import Calculator
from irl_core.prompts import PromptForm
from irl_core.sampling import Drawn, Sampling, Stopped, TokenPolicy

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass
class _Row:
    index: int
    generator: torch.Generator
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    forced: deque[int] = field(default_factory=deque)
    after_result: bool = False
    stopped: Stopped | None = None


class TransformersPolicy(TokenPolicy):
    """A causal language model in memory; `calculator=True` fills in the result of an expression once '=' is drawn."""

    calculates = True

    def __init__(
        self,
        name: str,
        sha256: str | None,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        form: PromptForm = "short",
        calculator: bool = False,
    ):
        ends = model.generation_config.eos_token_id
        stop_ids = [ends] if isinstance(ends, int) else ends or []
        super().__init__(name, sha256, tokenizer, form, model.config.max_position_embeddings, stop_ids)
        self.model = model.eval()
        self._calculator = Calculator(tokenizer) if calculator else None

    def _draw(
        self, prompts: Sequence[list[int]], seeds: Sequence[Sequence[int]], how: Sampling, stop: threading.Event
    ) -> Iterator[Drawn]:
        for request, prompt in enumerate(prompts):
            rows = [_Row(i, torch.Generator().manual_seed(seed)) for i, seed in enumerate(seeds[request])]
            for row in self._grow(prompt, rows, how, stop):
                yield Drawn(request, row.index, tuple(row.token_ids), tuple(row.logprobs), row.stopped)

    def _grow(self, prompt: list[int], rows: list[_Row], how: Sampling, stop: threading.Event) -> Iterator[_Row]:
        if stop.is_set():
            yield from _cancelled(rows)
            return
        logits, cache = self._forward(torch.tensor([prompt]), None)
        cache.batch_repeat_interleave(len(rows))
        logits = logits.expand(len(rows), -1)
        while True:
            self._append(rows, logits, how)
            yield from rows
            keep = [i for i, row in enumerate(rows) if row.stopped is None]
            if not keep:
                return
            if len(keep) < len(rows):
                rows = [rows[i] for i in keep]
                cache.batch_select_indices(torch.tensor(keep, device=self.model.device))
            if stop.is_set():
                yield from _cancelled(rows)
                return
            logits, cache = self._forward(torch.tensor([[row.token_ids[-1]] for row in rows]), cache)

    def _forward(self, ids: torch.Tensor, cache: DynamicCache | None) -> tuple[torch.Tensor, DynamicCache]:
        """Next-token logits (B, V) in float32 on the CPU for `ids` (B, T), and the cache that now holds them."""
        with torch.inference_mode():
            out = self.model(ids.to(self.model.device), past_key_values=cache, use_cache=True, logits_to_keep=1)
        return out.logits[:, -1].float().cpu(), out.past_key_values

    def _append(self, rows: list[_Row], logits: torch.Tensor, how: Sampling) -> None:
        """Give each row its next token, drawn from its line of `logits` (B, V) or forced by the calculator."""
        logprobs = logits.log_softmax(-1)
        drawn = draw_tokens(self._allowed(rows, logits), how.temperature, how.top_p, [r.generator for r in rows])
        for line, (row, token) in enumerate(zip(rows, drawn, strict=True)):
            row.after_result = len(row.forced) == 1
            if row.forced:
                token = row.forced.popleft()
            if token in self.stop_ids:
                row.stopped = "end"
                continue
            row.token_ids.append(token)
            row.logprobs.append(logprobs[line, token].item())
            if self._calculator and not row.forced and not row.after_result:
                row.forced.extend(self._calculator.result_ids(row.token_ids))
            if len(row.token_ids) >= how.max_tokens:
                row.stopped = "length"

    def _allowed(self, rows: list[_Row], logits: torch.Tensor) -> torch.Tensor:
        """`logits` without the digits that a model would add to a result that was just filled in."""
        filled = [line for line, row in enumerate(rows) if row.after_result]
        if not filled:
            return logits
        logits = logits.clone()
        for line in filled:
            logits[line, self._calculator.digit_ids] = float("-inf")
        return logits


def draw_tokens(
    logits: torch.Tensor, temperature: float, top_p: float, generators: Sequence[torch.Generator]
) -> list[int]:
    """One token per row of `logits` (B, V), each with the randomness of its own generator.

    Temperature first, then nucleus truncation (Holtzman et al. 2020), as in transformers' `generate`; temperature 0
    takes the largest logit.
    """
    if temperature == 0:
        return logits.argmax(-1).tolist()
    logits = TemperatureLogitsWarper(float(temperature))(None, logits)
    if top_p < 1:
        logits = TopPLogitsWarper(top_p)(None, logits)
    probabilities = logits.softmax(-1)
    return [
        torch.multinomial(p, 1, generator=generator).item()
        for p, generator in zip(probabilities, generators, strict=True)
    ]


def _cancelled(rows: Sequence[_Row]) -> Iterator[_Row]:
    for row in rows:
        row.stopped = "cancelled"
        yield row
