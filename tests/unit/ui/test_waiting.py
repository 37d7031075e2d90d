"""What a request does while the models load, and when they cannot be loaded."""

from __future__ import annotations

import gradio as gr
import pytest

from irl_core.session.workbench import Workbench
from ui.waiting import wait_until_ready


class Named:
    name, supervision, device_name, calibration = "nano", "demonstrations", "CPU", None


@pytest.fixture
def failures(monkeypatch) -> list[Exception]:
    """What the next attempts to load fail with, first to last; none is left: they succeed."""
    left: list[Exception] = []

    def load_policy(name, *, calculator):
        if left:
            raise left.pop(0)
        return Named()

    monkeypatch.setattr("irl_core.loading.load_critic", lambda name: Named())
    monkeypatch.setattr("irl_core.loading.load_policy", load_policy)
    monkeypatch.setattr("ui.waiting._SECONDS_BETWEEN_LOOKS", 0.01)
    return left


def ask(bench: Workbench) -> list[str]:
    """The lines that a request shows; it comes when no attempt is under way."""
    if bench._attempt is not None:
        bench._attempt.join(timeout=10)
    return list(wait_until_ready(bench))


def test_after_a_failure_the_next_request_loads_the_models(failures):
    failures.append(ConnectionError("no <route> to host"))
    bench = Workbench(retry_after=0)
    with pytest.raises(gr.Error, match=r"could not be loaded: no &lt;route&gt; to host\. Try again in a few seconds"):
        ask(bench)
    lines = ask(bench)
    assert bench.stage == "ready"
    assert all("loading" in line for line in lines)


def test_a_loader_that_always_fails_is_asked_once_for_each_request_and_its_reason_shown(failures):
    failures.extend(OSError(f"fault {number}") for number in range(100))
    bench = Workbench(retry_after=0)
    for number in range(3):
        with pytest.raises(gr.Error, match=f"fault {number}"):
            ask(bench)
    assert len(failures) == 97


def test_a_request_soon_after_a_failure_shows_the_reason_and_loads_nothing(failures):
    failures.extend(OSError(f"fault {number}") for number in range(9))
    bench = Workbench(retry_after=60)
    for _ in range(3):
        with pytest.raises(gr.Error, match="fault 0"):
            ask(bench)
    assert len(failures) == 8
