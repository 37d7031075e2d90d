"""Draws traces on a CPU with OpenVINO GenAI, several times faster than `generate`.

Each trace is a request of its own: OpenVINO streams a request token by token only when it returns one sequence, and
gives each its own random numbers. A primer, a request of one token that is thrown away, computes the prompt of a
question; its traces join when it has ended and find the prompt in the prefix cache. That takes several steps where the
prompts that are being read have more than `_BATCHED_TOKENS` tokens together. Without the primer the first trace would
read the prompt in another batch than when it is drawn again, and its rounding could draw another solution with the
same seed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from irl_core.models.backbones import Backbone, load_tokenizer
from irl_core.models.gguf import Packing
from irl_core.models.mapped_files import release_pages
from irl_core.models.merging import policy_sha256
from irl_core.models.openvino_graphs import WEIGHTS, packed_graph
from irl_core.models.prompts import PromptForm
from irl_core.models.solution_tokens import end_id
from irl_core.policy.base import TokenPolicy
from irl_core.policy.sampling import Drawn, Sampling, Stopped

if TYPE_CHECKING:
    import openvino_genai

MAX_IN_FLIGHT = 64
_BATCHED_TOKENS = 512  # that one step reads at most
_MAX_CONTEXT = 2048
_PRIMER = -1  # the index of a request that only computes a prompt


@dataclass
class _Sequence:
    request: int
    index: int
    seed: int
    prompt: list[int]
    handle: Any = None
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    end_logprob: float | None = None

    def drawn(self, stopped: Stopped | None = None) -> Drawn:
        return Drawn(self.request, self.index, tuple(self.token_ids), tuple(self.logprobs), stopped, self.end_logprob)


class OpenVINOPolicy(TokenPolicy):
    """The embedded backbone, with or without an adapter, merged and packed into a graph that is kept.

    `packing` is "Q8_0" (fast, 8-bit activations: log-probabilities are near float32's, not equal) or "F16" (the
    text of transformers, slower). `packed` is a GGUF file (or a graph's folder) of weights that are
    nowhere else. One caller at a time draws; others wait.

    Raises:
        ImportError: if openvino-genai is not installed.
        ValueError: if the backbone brings no GGUF file or the adapter does not fit it.
    """

    def __init__(
        self,
        name: str,
        backbone: Backbone,
        adapter: Path | None = None,
        *,
        form: PromptForm = "short",
        packing: Packing = "Q8_0",
        packed: Path | None = None,
    ):
        import openvino_genai

        tokenizer = load_tokenizer(backbone)
        super().__init__(
            name, policy_sha256(backbone, adapter), tokenizer, form, min(tokenizer.model_max_length, _MAX_CONTEXT)
        )
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.enable_prefix_caching = True
        scheduler.max_num_seqs = MAX_IN_FLIGHT
        scheduler.max_num_batched_tokens = _BATCHED_TOKENS
        scheduler.cache_size = 0  # GiB: it grows with what is drawn at once, not with what prefix caching could keep
        # Half-precision activations make a trace depend on what is drawn beside it, and an 8-bit cache makes one seed
        # draw different traces once the prompt is cached; a half-precision cache beside float32 activations does
        # neither, and long traces read half the memory of a float32 one.
        properties = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f16"}
        if packing == "F16":  # weights this fine deserve activations and a cache of float32
            properties |= {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0", "KV_CACHE_PRECISION": "f32"}
        model = packed or packed_graph(backbone, adapter, packing)
        self._pipeline = openvino_genai.ContinuousBatchingPipeline(model, scheduler, "CPU", properties)
        self._busy = threading.Lock()
        self._requests = 0
        self._pack_weights(Path(model))

    def _pack_weights(self, model: Path) -> None:
        """Draw a token that nobody sees: OpenVINO packs its weights for the processor when it first computes."""
        live: list[_Sequence] = []
        self._begin(_Sequence(_PRIMER, _PRIMER, 0, [end_id(self.tokenizer)]), live, Sampling(max_tokens=1))
        while self._pipeline.has_non_finished_requests():
            self._pipeline.step()
        release_pages(model / WEIGHTS)

    def _draw(
        self, prompts: Sequence[list[int]], seeds: Sequence[Sequence[int]], sampling: Sampling, stop: threading.Event
    ) -> Iterator[Drawn]:
        waiting = deque(
            _Sequence(request, index, seed, prompt)
            for request, prompt in enumerate(prompts)
            for index, seed in enumerate(seeds[request])
        )
        live: list[_Sequence] = []
        prefilled: set[int] = set()  # questions whose primer has ended
        with self._busy:
            try:
                while waiting or live:
                    if stop.is_set():
                        yield from (s.drawn("cancelled") for s in [*live, *waiting] if s.index != _PRIMER)
                        return
                    self._admit(waiting, live, prefilled, sampling)
                    self._pipeline.step()
                    for sequence in list(live):
                        drawn = self._read(sequence)
                        if drawn is None:
                            continue
                        if drawn.stopped:
                            live.remove(sequence)
                        if sequence.index != _PRIMER:
                            yield drawn
                        elif drawn.stopped:
                            prefilled.add(sequence.request)
            finally:
                self._abandon(live)

    def _admit(
        self, waiting: deque[_Sequence], live: list[_Sequence], prefilled: set[int], sampling: Sampling
    ) -> None:
        """Start what fits, in order, so that questions end in order; a question's traces wait for its primer."""
        started = {s.request for s in live}
        held: list[_Sequence] = []
        while waiting and len(live) < MAX_IN_FLIGHT:
            sequence = waiting.popleft()
            if sequence.request in prefilled:
                self._begin(sequence, live, sampling)
                continue
            held.append(sequence)
            if sequence.request not in started:
                started.add(sequence.request)
                primer = _Sequence(sequence.request, _PRIMER, 0, sequence.prompt)
                self._begin(primer, live, replace(sampling, max_tokens=1))
        waiting.extendleft(reversed(held))

    def _begin(self, sequence: _Sequence, live: list[_Sequence], sampling: Sampling) -> None:
        import openvino

        self._requests += 1
        ids = openvino.Tensor(np.array([sequence.prompt], dtype=np.int64))
        sequence.handle = self._pipeline.add_request(self._requests, ids, self._config(sequence.seed, sampling))
        live.append(sequence)

    def _config(self, seed: int, sampling: Sampling) -> openvino_genai.GenerationConfig:
        import openvino_genai

        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = sampling.max_tokens
        config.logprobs = 1
        config.eos_token_id = end_id(self.tokenizer)  # a graph's folder does not tell, as a GGUF file does
        config.stop_token_ids = set(self.stop_ids)
        config.do_sample = sampling.temperature > 0
        if config.do_sample:
            config.temperature, config.top_p, config.rng_seed = sampling.temperature, sampling.top_p, seed
        return config

    def _read(self, sequence: _Sequence) -> Drawn | None:
        from openvino_genai.py_openvino_genai import GenerationFinishReason, GenerationStatus

        grew = False
        stopped: Stopped | None = None
        while sequence.handle.can_read():
            for output in sequence.handle.read().values():
                grew = True
                for token, logprob in zip(output.generated_ids, output.generated_log_probs, strict=True):
                    if token in self.stop_ids:
                        sequence.end_logprob = min(float(logprob), 0.0)
                        continue
                    sequence.token_ids.append(token)
                    sequence.logprobs.append(min(float(logprob), 0.0))
                if output.finish_reason == GenerationFinishReason.STOP:
                    stopped = "end"
                elif output.finish_reason == GenerationFinishReason.LENGTH:
                    stopped = "length"
        if stopped is None and sequence.handle.get_status() == GenerationStatus.IGNORED:
            raise RuntimeError("OpenVINO had no room for the prompt; shorten the question")
        return sequence.drawn(stopped) if grew or stopped else None

    def _abandon(self, live: Sequence[_Sequence]) -> None:
        """Take unfinished requests out of the pipeline, so that the next caller finds it empty."""
        for sequence in live:
            sequence.handle.cancel()
        while self._pipeline.has_non_finished_requests():
            self._pipeline.step()
