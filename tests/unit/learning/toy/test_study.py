import json
import signal

import pytest

from irl_core.learning.toy import study as toy_study
from irl_core.learning.toy import study_report
from irl_core.learning.toy.study_methods import RECOMMENDED, SFT
from irl_core.learning.toy.study_report import collapsed, conclusions, pass_rate, summarise, without_counts
from train import study

TINY = [
    "--seeds", "2", "--hidden", "16", "--layers", "1", "--base-steps", "2", "--base-batch", "4", "--sft-steps", "2",
    "--sft-check-steps", "1", "--demonstrations", "16", "--test-problems", "4", "--methods", "sparse", "outcome",
]  # fmt: skip


def run(method, seed, counts, curve=()):
    found = {"method": method, "seed": seed, "solved": counts, "samples": 8, "cpu_seconds": 1.0}
    found |= {"greedy": 0.9, "expert_loss": 0.3}
    return without_counts(found) | ({"curve": [list(point) for point in curve]} if curve else {})


def test_pass_rates_are_the_unbiased_ones():
    found = {"solved": [8, 4, 0, 0], "samples": 8}
    assert pass_rate(found, 1) == pytest.approx(0.375)
    assert pass_rate(found, 8) == pytest.approx(0.5)


def test_a_run_has_collapsed_if_it_ever_fell_below_half_of_its_start():
    assert not collapsed(run("x", 0, [4, 4], [(10, 0.3), (20, 0.5)]), 0.6)
    assert collapsed(run("x", 0, [4, 4], [(10, 0.29), (20, 0.5)]), 0.6)
    assert collapsed(run("x", 0, [2, 2], [(10, 0.4), (20, 0.4)]), 0.6)


def test_gains_are_differences_within_a_seed():
    runs = [
        run(SFT, 0, [4]),
        run(SFT, 1, [2]),
        run("outcome", 0, [6], [(10, 0.5)]),
        run("outcome", 1, [4], [(10, 0.5)]),
    ]
    figures = summarise(runs)["outcome"]
    assert figures["gain"] == pytest.approx({"value": 0.25, "low": 0.25, "high": 0.25, "n": 2})
    assert figures["collapsed"] == 0


def test_the_notes_beside_a_report_are_the_end_of_its_page(tmp_path):
    settings = {"seeds": 2, "demonstrations": 9, "samples": 8, "test_problems": 1, "greedy_problems": 1}
    counts = [{"method": SFT, "seed": s, "solved": [4], "samples": 8, "cpu_seconds": 1.0, "expert_loss": 0.3,
               "greedy": 0.9} for s in range(2)]  # fmt: skip
    (tmp_path / "r.notes.md").write_text("## By hand\n")
    study_report.write_report(counts, settings, tmp_path / "r")
    text = (tmp_path / "r.md").read_text()
    assert "| sft | 0.500 [0.500, 0.500] | 1.000 [1.000, 1.000] |" in text
    assert text.endswith("## By hand\n")


def test_conclusions_say_whether_intervals_overlap():
    def figures(value, half):
        whole = {"value": value, "low": value - half, "high": value + half, "n": 5}
        by_seed = {0: value - 0.01, 1: value + 0.01}
        return {
            "pass1": whole,
            "greedy": whole,
            "by_seed": {"pass1": by_seed, "greedy": by_seed},
            "collapsed": 1,
        }

    found = {SFT: figures(0.5, 0.1), "sparse": figures(0.65, 0.1), RECOMMENDED: figures(0.75, 0.1)}
    text = "\n".join(conclusions(found))
    expected = "`sft` 0.500; the intervals do not overlap. Seed by seed +0.250 [+0.250, +0.250]."
    assert f"- pass@1: `{RECOMMENDED}` 0.750, {expected}" in text
    assert f"- greedy: `{RECOMMENDED}` 0.750, {expected}" in text
    assert f"- pass@1: `{RECOMMENDED}` 0.750, `sparse` 0.650; the intervals overlap." in text
    assert "1 of 5 collapsed" in text


@pytest.mark.slow
def test_a_finished_study_is_only_reported_again_and_a_lost_run_alone_is_made_again(tmp_path, capsys):
    options = [*TINY, "--out", str(tmp_path / "runs"), "--report", str(tmp_path / "report" / "nano")]
    study.main(options)
    figures = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert figures["runs"] == 7
    first = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*.json")}
    report = (tmp_path / "report" / "nano.md").read_text()
    kept = json.loads((tmp_path / "runs" / "outcome-1.json").read_text())
    (tmp_path / "runs" / "outcome-1.json").unlink()
    study.main(options)
    again = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*.json")}
    assert {name for name in first if again[name] != first[name]} == {"outcome-1.json"}
    made = json.loads((tmp_path / "runs" / "outcome-1.json").read_text())
    assert made | {"cpu_seconds": 0} == kept | {"cpu_seconds": 0}
    assert (tmp_path / "report" / "nano.md").read_text() == report
    assert "<table>" in (tmp_path / "report" / "nano.html").read_text()


@pytest.mark.signals
def test_ctrl_c_finishes_the_run_at_hand_keeps_it_and_reports_nothing(tmp_path, monkeypatch, capsys):
    options = [*TINY, "--out", str(tmp_path / "runs"), "--report", str(tmp_path / "report" / "nano")]
    whole = toy_study.fine_tune

    def interrupted(settings, out, name, seed):
        signal.raise_signal(signal.SIGINT)
        return whole(settings, out, name, seed)

    with monkeypatch.context() as broken:
        broken.setattr(toy_study, "fine_tune", interrupted)
        study.main(options)
    figures = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert (figures["runs"], figures["stopped_early"]) == (2, True)
    assert {path.name for path in (tmp_path / "runs").glob("*.json")} == {"base-0.json", "sft-0.json"}
    assert not (tmp_path / "report").exists()
    assert json.loads((tmp_path / "runs" / "sft-0.json").read_text())["sft_steps"] >= 1


def test_an_unknown_method_is_refused_by_name(capsys):
    with pytest.raises(SystemExit):
        study.main(["--methods", "sparse", "spare"])
    assert "unknown method 'spare'" in capsys.readouterr().err
