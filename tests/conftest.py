"""What all tests share: quiet libraries, reproducible property tests, development data where it is present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# Time limits belong to the tests that are about time; elsewhere a busy machine must not make a test fail.
settings.register_profile("errata", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("errata")

ROOT = Path(__file__).parents[1]
_SEES_GPU, _VISIBLE = torch.cuda.is_available, os.environ.get("CUDA_VISIBLE_DEVICES")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let only the tests in tests/gpu see a GPU: what the others expect, bit by bit, is what a CPU computes.

    A hook and not a fixture, because models are made in fixtures of whole modules, which come before.
    """
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    if item.path.parent.name == "gpu":
        torch.cuda.is_available = _SEES_GPU
        if _VISIBLE is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = _VISIBLE
    else:
        torch.cuda.is_available = _sees_none
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # for the processes that a test starts


def _sees_none() -> bool:
    return False


@pytest.fixture(scope="session")
def development_data() -> Path:
    """The folder of labelled traces that lies beside a developer's checkout; the test is skipped elsewhere."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the development data does not lie beside this checkout")
    return folder
