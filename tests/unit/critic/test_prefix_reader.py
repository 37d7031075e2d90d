"""Reading without padding, from memory, gives what the model says of each sequence alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Gemma2Config, Gemma2ForCausalLM, MistralConfig, MistralForCausalLM

from irl_core.critic.engines.cpu import CPUKVCache
from irl_core.critic.engines.gpu import GPUKVCache
from irl_core.critic.prefix_reader import PrefixReader, ReadSequence, common_length
from irl_core.critic.token_statistics import by_head, causal_statistics, logprobs_of
from irl_core.text.traces import Trace
from tests.support.nano import nano_llama, nano_qwen2

QUESTION = "Tom has 3 boxes of 4 pens. How many pens is that?"
SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
}
ids = st.lists(st.integers(3, 40), min_size=1, max_size=12)


def alone(model, ids: list[int]) -> torch.Tensor:
    model.set_attn_implementation("eager")
    return model.model(torch.tensor([ids])).last_hidden_state[0]


@pytest.fixture(scope="module", params=[CPUKVCache, GPUKVCache])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def llama():
    return nano_llama()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([(1, 5, 6), (1, 7)]), ids), min_size=1, max_size=5))
@torch.inference_mode()
def test_sequences_side_by_side_are_read_as_each_is_alone(engine, llama, rows):
    expected = [alone(llama, [*prompt, *ids])[len(prompt) :] for prompt, ids in rows]
    sequences = PrefixReader(engine(llama.model)).read([(list(prompt), ids) for prompt, ids in rows])
    for sequence, states in zip(sequences, expected, strict=True):
        torch.testing.assert_close(sequence.states, states, atol=1e-5, rtol=1e-5)


@settings(max_examples=40)
@given(st.lists(st.lists(ids, min_size=1, max_size=3), min_size=2, max_size=4))
@torch.inference_mode()
def test_what_is_remembered_changes_nothing(engine, llama, calls):
    expected = [[alone(llama, [1, 5, *ids])[2:] for ids in call] for call in calls]
    reader = PrefixReader(engine(llama.model))
    for call, states in zip(calls, expected, strict=True):
        for sequence, alone_states in zip(reader.read([([1, 5], ids) for ids in call]), states, strict=True):
            torch.testing.assert_close(sequence.states, alone_states, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_a_prompt_is_read_once_and_a_sequence_from_its_first_new_token_on(engine, llama):
    counted = []

    class Counting(engine):
        def read(self, work):
            counted.append(sum(len(new) for _, new in work))
            return super().read(work)

    reader = PrefixReader(Counting(llama.model))
    reader.read([([1, 5, 6], [7, 8]), ([1, 5, 6], [7, 9, 9])])
    reader.read([([1, 5, 6], [7, 8, 8, 8]), ([1, 5, 6], [7, 9, 9])])
    reader.read([([1, 5, 6], [7, 9, 4, 4, 4])])
    reader.read([([1, 5, 6], [7, 9])])
    reader.read([([2, 5, 6], [7, 9])])
    assert counted == [3 + 2 + 2, 2, 3, 3 + 2], "the 7 that both begin with is read once"


@torch.inference_mode()
def test_what_solutions_begin_with_is_read_and_judged_once(engine, llama):
    prompt, judged = [1, 5, 6], []
    rows = [[7, 8, 9, 4], [7, 8, 3, 3], [7, 8, 9, 4], [7, 8, 3], [7, 8, 3, 3, 2], [9]]
    grown = [[*ids, 5, 6] for ids in rows]
    reader = PrefixReader(engine(llama.model))
    hook = llama.lm_head.register_forward_pre_hook(lambda module, inputs: judged.append(len(inputs[0])))
    try:
        found = [
            [s.logprobs for s in causal_statistics(by_head(llama.lm_head), reader.read([(prompt, i) for i in r]))]
            for r in (rows, grown)
        ]
    finally:
        hook.remove()
    assert judged == [4 + 2 + 0 + 0 + 1 + 1, 2 + 2 + 0 + 2 + 2 + 2]
    for ids, logprobs in zip(rows + grown, found[0] + found[1], strict=True):
        expected = causal_statistics(by_head(llama.lm_head), PrefixReader(engine(llama.model)).read([(prompt, ids)]))[
            0
        ].logprobs
        torch.testing.assert_close(logprobs, expected, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_a_model_with_biases_is_read_as_it_reads_itself(engine):
    model = nano_qwen2()
    expected = [alone(model, [1, 5, 6, *ids])[3:] for ids in ([7, 8, 9], [10])]
    sequences = PrefixReader(engine(model.model)).read([([1, 5, 6], [7, 8, 9]), ([1, 5, 6], [10])])
    for sequence, states in zip(sequences, expected, strict=True):
        torch.testing.assert_close(sequence.states, states, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_a_sliding_window_is_kept(engine):
    torch.manual_seed(0)
    model = MistralForCausalLM(MistralConfig(sliding_window=4, initializer_range=0.3, **SIZES)).eval()
    expected = alone(model, list(range(3, 18)))
    reader = PrefixReader(engine(model.model))
    reader.read([([3, 4], list(range(5, 12)))])
    (sequence,) = reader.read([([3, 4], list(range(5, 18)))])
    torch.testing.assert_close(sequence.states, expected[2:], atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_a_long_sequence_is_read_in_pieces_as_in_one(engine, llama):
    tokens = [3 + i * i % 37 for i in range(400)]
    expected = alone(llama, tokens)
    (sequence,) = PrefixReader(engine(llama.model)).read([(tokens[:20], tokens[20:])])
    torch.testing.assert_close(sequence.states, expected[20:], atol=1e-5, rtol=1e-5)


def test_attention_that_cannot_be_read_this_way_is_refused(engine):
    model = Gemma2ForCausalLM(Gemma2Config(**SIZES)).eval()
    with pytest.raises(NotImplementedError, match="gemma2"):
        PrefixReader(engine(model.model)).read([([3], [4, 5])])


def test_a_prompt_without_tokens_is_refused(engine, llama):
    with pytest.raises(ValueError, match="predicts nothing"):
        PrefixReader(engine(llama.model)).read([([], [4, 5])])


def test_the_common_beginning_ends_at_the_first_difference():
    assert common_length([1, 2, 3], [1, 2, 4, 5]) == 2
    assert common_length([1, 2], [1, 2, 4]) == 2
    assert common_length([], [1]) == 0


def test_a_fork_leaves_its_origin_as_it_was(engine, llama):
    (sequence,) = PrefixReader(engine(llama.model)).read([([1, 5], [7, 8, 9])])
    fork = sequence.fork(1)
    assert (fork.ids, sequence.ids) == ([7], [7, 8, 9])
    assert isinstance(sequence.fork(0), ReadSequence)
    assert sequence.fork(0).ids == []


# Scores --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["log_prob", "log_ratio", "head"])
def critic(make_critic, request):
    return make_critic(form=request.param, adapter=None if request.param == "head" else ".")


@settings(max_examples=15)
@given(
    st.text("0123 +=xé\n", min_size=1, max_size=40).map("3 {}".format),
    st.lists(st.tuples(st.floats(0, 1), st.text("0123 =y🙂", max_size=6)), max_size=4),
)
def test_a_trace_that_grows_and_is_edited_scores_as_it_would_afresh(critic, text, edits):
    session = critic.problem_scorer(QUESTION)
    for where, typed in [(1.0, ""), *edits]:
        at = round(where * len(text))
        text = text[:at] + typed + text[at + len(typed) // 2 :] or "3"
        both = [Trace.from_text(text), Trace.from_text("=" + text[:at])]
        for scored, afresh in zip(session.score(both), critic.score(QUESTION, both), strict=True):
            assert scored.rewards == pytest.approx(afresh.rewards, abs=1e-4)
            assert scored.trace_score == pytest.approx(afresh.trace_score, abs=1e-4)


def test_a_session_refuses_an_empty_trace_and_goes_on(critic):
    session = critic.problem_scorer(QUESTION)
    with pytest.raises(ValueError, match="no text to score"):
        session.score([Trace.from_text("")])
    assert len(session.score([Trace.from_text("3 * 4 = 12")])) == 1


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-3)])
def test_log_probabilities_are_those_of_a_softmax_in_double_precision(dtype: torch.dtype, tolerance: float):
    """Of 49,152 logits as a model has them: most far below the highest, the target often not the highest."""
    torch.manual_seed(0)
    logits = (4 * torch.randn(64, 49_152) + 12).to(dtype)
    logits[::2, 7] = 40
    ids = torch.randint(0, 49_152, (64,))
    ids[:16] = 7
    expected = logits.double().log_softmax(-1).gather(1, ids[:, None])[:, 0].float()
    torch.testing.assert_close(logprobs_of(logits, ids), expected, atol=tolerance, rtol=1e-5)


def test_log_probabilities_of_four_even_logits_are_minus_log_four():
    found = logprobs_of(torch.zeros(1, 4), torch.tensor([2]))
    torch.testing.assert_close(found, torch.tensor([-1.3862944]))
