"""Records as the public benchmarks write them (made up here; their data is not used) become traces of our schema."""

import json

import pytest

from irl_core.evaluation.trace_files import LabelledTrace, parse_line, read_traces
from irl_core.text.json_lines import BadLine


def read(record):
    return list(parse_line(3, json.dumps(record)))


def the_trace(record) -> LabelledTrace:
    (found,) = read(record)
    assert isinstance(found, LabelledTrace), found
    return found


PROCESS_BENCH = {
    "id": "made-up-0",
    "generator": "some-model",
    "problem": "Tom has 3 boxes of 4 pens. How many pens?",
    "steps": ["There are 3 boxes.", "3 * 4 = 13.", "So 13 pens."],
    "final_answer_correct": False,
    "label": 1,
}


def test_process_bench_labels_are_counted_as_ours():
    found = the_trace(PROCESS_BENCH)
    assert found.question == PROCESS_BENCH["problem"]
    assert found.trace.step_texts() == PROCESS_BENCH["steps"]
    assert (found.first_error_step, found.final_correct, found.generator) == (1, False, "some-model")
    assert the_trace(PROCESS_BENCH | {"label": -1}).first_error_step == -1


def mr_gsm8k(**changes):
    return {
        "uuid": "u1",
        "question": "How many pens?",
        "ground_truth_solution": "3 * 4 = 12",
        "ground_truth_answer": 12,
        "model_output_steps": ["3 + 4 = 7", "So 7."],
        "model_output_answer_correctness": "wrong",
        "model_output_solution_correctness": "wrong",
        "model_output_solution_first_error_step": 1,
        "question_type": "original",
    } | changes


def test_mr_gsm8k_counts_its_first_error_from_one():
    found = the_trace(mr_gsm8k())
    assert (found.first_error_step, found.final_correct, found.gold_answer) == (0, False, "12")
    assert the_trace(mr_gsm8k(model_output_solution_first_error_step="2")).first_error_step == 1


def test_mr_gsm8k_says_not_applicable_where_there_is_no_error():
    right = {"model_output_solution_first_error_step": "N/A", "model_output_solution_correctness": "correct"}
    assert the_trace(mr_gsm8k(**right)).first_error_step == -1
    assert the_trace(mr_gsm8k(model_output_solution_first_error_step="N/A")).first_error_step is None


@pytest.mark.parametrize("said", [2, "2", "Step 2", "step 2:", "2.", 2.0])
def test_mr_gsm8k_may_spell_the_number_of_its_first_wrong_step(said):
    assert the_trace(mr_gsm8k(model_output_solution_first_error_step=said)).first_error_step == 1


@pytest.mark.parametrize("said", [0, "0", -1, 1.5, "Step 0", "second", True, [1]])
def test_mr_gsm8k_counts_no_step_below_one_and_the_reason_says_so(said):
    (bad,) = read(mr_gsm8k(model_output_solution_first_error_step=said))
    assert bad == BadLine(3, f"MR-GSM8K: the first wrong step is {said!r}, but steps are counted from 1")


def test_mr_gsm8k_that_calls_a_solution_right_and_a_step_of_it_wrong_is_passed_over():
    (bad,) = read(mr_gsm8k(model_output_solution_correctness="correct"))
    assert bad == BadLine(3, "MR-GSM8K: the solution is called right, but step 1 its first wrong one")


def test_trl_labels_each_completion_of_a_prompt():
    record = {"prompt": "How many?", "completions": ["3 + 4 = 7 \n", "so 8"], "labels": [True, False]}
    found = the_trace(record)
    assert (found.question, found.trace.step_texts(), found.first_error_step) == (
        "How many?",
        ["3 + 4 = 7", "so 8"],
        1,
    )
    assert the_trace(record | {"labels": [1, 1]}).first_error_step == -1
    assert the_trace(record | {"prompt": [{"role": "user", "content": "Why?"}]}).question == "Why?"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels": [True]}, "has 2 completions but 1 labels"),
        ({"labels": [True, "no"]}, "a label must be true or false, not 'no'"),
        ({"labels": [True, None]}, "a label must be true or false, not None"),
        ({"labels": "++"}, "'completions' and 'labels' must be lists"),
        ({"prompt": [3]}, "'prompt' must be a text or a list of messages with a text as 'content'"),
        ({"completions": [1, 2]}, "'steps' must be a list of texts"),
    ],
)
def test_a_broken_record_of_trl_is_passed_over_with_the_reason(changes, reason):
    (bad,) = read({"prompt": "How many?", "completions": ["a", "b"], "labels": [True, False]} | changes)
    assert bad == BadLine(3, reason)


