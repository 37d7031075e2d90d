"""The hazard model on data whose answer is known beforehand."""

import json
import math
import random
import re

import numpy as np
import pytest

from irl_core.calibration import load_calibration
from irl_core.evaluation.calibrating import Hazard, cross_validated, false_flag_rate, fit_hazard, threshold_at
from irl_core.learning.demonstrations import Demonstration
from irl_core.learning.edited_solutions import edited_solutions
from irl_core.traces import trace_from_steps, trace_from_text
from train import calibrate


def made_up(n: int, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Traces of one to five steps whose hazard is σ(2 x − 1) in their only feature."""
    rng = np.random.default_rng(seed)
    rows, first_error = [], []
    for _ in range(n):
        steps = rng.normal(size=(rng.integers(1, 6), 1))
        fails = rng.random(len(steps)) < 1 / (1 + np.exp(1 - 2 * steps[:, 0]))
        rows.append(steps)
        first_error.append(int(np.argmax(fails)) if fails.any() else -1)
    return rows, np.array(first_error)


def test_the_probabilities_of_a_hazard_are_those_of_a_survival_model():
    hazard = Hazard(mean=np.array([1.0]), scale=np.array([2.0]), weights=np.array([1.0]), intercept=0.0)
    found = hazard.first_error(np.array([[1.0], [1.0 + 2 * math.log(3)]]))
    assert found == pytest.approx([0.5, 0.5 * 0.75])


def test_a_fitted_hazard_finds_the_weights_that_made_the_data():
    rows, first_error = made_up(4000)
    hazard = fit_hazard(rows, first_error, penalty=1e-3)
    slope = hazard.weights[0] / hazard.scale[0]
    assert slope == pytest.approx(2.0, abs=0.15)
    assert hazard.intercept - slope * hazard.mean[0] == pytest.approx(-1.0, abs=0.15)


def test_steps_after_the_first_error_do_not_change_the_fit():
    rows, first_error = made_up(300)
    longer = [np.vstack([r, [[99.0]]]) if e >= 0 else r for r, e in zip(rows, first_error, strict=True)]
    plain, extended = fit_hazard(rows, first_error, 1.0), fit_hazard(longer, first_error, 1.0)
    assert plain.weights == pytest.approx(extended.weights)


def test_no_trace_is_judged_by_a_model_that_saw_its_problem():
    # One problem whose label contradicts all others: a model that had seen it would know.
    rows = [np.array([[float(i % 2)]]) for i in range(40)] + [np.array([[5.0]])] * 5
    first_error = np.array([0 if i % 2 else -1 for i in range(40)] + [-1] * 5)
    problems = np.array([*range(40), *[40] * 5])
    assert min(p[0] for p in cross_validated(rows, first_error, problems, 0.1)[40:]) > 0.9


def test_a_threshold_at_a_rate_is_reached_by_no_more_than_that_share_of_the_right_traces():
    wrong = np.array([0.1, 0.2, 0.2, 0.4, 0.95])
    erroneous = np.array([False, False, False, False, True])
    for rate, reached in ((0.0, 0.0), (0.25, 0.25), (0.5, 0.25), (0.75, 0.75), (1.0, 1.0)):
        assert false_flag_rate(wrong, erroneous, threshold_at(wrong, erroneous, rate)) == reached
    assert 0.4 < threshold_at(wrong, erroneous, 0.0) < 0.41
    assert threshold_at(np.array([1.0]), np.array([False]), 0.0) == 1.0


def test_an_edited_solution_is_wrong_in_the_step_that_is_named_and_nowhere_else():
    demonstrations = [Demonstration("Tom has 3, 4 and 5.", "3 * 4 = 12 pens\n12 + 5 = 17 pens\n#### 17", "gsm8k")]
    found = list(edited_solutions(demonstrations, 20, "train", random.Random(0)))
    assert len(found) == 21
    for one in found:
        right, wrong = (trace_from_text(text).step_texts() for text in (one.right, one.wrong))
        assert [k for k, (a, b) in enumerate(zip(right, wrong, strict=True)) if a != b] == [one.step]


class HandMadeCritic:
    """Rewards a step by the number it holds."""

    def __init__(self, path):
        self.path = path

    def score_many(self, items):
        from irl_core.traces import TraceScore

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
    assert trace_from_steps(lines[0]["steps"]).steps
    (tmp_path / "traces.jsonl").write_text("\n".join(map(json.dumps, lines)))
    monkeypatch.setattr(calibrate, "load_critic", lambda name, calibrated: HandMadeCritic(tmp_path))
    calibrate.main(["--traces", str(tmp_path / "traces.jsonl"), "--source", "made up"])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["cross_validated"]["f1"]["value"] == 1.0
    assert figures["cross_validated"]["top1"]["value"] == 1.0
    calibration = load_calibration(tmp_path / "calibration.json")
    assert (calibration.source, calibration.n_traces) == ("made up", 40)
    assert calibration.weights[0] < 0
    assert calibration.supervision == "step labels of the calibration set"
    assert calibration.false_flag_rate == figures["false_flag_rate"] == 0.0


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
