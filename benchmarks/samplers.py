"""Ways to draw traces of one problem, each to its full length, so that all do the same work."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from transformers import CompileConfig, ContinuousBatchingConfig, GenerationConfig

from irl_core.models.backbones import load_tokenizer, resolve_backbone
from irl_core.models.catalogue import SMOLLM2
from irl_core.models.gguf import Packing
from irl_core.models.merging import load_merged
from irl_core.models.pairs import SMALL
from irl_core.models.prompts import prompt_ids
from irl_core.policy.base import Policy
from irl_core.policy.openvino import OpenVINOPolicy
from irl_core.policy.sampling import Sampling
from irl_core.policy.transformers import TransformersPolicy

QUESTION = (
    "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. "
    "How many clips did Natalia sell altogether in April and May?"
)
_MANNER = {"temperature": Sampling().temperature, "top_p": Sampling().top_p}

Sampler = Callable[[int, int, int], int]
"""Draws n traces of so many tokens with a seed and returns how many tokens were drawn."""


class EndlessOpenVINO(OpenVINOPolicy):
    """Never ends a trace before its limit."""

    def _config(self, seed: int, how: Any) -> Any:
        config = super()._config(seed, how)
        config.ignore_eos, config.stop_token_ids = True, {config.eos_token_id}
        return config


def endless_openvino(packing: Packing) -> EndlessOpenVINO:
    policy = EndlessOpenVINO(packing, resolve_backbone(SMOLLM2.name), SMALL.adapter, packing=packing)
    policy.stop_ids = frozenset()
    return policy


def endless_packaged() -> EndlessOpenVINO:
    """The backbone's own GGUF file, Q4_1: what an adapter would have to be merged into is not fine enough for it."""
    backbone = resolve_backbone(SMOLLM2.name)
    policy = EndlessOpenVINO("Q4_1", backbone, packed=backbone.gguf)
    policy.stop_ids = frozenset()
    return policy


def endless_transformers(prepare: Callable[[Any], Any] = lambda model: model) -> TransformersPolicy:
    backbone = resolve_backbone(SMOLLM2.name)
    model = prepare(load_merged(backbone, SMALL.adapter))
    policy = TransformersPolicy("float32", None, model, load_tokenizer(backbone))
    policy.stop_ids = frozenset()
    return policy


def of_policy(policy: Policy) -> Sampler:
    def draw(n: int, tokens: int, seed: int) -> int:
        events = policy.sample(QUESTION, Sampling(n=n, max_tokens=tokens, seed=seed, **_MANNER))
        return sum(len(event.trace.token_ids) for event in events if hasattr(event, "trace"))

    return draw


def generate(model: Any, tokenizer: Any) -> Sampler:
    """transformers' `generate` with `num_return_sequences`."""
    prompt = torch.tensor([prompt_ids(tokenizer, QUESTION)], device=model.device)

    def draw(n: int, tokens: int, seed: int) -> int:
        torch.manual_seed(seed)
        with torch.inference_mode():
            out = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                do_sample=True,
                num_return_sequences=n,
                max_new_tokens=tokens,
                min_new_tokens=tokens,
                **_MANNER,
            )
        return n * (out.shape[1] - prompt.shape[1])

    return draw


def generate_batch(model: Any, tokenizer: Any) -> Sampler:
    """transformers' continuous batching."""
    prompt = prompt_ids(tokenizer, QUESTION)
    cache = ContinuousBatchingConfig(page_size=256, num_blocks=64, max_batch_tokens=1024)

    def draw(n: int, tokens: int, seed: int) -> int:
        torch.manual_seed(seed)
        config = GenerationConfig(
            do_sample=True, max_new_tokens=tokens, eos_token_id=-1, pad_token_id=tokenizer.pad_token_id, **_MANNER
        )
        outputs = model.generate_batch(
            [prompt] * n, generation_config=config, continuous_batching_config=cache, progress_bar=False
        )
        return sum(len(output.generated_tokens) for output in outputs.values())

    return draw


def int8(model: Any) -> Any:
    """The model with 8-bit weights in its linear layers, activations rounded to 8 bits as they come: torch's own."""
    return torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)


def torchao_int8(model: Any) -> Any:
    """The same by torchao, which `pip install torchao` brings."""
    from torchao.quantization import Int8DynamicActivationInt8WeightConfig, quantize_

    quantize_(model, Int8DynamicActivationInt8WeightConfig())
    return model


def compiled(model: Any) -> Any:
    """`generate` then compiles the steps after the prompt, over a cache of fixed size."""
    config = CompileConfig()
    config._compile_all_devices = True  # transformers compiles on accelerators alone unless told
    model.generation_config.cache_implementation, model.generation_config.compile_config = "static", config
    return model


_VLLM = """
import json, sys
from vllm import LLM, SamplingParams, TokensPrompt
model, prompt = sys.argv[1], json.loads(sys.argv[2])
llm = LLM(model, dtype="bfloat16", max_model_len=2048, enable_prefix_caching=True)
print("ready", flush=True)
for line in sys.stdin:
    n, tokens, seed = json.loads(line)
    how = SamplingParams(n=n, max_tokens=tokens, seed=seed, ignore_eos=True, **_MANNER)
    out = llm.generate(TokensPrompt(prompt_token_ids=prompt), how, use_tqdm=False)
    print("drew", sum(len(o.token_ids) for o in out[0].outputs), flush=True)
"""

_ERROR = re.compile(r"\b\w+(Error|Exception): .+")


@contextmanager
def vllm(python: Path, model: Path, prompt: Sequence[int]) -> Iterator[Sampler]:
    """vLLM in the environment of `python`, drawing from a merged checkpoint in the folder `model`.

    It sleeps when it is not its turn: waiting, its worker would take a quarter of a core from the others.

    Raises:
        RuntimeError: if it ends, with the first error that it told.
    """
    # On a CPU it would take most of the memory there is for its cache, and end where others hold some of it.
    settings = {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_NO_USAGE_STATS": "1"}
    worker = subprocess.Popen(
        [str(python), "-c", _VLLM, str(model), json.dumps(list(prompt))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **settings},
        start_new_session=True,
    )

    def answer(word: str) -> str:
        error = ""
        for line in worker.stdout:  # vLLM logs to stdout as well
            if line.startswith(word):
                return line.removeprefix(word).strip()
            error = error or (found[0] if (found := _ERROR.search(line)) else "")
        raise RuntimeError(error or "vLLM ended without a word")

    def tell(what: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, what)

    def draw(n: int, tokens: int, seed: int) -> int:
        tell(signal.SIGCONT)
        worker.stdin.write(json.dumps([n, tokens, seed]) + "\n")
        worker.stdin.flush()
        drawn = int(answer("drew"))
        tell(signal.SIGSTOP)
        return drawn

    try:
        answer("ready")
        tell(signal.SIGSTOP)
        yield draw
    finally:
        tell(signal.SIGCONT)
        worker.stdin.close()
        worker.wait(timeout=60)
