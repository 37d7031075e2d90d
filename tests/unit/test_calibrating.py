"""The hazard model on data whose answer is known beforehand."""

import json
import math

import numpy as np
import pytest

from irl_core.calibration import load_calibration
from irl_core.evaluation.calibrating import Hazard, cross_validated, fit_hazard, unsure_above
from irl_core.traces import trace_from_steps
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


def test_below_not_sure_the_share_of_wrong_traces_stays_under_the_stated_rate():
    wrong = np.array([0.1, 0.2, 0.3, 0.4, 0.9])
    erroneous = np.array([False, False, True, False, True])
    assert unsure_above(wrong, erroneous, threshold=0.8, miss_rate=0.25) == pytest.approx(0.4)
    assert unsure_above(wrong, erroneous, threshold=0.35, miss_rate=0.25) == pytest.approx(0.35)
    assert unsure_above(wrong, np.ones(5, bool), threshold=0.8, miss_rate=0.25) == 0.0


class HandMadeCritic:
    """Rewards a step by the number it holds."""

    def __init__(self, path):
        self.path = path

    def score_many(self, items):
        from irl_core.traces import TraceScore

        rewards = [[-float(text[-1]) for text in trace.step_texts()] for _, trace in items]
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


def test_a_calibration_without_a_wrong_trace_is_refused_in_words(tmp_path):
    (tmp_path / "traces.jsonl").write_text(json.dumps({"question": "Q", "steps": ["1"], "first_error_step": -1}))
    with pytest.raises(SystemExit, match="has to be wrong"):
        calibrate.main(["--traces", str(tmp_path / "traces.jsonl"), "--source", "x"])
