import json
import signal

import pytest
import torch

from irl_core.learning.common.optimiser import (
    MasterWeights,
    batches_by_length,
    cosine_with_warmup,
    load_checkpoint,
    save_checkpoint,
)
from irl_core.loading import load_critic
from irl_core.text.traces import Trace
from tests.support.critics import CALIBRATION
from tests.support.training import adapter, break_at, fine_tune, ground, interrupt_at, last_json, warm_up
from train import warmup

__all__ = ["ground"]


def test_fine_tuning_lowers_the_loss_and_writes_half_precision_adapters(ground, tmp_path, capsys):
    fine_tune(ground, tmp_path, "--epochs", "6")
    losses = [json.loads(line)["loss"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    weights = adapter(tmp_path)
    assert {w.dtype for w in weights.values()} == {torch.float16}
    assert last_json(capsys)["steps"] == len(losses)


def same_metrics(a, b):
    return (a / "metrics.jsonl").read_text() == (b / "metrics.jsonl").read_text()


def test_a_run_that_crashes_and_is_resumed_ends_as_if_nothing_had_happened(ground, tmp_path, monkeypatch):
    fine_tune(ground, tmp_path / "whole", "--epochs", "2")
    with monkeypatch.context() as broken:
        break_at(broken, 3, MemoryError())
        with pytest.raises(MemoryError):
            fine_tune(ground, tmp_path / "broken", "--epochs", "2", "--save-minutes", "0")
    assert len((tmp_path / "broken" / "metrics.jsonl").read_text().splitlines()) == 3
    fine_tune(ground, tmp_path / "broken", "--epochs", "2", "--resume")
    whole, resumed = adapter(tmp_path / "whole"), adapter(tmp_path / "broken")
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    assert same_metrics(tmp_path / "whole", tmp_path / "broken")


@pytest.mark.signals
def test_ctrl_c_in_the_middle_of_an_update_saves_the_state_after_the_whole_update(
    ground, tmp_path, monkeypatch, capsys
):
    fine_tune(ground, tmp_path / "whole", "--epochs", "2")
    with monkeypatch.context() as broken:
        interrupt_at(broken, 2)
        fine_tune(ground, tmp_path / "broken", "--epochs", "2")
    figures = last_json(capsys)
    assert (figures["steps"], figures["stopped_early"]) == (3, True)
    tensors, state = load_checkpoint(tmp_path / "broken" / "checkpoint")
    assert state["step"] == len((tmp_path / "broken" / "metrics.jsonl").read_text().splitlines()) == 3
    # The adapter on disk is the master weights, rounded: no part of the model is an update behind.
    masters = sorted(round(float(t.sum()), 3) for k, t in tensors.items() if k.startswith("master"))
    saved = sorted(round(float(t.sum()), 3) for t in adapter(tmp_path / "broken").values())
    assert saved == pytest.approx(masters, abs=0.02)
    fine_tune(ground, tmp_path / "broken", "--epochs", "2", "--resume")
    assert last_json(capsys)["stopped_early"] is False
    whole, resumed = adapter(tmp_path / "whole"), adapter(tmp_path / "broken")
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    assert same_metrics(tmp_path / "whole", tmp_path / "broken")


@pytest.mark.signals
def test_a_second_ctrl_c_ends_at_once_and_saves_nothing(ground, tmp_path, monkeypatch):
    interrupt_at(monkeypatch, 1, times=2)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(ground, tmp_path, "--epochs", "2")
    assert load_checkpoint(tmp_path / "checkpoint") is None
    assert not (tmp_path / "adapter").exists()


def test_ctrl_c_means_after_a_run_what_it_meant_before(ground, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    fine_tune(ground, tmp_path)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_checkpoint_of_other_settings_is_not_resumed(ground, tmp_path, capsys):
    fine_tune(ground, tmp_path)
    with pytest.raises(SystemExit):
        fine_tune(ground, tmp_path, "--epochs", "2", "--resume")
    assert "resume with the settings it was begun with" in capsys.readouterr().err


def test_a_finished_run_that_is_resumed_changes_nothing(ground, tmp_path):
    fine_tune(ground, tmp_path)
    before = adapter(tmp_path)
    fine_tune(ground, tmp_path, "--resume")
    after = adapter(tmp_path)
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_the_warmed_up_critic_prefers_the_experts_steps_more_than_before(ground, tmp_path, capsys):
    figures = warm_up(ground, tmp_path, capsys)
    assert figures["held_out_after"]["loss"] < figures["held_out_before"]["loss"]
    folder = tmp_path / "airl" / "critic"
    (folder / "calibration.json").write_text(json.dumps(CALIBRATION))
    score = load_critic(folder).score("Tom has 2 pens.", [Trace.from_text("2 + 2 = 4")])[0]
    assert len(score.rewards) == len("2 + 2 = 4")


def test_a_run_without_counterfactuals_says_what_to_check(ground, tmp_path):
    (tmp_path / "none.jsonl").write_text(json.dumps({"question": "How?", "answer": "So.\n#### 1"}))
    with pytest.raises(SystemExit, match="--rollouts"):
        warmup.main(
            [
                "--backbone",
                str(ground / "backbone"),
                "--demonstrations",
                str(tmp_path / "none.jsonl"),
                "--out",
                str(tmp_path),
            ]
        )


def test_master_weights_keep_updates_that_bfloat16_would_lose():
    parameter = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
    optimizer = MasterWeights([parameter], lr=1e-4, steps=1000, warmup=0.001)
    for _ in range(100):
        parameter.grad = torch.ones(1, dtype=torch.bfloat16)
        optimizer.step()
    assert optimizer.masters[0].item() == pytest.approx(1 - 100e-4, abs=5e-4)
    assert parameter.item() < 1


def test_an_optimizer_that_is_saved_and_loaded_goes_on_as_if_it_had_not_stopped(tmp_path):
    def run(optimizer, parameter, steps):
        for i in steps:
            parameter.grad = torch.full((3,), float(i + 1))
            optimizer.step()

    whole = torch.nn.Parameter(torch.arange(3.0))
    a = MasterWeights([whole], lr=0.1, steps=10)
    run(a, whole, range(6))
    split = torch.nn.Parameter(torch.arange(3.0))
    b = MasterWeights([split], lr=0.1, steps=10)
    run(b, split, range(3))
    save_checkpoint(tmp_path / "c", b.tensors(), {"step": 3})
    tensors, state = load_checkpoint(tmp_path / "c")
    resumed = torch.nn.Parameter(torch.zeros(3))
    c = MasterWeights([resumed], lr=0.1, steps=10)
    c.load_tensors(tensors, state["step"])
    run(c, resumed, range(3, 6))
    torch.testing.assert_close(resumed, whole)


def test_a_checkpoint_that_was_cut_off_leaves_the_one_before(tmp_path):
    save_checkpoint(tmp_path / "c", {"x": torch.ones(1)}, {"step": 1})
    (tmp_path / "c.partial").mkdir()
    (tmp_path / "c.partial" / "optimizer.safetensors").write_bytes(b"half")
    assert load_checkpoint(tmp_path / "c")[1] == {"step": 1}


def test_the_schedule_rises_linearly_and_falls_to_a_tenth():
    factor = cosine_with_warmup(100, 0.1)
    assert [factor(0), factor(4), factor(9)] == pytest.approx([0.1, 0.5, 1.0])
    assert factor(100) == pytest.approx(0.1)
    assert factor(55) == pytest.approx(0.55)


def test_batches_of_training_hold_every_example_once_within_the_budget():
    import random

    lengths = [random.Random(i).randint(3, 60) for i in range(200)]
    batches = batches_by_length(lengths, 128, random.Random(0))
    assert sorted(i for b in batches for i in b) == list(range(200))
    assert all(max(lengths[i] for i in b) * len(b) <= 128 for b in batches)
