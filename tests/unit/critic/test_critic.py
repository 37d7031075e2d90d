import json

import pytest
import torch

from irl_core.critic.names import locate_critic
from irl_core.critic.rewards import vouched_for
from irl_core.critic.token_statistics import EncodedTrace, number_mask, scoring_batches
from irl_core.critic.weights import CriticError, load_critic_model
from irl_core.diagnosis.suspect_step import diagnose
from irl_core.loading import load_critic
from irl_core.models.backbones import resolve_backbone, stored_dtype
from irl_core.models.prompts import DoesNotFit, prompt_ids
from irl_core.text.equations import check_equations
from irl_core.text.traces import Trace
from tests.support.nano import nano_llama, nano_tokenizer

QUESTION = "Tom has 3 boxes of 4 pens. How many pens is that?"


def plain_logprobs(model, tokenizer, text):
    prompt = prompt_ids(tokenizer, QUESTION)
    ids = prompt + tokenizer(text, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        distribution = torch.log_softmax(model(torch.tensor([ids])).logits[0], -1)
    rows = range(len(prompt) - 1, len(ids) - 1)
    return torch.stack([distribution[i, ids[i + 1]] for i in rows])


def test_log_prob_rewards_are_the_weighted_log_probability_above_its_baseline(make_critic):
    critic = make_critic(adapter=None, number_weight=2.0, word_weight=0.5, number_baseline=0.3, word_baseline=0.1)
    text = "3 * 4 = 12"
    logprobs = plain_logprobs(nano_llama(), nano_tokenizer(), text)
    weight = torch.tensor([2.0 if c.isdigit() else 0.5 for c in text])
    baseline = torch.tensor([0.3 if c.isdigit() else 0.1 for c in text])
    score = critic.score(QUESTION, [Trace.from_text(text)])[0]
    torch.testing.assert_close(torch.tensor(score.rewards), weight * (logprobs + baseline), atol=2e-4, rtol=2e-4)
    assert score.trace_score == pytest.approx(sum(score.rewards) / weight.sum().item(), rel=1e-4)
    assert score.surprise[0] == pytest.approx(-logprobs.sum().item(), rel=1e-4)


def test_a_false_equation_lowers_the_trace_score_by_the_penalty_of_the_card(make_critic):
    mild, strict = make_critic(false_equation_penalty=0.0), make_critic(false_equation_penalty=2.0)
    right, wrong = Trace.from_text("3 * 4 = 12\n#### 12"), Trace.from_text("3 * 4 = 13\n#### 13")
    drop = [
        mild.score(QUESTION, [t])[0].trace_score - strict.score(QUESTION, [t])[0].trace_score for t in (right, wrong)
    ]
    assert drop == pytest.approx([0.0, 2.0], abs=1e-5)


def test_tokens_behind_the_equals_sign_of_a_true_equation_are_vouched_for():
    text = "33 - 19 = 23 - 9 = 14 left, 2 + 2 = 5"
    offsets = tuple((i, i + 1) for i in range(len(text)))
    vouched = vouched_for(check_equations(text), offsets)
    assert "".join(c for c, v in zip(text, vouched, strict=True) if v) == " 23 - 9 = 14"


def test_tokens_behind_a_true_equation_in_words_are_vouched_for():
    text = "3 times 4 is 12 pens, 3 × 5 equals 15"
    offsets = tuple((i, i + 1) for i in range(len(text)))
    vouched = vouched_for(check_equations(text), offsets)
    assert "".join(c for c, v in zip(text, vouched, strict=True) if v) == " 12 15"


def test_what_exact_arithmetic_vouches_for_is_never_punished(make_critic):
    plain, trusting = make_critic(), make_critic(trust_true_equations=True)
    trace = Trace.from_text("3 * 4 = 12 pens\n3 * 4 = 13")
    was, now = plain.score(QUESTION, [trace])[0], trusting.score(QUESTION, [trace])[0]
    result = slice(len("3 * 4 ="), len("3 * 4 = 12"))
    assert min(was.rewards[result]) < 0
    assert now.rewards[result] == tuple(max(0.0, r) for r in was.rewards[result])
    assert now.rewards[: result.start] + now.rewards[result.stop :] == (
        was.rewards[: result.start] + was.rewards[result.stop :]
    )


def test_values_are_the_running_sum_of_rewards_and_steps_add_up_to_the_last_value(make_critic):
    score = make_critic().score(QUESTION, [Trace.from_text("3 * 4 = 12\nSo 12 pens.\n#### 12")])[0]
    assert score.values[-1] == pytest.approx(sum(score.rewards), rel=1e-4)
    assert sum(score.step_rewards) == pytest.approx(score.values[-1], rel=1e-4)
    assert len(score.step_rewards) == 3


def test_traces_that_share_a_prompt_score_as_they_do_alone_under_another_batching(make_critic):
    critic = make_critic()
    traces = [Trace.from_text(t) for t in ("3 * 4 = 12\n#### 12", "3 + 4 = 7")]
    other = ("What is 1 + 1?", Trace.from_text("1 + 1 = 2"))
    mixed = critic.score_many([(QUESTION, traces[0]), other])
    shared = critic.score_many([(QUESTION, traces[0]), (QUESTION, traces[1])])
    assert mixed[0].rewards == pytest.approx(shared[0].rewards, abs=1e-3)


def test_a_score_does_not_depend_on_what_it_is_batched_with(make_critic):
    critic = make_critic()
    traces = [
        Trace.from_text(t) for t in ("3 * 4 = 12", "Three boxes of four pens make 3 * 4 = 12 pens.\n#### 12", "12")
    ]
    together = critic.score(QUESTION, traces)
    alone = [critic.score(QUESTION, [t])[0] for t in traces]
    for a, b in zip(together, alone, strict=True):
        assert a.rewards == pytest.approx(b.rewards, abs=1e-3)


def test_the_adapter_changes_the_scores_and_is_part_of_the_checksum(make_critic):
    plain, adapted = make_critic(adapter=None), make_critic()
    trace = Trace.from_text("3 * 4 = 12")
    assert plain.sha256 != adapted.sha256
    assert plain.score(QUESTION, [trace])[0].rewards != adapted.score(QUESTION, [trace])[0].rewards


def test_a_log_ratio_critic_without_adapter_rewards_nothing(make_critic):
    score = make_critic(form="log_ratio", adapter=None).score(QUESTION, [Trace.from_text("3 * 4 = 12")])[0]
    assert score.rewards == pytest.approx([0.0] * len(score.rewards), abs=1e-5)


def test_head_rewards_are_differences_of_values_that_start_at_the_prompt(make_critic):
    score = make_critic(form="head", adapter=None).score(QUESTION, [Trace.from_text("3 * 4")])[0]
    assert score.surprise == ()
    assert score.values == pytest.approx([sum(score.rewards[: i + 1]) for i in range(5)], abs=1e-5)


def test_calculator_marks_are_not_scored_and_their_characters_belong_to_the_token_before(make_critic):
    critic = make_critic()
    marked = critic.score(QUESTION, [Trace.from_steps(["3*4 = <<3*4=12>>12"])])[0]
    plain = critic.score(QUESTION, [Trace.from_steps(["3*4 = 12"])])[0]
    assert marked.rewards == pytest.approx(plain.rewards, abs=1e-4)
    assert marked.offsets[-1] == (17, 18)
    assert marked.offsets[-3] == (5, 16)


def test_an_empty_trace_is_refused_with_a_plain_message(make_critic):
    with pytest.raises(ValueError, match="no text to score"):
        make_critic().score(QUESTION, [Trace.from_text("")])


def test_a_problem_longer_than_the_critic_reads_is_refused_with_its_length_and_the_limit(make_critic):
    critic, trace = make_critic(adapter=None), Trace.from_text("3 * 4 = 12")
    around = len(prompt_ids(critic.tokenizer, ""))  # a token for each byte of a question, and the template
    critic.score("x" * (1536 - around), [trace])
    for score in (critic.score, lambda question, traces: critic.problem_scorer(question).score(traces)):
        with pytest.raises(DoesNotFit, match=r"the problem takes 1,537 tokens; the critic reads at most 1,536"):
            score("x" * (1537 - around), [trace])


def test_a_folder_without_a_card_is_refused_with_what_to_give_instead(tmp_path):
    with pytest.raises(CriticError, match="'surprise', 'log-ratio'"):
        load_critic(tmp_path)


def test_a_critic_without_a_calibration_judges_no_step_and_still_checks_arithmetic(make_critic):
    path = make_critic(adapter=None).path
    (path / "calibration.json").unlink()
    critic = load_critic(path)
    assert critic.calibration is None
    found = diagnose(QUESTION, Trace.from_text("3 * 4 = 13\n#### 13"), critic)
    assert (found.first_suspect, found.calibrated_on) == (None, "")
    assert [(s.error_probability, s.verdict) for s in found.steps] == [(None, "not judged")] * 2
    assert found.steps[0].reason == "check: expected 12, the step says 13"


def test_batches_hold_every_trace_once_and_count_a_shared_prompt_once():
    def encoded(prompt, length):
        return EncodedTrace([prompt] * 10, [0] * length, (), torch.tensor([]), None)

    traces = [encoded(1, 5), encoded(2, 200), encoded(1, 45), encoded(1, 40), encoded(3, 20)]
    # 10 + 5 + 45 + 40 = 100; the long one alone; 10 + 20.
    assert list(scoring_batches(traces, budget=100)) == [[0, 2, 3], [1], [4]]
    assert list(scoring_batches(traces, budget=99)) == [[0, 2], [3], [1], [4]]


def test_number_tokens_are_those_with_a_digit():
    assert number_mask("a 12", [(0, 1), (1, 2), (2, 3), (3, 4)]).tolist() == [False, False, True, True]


def test_weights_stored_in_bfloat16_are_merged_as_in_float32_and_rounded_once(make_critic, tmp_path):
    critic = make_critic()
    nano_llama().bfloat16().save_pretrained(tmp_path / "halved")
    halved = resolve_backbone(str(tmp_path / "halved"))
    assert stored_dtype(halved) == torch.bfloat16
    lean = load_critic_model(critic.card, halved, critic.path, torch.bfloat16).state_dict()
    exact = load_critic_model(critic.card, halved, critic.path, torch.float32).state_dict()
    plain = nano_llama().bfloat16().state_dict()
    assert any(not torch.equal(plain[name], lean[name]) for name in plain), "the adapter does something"
    assert all(torch.equal(lean[name], weight.bfloat16()) for name, weight in exact.items())


def test_the_merged_critic_scores_as_the_adapter_does_in_peft(make_critic):
    from peft import PeftModel

    critic = make_critic(number_weight=1.0, word_weight=1.0)
    adapted = PeftModel.from_pretrained(nano_llama(), critic.path).eval()
    logprobs = plain_logprobs(adapted, nano_tokenizer(), "3 * 4 = 12")
    score = critic.score(QUESTION, [Trace.from_text("3 * 4 = 12")])[0]
    assert score.surprise[0] == pytest.approx(-logprobs.sum().item(), abs=1e-4)


def test_a_critic_that_openvino_does_not_read_is_read_by_pytorch_and_the_log_says_so(make_critic, monkeypatch, caplog):
    expected = make_critic()

    def unknown(*_):
        raise ImportError("cannot import name 'paged_attention_transformation'")

    monkeypatch.setattr("irl_core.critic.model.can_use_openvino", lambda *_: True)
    monkeypatch.setattr("irl_core.critic.model.OpenVINOModel.__init__", unknown)
    monkeypatch.setattr("irl_core.critic.model.native_dtype", lambda: torch.float32)
    found = load_critic(expected.path)
    trace = Trace.from_text("3 * 4 = 12")
    assert found.score("How many?", [trace])[0].rewards == expected.score("How many?", [trace])[0].rewards
    assert "PyTorch does" in caplog.text


@pytest.mark.parametrize("name", ["surprise", "log-ratio"])
def test_an_untrained_critic_does_not_inherit_the_calibration_of_a_trained_one(name):
    assert locate_critic("standard").calibration_file.exists()
    assert not locate_critic(name).calibration_file.exists()


def test_a_calibration_of_other_features_is_refused_with_what_to_do(make_critic):
    path = make_critic(adapter=None).path
    known = json.loads((path / "calibration.json").read_text())
    renamed = ["surprise_per_token", *known["features"][1:]]
    (path / "calibration.json").write_text(json.dumps({**known, "features": renamed}))
    with pytest.raises(CriticError, match=r"fitted on the features surprise_per_token.* make it anew with .python"):
        load_critic(path)
    assert load_critic(path, calibrated=False).calibration is None, "or it could never be made anew"


def test_untrained_critics_of_one_folder_have_a_calibration_file_each():
    files = {locate_critic(name).calibration_file for name in ("surprise", "log-ratio")}
    assert {file.name for file in files} == {"surprise.calibration.json", "log-ratio.calibration.json"}
    assert locate_critic("standard").calibration_file.name == "calibration.json"


def test_a_missing_adapter_is_told_and_not_hashed(make_critic):
    path = make_critic().path
    (path / "adapter_model.safetensors").unlink()
    with pytest.raises(CriticError, match=r"the critic's adapter is missing: no adapter_model\.safetensors in"):
        load_critic(path)
