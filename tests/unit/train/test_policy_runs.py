"""The training scripts at nano size: every configuration runs, a killed run goes on, two processes do as one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from irl_core.learning.airl.grpo import last_checkpoint
from irl_core.models.backbones import resolve_backbone
from irl_core.models.merging import load_merged
from irl_core.models.prompts import prompt_ids
from tests.conftest import ROOT
from tests.support.nano import nano_tokenizer
from tests.support.training import CONFIGS, arguments, ground, interrupt_at, last_json
from train import airl, grpo
from train.cli import read_settings

__all__ = ["ground"]

GPU_CONFIGS = ["llama3.2-3b", "llama3.1-8b", "qwen2.5-3b", "qwen2.5-7b", "qwen2.5-7b-paper"]
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}


def small(architecture: str, folder: Path) -> Path:
    """Two layers of the class that the configuration names."""
    size = {
        "vocab_size": 259,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }
    torch.manual_seed(0)
    llama = architecture == "llama"
    model = LlamaForCausalLM(LlamaConfig(**size)) if llama else Qwen2ForCausalLM(Qwen2Config(**size))
    model.save_pretrained(folder)
    nano_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", GPU_CONFIGS)
def test_a_gpu_configuration_trains_saves_loads_and_samples_at_two_layers(ground, tmp_path, capsys, name):
    backbone = small(name.partition("2")[0].partition("3")[0], tmp_path / "backbone")
    settings = read_settings(CONFIGS / "airl" / f"{name}.yaml")
    size = {
        "backbone": str(backbone),
        "critic": str(backbone),
        "demonstrations": str(ground / "demonstrations.jsonl"),
        "out": str(tmp_path / "run"),
        "max_steps": 2,
        "per_device_train_batch_size": settings["num_generations"],
        "gradient_accumulation_steps": 1,
        "max_completion_length": 48,
        "disc_warmup_steps": 0,
        "warmup_steps": 0,
        "save_steps": 1,
        "use_vllm": False,
        "use_cpu": True,
        "bf16": False,
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump({**settings, **size}))
    airl.main(["--config", str(tmp_path / "small.yaml")])
    assert last_json(capsys)["steps"] == 2
    merged = load_merged(resolve_backbone(str(backbone)), tmp_path / "run" / "adapter")
    base = AutoModelForCausalLM.from_pretrained(backbone)
    assert type(merged) is type(base)
    moved = [not torch.equal(a, b) for a, b in zip(merged.parameters(), base.parameters(), strict=True)]
    assert any(moved)
    prompt = torch.tensor([prompt_ids(nano_tokenizer(), "How many?")])
    assert merged.generate(prompt, max_new_tokens=4, do_sample=True).shape[1] > prompt.shape[1]
    assert (tmp_path / "run" / "critic" / "critic.json").exists()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_run_that_is_killed_at_any_moment_goes_on_as_if_it_had_not_been(ground, tmp_path):
    def start(out: Path, *more: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "train.airl", *arguments(ground, out, *more)]
        return subprocess.Popen(command, env=ONE_THREAD, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    whole, broken = start(tmp_path / "whole"), start(tmp_path / "broken")
    while not (tmp_path / "broken" / "checkpoint-3" / "complete").exists():
        assert broken.poll() is None, broken.stdout.read().decode()
        time.sleep(0.01)
    broken.send_signal(signal.SIGKILL)
    broken.wait()
    assert not (tmp_path / "broken" / "adapter").exists()
    done = int(last_checkpoint(tmp_path / "broken").name.rpartition("-")[2])
    output = whole.communicate(timeout=500)[0].decode()
    assert whole.returncode == 0, output
    resumed = start(tmp_path / "broken", "--resume")
    output = resumed.communicate(timeout=500)[0].decode()
    assert resumed.returncode == 0, output
    assert json.loads(output.strip().splitlines()[-1])["resumed_at"] == done >= 3
    for part in ("adapter", "critic"):
        a, b = (load_file(tmp_path / run / part / "adapter_model.safetensors") for run in ("whole", "broken"))
        assert all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_processes_have_the_losses_of_one_on_the_same_global_batch(tmp_path):
    found = {}
    for n, batch in ((1, "8"), (2, "4")):
        out = tmp_path / f"{n}.json"
        # What `accelerate launch` starts its processes with; for processes on a CPU it would want MPI.
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(n)]
        command = [sys.executable, *launch, "-m", "tests.support.two_processes", str(out), batch]
        done = subprocess.run(command, env=ONE_THREAD, cwd=ROOT, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stderr[-4000:]
        found[n] = json.loads(out.read_text())
    assert len(found[1]) == 3
    for one, two in zip(found[1], found[2], strict=True):
        assert two == pytest.approx(one, rel=1e-3, abs=1e-5)


def test_outcome_grpo_takes_the_same_configuration(ground, tmp_path, capsys):
    grpo.main(arguments(ground, tmp_path, "--max-steps", "1"))
    figures = last_json(capsys)
    assert (figures["steps"], figures["supervision"]) == (1, "outcomes")
    assert (tmp_path / "adapter" / "adapter_model.safetensors").exists()


@pytest.mark.signals
def test_ctrl_c_in_the_middle_of_an_update_is_kept_and_gone_on_with_as_if_it_had_not_been(
    ground, tmp_path, monkeypatch, capsys
):
    def run(out: str, *more: str) -> dict[str, Any]:
        airl.main(arguments(ground, tmp_path / out, "--max-steps", "3", "--save-steps", "10", *more))
        return last_json(capsys)

    assert run("whole")["stopped_early"] is False
    with monkeypatch.context() as broken:
        # AdamW is the discriminator's and the policy's: its fourth step is the policy's second.
        interrupt_at(broken, 3)
        figures = run("broken")
    assert (figures["steps"], figures["stopped_early"]) == (2, True)
    assert last_checkpoint(tmp_path / "broken").name == "checkpoint-2"
    for part in ("adapter", "critic"):
        assert (tmp_path / "broken" / part / "adapter_model.safetensors").exists()
    figures = run("broken", "--resume")
    assert (figures["steps"], figures["stopped_early"], figures["resumed_at"]) == (3, False, 2)
    for part in ("adapter", "critic"):
        a, b = (load_file(tmp_path / out / part / "adapter_model.safetensors") for out in ("whole", "broken"))
        assert all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.signals
def test_a_second_ctrl_c_ends_a_run_at_once_and_saves_nothing(ground, tmp_path, monkeypatch):
    interrupt_at(monkeypatch, 1, times=2)
    with pytest.raises(KeyboardInterrupt):
        airl.main(arguments(ground, tmp_path, "--max-steps", "3", "--save-steps", "10"))
    assert last_checkpoint(tmp_path) is None
    assert not (tmp_path / "adapter").exists()


def test_a_run_is_not_begun_over_another(ground, tmp_path):
    (tmp_path / "checkpoint-1").mkdir()
    (tmp_path / "checkpoint-1" / "complete").touch()
    with pytest.raises(SystemExit, match="go on with --resume, or choose another --out"):
        airl.main(arguments(ground, tmp_path))


def test_a_checkpoint_that_was_being_written_is_passed_over(tmp_path):
    assert last_checkpoint(tmp_path) is None
    for step, whole in ((9, True), (10, True), (11, False)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if whole:
            (tmp_path / f"checkpoint-{step}" / "complete").touch()
    assert last_checkpoint(tmp_path).name == "checkpoint-10"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("disc_los: bce", "unknown setting 'disc_los'; did you mean 'disc_loss'?"),
        ("reward_form: log_prob\nmax_steps: 1", "use disc_loss relativistic"),
        ("- 1", "must hold 'name: value' lines"),
    ],
)
def test_a_mistake_in_the_settings_ends_the_script_and_says_what_is_wrong(tmp_path, capsys, settings, message):
    (tmp_path / "s.yaml").write_text(settings)
    with pytest.raises(SystemExit, match="2"):
        airl.main(["--config", str(tmp_path / "s.yaml"), "--use-cpu", "true", "--bf16", "false"])
    assert message in capsys.readouterr().err


def test_a_missing_configuration_is_named(capsys):
    with pytest.raises(SystemExit, match="2"):
        airl.main(["--config", "nowhere.yaml"])
    assert "nowhere.yaml: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "message"),
    [(None, "No such file"), ("", "gives no demonstration of at most 48 tokens"), ('{"question": "Q"}', "line 1")],
)
def test_demonstrations_that_cannot_be_used_are_named(ground, tmp_path, lines, message):
    path = tmp_path / "d.jsonl"
    if lines is not None:
        path.write_text(lines)
    with pytest.raises(SystemExit, match=message):
        airl.main(arguments(ground, tmp_path / "run", "--demonstrations", str(path)))
