"""train.evaluate from end to end with a critic that checks sums and products, and nothing else, exactly."""

from __future__ import annotations

import json
import math
import re

import pytest
from plotly.offline import get_plotlyjs

from irl_core.evaluation.heat_metrics import ABSTENTION
from irl_core.evaluation.markdown import to_markdown
from irl_core.evaluation.report_page import to_html
from irl_core.evaluation.scoring import SCORES
from tests.support.arithmetic import CALIBRATION, LABELLED, RIGHT, WRONG, ArithmeticCritic, labelled
from train.cli import parse_args
from train.evaluate import build_parser, evaluate, main


@pytest.fixture
def run(tmp_path):
    def evaluate_lines(lines: list, *options: str, critic: ArithmeticCritic | None = None):
        traces, out = tmp_path / "traces.jsonl", tmp_path / "made" / "report.json"
        traces.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
        argv = ["--traces", str(traces), "--out", str(out), "--resamples", "50", *options]
        figures = evaluate(parse_args(build_parser(), argv), critic or ArithmeticCritic())
        return json.loads(out.read_text()), figures

    return evaluate_lines


def test_the_report_has_exactly_the_promised_keys(run):
    report, _ = run(LABELLED)
    assert set(report) == {
        *("critic", "n_traces", "n_problems", "n_tokens", "tokens_per_second", "skipped"),
        *("trace", "localisation", "selection", "generators", "notes"),
        *("files", "file_means", "in_sample"),
    }
    assert report["critic"] == {"name": "arithmetic", "path": None, "sha256": "0" * 64, "supervision": "none"}
    assert set(report["trace"]) == {
        *("auroc", "auroc_within_problem", "error_auroc", "ece", "ece_floor", "brier"),
        *("length_correlation", "reliability", "score_by_length"),
    }
    assert set(report["localisation"]) == {
        *("f1", "accuracy_error", "accuracy_correct", "threshold", "f1_oracle", "threshold_oracle"),
        "f1_arithmetic",
        *("top1", "top1_chance", "top1_best_constant", "step_auroc"),
        *("mcc", "first_step_accuracy", "step_ece", "step_brier", "step_reliability"),
        *("pointing", "pointing_chance", "pointing_over_chance", "heat_right", "heat_error", "heat_spread"),
        *ABSTENTION,
    }
    rules = {"critic", "weighted_vote", "majority", "random", "longest", "shortest", "logprob", "oracle"}
    assert set(report["selection"]) == {
        *("n_candidates", "weighted_vote_minus_majority", "curve", "curve_interval", "pass_at_k", *rules),
    }
    assert set(report["selection"]["curve"]) == {"n", *rules}
    assert set(report["trace"]["auroc"]) == {"value", "low", "high", "n"}


