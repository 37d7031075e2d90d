"""Everything that learns does so on a GPU, in bfloat16, from its own configuration, and goes on after a kill."""

from __future__ import annotations

import json

import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch.nn.attention import SDPBackend, sdpa_kernel

from irl_core.learning.airl.grpo import PolicyTrainer
from irl_core.loading import load_critic
from irl_core.models.backbones import resolve_backbone
from irl_core.models.merging import load_merged
from irl_core.text.traces import Trace
from tests.support.training import CONFIGS, arguments, fine_tune, ground, interrupt_at, last_json, warm_up
from train import airl, grpo
from train.cli import read_settings

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

__all__ = ["ground"]

ON_GPU = ["--use-cpu", "false", "--bf16", "true"]
FROZEN = ["--disc-updates", "0", "--reward-form", "log_prob", "--disc-loss", "relativistic"]
ADVERSARY = ["--disc-updates", "1", *FROZEN[2:], "--local-weight", "0.3"]
TRACE = Trace.from_text("He has 3 + 4 = 7 pens.\n#### 7")


def adapter(folder) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter_model.safetensors")


def test_fine_tuning_that_is_broken_off_and_resumed_ends_as_if_nothing_had_happened(ground, tmp_path, monkeypatch):
    with sdpa_kernel(SDPBackend.MATH):  # the others add up in whatever order their threads come
        fine_tune(ground, tmp_path / "whole", "--epochs", "3")
        with monkeypatch.context() as broken:
            interrupt_at(broken, 2)
            fine_tune(ground, tmp_path / "broken", "--epochs", "3")
        fine_tune(ground, tmp_path / "broken", "--epochs", "3", "--resume")
    lines = [json.loads(line) for line in (tmp_path / "broken" / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"]
    whole, resumed = adapter(tmp_path / "whole" / "adapter"), adapter(tmp_path / "broken" / "adapter")
    assert max((whole[k] - resumed[k]).abs().max() for k in whole) < 1e-3


def test_the_critic_is_warmed_up_on_the_gpu(ground, tmp_path, capsys):
    figures = warm_up(ground, tmp_path, capsys)
    assert figures["held_out_after"]["loss"] < figures["held_out_before"]["loss"]


@pytest.mark.parametrize("rollouts", ["trl", "merged"])
@pytest.mark.parametrize("kind", [FROZEN, ADVERSARY], ids=["frozen", "adversary"])
def test_a_run_that_is_killed_goes_on_from_its_checkpoint(ground, tmp_path, monkeypatch, capsys, kind, rollouts):
    argv = arguments(ground, tmp_path, *ON_GPU, *kind, "--rollouts", rollouts, "--refresh-every", "1")
    whole = PolicyTrainer._save_checkpoint

    def killed(trainer, model, trial):
        whole(trainer, model, trial)
        if trainer.state.global_step == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(PolicyTrainer, "_save_checkpoint", killed)
        with pytest.raises(KeyboardInterrupt):
            airl.main(argv)
    airl.main([*argv, "--resume"])
    figures = last_json(capsys)
    assert (figures["resumed_at"], figures["steps"]) == (3, 6)
    assert any(weight.abs().sum() > 0 for name, weight in adapter(tmp_path / "adapter").items() if "lora_B" in name)


def test_what_was_trained_on_the_gpu_scores_and_speaks_on_the_cpu_alike(ground, tmp_path, monkeypatch):
    airl.main(arguments(ground, tmp_path, *ON_GPU, *ADVERSARY, "--rollouts", "merged", "--max-steps", "2"))
    on_gpu = load_critic(tmp_path / "critic", dtype=torch.float32)
    monkeypatch.setattr("irl_core.critic.model.native_device", lambda: torch.device("cpu"))
    on_cpu = load_critic(tmp_path / "critic", dtype=torch.float32)
    assert (on_gpu.device_name, on_cpu.device_name) == ("GPU", "CPU")
    found, expected = (critic.score("How many?", [TRACE])[0].rewards for critic in (on_gpu, on_cpu))
    assert found == pytest.approx(expected, abs=1e-4, rel=1e-5)
    policy = load_merged(resolve_backbone(str(ground / "backbone")), tmp_path / "adapter")
    ids = torch.tensor([[5, 9, 30, 31, 40]])
    with torch.no_grad():
        torch.testing.assert_close(policy(ids).logits, policy.cuda()(ids.cuda()).logits.cpu(), atol=1e-4, rtol=1e-4)


def test_outcome_grpo_trains_on_the_gpu(ground, tmp_path, capsys):
    grpo.main(arguments(ground, tmp_path, *ON_GPU, "--max-steps", "2"))
    assert last_json(capsys)["steps"] == 2
    assert adapter(tmp_path / "adapter")


def test_a_policy_without_an_adapter_trains_on_the_gpu(ground, tmp_path, capsys):
    settings = read_settings(CONFIGS / "airl" / "nano.yaml") | {"rank": None, "max_steps": 2}
    (tmp_path / "whole.yaml").write_text(yaml.safe_dump(settings))
    grpo.main(["--config", str(tmp_path / "whole.yaml"), *arguments(ground, tmp_path / "run", *ON_GPU)[2:]])
    assert last_json(capsys)["policy"].endswith("policy")
