"""train.calibrate from end to end with a critic that reads numbers."""

import json
import re

import numpy as np
import pytest

from irl_core.critic.card import CriticCard
from irl_core.diagnosis.calibration import load_calibration
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace
from train import calibrate


class HandMadeCritic:
    """Rewards a step by the number it holds."""

    def __init__(self, path):
        self.path, self.card = path, CriticCard(name="hand-made")

    def score_many(self, items):
        rewards = [[-float(re.findall(r"\d", text)[-1]) for text in trace.step_texts()] for _, trace in items]
        return [
            TraceScore(
                offsets=trace.steps,
                rewards=tuple(r),
                values=tuple(np.cumsum(r).tolist()),
                step_rewards=tuple(r),
                trace_score=float(np.mean(r)),
            )
            for (_, trace), r in zip(items, rewards, strict=True)
        ]


def test_calibrate_writes_what_the_diagnosis_reads_and_reports_held_out_figures(tmp_path, monkeypatch, capsys):
    lines = [
        {"question": f"Q{i}", "steps": ["say 1", f"say {7 if i % 2 else 0}"], "first_error_step": 1 if i % 2 else -1}
        for i in range(40)
    ]
    assert Trace.from_steps(lines[0]["steps"]).steps
    (tmp_path / "traces.jsonl").write_text("\n".join(map(json.dumps, lines)))
    monkeypatch.setattr(calibrate, "load_critic", lambda name, calibrated: HandMadeCritic(tmp_path))
    calibrate.main(["--traces", str(tmp_path / "traces.jsonl"), "--source", "made up"])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["cross_validated"]["f1"]["value"] == 1.0
    assert figures["cross_validated"]["top1"]["value"] == 1.0
    calibration = load_calibration(tmp_path / "calibration.json")
    assert (calibration.source, calibration.n_traces) == ("made up", 40)
    assert calibration.weights[0] < 0
    assert calibration.supervision == "step labels"
    assert calibration.trace_model is None
    assert calibration.false_flag_rate == figures["false_flag_rate"] == 0.0


