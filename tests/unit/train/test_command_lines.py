"""Every script in train/ is asked in one manner, and its configurations can be read."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.training import CONFIGS
from train import sft, warmup
from train.airl import parse
from train.cli import parse_args, read_settings

NO_SCRIPTS = {"__init__", "cli", "dataclass_options"}
SCRIPTS = sorted(path.stem for path in (ROOT / "train").glob("*.py") if path.stem not in NO_SCRIPTS)
TRAINING = ["airl", "grpo", "sft", "warmup"]
RESUMING = [*TRAINING, "evaluate", "sample"]
WITHOUT_TORCH = ["evaluate", "sample"]


def shown_help(script: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit, match="0"):
        importlib.import_module(f"train.{script}").main(["--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_takes_a_configuration_and_an_out_in_kebab_case(
    script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown_help(script, capsys)
    assert "--config FILE.yaml" in text
    assert "--out" in text
    flags = {word.rstrip(",") for word in text.split() if word.startswith("--")}
    assert {flag for flag in flags if "_" in flag} <= {"--config_file"}  # that one is of `accelerate launch`


@pytest.mark.parametrize("script", TRAINING)
def test_every_script_that_trains_has_the_same_names_for_what_all_have(
    script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = " ".join(shown_help(script, capsys).split())
    assert "folder for what is trained, checkpoints and metrics" in text
    assert "peak learning rate" in text
    assert "--resume go on from the last checkpoint in --out" in text
    assert "--lr" in text


@pytest.mark.parametrize("script", RESUMING)
def test_resume_is_a_switch_everywhere(
    script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    needed = {
        "evaluate": ["--traces", "t.jsonl", "--out", str(tmp_path / "r.json")],
        "sample": ["--problems", "p.jsonl", "--out", str(tmp_path / "t.jsonl")],
    }.get(script, [])
    with pytest.raises(SystemExit, match="2"):
        importlib.import_module(f"train.{script}").main([*needed, "--resume", "true"])
    assert "unrecognized arguments: true" in capsys.readouterr().err


def test_our_own_options_come_before_those_of_trl(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown_help("airl", capsys)
    titles = ["the policy and its problems", "the discriminator's model", "the discriminator and its reward",
              "from rewards to advantages", "settings of TRL and transformers"]  # fmt: skip
    places = [text.index(f"\n{title}:") for title in titles]
    assert places == sorted(places)
    assert places[0] < text.index("--resume  ") < places[1]
    assert places[2] < text.index("--disc-loss") < places[3] < text.index("--step-weight") < places[4]


@pytest.mark.parametrize("script", WITHOUT_TORCH)
def test_the_help_does_not_wait_for_torch(script: str) -> None:
    code = (
        f"import sys\nfrom train import {script}\ntry:\n    {script}.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, timeout=120)


def test_short_names_set_what_trl_calls_otherwise(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("out: runs/file\nlr: 1.0e-3\nuse-cpu: true\nrank: null\nlimit: 4\n")
    argv = ["--config", str(tmp_path / "s.yaml"), "--bf16", "false", "--max_steps", "3", "--lr", "0.5"]
    run, args = parse(argv, prog="airl", description="", out="runs/airl")
    assert (args.output_dir, args.learning_rate, args.use_cpu, args.max_steps) == ("runs/file", 0.5, True, 3)
    assert (run.rank, run.limit, run.resume) == (None, 4, False)


def test_a_shorter_name_in_a_file_replaces_the_longer_one_of_its_base(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("out: a\noutput_dir: b\nuse_cpu: true\nbf16: false\n")
    (tmp_path / "s.yaml").write_text("base: base.yaml\nout: c\n")
    _, args = parse(["--config", str(tmp_path / "s.yaml")], prog="airl", description="", out="runs/airl")
    assert args.output_dir == "c"


def test_bases_are_read_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "base.yaml").write_text("a: 1\nb-c: 2\nd: 3\n")
    (tmp_path / "deep" / "middle.yaml").write_text("base: ../base.yaml\nb_c: 4\n")
    (tmp_path / "top.yaml").write_text("base: deep/middle.yaml\nd: null\n")
    assert read_settings(tmp_path / "top.yaml") == {"a": 1, "b_c": 4, "d": None}


def test_bases_that_go_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("base: b.yaml\n")
    (tmp_path / "b.yaml").write_text("base: a.yaml\n")
    with pytest.raises(ValueError, match=r"go in a circle \(a.yaml -> b.yaml -> a.yaml\)"):
        read_settings(tmp_path / "a.yaml")


def test_a_base_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("base: nowhere.yaml\n")
    with pytest.raises(ValueError, match=r"in its base nowhere.yaml: cannot be read"):
        read_settings(tmp_path / "a.yaml")


@pytest.mark.parametrize("path", sorted((CONFIGS / "sft").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_configuration_of_fine_tuning_is_read(path: Path) -> None:
    args = parse_args(sft.build_parser(), ["--config", str(path)])
    assert (args.demonstrations, args.rank, args.batch_tokens) == ("openai/gsm8k", 16, 2048)


@pytest.mark.parametrize("path", sorted((CONFIGS / "airl").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_configuration_of_adversarial_irl_is_read(path: Path) -> None:
    more = ["--use-cpu", "true", "--bf16", "false", "--max-steps", "1"]
    if path.stem == "gpu":  # what it lacks is said by the files that name it
        more += ["--per-device-train-batch-size", "8"]
    _, args = parse(["--config", str(path), *more], prog="airl", description="", out="runs/airl")
    assert (args.logging_steps, args.save_total_limit, args.max_grad_norm) == (1, 2, 1.0)


def test_the_configuration_of_the_warm_up_is_read() -> None:
    assert parse_args(warmup.build_parser(), ["--config", str(CONFIGS / "warmup.yaml")]).edits_per_step == 2


def test_the_large_policies_differ_in_backbone_and_batch_alone() -> None:
    names = ("llama3.1-8b", "llama3.2-3b", "qwen2.5-3b", "qwen2.5-7b")
    settings = [read_settings(CONFIGS / "airl" / f"{name}.yaml") for name in names]
    batches = [s["per_device_train_batch_size"] * s["gradient_accumulation_steps"] for s in settings]
    assert batches == [128] * 4
    own = {"backbone", "out", "per_device_train_batch_size", "gradient_accumulation_steps"}
    assert len({str(sorted((k, v) for k, v in s.items() if k not in own)) for s in settings}) == 1
