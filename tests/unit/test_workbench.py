"""Policy and critic at one table, with hand-made models: what is said while they load, and when one cannot be had."""

import pytest

from irl_core import workbench as module
from irl_core.workbench import Workbench


class Named:
    name, supervision, device_name = "nano", "demonstrations", "CPU"


@pytest.fixture
def models(monkeypatch):
    """Models that load at once; put an exception under "policy" or "calculator" to make that one fail."""
    faults = {}

    def load_policy(name, *, calculator):
        if fault := faults.get("calculator" if calculator else "policy"):
            raise fault
        return Named()

    monkeypatch.setattr(module, "load_critic", lambda name: Named())
    monkeypatch.setattr(module, "load_policy", load_policy)
    return faults


def test_a_workbench_is_loading_until_both_models_are_there(models):
    bench = Workbench()
    assert (bench.stage, bench.status) == ("loading", "loading the models")
    bench.load()
    assert (bench.stage, bench.describe()) == ("ready", "nano · critic nano, demonstrations only · CPU")


def test_a_failure_is_said_in_words_and_a_second_try_can_mend_it(models):
    bench = Workbench()
    models["policy"] = OSError("no such folder")
    with pytest.raises(OSError, match="no such folder"):
        bench.load()
    assert bench.stage == "failed"
    assert bench.describe() == "the models could not be loaded: no such folder"
    models.clear()
    bench.load()
    assert bench.stage == "ready"


def test_a_calculator_that_cannot_be_had_leaves_the_page_in_use_for_everybody_else(models):
    bench = Workbench()
    bench.load()
    models["calculator"] = ValueError("vllm cannot force tokens")
    with pytest.raises(ValueError, match="force"):
        bench.load(calculator=True)
    assert bench.stage == "ready"