def test_outcomes_of_other_generators_settle_how_probable_an_error_is_in_the_whole(tmp_path, monkeypatch, capsys):
    steps = ["say 1", "say 7", "say 0"]
    lines = [
        {"question": f"Q{i}", "steps": [steps[0], steps[1 + i % 2]], "first_error_step": -1 if i % 2 else 1}
        for i in range(40)
    ]
    ended = [
        {"question": f"Q{i}", "solution": "say 1\nsay 7", "final_correct": i % 4 != 0, "gold_answer": "7"}
        for i in range(40)
    ]
    for name, rows in (("traces", lines), ("weaker", ended)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    monkeypatch.setattr(calibrate, "load_critic", lambda name, calibrated: HandMadeCritic(tmp_path))
    options = ["--source", "made up", "--outcomes", str(tmp_path / "weaker.jsonl")]
    calibrate.main(["--traces", str(tmp_path / "traces.jsonl"), *options])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    calibration = load_calibration(tmp_path / "calibration.json")
    assert calibration.trace_model.source == "the traces with step labels, weaker"
    assert calibration.trace_model.n_traces == 80
    assert calibration.supervision == "step labels and outcomes"
    assert figures["outcomes"][0]["n"] == 40
    assert figures["cross_validated"]["top1"]["value"] == 1.0


def test_a_calibration_from_demonstrations_uses_no_label_and_is_judged_on_labelled_traces(
    tmp_path, monkeypatch, capsys
):
    rows = [
        {"question": f"Tom has {i} and 7.", "answer": f"{i} + 7 = {i + 7} pens\nHe has {i + 7}.\n#### {i + 7}"}
        for i in range(30)
    ]
    (tmp_path / "gsm8k.jsonl").write_text("\n".join(map(json.dumps, rows)))
    line = {"question": "Q", "steps": ["3 + 4 = 8 pens", "so 8"], "first_error_step": 0}
    (tmp_path / "other.jsonl").write_text(json.dumps(line) + "\n" + json.dumps(line | {"first_error_step": -1}))
    monkeypatch.setattr(calibrate, "load_critic", lambda name, calibrated: HandMadeCritic(tmp_path))
    options = ["--n", "5", "--report-on", str(tmp_path / "other.jsonl"), "--false-flag-rate", "0.1"]
    calibrate.main(["--demonstrations", str(tmp_path / "gsm8k.jsonl"), "--out", str(tmp_path / "c.json"), *options])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    calibration = load_calibration(tmp_path / "c.json")
    assert (calibration.supervision, calibration.n_traces) == ("demonstrations", 20)
    assert calibration.false_flag_rate <= 0.1
    assert calibration.not_sure_rate <= 0.3
    assert calibration.unsure_above <= calibration.threshold
    assert figures["reported_on"]["accuracy_error"]["n"] == 1
    assert not (tmp_path / "calibration.json").exists()


def test_a_calibration_without_a_wrong_trace_is_refused_in_words(tmp_path, capsys):
    (tmp_path / "traces.jsonl").write_text(json.dumps({"question": "Q", "steps": ["1"], "first_error_step": -1}))
    with pytest.raises(SystemExit):
        calibrate.main(["--traces", str(tmp_path / "traces.jsonl"), "--source", "x"])
    assert "has to be wrong" in capsys.readouterr().err


def run_calibrate(lines, folder, monkeypatch, capsys, *options):
    (folder / "traces.jsonl").write_text("\n".join(map(json.dumps, lines)))
    monkeypatch.setattr(calibrate, "load_critic", lambda name, calibrated: HandMadeCritic(folder))
    calibrate.main(["--traces", str(folder / "traces.jsonl"), "--source", "made up", *options])
    return json.loads(capsys.readouterr().out.splitlines()[-1]), load_calibration(folder / "calibration.json")


def test_a_trace_is_held_against_thresholds_that_never_saw_its_problem(tmp_path, monkeypatch, capsys):
    # Nobody right may be flagged. Right traces say 0, but for Q0, which says 9; wrong ones say 7. Q0's own fold is the
    # only one whose threshold does not know Q0: there it lies under every 7 and 9, elsewhere above the 9.
    lines = [
        {
            "question": f"Q{i}",
            "steps": [f"say {9 if i == 0 else 7 if i % 2 else 0}"],
            "first_error_step": -(i % 2 == 0),
        }
        for i in range(40)
    ]
    figures, calibration = run_calibrate(lines, tmp_path, monkeypatch, capsys, "--false-flag-rate", "0")
    assert figures["false_flag_rate"] == calibration.false_flag_rate == 1 / 20
    assert figures["cross_validated"]["accuracy_correct"]["value"] == 19 / 20
    assert 0 < figures["cross_validated"]["accuracy_error"]["value"] < 0.2
    assert figures["cross_validated"]["f1_oracle"]["value"] == pytest.approx(2 * 0.95 / 1.95)


def test_the_best_f1_that_one_threshold_could_reach_is_reported_apart(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(3)
    lines = []
    for i in range(60):
        digits = rng.integers(0, 10, size=2).tolist()
        error = int(np.argmax(digits)) if rng.random() < 0.1 * max(digits) - 0.2 else -1
        steps = [f"say {digit}" for digit in digits]
        lines.append({"question": f"Q{i}", "steps": steps, "first_error_step": error})
    figures, calibration = run_calibrate(lines, tmp_path, monkeypatch, capsys)
    held_out = figures["cross_validated"]
    assert held_out["f1"]["value"] < held_out["f1_oracle"]["value"]
    assert held_out["threshold_oracle"] == calibration.threshold == figures["threshold"]
    assert calibration.false_flag_rate == pytest.approx(1 - held_out["accuracy_correct"]["value"])


def test_traces_of_two_problems_are_refused_in_words(tmp_path, capsys):
    lines = [{"question": f"Q{i}", "steps": ["1"], "first_error_step": i - 1} for i in range(2)]
    (tmp_path / "traces.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(SystemExit):
        calibrate.main(["--traces", str(tmp_path / "traces.jsonl"), "--source", "x"])
    assert "three problems at least" in capsys.readouterr().err
