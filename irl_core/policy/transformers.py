"""Draws traces with transformers alone: any causal model, any device, and the only road with a calculator.

A prompt is computed once; its cache is repeated for the `n` traces, which grow token by token. A finished trace
leaves the batch. Each trace has its own random generator, so that it does not depend on its neighbours.

On a GPU, where a step of two hundred traces takes no longer than one of eight, several questions grow side by side,
and what a generator gives is turned into a token there: logits of a whole vocabulary are not brought to the CPU.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from transformers import DynamicCache
from transformers.generation.logits_process import TemperatureLogitsWarper, TopPLogitsWarper

from irl_core.models.prompts import PromptForm
from irl_core.policy.base import TokenPolicy
from irl_core.policy.calculator import Calculator
from irl_core.policy.sampling import Drawn, Sampling, Stopped

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


_MOST_ROWS = 1024


@dataclass
class _Row:
    request: int
    index: int
    generator: torch.Generator
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    forced: deque[int] = field(default_factory=deque)
    after_result: bool = False
    stopped: Stopped | None = None
    end_logprob: float | None = None

    def drawn(self) -> Drawn:
        ids, logprobs = tuple(self.token_ids), tuple(self.logprobs)
        return Drawn(self.request, self.index, ids, logprobs, self.stopped, self.end_logprob)


class TransformersPolicy(TokenPolicy):
    """A causal language model in memory. It can fill in the result of an expression once '=' is drawn.

    Of several questions so many are drawn side by side as make up `at_once` traces: None takes one question at a time
    on a CPU, and what memory there is for on a GPU.
    """

    calculates = True

    def __init__(
        self,
        name: str,
        sha256: str | None,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        form: PromptForm = "short",
        at_once: int | None = None,
    ):
        ends = model.generation_config.eos_token_id
        stop_ids = [ends] if isinstance(ends, int) else ends or []
        super().__init__(name, sha256, tokenizer, form, model.config.max_position_embeddings, stop_ids)
        self.model = model.train(False)
        self.at_once = at_once
        self._calculator: Calculator | None = None  # made when it is first asked for

    def _draw(
        self, prompts: Sequence[list[int]], seeds: Sequence[Sequence[int]], sampling: Sampling, stop: threading.Event
    ) -> Iterator[Drawn]:
        rows_at_once = self.at_once or rows_that_fit(
            self.model, max(map(len, prompts), default=0) + sampling.max_tokens
        )
        together = max(1, rows_at_once // sampling.n)
        for first in range(0, len(prompts), together):
            chosen = range(first, min(first + together, len(prompts)))
            rows = [
                _Row(request, i, torch.Generator().manual_seed(seed))
                for request in chosen
                for i, seed in enumerate(seeds[request])
            ]
            for row in self._grow([prompts[request] for request in chosen], rows, sampling, stop):
                yield row.drawn()

    def _grow(
        self, prompts: Sequence[list[int]], rows: list[_Row], sampling: Sampling, stop: threading.Event
    ) -> Iterator[_Row]:
        """Let the rows of a few requests, which come in the order of `prompts`, grow side by side to their ends."""
        if stop.is_set():
            yield from _cancelled(rows)
            return
        first = rows[0].request
        calculator = self._calculator_for(sampling)
        state = _Batch(self.model, prompts)
        state.select([row.request - first for row in rows])
        while True:
            self._append(rows, state.logits, sampling, calculator)
            yield from rows
            keep = [i for i, row in enumerate(rows) if row.stopped is None]
            if not keep:
                return
            if len(keep) < len(rows):
                rows = [rows[i] for i in keep]
                state.select(keep)
            if stop.is_set():
                yield from _cancelled(rows)
                return
            state.read([row.token_ids[-1] for row in rows])

    def _calculator_for(self, sampling: Sampling) -> Calculator | None:
        if sampling.calculator and self._calculator is None:
            self._calculator = Calculator(self.tokenizer)
        return self._calculator if sampling.calculator else None

    def _append(
        self, rows: list[_Row], logits: torch.Tensor, sampling: Sampling, calculator: Calculator | None
    ) -> None:
        """Give each row its next token, drawn from its line of `logits` (B, V) or forced by the calculator."""
        allowed = logits if calculator is None else _without_more_digits(rows, logits, calculator)
        drawn = draw_tokens(allowed, sampling.temperature, sampling.top_p, [r.generator for r in rows])
        tokens = [row.forced[0] if row.forced else token for row, token in zip(rows, drawn, strict=True)]
        places = torch.tensor(tokens, device=logits.device)[:, None]
        logprobs = logits.log_softmax(-1).gather(1, places)[:, 0].tolist()
        for row, token, logprob in zip(rows, tokens, logprobs, strict=True):
            row.after_result = len(row.forced) == 1
            if row.forced:
                row.forced.popleft()
            if token in self.stop_ids:
                row.stopped, row.end_logprob = "end", logprob
                continue
            row.token_ids.append(token)
            row.logprobs.append(logprob)
            if calculator and not row.forced and not row.after_result:
                row.forced.extend(calculator.result_ids(row.token_ids))
            if len(row.token_ids) >= sampling.max_tokens:
                row.stopped = "length"


def _without_more_digits(rows: list[_Row], logits: torch.Tensor, calculator: Calculator) -> torch.Tensor:
    """`logits` without the digits that a model would add to a result that was just filled in."""
    filled = [line for line, row in enumerate(rows) if row.after_result]
    if not filled:
        return logits
    logits = logits.clone()
    for line in filled:
        logits[line, calculator.digit_ids] = float("-inf")
    return logits


class _Batch:
    """What the model has read of some rows, and what it says of their next tokens: `logits` (B, V) in float32.

    Prompts of different lengths are padded on the left, and `mask` (B, T) is false where; without padding it is None.
    """

    def __init__(self, model: PreTrainedModel, prompts: Sequence[list[int]]) -> None:
        self._model = model
        self._cache: DynamicCache | None = None
        self._mask: torch.Tensor | None = None
        self.logits: torch.Tensor
        width = max(map(len, prompts))
        if min(map(len, prompts)) < width:
            self._mask = torch.tensor(
                [[i >= width - len(p) for i in range(width)] for p in prompts], device=model.device
            )
        self._forward([[0] * (width - len(p)) + p for p in prompts])

    def select(self, rows: Sequence[int]) -> None:
        """Keep the rows of these numbers, in this order, each as often as it is named."""
        chosen = torch.tensor(rows, device=self._model.device)
        assert self._cache is not None  # the prompts have been read
        self._cache.batch_select_indices(chosen)
        self.logits = self.logits[chosen]
        if self._mask is not None:
            self._mask = self._mask[chosen]

    def read(self, tokens: Sequence[int]) -> None:
        """The next token of each row."""
        if self._mask is not None:
            self._mask = torch.nn.functional.pad(self._mask, (0, 1), value=True)
        self._forward([[token] for token in tokens])

    @torch.inference_mode()
    def _forward(self, ids: Sequence[Sequence[int]]) -> None:
        given = torch.tensor(ids, device=self._model.device)
        padded = {}
        if self._mask is not None:
            positions = (self._mask.cumsum(1) - 1).clamp(min=0)
            padded = {"attention_mask": self._mask.long(), "position_ids": positions[:, -given.shape[1] :]}
        out = self._model(given, past_key_values=self._cache, use_cache=True, logits_to_keep=1, **padded)
        self.logits, self._cache = out.logits[:, -1].float(), out.past_key_values


def rows_that_fit(model: PreTrainedModel, length: int) -> int:
    """How many traces of `length` tokens may grow side by side: 1 on a CPU, where each costs as much as the next."""
    if model.device.type != "cuda":
        return 1
    config = model.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    cache = 2 * config.num_hidden_layers * heads * width * length * model.dtype.itemsize
    # Twice the cache, which is copied when traces leave it; some eight numbers for each logit while a token is drawn.
    row = 2 * cache + 32 * config.vocab_size
    # A share of all memory, not of what is free just now: the same machine draws the same traces side by side again.
    memory: int = torch.cuda.get_device_properties(model.device).total_memory
    return max(1, int(min(_MOST_ROWS, memory // 8 // row)))


def draw_tokens(
    logits: torch.Tensor, temperature: float, top_p: float, generators: Sequence[torch.Generator]
) -> list[int]:
    """One token per row of `logits` (B, V), each with the randomness of its own generator.

    Temperature first, then nucleus truncation (Holtzman et al. 2020), as in transformers' `generate`; temperature 0
    takes the largest logit.
    """
    if temperature == 0:
        return logits.argmax(-1).tolist()
    if logits.device.type == "cuda":
        chances = torch.stack([torch.rand((), generator=g, dtype=torch.float64) for g in generators])
        return tokens_at(logits, temperature, top_p, chances.to(logits.device)).tolist()
    logits = TemperatureLogitsWarper(float(temperature))(None, logits)
    if top_p < 1:
        logits = TopPLogitsWarper(top_p)(None, logits)
    probabilities = logits.softmax(-1)
    return [
        int(torch.multinomial(p, 1, generator=generator).item())
        for p, generator in zip(probabilities, generators, strict=True)
    ]


def tokens_at(logits: torch.Tensor, temperature: float, top_p: float, chances: torch.Tensor) -> torch.Tensor:
    """The tokens (B,) at which the mass of each row's kept tokens passes a share `chances` (B,), from 0 to below 1.

    The same distribution as `draw_tokens` has from its generators, without a call for each row.
    """
    probabilities = (logits / temperature).softmax(-1)
    order = None
    if top_p < 1:
        probabilities, order = probabilities.sort(-1, descending=True)
    # In double precision, or the sum of a large vocabulary would be rounded by more than its rare tokens have.
    mass = probabilities.cumsum(-1, dtype=torch.float64)
    kept = mass - probabilities < top_p if order is not None else torch.ones_like(mass, dtype=torch.bool)
    whole = mass.masked_fill(~kept, 0).amax(-1)
    places = (mass <= (chances * whole)[:, None]).sum(-1)
    return places if order is None else order.gather(1, places[:, None])[:, 0]


def _cancelled(rows: Sequence[_Row]) -> Iterator[_Row]:
    for row in rows:
        row.stopped = "cancelled"
        yield row
