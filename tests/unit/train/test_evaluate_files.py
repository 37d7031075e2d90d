"""train.evaluate over several files, with a critic that checks sums and products, and nothing else, exactly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs

from irl_core.evaluation.markdown import to_markdown
from irl_core.evaluation.report_page import to_html
from tests.support.arithmetic import CALIBRATION, LABELLED, MISREAD, RIGHT, WRONG, ArithmeticCritic, labelled
from train.cli import parse_args
from train.evaluate import build_parser, evaluate, main

FOUND = [labelled(RIGHT, -1, True), labelled(WRONG, 1, False)]
MISSED = [labelled(RIGHT, -1, True), labelled(MISREAD, 0, False), labelled(MISREAD, 0, False)]
OTHER_PROBLEM = [{**line, "question": "3 bags of 2?"} for line in FOUND]


def sourced(*stems: str) -> ArithmeticCritic:
    return ArithmeticCritic(calibration=CALIBRATION.model_copy(update={"sources": stems}))


@pytest.fixture
def run(tmp_path):
    def evaluate_files(files: dict[str, list], *options: str, critic: ArithmeticCritic | None = None):
        paths = []
        for name, lines in files.items():
            paths.append(tmp_path / f"{name}.jsonl")
            paths[-1].parent.mkdir(exist_ok=True)
            paths[-1].write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
        out = tmp_path / "report.json"
        argv = ["--traces", *map(str, paths), "--out", str(out), "--resamples", "50", *options]
        figures = evaluate(parse_args(build_parser(), argv), critic or ArithmeticCritic())
        return json.loads(out.read_text()), figures

    return evaluate_files


def at_any_speed(report: dict) -> dict:
    return {**report, "tokens_per_second": 0}


def test_each_file_has_the_parts_that_it_has_alone(run):
    report, _ = run({"found": FOUND, "missed": MISSED})
    assert list(report["files"]) == ["found", "missed"]
    for name, lines in (("found", FOUND), ("missed", MISSED)):
        alone, _ = run({name: lines})
        assert report["files"][name] == {
            key: alone[key] for key in ("n_traces", "n_problems", "n_tokens", "trace", "localisation", "selection")
        }


def test_the_figures_at_the_top_are_over_the_traces_of_all_files(run):
    report, _ = run({"found": FOUND, "missed": MISSED})
    together, _ = run({"all": [*FOUND, *MISSED]})
    for key in ("n_traces", "n_problems", "n_tokens", "trace", "localisation", "selection", "notes"):
        assert report[key] == together[key]
    assert report["localisation"]["accuracy_error"]["value"] == pytest.approx(1 / 3)


def test_the_same_question_is_one_problem_whatever_its_file(run):
    assert run({"a": FOUND, "b": FOUND})[0]["n_problems"] == 1
    report, _ = run({"a": FOUND, "b": OTHER_PROBLEM})
    assert report["n_problems"] == 2
    assert [own["n_problems"] for own in report["files"].values()] == [1, 1]


def test_in_the_mean_over_files_a_file_counts_the_same_however_large(run):
    report, figures = run({"found": FOUND, "missed": MISSED, "unlabelled": [RIGHT]})
    assert report["file_means"]["localisation"]["accuracy_error"] == {
        "value": 0.5, "least": 0.0, "greatest": 1.0, "n_files": 2,
    }  # fmt: skip
    assert report["file_means"]["localisation"]["top1_chance"]["value"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert "threshold" not in report["file_means"]["localisation"]
    assert report["files"]["unlabelled"]["localisation"] is None
    assert figures["file_means.localisation.accuracy_error"] == 0.5
    assert figures["localisation.accuracy_error"] == pytest.approx(1 / 3)


def test_a_run_of_one_file_has_no_table_of_files(run):
    report, figures = run({"found": FOUND})
    assert report["files"] is report["file_means"] is None
    assert not any(key.startswith("file_means") for key in figures)
    assert "By file" not in to_markdown(report)


def test_a_file_of_bad_lines_has_a_column_of_nothing(run):
    report, _ = run({"found": FOUND, "broken": ["x"]})
    broken = report["files"]["broken"]
    assert broken == {
        "n_traces": 0, "n_problems": 0, "n_tokens": 0, "trace": None, "localisation": None, "selection": None,
    }  # fmt: skip
    assert "| traces | 2 | 0 |  |" in to_markdown(report)


def test_skipped_lines_name_their_file_and_so_do_those_that_the_critic_refuses(run):
    report, _ = run({"a": [FOUND[0], "bad"], "b": ["bad", {**RIGHT, "question": "unscorable"}]})
    assert [(bad["file"], bad["line"]) for bad in report["skipped"]] == [("a", 2), ("b", 1), ("b", 2)]
    assert "the critic cannot score it" in report["skipped"][2]["reason"]
    assert "<td>b</td><td>2</td>" in to_html(report)
    alone, _ = run({"a": ["bad"]})
    assert alone["skipped"][0].keys() == {"line", "reason"}


def test_scored_lines_of_several_files_name_their_file_and_of_one_do_not(run, tmp_path):
    path = tmp_path / "scored.jsonl"
    run({"a": FOUND, "b": MISSED}, "--save-scores", str(path))
    assert [json.loads(line)["file"] for line in path.read_text().splitlines()] == ["a", "a", "b", "b", "b"]
    run({"a": FOUND}, "--save-scores", str(path))
    assert all("file" not in json.loads(line) for line in path.read_text().splitlines())


def test_scores_that_were_kept_are_judged_again_without_the_critic(run, tmp_path):
    kept, critic = str(tmp_path / "scores.jsonl"), ArithmeticCritic()
    first, _ = run({"a": FOUND, "b": MISSED}, "--scores", kept, critic=critic)
    assert critic.windows == [3], "equal traces of two files are scored once"
    deaf = ArithmeticCritic(calibration=CALIBRATION.model_copy(update={"threshold": 0.95, "unsure_above": 0.95}))
    again, _ = run({"a": FOUND, "b": MISSED}, "--scores", kept, critic=deaf)
    assert deaf.windows == []
    assert again["localisation"]["threshold"] == 0.95
    assert again["localisation"]["step_auroc"] == first["localisation"]["step_auroc"]


def test_a_killed_run_goes_on_in_whichever_file_it_was(run, tmp_path):
    path, critic = tmp_path / "scored.jsonl", ArithmeticCritic()
    files = {"a": [*FOUND, "bad"] * 20, "b": [*MISSED, {**RIGHT, "question": "unscorable"}] * 20, "c": FOUND}
    whole, _ = run(files, "--save-scores", str(path))
    written = path.read_bytes()
    end_of_a = written.index(b'"file": "b"')
    for kept in (0, 500, end_of_a - 1500, end_of_a, end_of_a + 1500, len(written) - 5, len(written)):
        path.write_bytes(written[:kept])
        again, _ = run(files, "--save-scores", str(path), "--resume", critic=critic)
        assert path.read_bytes() == written
        assert at_any_speed(again) == at_any_speed(whole)


def test_scores_of_the_same_traces_in_another_file_are_not_gone_on_with(run, tmp_path):
    path = tmp_path / "scored.jsonl"
    run({"a": FOUND, "b": MISSED}, "--save-scores", str(path))
    with pytest.raises(ValueError, match="line 1 of the scored file is of another trace"):
        run({"x": FOUND, "b": MISSED}, "--save-scores", str(path), "--resume")


def test_scored_lines_of_several_files_can_be_evaluated_again_as_one(run, tmp_path):
    path = tmp_path / "scored.jsonl"
    first, _ = run({"a": FOUND, "b": MISSED}, "--save-scores", str(path))
    again, _ = run({"again": [json.loads(line) for line in path.read_text().splitlines()]})
    assert again["localisation"] == first["localisation"]


def test_files_of_one_stem_are_told_apart_and_one_file_is_not_read_twice(run, tmp_path, capsys):
    report, _ = run({"x/dev": FOUND, "y/dev": MISSED})
    assert list(report["files"]) == ["x/dev", "y/dev"]
    path = str(tmp_path / "x" / "dev.jsonl")
    with pytest.raises(SystemExit, match="2"):
        main(["--traces", path, path, "--out", "r.json"])
    assert "is given more than once" in capsys.readouterr().err


def test_an_output_overwrites_none_of_several_inputs(run, tmp_path, capsys):
    run({"a": FOUND, "b": MISSED})
    a, b = str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")
    with pytest.raises(SystemExit, match="2"):
        main(["--traces", a, b, "--out", b])
    assert "--out and --traces name the same file" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["--traces", a, "nowhere.jsonl", "--out", "r.json"])
    assert "there is no file nowhere.jsonl" in capsys.readouterr().err


def test_a_configuration_names_one_file_or_several(tmp_path):
    for written, read in (("a.jsonl", ["a.jsonl"]), ("[a.jsonl, b.jsonl]", ["a.jsonl", "b.jsonl"])):
        config = tmp_path / "settings.yaml"
        config.write_text(f"traces: {written}\nout: {Path(tmp_path, 'r.json')}\n")
        assert parse_args(build_parser(), ["--config", str(config)]).traces == read


def test_both_reports_for_people_have_a_column_for_each_file_and_escape_its_name(run):
    report, _ = run({"found": FOUND, "<b>missed": MISSED})
    table = to_markdown(report).split("## By file")[1]
    assert "| figure | found | <b>missed | mean of files |" in table
    assert "| erroneous traces: first error found | 1.000 | 0.000 | 0.500 |" in table
    page = to_html(report).replace(get_plotlyjs(), "")
    assert "<h2>By file</h2>" in page
    assert "<th>&lt;b&gt;missed</th>" in page
    assert "<b>missed" not in page
    assert "<td>erroneous traces: first error found</td><td>1.000</td><td>0.000</td><td>0.500</td>" in page


def test_a_mean_that_not_every_file_has_says_of_how_many_it_is(run):
    report, _ = run({"found": FOUND, "unlabelled": [RIGHT]})
    assert "| erroneous traces: first error found | 1.000 | – | 1.000 (1) |" in to_markdown(report)


def test_files_on_which_the_calibration_was_fitted_are_called_in_sample_everywhere(run):
    report, _ = run({"found": FOUND, "missed": MISSED}, critic=sourced("missed", "elsewhere"))
    assert report["in_sample"] == ["missed"]
    assert any(
        note.startswith("in-sample: the critic's calibration was fitted on missed;") for note in report["notes"]
    )
    for text in (to_markdown(report), to_html(report)):
        assert "calibration was fitted on missed;" in text.replace("&#x27;", "'")
        assert "missed (in-sample)" in text
        assert "found (in-sample)" not in text


def test_a_run_of_one_file_says_too_that_it_is_in_sample(run):
    report, _ = run({"dev": LABELLED}, critic=sourced("dev"))
    assert report["in_sample"] == ["dev"]
    assert "calibration was fitted on dev;" in to_markdown(report)
    for other in (sourced("deve"), sourced(), ArithmeticCritic()):
        clean, _ = run({"dev": LABELLED}, critic=other)
        assert clean["in_sample"] == []
        assert not any("in-sample" in note for note in clean["notes"])
