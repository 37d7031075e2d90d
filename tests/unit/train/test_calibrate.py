"""train.calibrate from end to end with a critic whom every digit surprises by its value."""

from __future__ import annotations

import json

import pytest

from irl_core.critic.card import CriticCard
from irl_core.diagnosis.calibration import load_calibration
from irl_core.diagnosis.features import FEATURES
from irl_core.diagnosis.suspect_step import diagnose
from irl_core.text.traces import Trace
from tests.support.surprise import cut, surprised
from tests.support.worked_solutions import SAMPLE
from train import calibrate


class HandMadeCritic:
    """Words cost nothing, a digit its value in nats."""

    sha256 = "0" * 64

    def __init__(self, path):
        self.path, self.card, self.calibration = path, CriticCard(name="hand-made"), None
        self.n_scored = 0

    def score(self, question, traces):
        return self.score_many([(question, trace) for trace in traces])

    def score_many(self, items):
        self.n_scored += len(items)
        return [self._score(trace) for _, trace in items]

    def _score(self, trace):
        offsets = cut(trace.text, digits=1)
        parts = [trace.text[a:b] for a, b in offsets]
        return surprised(trace, offsets, [float(p) if p.isdecimal() else 0.0 for p in parts])


def located(source: str, n: int = 40) -> list[dict]:
    """Two steps of a number each; the second of every other trace is wrong and says 9, all others say 1."""
    return [
        {
            "question": f"{source} {i}: how many?",
            "steps": ["There are 1 of the pens there", f"and so he has {9 if i % 2 else 1} of the pens"],
            "first_error_step": 1 if i % 2 else -1,
        }
        for i in range(n)
    ]


def outcomes(source: str, n: int = 40) -> list[dict]:
    return [
        {"question": line["question"], "steps": line["steps"], "final_correct": line["first_error_step"] < 0}
        for line in located(source, n)
    ]


def write(path, lines) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    critic = HandMadeCritic(tmp_path)
    monkeypatch.setattr(calibrate, "load_critic", lambda name, calibrated: critic)

    def run_main(*options: str):
        calibrate.main(list(options))
        return json.loads(capsys.readouterr().out.splitlines()[-1]), load_calibration(tmp_path / "calibration.json")

    run_main.critic = critic
    return run_main


def test_a_calibration_is_written_beside_the_critic_and_diagnoses(run, tmp_path):
    path = write(tmp_path / "traces.jsonl", located("Q"))
    figures, calibration = run("--traces", path, "--source", "made up")
    assert (calibration.source, calibration.sources, calibration.n_traces) == ("made up", ("traces",), 40)
    assert (calibration.supervision, calibration.scope) == ("step labels", None)
    assert calibration.false_flag_rate == figures["false_flag_rate"] == 0.0
    assert figures["in_sample"]["traces"]["f1"]["value"] == 1.0
    assert figures["in_sample"]["traces"]["top1"]["value"] == 1.0
    assert list(figures["weights"]) == list(FEATURES)
    assert figures["calibration"] == str(tmp_path / "calibration.json")
    assert "left_out" not in figures
    for line in located("new", 2):
        found = diagnose(line["question"], Trace.from_steps(line["steps"]), run.critic, calibration=calibration)
        assert found.first_suspect == (None if line["first_error_step"] < 0 else 1)


def test_each_source_is_left_out_with_all_of_its_files(run, tmp_path):
    a, b, c = (write(tmp_path / f"{name}.jsonl", located(name)) for name in "abc")
    figures, calibration = run("--traces", f"one={a},{b}", f"two={c}", "--source", "made up", "--leave-out-source")
    assert calibration.sources == ("a", "b", "c")
    assert calibration.n_traces == 120
    assert list(figures["left_out"]) == ["a", "b", "c"]
    assert [figures["left_out"][name]["f1"]["value"] for name in "abc"] == [1.0] * 3
    assert figures["called_outside"] == {}