def math_shepherd(marks: str, question: str = "How many? "):
    first, second = marks
    steps = "{}Step 1: 3 + 4 = 7 {}\nStep 2: The answer is: 8 {}"
    return {
        "input": steps.format(question, "ки", "ки"),
        "label": steps.format(question, first, second),
        "task": "GSM8K",
    }


def test_math_shepherd_marks_the_end_of_each_step():
    found = the_trace(math_shepherd("+-"))
    assert found.question == "How many?"
    assert found.trace.step_texts() == ["Step 1: 3 + 4 = 7", "Step 2: The answer is: 8"]
    assert found.first_error_step == 1
    assert [the_trace(math_shepherd(marks)).first_error_step for marks in ("++", "-+", "--")] == [-1, 0, 0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"label": "How many? Step 1: 3 + 4 = 7 +\nStep 2: The answer is: 8"},
            "'label' does not say + or - where step 2",
        ),
        ({"label": "Another text +"}, "'label' does not say + or - where step 1"),
        ({"input": "no steps"}, "'input' must hold a question and steps"),
        ({"input": "First this ки"}, "'input' must hold a question and steps"),
        ({"input": "How? Step 1: 3 ки and on"}, "'input' goes on behind its last"),
    ],
)
def test_a_broken_record_of_math_shepherd_is_passed_over_with_the_reason(changes, reason):
    (bad,) = read(math_shepherd("+-") | changes)
    assert isinstance(bad, BadLine)
    assert bad.reason.startswith(reason)


def test_mr_math_wraps_each_step_in_a_list():
    assert the_trace(mr_gsm8k(model_output_steps=[["1. a"], ["2. b"]])).trace.step_texts() == ["1. a", "2. b"]


def prm800k(finish="found_error", **question):
    def step(*ratings, chosen=0):
        completions = [{"text": f"text {r} {i}", "rating": r, "flagged": None} for i, r in enumerate(ratings)]
        return {"completions": completions, "human_completion": None, "chosen_completion": chosen}

    return {
        "labeler": "x",
        "question": {"problem": "How many?", "ground_truth_answer": "12"} | question,
        "label": {"steps": [step(0), step(1), step(-1, 0, chosen=None)], "finish_reason": finish},
    }


def test_prm800k_is_wrong_from_the_first_step_rated_minus_one():
    found = the_trace(prm800k(pre_generated_steps=["a", "b", "c", "d"], pre_generated_answer="7"))
    assert found.trace.step_texts() == ["a", "b", "c", "d"]
    assert (found.first_error_step, found.final_correct, found.gold_answer) == (2, False, "12")


def test_prm800k_without_a_written_solution_is_put_together_from_what_was_chosen():
    record = prm800k("solution")
    record["label"]["steps"][2] = {"completions": [], "human_completion": {"text": "mine"}, "chosen_completion": None}
    found = the_trace(record)
    assert found.trace.step_texts() == ["text 0 0", "text 1 0", "mine"]
    assert (found.first_error_step, found.final_correct) == (-1, True)


def test_prm800k_that_found_an_error_and_marks_none_is_passed_over_with_the_reason():
    record = prm800k()
    del record["label"]["steps"][2]
    (bad,) = read(record)
    assert bad == BadLine(3, "PRM800K: the labelling ended with 'found_error', but no step that was taken is rated -1")


