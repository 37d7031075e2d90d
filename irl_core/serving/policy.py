"""Draws traces with vLLM, through its engine's own loop, so that traces stream and a stop request is heard.

Importing this module needs vllm; `irl_core.policy.load_policy("vllm:NAME")` says so where it is missing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from vllm import LLM, SamplingParams
from vllm.sampling_params import RequestOutputKind

from irl_core.sampling import Drawn, Policy, Sampling


class VLLMPolicy(Policy):
    """A model that vLLM serves in this process; a hub name or a folder with a whole model (merge adapters first)."""

    def __init__(self, name: str, **engine_options: Any):
        llm = LLM(model=name, trust_remote_code=False, enable_prefix_caching=True, **engine_options)
        super().__init__(f"vllm:{name}", None, llm.get_tokenizer(), "chat", llm.model_config.max_model_len)
        self._engine = llm.llm_engine
        self._busy = threading.Lock()
        self._requests = 0

    def _draw(
        self, prompts: Sequence[list[int]], seeds: Sequence[Sequence[int]], how: Sampling, stop: threading.Event
    ) -> Iterator[Drawn]:
        with self._busy:
            live: dict[str, Drawn] = {}
            try:
                for request, prompt in enumerate(prompts):
                    for index, seed in enumerate(seeds[request]):
                        self._requests += 1
                        key = f"errata-{self._requests}"
                        live[key] = Drawn(request, index, (), ())
                        self._engine.add_request(key, {"prompt_token_ids": prompt}, self._params(seed, how))
                while live:
                    if stop.is_set():
                        yield from (
                            Drawn(d.request, d.index, d.token_ids, d.logprobs, "cancelled") for d in live.values()
                        )
                        return
                    for output in self._engine.step():
                        drawn = self._read(live[output.request_id], output.outputs[0])
                        live[output.request_id] = drawn
                        if drawn.stopped:
                            del live[output.request_id]
                        yield drawn
            finally:
                self._engine.abort_request(list(live))

    def _params(self, seed: int, how: Sampling) -> SamplingParams:
        return SamplingParams(
            temperature=how.temperature,
            top_p=how.top_p,
            seed=seed,
            max_tokens=how.max_tokens,
            logprobs=0,  # that of the drawn token alone, at temperature 1 (vLLM's `raw_logprobs`)
            stop_token_ids=sorted(self.stop_ids),
            detokenize=False,
            output_kind=RequestOutputKind.CUMULATIVE,
        )

    def _read(self, known: Drawn, completion: Any) -> Drawn:
        ids = [i for i in completion.token_ids if i not in self.stop_ids]
        pairs = zip(completion.token_ids, completion.logprobs, strict=True)
        logprobs = [min(entry[i].logprob, 0.0) for i, entry in pairs if i not in self.stop_ids]
        stopped = {None: None, "stop": "end", "length": "length"}[completion.finish_reason]
        return Drawn(known.request, known.index, ids, logprobs, stopped)
