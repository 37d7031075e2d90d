"""What all tests share: quiet libraries, reproducible property tests, development data where it is present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("ERRATA_PAIR", "small")  # where no pair is named: the others take minutes
if "PYTEST_XDIST_WORKER" in os.environ:  # a core each: threads that wait for each other's cores only spin
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Time limits belong to the tests that are about time; elsewhere a busy machine must not make a test fail.
settings.register_profile("errata", deadline=None, derandomize=True, max_examples=100)
settings.register_profile("thorough", deadline=None, max_examples=10_000)
settings.load_profile("errata")

ROOT = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Hide GPUs unless tests/gpu alone was asked for: what all other tests expect is what a CPU computes."""
    if not all("gpu" in Path(argument).parts for argument in config.args):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


@pytest.fixture(scope="session")
def development_data() -> Path:
    """The folder of labelled traces that lies beside a developer's checkout; the test is skipped elsewhere."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the development data does not lie beside this checkout")
    return folder
