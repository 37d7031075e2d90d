"""The benchmarks compare like with like, and their figures are what they say."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks import performance, samplers, scorers
from benchmarks.timing import growth_exponent, race, ratio, speeds, started
from tests.support.nano import nano_llama, nano_tokenizer

ROWS = [([3, 4, 5], [6, 7, 8, 9]), ([3, 4, 5], [9, 9]), ([3, 4, 5], list(range(10, 50)))]


@pytest.mark.parametrize(
    "scorer",
    [
        lambda model: scorers.plain_loop(model),
        lambda model: scorers.plain_loop(model, 64),
        lambda model: scorers.padded_batch(model),
        lambda model: scorers.padded_batch(model, "eager"),
    ],
    ids=["loop", "padded loop", "batch", "eager batch"],
)
def test_every_scorer_finds_the_same_log_probabilities(scorer):
    model = nano_llama()
    exact = scorers.ours(model)(ROWS)
    assert [len(found) for found in exact] == [4, 2, 40]
    assert scorers.differences(scorer(model), exact, ROWS)["token_max"] < 1e-4


def test_the_raw_pass_reads_as_many_tokens_as_there_are_unique_ones():
    model, counted = nano_llama(), []
    hook = model.model.register_forward_pre_hook(lambda module, inputs: counted.append(inputs[0].numel()))
    scorers.raw_forward(model)(ROWS)
    hook.remove()
    assert scorers.unique_tokens(ROWS) == 3 + 4 + 2 + 40
    assert counted == [51]  # three rows of equal length


@pytest.mark.parametrize("kind", ["generate", "generate_batch"])
def test_every_sampler_draws_each_trace_to_its_full_length(kind):
    assert getattr(samplers, kind)(nano_llama(), nano_tokenizer())(3, 5, 0) == 15


def test_contestants_take_turns_and_the_first_round_does_not_count():
    order = []
    found = race({"a": lambda k: order.append(("a", k)) or 6, "b": lambda k: order.append(("b", k)) or 3}, 2, "test")
    assert order == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert found["a"]["tokens"] == [6, 6]
    assert len(found["b"]["seconds"]) == 2


def test_a_contestant_that_fails_loses_its_own_row_alone():
    def breaks_down(number):
        if number == 1:
            raise RuntimeError("out of memory\nat great length")
        return 5

    found = race({"fine": lambda k: 5, "weak": breaks_down, "ours (default)": lambda k: 5}, 2, "test")
    assert found["weak"] == {"failed": "failed: out of memory"}
    assert found["fine"]["tokens"] == found["ours (default)"]["tokens"] == [5, 5]
    with pytest.raises(RuntimeError):
        race({"ours (default)": breaks_down}, 2, "test")


def test_what_does_not_start_is_told_and_the_others_race():
    def missing():
        raise ImportError("No module named 'torchao'")

    made, failed = started({"there": lambda: 3, "not there": missing})
    assert made == {"there": 3}
    assert failed == {"not there": {"failed": "did not start: No module named 'torchao'"}}
    with pytest.raises(ImportError):
        started({"ours (default)": missing})


def test_vllm_that_ends_is_told_by_its_first_error(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'worker: ValueError: no room'\necho 'RuntimeError: see above'\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(RuntimeError, match=r"^ValueError: no room$"), samplers.vllm(python, tmp_path, [1]):
        pass


def test_ratios_are_quotients_within_a_round():
    assert speeds({"tokens": [10, 20], "seconds": [2.0, 5.0]}) == [5.0, 4.0]
    assert ratio([6.0, 8.0, 10.0], [3.0, 2.0, 10.0]) == {"median": 2.0, "low": 1.0, "high": 4.0}


def test_growth_in_proportion_has_exponent_one_and_by_the_square_two():
    assert growth_exponent([1, 2, 4], [3.0, 6.0, 12.0]) == 1.0
    assert growth_exponent([1, 2, 4], [3.0, 12.0, 48.0]) == 2.0


def test_the_page_is_filled_in_between_its_marks(tmp_path):
    timed = {"seconds": [1.0, 2.0], "tokens": [10, 10]}
    slower = {"seconds": [4.0, 4.0], "tokens": [10, 10]}
    machine = {"cores": 2, "processor": "a processor", "torch": "2"}
    part = {
        "machine": machine,
        "rounds": 2,
        "engines": {"ours (default)": timed, "other": slower, "absent": {"failed": "did not start: no room"}},
    }
    series = {"drawn by traces": {"tokens": [8, 16], "seconds": [1.0, 2.0], "exponent": 1.0}}
    figures = tmp_path / "performance.json"
    figures.write_text(json.dumps({"sampling": part, "scaling": {"machine": machine, "rounds": 2, "series": series}}))
    page = tmp_path / "performance.md"
    page.write_text(
        "Before\n<!-- figures: sampling -->\nold\n<!-- end -->\nAfter <!-- figures: app -->\n<!-- end -->\n"
    )
    performance.write(figures)
    text = page.read_text()
    assert "| ours (default) | 8 |" in text  # the median of 10 and 5 tokens per second, rounded
    assert "| other | 2 | 3.00 (2.00 to 4.00) |" in text
    assert "| absent | did not start: no room |  |" in text
    assert "old" not in text
    assert text.startswith("Before\n")
    assert "Not measured yet" in text
    assert "drawn by traces, 1.00" in (tmp_path / "performance.svg").read_text()
    assert performance.headline(json.loads(figures.read_text()))["sampling: × other"] == 3.0


def test_the_page_speaks_of_a_gpu_where_one_was_measured(tmp_path):
    figures, page = tmp_path / "performance.json", tmp_path / "performance.md"
    figures.write_text("{}")
    page.write_text("Before\n<!-- figures: gpu -->\n<!-- end -->\n")
    performance.write(figures)
    assert page.read_text() == "Before\n<!-- figures: gpu -->\n<!-- end -->\n"
    engines = {
        "ours (default)": {"seconds": [1.0, 2.0], "tokens": [10, 10]},
        "generate": {"seconds": [2.0, 4.0], "tokens": [10, 10]},
        "absent": {"failed": "failed: no room"},
    }
    memory = dict.fromkeys(engines, 1.5)
    found = {
        "pair": "standard",
        "machine": {"gpu": "a GPU", "torch": "2", "transformers": "5"},
        "rounds": 2,
        "tokens": 8,
        "drawing": {"64": {"engines": engines, "peak_gb": memory}},
    }
    (tmp_path / "cuda.json").write_text(json.dumps(found))
    performance.write(figures)
    assert "## On a GPU\n\nOne a GPU, the standard pair" in page.read_text()
    assert "| 64 | ours (default) | 8 (5 to 10) |  | 1.50 |" in page.read_text()
    assert "| 64 | generate | 4 (2 to 5) | 2.00 | 1.50 |" in page.read_text()
    assert "| 64 | absent | failed: no room |  |  |" in page.read_text()


def test_no_gradient_is_kept_by_a_scorer():
    assert not scorers.ours(nano_llama())(ROWS)[0].requires_grad
    assert torch.is_grad_enabled()