def test_prm800k_is_wrong_at_its_last_step_where_only_another_completion_there_is_rated_minus_one():
    record = prm800k(pre_generated_steps=["a", "b", "c", "d"])
    record["label"]["steps"][2]["completions"].reverse()
    assert the_trace(record).first_error_step == 2


def test_what_a_person_wrote_into_prm800k_stands_for_what_the_model_wrote():
    record = prm800k("solution")
    record["label"]["steps"][2]["human_completion"] = "mine"
    found = the_trace(record)
    assert (found.trace.step_texts()[2], found.first_error_step) == ("mine", -1)


@pytest.mark.parametrize("finish", ["give_up", "bad_problem", None])
def test_prm800k_that_was_not_labelled_to_its_end_is_passed_over_with_the_reason(finish):
    (bad,) = read(prm800k(finish))
    assert bad == BadLine(3, f"PRM800K: the labelling ended with {finish!r}, which says nothing of the steps")


def test_reward_bench_pairs_become_candidates_of_one_problem():
    record = {"id": 5, "prompt": "How many?", "chosen": "12", "chosen_model": "a", "rejected": ["13", "14"]}
    found = read(record)
    assert [(t.trace.text, t.final_correct, t.generator) for t in found] == [
        ("12", True, "a"), ("13", False, None), ("14", False, None),
    ]  # fmt: skip
    assert {t.question for t in found} == {"How many?"}


ROSCOE = {
    "premise": "Tom has 3 boxes of 4 pens. How many pens?",
    "hypothesis": "IGNORE THIS. Ground truth here for reference. 3 * 4 = 12",
    "gpt-3": "He has 3 * 4 = 12 pens.\nThe answer is 12.",
}


@pytest.mark.parametrize(("said", "correct"), [("yes", True), ("no", False), ("?", None)])
def test_roscoe_tells_of_gsm8k_whether_the_final_answer_is_right_and_no_step(said, correct):
    found = the_trace({**ROSCOE, "answer": said})
    assert (found.question, found.trace.text) == (ROSCOE["premise"], ROSCOE["gpt-3"])
    assert (found.final_correct, found.first_error_step) == (correct, None)


def test_roscoe_on_a_claim_is_passed_over_with_the_reason():
    (bad,) = read({**ROSCOE, "hypothesis": "Tom has twelve pens.", "answer": "yes"})
    assert bad == BadLine(3, "ROSCOE: it is of a claim and no solution of a problem; only the part of GSM8K is read")


@pytest.mark.parametrize(
    "record",
    [
        {"problem": 3, "steps": None, "label": "x"},
        {"model_output_steps": [[], 3]},
        {"question": {}, "label": {"finish_reason": "solution", "steps": [3]}},
        {"question": {}, "label": {"finish_reason": "solution", "steps": [{"completions": [3]}]}},
        {"question": {}, "label": {"finish_reason": "solution"}},
        {"prompt": 1, "chosen": 2, "rejected": []},
        {"premise": 1, "hypothesis": None, "gpt-3": 3},
        {"premise": 1, "hypothesis": ROSCOE["hypothesis"], "gpt-3": 3},
        {"model_output_steps": 7, "question": "Q"},
        {"question": {"problem": "Q"}, "label": {"finish_reason": "solution", "steps": [{"human_completion": {}}]}},
    ],
)
def test_a_broken_record_of_any_format_is_a_reason_and_no_crash(record):
    found = read(record)
    assert found
    assert all(isinstance(one, BadLine) and one.reason for one in found)


def test_a_file_that_is_one_array_is_read_by_its_entries(tmp_path):
    path = tmp_path / "bench.json"
    path.write_text(json.dumps([PROCESS_BENCH, {"problem": "?"}, PROCESS_BENCH], indent=2), encoding="utf-8-sig")
    first, bad, last = read_traces(path)
    assert (first.line, bad.line, last.line) == (1, 2, 3)
    assert isinstance(bad, BadLine)


def test_an_array_that_is_cut_off_is_one_bad_line(tmp_path):
    (tmp_path / "bench.json").write_text('[{"problem": 1},')
    (bad,) = read_traces(tmp_path / "bench.json")
    assert "not JSON" in bad.reason