def test_outcomes_alone_join_the_fit_and_the_record_says_so(run, tmp_path):
    a, b = write(tmp_path / "a.jsonl", located("a")), write(tmp_path / "b.jsonl", outcomes("b"))
    figures, calibration = run("--traces", a, b, "--source", "made up", "--leave-out-source")
    assert calibration.supervision == "step labels and outcomes"
    assert figures["left_out"]["b"]["error_auroc"]["value"] == 1.0
    assert "f1" not in figures["left_out"]["b"]


def test_files_of_another_kind_of_text_make_a_scope(run, tmp_path):
    higher = [
        {"question": f"Find the prime {i}.", "solution": "Let x^2 be the root of a polynomial.", "final_correct": True}
        for i in range(20)
    ]
    a, b = (write(tmp_path / f"{name}.jsonl", located(name)) for name in "ab")
    other = write(tmp_path / "olympiad.jsonl", higher)
    figures, calibration = run("--traces", a, b, "--source", "made up", "--outside", other, "--leave-out-source")
    assert calibration.scope.other_kinds == ("olympiad",)
    assert calibration.scope.rate_inside == 0.0
    assert figures["called_outside"] == {"a": 0.0, "b": 0.0, "olympiad": 1.0}
    assert calibration.sources == ("a", "b"), "what is outside is not fitted on"
    trace = Trace.from_text(higher[0]["solution"])
    assert diagnose(higher[0]["question"], trace, run.critic, calibration=calibration).outside


def test_files_of_one_stem_are_told_apart_by_their_folders(run, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    a, b = write(tmp_path / "one" / "dev.jsonl", located("a")), write(tmp_path / "two" / "dev.jsonl", located("b"))
    figures, calibration = run("--traces", a, b, "--source", "x", "--leave-out-source", "--report-on", a)
    assert calibration.sources == ("one/dev", "two/dev")
    assert list(figures["left_out"]) == list(figures["in_sample"]) == ["one/dev", "two/dev"]
    assert list(figures["reported_on"]) == ["one/dev"]


def test_a_file_in_two_sources_is_refused(run, tmp_path, capsys):
    path = write(tmp_path / "a.jsonl", located("a"))
    with pytest.raises(SystemExit):
        run("--traces", f"one={path}", f"two={path}", "--source", "x")
    assert "is given more than once" in capsys.readouterr().err


def test_demonstrations_alone_make_a_calibration_and_no_label_is_used(run, tmp_path):
    lines = [{"question": d.question, "answer": d.solution} for d in SAMPLE]
    judged = write(tmp_path / "judged.jsonl", located("a"))
    path = write(tmp_path / "gsm8k.jsonl", lines)
    figures, calibration = run("--demonstrations", path, "--n", "8", "--report-on", judged)
    assert (calibration.supervision, calibration.n_traces) == ("demonstrations", 8)
    assert calibration.source == "edited demonstrations"
    assert figures["reported_on"]["judged"]["n"] == 40
    again, same = run("--demonstrations", path, "--n", "8", "--report-on", judged)
    assert (again, same) == (figures, calibration), "one seed, one calibration"


def test_a_run_that_is_repeated_with_its_scores_does_not_ask_the_critic(run, tmp_path):
    path, scores = write(tmp_path / "a.jsonl", located("a")), str(tmp_path / "scores.jsonl")
    first = run("--traces", path, "--source", "made up", "--scores", scores)
    assert run.critic.n_scored == 40
    assert run("--traces", path, "--source", "made up", "--scores", scores) == first
    assert run.critic.n_scored == 40


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--source", "x"], "needs right traces and wrong ones"),
        ([], "--source: say in words what the traces are"),
        (["--source", "x", "--leave-out-source"], "nothing to leave out of one source"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_words(run, tmp_path, capsys, options, said):
    path = write(tmp_path / "a.jsonl", located("a", 1))
    with pytest.raises(SystemExit):
        run("--traces", path, *options)
    assert said in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(run, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run("--traces", f"one={tmp_path / 'nowhere.jsonl'}", "--source", "x")
    assert "nowhere.jsonl" in capsys.readouterr().err
