"""Draws traces with vLLM in this process, through its engine's own loop, so that they stream and a stop is heard."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irl_core.models.backbones import Backbone, load_tokenizer
from irl_core.models.merging import policy_sha256
from irl_core.models.prompts import PromptForm
from irl_core.policy.base import TokenPolicy
from irl_core.policy.sampling import Drawn, Sampling, Stopped
from irl_core.serving.engine import engine_faults, start_engine
from irl_core.serving.errors import ServerError
from irl_core.serving.models import generation_ends

if TYPE_CHECKING:
    from vllm import SamplingParams

IN_FLIGHT = 256
_LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # vLLM's kernels are made for these


class VLLMPolicy(TokenPolicy):
    """A backbone that vLLM serves in this process; an adapter stays apart from it and is named with every request.

    One caller at a time draws; others wait.

    Raises:
        ServerError: if vLLM is missing or does not start.
        ValueError: if the adapter has a rank that vLLM cannot serve.
    """

    def __init__(self, name: str, backbone: Backbone, adapter: Path | None = None, *, form: PromptForm = "chat"):
        lora = {} if adapter is None else {"enable_lora": True, "max_loras": 1, "max_lora_rank": lora_rank(adapter)}
        llm = start_engine(backbone.path, enable_prefix_caching=True, **lora)
        super().__init__(
            name,
            policy_sha256(backbone, adapter),
            load_tokenizer(backbone),
            form,
            llm.model_config.max_model_len,
            generation_ends(backbone.path),
        )
        self._engine = llm.llm_engine
        self._adapter = adapter
        self._busy = threading.Lock()
        self._requests = 0

    def _draw(
        self, prompts: Sequence[list[int]], seeds: Sequence[Sequence[int]], sampling: Sampling, stop: threading.Event
    ) -> Iterator[Drawn]:
        waiting = deque(Drawn(r, i, (), ()) for r, own in enumerate(seeds) for i in range(len(own)))
        live: dict[str, Drawn] = {}
        dead: ServerError | None = None
        with self._busy:
            try:
                while (waiting or live) and not stop.is_set():
                    while waiting and len(live) < IN_FLIGHT:
                        self._begin(waiting.popleft(), live, prompts, seeds, sampling)
                    with engine_faults():
                        outputs = self._engine.step()
                    for output in outputs:
                        drawn = self._read(live[output.request_id], output.outputs[0])
                        live[output.request_id] = drawn
                        if drawn.stopped:
                            del live[output.request_id]
                        yield drawn
            except ServerError as error:
                dead = error
            finally:
                if live and dead is None:
                    self._engine.abort_request(list(live))
        yield from (replace(drawn, stopped="cancelled") for drawn in (*live.values(), *waiting))
        if dead:
            raise dead

    def _begin(
        self,
        drawn: Drawn,
        live: dict[str, Drawn],
        prompts: Sequence[list[int]],
        seeds: Sequence[Sequence[int]],
        sampling: Sampling,
    ) -> None:
        self._requests += 1
        key = f"errata-{self._requests}"
        params = self._params(seeds[drawn.request][drawn.index], sampling)
        prompt = {"prompt_token_ids": prompts[drawn.request]}
        self._engine.add_request(key, prompt, params, lora_request=self._lora())
        live[key] = drawn

    def _lora(self) -> Any:
        from vllm.lora.request import LoRARequest

        return None if self._adapter is None else LoRARequest("errata", 1, str(self._adapter))

    def _params(self, seed: int, sampling: Sampling) -> SamplingParams:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=seed,
            max_tokens=sampling.max_tokens,
            logprobs=0,  # that of the drawn token alone, at temperature 1 (vLLM's `raw_logprobs`)
            stop_token_ids=sorted(self.stop_ids),
            detokenize=False,
            output_kind=RequestOutputKind.CUMULATIVE,
        )

    def _read(self, known: Drawn, completion: Any) -> Drawn:
        ids = [i for i in completion.token_ids if i not in self.stop_ids]
        pairs = zip(completion.token_ids, completion.logprobs, strict=True)
        logprobs = [min(entry[i].logprob, 0.0) for i, entry in pairs if i not in self.stop_ids]
        ends: dict[str | None, Stopped | None] = {None: None, "stop": "end", "length": "length"}
        stopped = ends[completion.finish_reason]
        return Drawn(known.request, known.index, ids, logprobs, stopped)


def lora_rank(adapter: Path) -> int:
    """The least rank that vLLM can serve and that holds the adapter's.

    Raises:
        ValueError: if there is none.
    """
    rank = json.loads((adapter / "adapter_config.json").read_text())["r"]
    fitting = [r for r in _LORA_RANKS if r >= rank]
    if not fitting:
        raise ValueError(f"the adapter has rank {rank}, and vLLM serves at most {_LORA_RANKS[-1]}: merge it first")
    return fitting[0]
