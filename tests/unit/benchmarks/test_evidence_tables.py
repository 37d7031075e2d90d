"""Documents carry the figures of one JSON, and nothing between their marks outlives a change of it."""

import json

import pytest

from benchmarks.evidence import difference, entry, main, sampled
from benchmarks.evidence_tables import TABLES, filled, table


def figure(value: float, n: int = 10) -> dict:
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "n": n}


EVALUATION = {
    "critic": {"name": "v0", "path": "/home/me/critic", "sha256": "ab"},
    "n_traces": 10,
    "tokens_per_second": 99.0,
    "trace": {"auroc": figure(0.8), "reliability": [{"low": 0.0}]},
    "localisation": {"f1": figure(0.5), "top1_chance": 0.125, "mcc": None},
    "selection": None,
    "generators": {"a": {"localisation": {"f1": figure(0.9)}}},
}
STYLE = {"critic": {"name": "v0"}, "ratio": figure(0.14), "model_alone": {"ratio": figure(0.4)}, "edits": {}}
DOCUMENT = """F1 is <!-- figure mr/v0 localisation.f1 -->?<!-- end -->.

<!-- table d4 mr -->
stale rows
<!-- end -->
End.
"""


@pytest.fixture
def run(tmp_path):
    def write(*more):
        for name, content in (("e.json", EVALUATION), ("s.json", STYLE)):
            (tmp_path / name).write_text(json.dumps(content))
        document = tmp_path / "d.md"
        if not document.exists():
            document.write_text(DOCUMENT)
        main(["--figures", str(tmp_path / "f.json"), "--document", str(document), *more])
        return json.loads((tmp_path / "f.json").read_text()), document.read_text()

    return write


def test_a_report_is_kept_as_its_figures_by_name():
    kept = entry(EVALUATION)
    assert (kept["kind"], kept["model"]) == ("evaluation", {"name": "v0", "sha256": "ab"})
    assert kept["figures"] == {
        "n_traces": 10,
        "trace.auroc": figure(0.8),
        "localisation.f1": figure(0.5),
        "localisation.top1_chance": 0.125,
    }
    with pytest.raises(ValueError, match="this is none"):
        entry({"x": 1})


def test_figures_and_tables_are_filled_in_and_filled_in_again(run, tmp_path):
    figures, document = run("--report", f"mr/v0={tmp_path / 'e.json'}", "--report", f"style/v0={tmp_path / 's.json'}")
    assert set(figures) == {"mr/v0", "style/v0"}
    assert "F1 is <!-- figure mr/v0 localisation.f1 -->0.500 [0.400, 0.600], n 10<!-- end -->." in document
    assert "| mr | v0 | 0.500 [0.400, 0.600], n 10 | 0.125 | 0.800 [0.700, 0.900], n 10 |" in document
    assert "stale rows" not in document
    assert document.endswith("<!-- end -->\nEnd.\n")
    assert run() == (figures, document)


def test_a_figure_that_is_not_measured_is_an_error_and_an_empty_table_says_so(run, capsys):
    with pytest.raises(SystemExit):
        run()
    assert "the figure 'mr/v0 localisation.f1' is not measured" in capsys.readouterr().err
    assert table("d1", {}) == ["*Not measured yet.*"]
    with pytest.raises(ValueError, match="no table 'd9'"):
        filled("<!-- table d9 -->\n<!-- end -->", {})


def test_every_column_of_a_table_stands_where_its_head_is():
    lines = table("d3", {"style/v0": entry(STYLE)})
    assert lines[0] == "| data | model | style ÷ slipped result | style ÷ slip, model alone |"
    assert lines[2] == "| style | v0 | 0.140 [0.040, 0.240], n 10 | 0.400 [0.300, 0.500], n 10 |"
    assert set(TABLES) == {"d1", "d2", "d3", "d4", "calibration", "reliability"}


def test_a_table_may_be_held_to_the_data_that_it_names():
    figures = {"mr/v0": entry(EVALUATION), "other/v0": entry(EVALUATION)}
    assert len(table("d4 mr", figures)) == 3
    assert len(table("d4", figures)) == 4
    assert table("d4 third", figures) == ["*Not measured yet.*"]


@pytest.fixture
def traces(tmp_path):
    def write(name, rights):
        lines = [
            {"question": f"{i}?", "solution": "x", "final_correct": ok} for i, oks in enumerate(rights) for ok in oks
        ]
        (tmp_path / name).write_text("\n".join(map(json.dumps, lines)))
        return tmp_path / name

    return write


def test_sampled_traces_give_unbiased_pass_at_k_as_far_as_every_problem_has_so_many(traces):
    found = sampled(traces("drawn", [[True, False, False], [False, False]]))["figures"]
    assert list(found) == ["pass@1", "pass@2"]
    assert found["pass@1"]["value"] == pytest.approx((1 / 3 + 0) / 2)
    assert found["pass@2"]["value"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["pass@1"]["n"] == 2
    with pytest.raises(ValueError, match="no problem with checked answers"):
        sampled(traces("none", []))


def test_a_difference_is_paired_by_problem(traces):
    new = traces("new", [[True, True], [True, False], [False, False]])
    old = traces("old", [[True, False], [False, False]])
    found = difference(new, old)["figures"]["pass@1"]
    assert found == {"value": 0.5, "low": 0.5, "high": 0.5, "n": 2}
    assert difference(new, old)["figures"]["pass@2"]["value"] == 0.5
    with pytest.raises(ValueError, match="no problem with checked answers in common"):
        difference(new, traces("empty", []))
