"""The hazard model on data whose answer is known beforehand."""

import json
import math
import random
import re

import numpy as np
import pytest

from irl_core.diagnosis.calibration import load_calibration
from irl_core.evaluation.calibration_fit import (
    Hazard,
    Outcomes,
    cross_validated,
    cross_validated_traces,
    false_flag_rate,
    fit_hazard,
    fit_trace_model,
    shared_out,
    threshold_at,
)
from irl_core.learning.data.demonstrations import Demonstration
from irl_core.learning.data.edited_solutions import edited_solutions
from irl_core.text.traces import Trace
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


def outcomes(rng, n, problems, base=0.0):
    steps, scores = rng.normal(size=n), rng.normal(size=n)
    wrong = rng.random(n) < 1 / (1 + np.exp(-(base + 1.5 * steps - 2.0 * scores)))
    return Outcomes(steps, scores, wrong, np.array(problems))


def test_a_model_of_whole_traces_finds_the_weights_that_made_the_data():
    rng = np.random.default_rng(0)
    fit = fit_trace_model([outcomes(rng, 6000, range(6000), 0.5), outcomes(rng, 3000, range(3000), 0.5)])
    assert fit == pytest.approx((1.5, -2.0, 0.5), abs=0.15)
    assert fit.probability(Outcomes(*(np.array([0.0]),) * 4)) == pytest.approx([1 / (1 + np.exp(-fit.intercept))])


def test_every_source_weighs_the_same_in_the_model_of_whole_traces():
    rng = np.random.default_rng(1)
    few, many = outcomes(rng, 300, range(300), -2.0), outcomes(rng, 3000, range(3000), 2.0)
    tenfold = Outcomes(*(np.tile(part, 10) for part in few))
    assert fit_trace_model([few, many]) == pytest.approx(fit_trace_model([tenfold, many]), abs=0.01)


def test_no_trace_is_judged_as_a_whole_by_a_model_that_saw_its_problem_in_any_source():
    rng = np.random.default_rng(2)
    names = [f"Q{i}" for i in range(40)]
    one, two = outcomes(rng, 40, names), outcomes(rng, 40, names)
    before = cross_validated_traces([one, two])
    flipped = one._replace(wrong=np.where(one.problems == "Q7", ~one.wrong, one.wrong))
    after = cross_validated_traces([flipped, two])
    mine = one.problems == "Q7"
    assert after[0][mine] == pytest.approx(before[0][mine], abs=1e-12)
    assert after[1][mine] == pytest.approx(before[1][mine], abs=1e-12)
    assert not np.allclose(after[0], before[0])


def test_steps_share_what_the_whole_trace_is_given():
    shared = shared_out([np.array([0.1, 0.3]), np.array([0.2])], np.array([0.8, 0.1]))
    assert [s.tolist() for s in shared] == [pytest.approx([0.2, 0.6]), pytest.approx([0.1])]


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
        right, wrong = (Trace.from_text(text).step_texts() for text in (one.right, one.wrong))
        assert [k for k, (a, b) in enumerate(zip(right, wrong, strict=True)) if a != b] == [one.step]


class HandMadeCritic:
    """Rewards a step by the number it holds."""

    def __init__(self, path):
        self.path = path

    def score_many(self, items):
        from irl_core.text.scores import TraceScore

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
    monkeypatch.setattr(calibrate, "load_critic", lambda name: HandMadeCritic(tmp_path))
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
    monkeypatch.setattr(calibrate, "load_critic", lambda name: HandMadeCritic(tmp_path))
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
    monkeypatch.setattr(calibrate, "load_critic", lambda name: HandMadeCritic(tmp_path))
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