def test_the_figures_are_those_worked_out_by_hand(run):
    report, figures = run(LABELLED)
    assert (report["n_traces"], report["n_problems"]) == (3, 1)
    assert report["n_tokens"] == sum(len("\n".join(line["steps"])) for line in LABELLED)
    assert report["tokens_per_second"] > 0
    assert report["trace"]["auroc"]["value"] == pytest.approx(0.75)
    localisation = report["localisation"]
    assert localisation["accuracy_error"]["value"] == 0.5
    assert localisation["accuracy_correct"]["value"] == 1.0
    assert localisation["f1"]["value"] == localisation["f1_oracle"]["value"] == pytest.approx(2 / 3)
    assert localisation["f1_arithmetic"]["value"] == pytest.approx(2 / 3), "of all critics this one is arithmetic"
    # The odds of the second trace's steps are 1/19, 9 and 1/19, so that it holds an error with probability 173/192.
    assert (localisation["threshold"], localisation["threshold_oracle"]) == pytest.approx((0.5, 173 / 192))
    assert localisation["top1"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 2}
    assert localisation["top1_chance"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    selection = report["selection"]
    assert selection["n_candidates"] == 3
    assert selection["critic"]["value"] == pytest.approx(0.5)
    assert selection["random"]["value"] == pytest.approx(1 / 3)
    assert selection["oracle"]["value"] == 1.0
    assert figures["localisation.f1"] == pytest.approx(2 / 3)
    assert figures["skipped"] == 0


def test_a_false_equation_counts_as_marked_whatever_the_threshold(run):
    deaf = CALIBRATION.model_copy(update={"threshold": 1.0, "unsure_above": 1.0})
    report, _ = run(LABELLED, critic=ArithmeticCritic(calibration=deaf))
    localisation = report["localisation"]
    assert localisation["accuracy_error"]["value"] == 0.5
    assert localisation["accuracy_correct"]["value"] == 1.0
    assert localisation["f1"]["value"] == pytest.approx(2 / 3)
    assert localisation["threshold"] == 1.0, "no probability reaches it, and the page marks the step all the same"


def test_a_pointer_needs_a_negative_token_and_is_compared_with_a_random_one(run):
    report, _ = run(LABELLED)
    localisation = report["localisation"]
    assert localisation["pointing"]["value"] == 0.5, "the critic finds nothing in the third solution"
    # The first wrong steps hold 10 of 23 and 10 of 16 characters, line breaks included.
    chance = (10 / 23 + 10 / 16) / 2
    assert localisation["pointing_chance"]["value"] == pytest.approx(chance)
    assert localisation["pointing_over_chance"]["value"] == pytest.approx(0.5 / chance)
    assert localisation["pointing"]["n"] == 2


def test_what_is_coloured_is_told_of_right_traces_of_wrong_ones_and_of_the_step_that_is_marked(run):
    report, _ = run(LABELLED)
    heat = {name: report["localisation"][name]["value"] for name in NEED_HEAT}
    # The 7 of "2 * 3 = 7" alone is coloured, one of its step's ten characters; the third solution shows nothing.
    assert heat == {"heat_right": 0.0, "heat_error": 0.5, "heat_spread": pytest.approx(0.1)}


def test_parts_without_labels_are_null(run):
    unlabelled = {"question": "2 boxes of 3?", "solution": "2 * 3 = 6\n#### 6"}
    report, figures = run([unlabelled, {**unlabelled, "first_error_step": None}])
    assert report["trace"] is report["localisation"] is report["selection"] is None
    assert report["n_traces"] == figures["n_traces"] == 2


def test_a_first_error_outweighs_a_correct_final_answer(run):
    lucky = labelled(WRONG, 1, True)
    report, _ = run([labelled(RIGHT, -1, True), lucky])
    assert report["trace"]["auroc"]["value"] == 1.0
    assert report["selection"]["random"]["value"] == 1.0


def test_final_answers_are_checked_against_gold_where_the_file_does_not_say(run):
    report, _ = run([RIGHT, WRONG, {**WRONG, "steps": ["2 * 3 = 6", "so 6.00"]}])
    assert report["localisation"] is None
    assert report["selection"]["random"]["value"] == pytest.approx(2 / 3)


def test_bad_lines_are_listed_with_number_and_reason_and_do_not_end_the_run(run):
    lines = [
        LABELLED[0],
        "not json",
        {"question": "no solution"},
        LABELLED[1],
        labelled(RIGHT, 9, True),
        "",
        LABELLED[2],
    ]
    report, figures = run(lines)
    assert [bad["line"] for bad in report["skipped"]] == [2, 3, 5]
    assert "needs 'steps' or 'solution'" in report["skipped"][1]["reason"]
    assert (report["n_traces"], figures["skipped"]) == (3, 3)


def test_a_line_that_the_critic_refuses_is_skipped_and_its_neighbours_are_scored(run):
    report, _ = run([LABELLED[0], {**RIGHT, "question": "unscorable"}, LABELLED[1]])
    assert report["n_traces"] == 2
    assert report["skipped"] == [
        {"line": 2, "reason": "the critic cannot score it: the question is longer than the context"}
    ]


def test_a_file_of_bad_lines_gives_a_report_of_nothing(run):
    report, _ = run(["x", "y"])
    assert (report["n_traces"], report["tokens_per_second"], len(report["skipped"])) == (0, None, 2)
    assert report["trace"] is report["localisation"] is report["selection"] is None


def test_scored_lines_repeat_the_input_in_order_with_what_was_found(run, tmp_path):
    path = tmp_path / "scored.jsonl"
    lines = [{**line, "qid": i, "note": "<b>é"} for i, line in enumerate(LABELLED)]
    run([lines[0], "bad", *lines[1:]], "--save-scores", str(path))
    scored = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [{key: value for key, value in one.items() if key not in SCORES} for one in scored] == lines
    assert [one["predicted_first_error"] for one in scored] == [-1, 1, -1]
    assert scored[1]["step_scores"] == [0.0, -1.0, 0.0]
    assert scored[1]["step_error_probability"] == pytest.approx([1 / 192, 171 / 192, 1 / 192])
    assert scored[1]["token_offsets"][:2] == [[0, 1], [1, 2]]
    assert scored[1]["step_spans"] == [[0, 7], [7, 17], [17, 23]]
    assert scored[1]["heat_scale"] == pytest.approx(math.log(9 * 19))
    coloured = {i: heat for i, heat in enumerate(scored[1]["token_heat"]) if heat}
    assert coloured == {15: pytest.approx(-math.log(9 * 19))}, "the result of the false equation"
    assert (scored[1]["not_sure"], scored[1]["outside"]) == (False, False)
    assert sum(scored[1]["token_rewards"]) == pytest.approx(scored[1]["trace_score"]) == -1.0


def test_a_scored_file_can_be_evaluated_again_with_the_same_figures(run, tmp_path):
    path = tmp_path / "scored.jsonl"
    first, _ = run(LABELLED, "--save-scores", str(path))
    again, _ = run([json.loads(line) for line in path.read_text().splitlines()])
    assert {**first, "tokens_per_second": 0} == {**again, "tokens_per_second": 0}


def test_the_critic_sees_a_window_of_traces_at_a_time_whatever_the_size_of_the_file(run):
    critic = ArithmeticCritic()
    report, _ = run([{**RIGHT, "question": f"{i}?"} for i in range(150)], critic=critic)
    assert critic.windows == [64, 64, 22]
    assert report["n_problems"] == 150


def test_a_killed_run_goes_on_behind_its_last_whole_line_and_repeats_and_loses_nothing(run, tmp_path):
    path, critic = tmp_path / "scored.jsonl", ArithmeticCritic()
    lines = [
        *({**LABELLED[i % 3], "question": f"{i}?"} for i in range(100)),
        "bad",
        {**RIGHT, "question": "unscorable"},
        LABELLED[1],
    ]
    whole, _ = run(lines, "--save-scores", str(path))
    written = path.read_bytes()
    for kept in (0, 1, 1000, len(written) - 5, len(written)):
        path.write_bytes(written[:kept])
        again, _ = run(lines, "--save-scores", str(path), "--resume", critic=critic)
        assert path.read_bytes() == written
        assert {**again, "tokens_per_second": 0} == {**whole, "tokens_per_second": 0}
    assert sum(critic.windows[-3:]) < 10


def test_scores_of_other_traces_or_of_another_critic_are_not_gone_on_with(run, tmp_path):
    path = tmp_path / "scored.jsonl"
    run(LABELLED, "--save-scores", str(path))
    with pytest.raises(ValueError, match="line 1 of the scored file is of another trace"):
        run([RIGHT, *LABELLED], "--save-scores", str(path), "--resume")
    changed = json.loads(path.read_text().splitlines()[0]) | {"trace_score": -3.0}
    path.write_text(json.dumps(changed) + "\n")
    with pytest.raises(ValueError, match="another critic"):
        run(LABELLED, "--save-scores", str(path), "--resume")


def test_a_hub_dataset_is_read_like_a_file(tmp_path, monkeypatch):
    folder = tmp_path / "lab" / "bench"
    folder.mkdir(parents=True)
    rows = [{"problem": x["question"], "steps": x["steps"], "label": x["first_error_step"]} for x in LABELLED]
    for split in ("train", "test"):
        (folder / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    monkeypatch.chdir(tmp_path)
    argv = ["--traces", "lab/bench", "--out", "report.json"]
    with pytest.raises(ValueError, match="splits train, test: choose one with --split"):
        evaluate(parse_args(build_parser(), argv), ArithmeticCritic())
    figures = evaluate(parse_args(build_parser(), [*argv, "--split", "test"]), ArithmeticCritic())
    assert figures["n_traces"] == 3
    assert figures["localisation.f1"] == pytest.approx(2 / 3)


def test_limit_reads_the_first_lines_only(run):
    assert run(LABELLED, "--limit", "2")[0]["n_traces"] == 2


def test_borrowed_log_probabilities_are_named_and_given_ones_are_not(run):
    report, _ = run(LABELLED)
    assert "mean_logprob" in report["notes"][0]
    own, _ = run([{**line, "mean_logprob": -float(i)} for i, line in enumerate(LABELLED)])
    assert own["notes"] == []
    assert own["selection"]["logprob"]["value"] == 1.0


def test_stopping_keeps_what_was_scored(run, capsys):
    class Impatient(ArithmeticCritic):
        def score_many(self, items):
            if self.windows:
                raise KeyboardInterrupt
            return super().score_many(items)

    report, _ = run([RIGHT] * 70, critic=Impatient())
    assert report["n_traces"] == 64
    assert "stopped" in capsys.readouterr().err


def test_the_html_report_escapes_what_the_file_and_the_critic_say(run):
    report, _ = run(
        [*LABELLED, labelled(RIGHT, -1, True) | {"generator": 3}], critic=ArithmeticCritic(name="<script>x")
    )
    report["skipped"][0]["reason"] = "<img src=x onerror=alert(1)>"
    page = to_html(report)
    ours = page.replace(get_plotlyjs(), "")
    assert "<script>x" not in ours
    assert "<img" not in ours
    assert "&lt;script&gt;x" in ours
    assert "&lt;img src=x" in ours
    assert "first-error F1" in ours
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", ours)
    assert ours.count('class="plotly-graph-div"') == 4


def test_names_of_generators_are_escaped_in_the_page_and_have_rows_of_their_own(run):
    lines = [{**line, "generator": f"<b>{i % 2}"} for i, line in enumerate([*LABELLED, *LABELLED])]
    report, _ = run(lines)
    assert [own["n_traces"] for own in report["generators"].values()] == [3, 3]
    assert report["generators"]["<b>0"]["localisation"]["f1"]["n"] == 3
    assert "&lt;b&gt;0" in to_html(report)
    assert "<b>0" not in to_html(report).replace(get_plotlyjs(), "")
    assert run(LABELLED)[0]["generators"] is None


def test_the_reports_for_people_say_what_the_json_says(run, tmp_path):
    html, markdown = tmp_path / "r.html", tmp_path / "r.md"
    report, _ = run(LABELLED, "--html", str(html), "--markdown", str(markdown))
    f1 = report["localisation"]["f1"]
    assert f"<td>{f1['value']:.3f}</td>" in html.read_text()
    assert f"| {f1['value']:.3f} | {f1['low']:.3f} to {f1['high']:.3f} | 3 |" in markdown.read_text()
    assert to_markdown(report) == markdown.read_text()


def test_parts_without_labels_are_named_in_the_page(run):
    report, _ = run([{"question": "q", "solution": "x"}])
    assert to_html(report).count("no labels for this part") == 3
    assert "##" not in to_markdown(report)


def test_a_missing_trace_file_is_an_error_that_names_it(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--traces", "nowhere.jsonl", "--out", "report.json"])
    assert "there is no file nowhere.jsonl" in capsys.readouterr().err


def test_an_output_never_overwrites_the_input_or_another_output(tmp_path, capsys):
    traces = tmp_path / "t.jsonl"
    traces.write_text(json.dumps(RIGHT))
    for options, message in (
        (["--out", "r.json", "--save-scores", str(traces)], "--save-scores and --traces name the same file"),
        (["--out", "r.json", "--html", "./r.json"], "--html and --out name the same file"),
        (["--out", str(tmp_path)], "is a folder"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(["--traces", str(traces), *options])
        assert message in capsys.readouterr().err
    assert json.loads(traces.read_text()) == RIGHT


def test_help_explains_the_format(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "first_error_step counts from 0" in shown
    assert "bootstrap resamples (default: 1000)" in shown


def uncalibrated() -> ArithmeticCritic:
    return ArithmeticCritic(calibration=None)


NEED_PROBABILITIES = {
    "trace": ("error_auroc", "ece", "ece_floor", "brier", "reliability"),
    "localisation": (
        *("f1", "accuracy_error", "accuracy_correct", "threshold", "f1_oracle", "threshold_oracle", "mcc"),
        *("first_step_accuracy", "step_ece", "step_brier", "step_reliability"),
        *ABSTENTION,
    ),
}
NEED_HEAT = ("heat_right", "heat_error", "heat_spread")


def test_without_a_calibration_rewards_order_the_steps_and_what_needs_a_probability_is_null(run):
    # MISREAD has no false equation, and so no step of low reward: the first of equals is the error by chance.
    report, figures = run([*LABELLED, labelled(WRONG, 2, False)], critic=uncalibrated())
    calibrated, _ = run([*LABELLED, labelled(WRONG, 2, False)])
    for part, names in NEED_PROBABILITIES.items():
        assert report[part].keys() == calibrated[part].keys()
        missing = {name for name, figure in report[part].items() if figure is None}
        assert missing == {*names, *(NEED_HEAT if part == "localisation" else ())}
    localisation = report["localisation"]
    assert localisation["top1"]["value"] == pytest.approx(2 / 3)
    # First errors cost 1, 0 and 0 nats, the six steps without error 0, 0 | 0 | none | 0, 1: by pairs, ties one half.
    assert localisation["step_auroc"]["n"] == 8
    assert localisation["step_auroc"]["value"] == pytest.approx(((4 + 0.5) + 2 * (4 * 0.5)) / 15)
    assert report["trace"]["auroc"] == calibrated["trace"]["auroc"]
    assert report["selection"] == calibrated["selection"]
    assert "has no calibration" in report["notes"][0]
    assert "train.calibrate" in report["notes"][0]
    assert "no calibration" not in " ".join(calibrated["notes"])
    assert "localisation.f1" not in figures
    assert figures["localisation.top1"] == pytest.approx(2 / 3)


def test_reports_for_people_show_what_an_uncalibrated_critic_does_not_know(run, tmp_path):
    html, markdown = tmp_path / "r.html", tmp_path / "r.md"
    lines = [{**line, "generator": f"g{i % 2}"} for i, line in enumerate([*LABELLED, *LABELLED])]
    report, _ = run(lines, "--html", str(html), "--markdown", str(markdown), critic=uncalibrated())
    assert report["generators"]["g0"]["localisation"]["f1"] is None
    assert "| first-error F1 (ProcessBench), as the page marks | – |  |  |" in markdown.read_text()
    assert "<td>first-error F1 (ProcessBench), as the page marks</td><td>–</td>" in html.read_text()
    assert "has no calibration" in markdown.read_text()
    ours = html.read_text().replace(get_plotlyjs(), "")
    assert ours.count('class="plotly-graph-div"') == 2
    assert "Reliability" not in ours


def strict_json(line: str) -> dict:
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(line, parse_constant=refuse)


def test_scores_of_an_uncalibrated_critic_are_json_and_are_gone_on_with_and_evaluated_again(run, tmp_path):
    path = tmp_path / "scored.jsonl"
    first, _ = run(LABELLED, "--save-scores", str(path), critic=uncalibrated())
    written = path.read_text()
    scored = [strict_json(line) for line in written.splitlines()]
    assert {(one["step_error_probability"], one["predicted_first_error"]) for one in scored} == {(None, None)}
    again, _ = run(scored, critic=uncalibrated())
    path.write_text(written[: len(written) // 2])
    resumed, _ = run(LABELLED, "--save-scores", str(path), "--resume", critic=uncalibrated())
    assert path.read_text() == written
    assert (
        {**first, "tokens_per_second": 0} == {**again, "tokens_per_second": 0} == {**resumed, "tokens_per_second": 0}
    )


def test_scores_from_before_the_calibration_are_not_mixed_with_those_after_it(run, tmp_path):
    path = tmp_path / "scored.jsonl"
    run(LABELLED, "--save-scores", str(path), critic=uncalibrated())
    with pytest.raises(ValueError, match="the scored file lacks error probabilities"):
        run(LABELLED, "--save-scores", str(path), "--resume")
    path.unlink()
    run(LABELLED, "--save-scores", str(path))
    with pytest.raises(ValueError, match="the scored file has error probabilities"):
        run(LABELLED, "--save-scores", str(path), "--resume", critic=uncalibrated())


def test_scores_with_colours_of_another_scale_are_not_gone_on_with(run, tmp_path):
    path = tmp_path / "scored.jsonl"
    run(LABELLED, "--save-scores", str(path))
    lines = [json.loads(line) | {"heat_scale": 3.0} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(ValueError, match=r"colours up to 3\.0, the critic now up to 5\.14"):
        run(LABELLED, "--save-scores", str(path), "--resume")
