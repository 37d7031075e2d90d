"""A workbench with hand-made models: what is said while they load, and when one cannot be had; what a run gives."""

import subprocess
import sys
import threading

import pytest

from irl_core.critic.prefix_reader import PrefixReader, common_length
from irl_core.models.progress import tell
from irl_core.models.prompts import DoesNotFit
from irl_core.models.solution_tokens import encode_solution
from irl_core.policy.sampling import Sampling, TraceEnded, TraceGrew
from irl_core.policy.transformers import TransformersPolicy
from irl_core.session.edits import change_step, undo
from irl_core.session.record import ModelCard, Session
from irl_core.session.run import Run, finished_steps
from irl_core.session.workbench import Workbench
from irl_core.text.traces import Problem, Trace
from tests.conftest import ROOT
from tests.support.nano import nano_llama, nano_tokenizer


class Named:
    name, supervision, device_name, calibration = "nano", "demonstrations", "CPU", object()


@pytest.fixture
def models(monkeypatch):
    """Models that load at once; put an exception under "policy" or "calculator" to make that one fail."""
    faults = {}

    def load_policy(name, *, calculator):
        if fault := faults.get("calculator" if calculator else "policy"):
            raise fault
        return Named()

    monkeypatch.setattr("irl_core.loading.load_critic", lambda name: Named())
    monkeypatch.setattr("irl_core.loading.load_policy", load_policy)
    return faults


def test_the_page_can_be_built_before_torch_is_imported():
    program = (
        "import sys, ui.page; sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'openvino')))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_a_workbench_is_loading_until_both_models_are_there(models):
    bench = Workbench()
    assert (bench.stage, bench.status) == ("loading", "loading the models")
    bench.load()
    assert (bench.stage, bench.describe()) == ("ready", "nano · critic nano, demonstrations only · CPU")


def test_a_failure_is_said_in_words_and_a_second_try_can_mend_it(models):
    bench = Workbench()
    models["policy"] = OSError("no such folder")
    with pytest.raises(OSError, match="no such folder"):
        bench.load()
    assert bench.stage == "failed"
    assert bench.describe() == "the models could not be loaded: no such folder"
    models.clear()
    bench.load()
    assert bench.stage == "ready"


def test_while_weights_are_fetched_the_status_says_how_much_of_them_is_here(models, monkeypatch):
    bench, said = Workbench(), []

    def fetching(name):
        for arrived in (0, 212_000_000, 491_000_000):
            tell("Qwen2.5-Coder-0.5B", arrived, 491_000_000)
            said.append(bench.status)
        return Named()

    monkeypatch.setattr("irl_core.loading.load_critic", fetching)
    bench.load()
    assert said == [
        "fetching Qwen2.5-Coder-0.5B: 0 of 491 MB",
        "fetching Qwen2.5-Coder-0.5B: 212 of 491 MB",
        "unpacking Qwen2.5-Coder-0.5B",
    ]
    assert bench.status == "ready"


def test_of_a_critic_without_a_calibration_the_line_says_so(models, monkeypatch):
    critic = Named()
    critic.calibration = None
    monkeypatch.setattr("irl_core.loading.load_critic", lambda name: critic)
    bench = Workbench()
    bench.load()
    assert bench.describe() == "nano · critic nano, demonstrations only, not calibrated · CPU"


def ended(bench):
    """The stage after the attempt that is under way, if there is one."""
    bench._attempt.join(timeout=10)
    return bench.stage


def test_loading_in_the_background_is_tried_again_when_it_is_asked_for_again(models):
    bench = Workbench(retry_after=0)
    models["policy"] = ConnectionError("the network is down")
    bench.start_loading()
    assert ended(bench) == "failed"
    assert "the network is down" in bench.status
    models.clear()
    bench.start_loading()
    assert ended(bench) == "ready"


def test_a_failure_is_not_tried_again_at_once(models):
    bench = Workbench(retry_after=60)
    models["policy"] = ConnectionError("the network is down")
    bench.start_loading()
    assert ended(bench) == "failed"
    first = bench._attempt
    bench.start_loading()
    assert bench._attempt is first
    assert bench.stage == "failed"


def test_there_is_one_attempt_at_a_time_and_none_once_the_models_are_there(models, monkeypatch):
    go_on, calls = threading.Event(), []
    monkeypatch.setattr("irl_core.loading.load_critic", lambda name: (calls.append(name), go_on.wait(10), Named())[-1])
    bench = Workbench(retry_after=0)
    for _ in range(5):
        bench.start_loading()
    assert bench.stage == "loading"
    go_on.set()
    assert ended(bench) == "ready"
    bench.start_loading()
    assert len(calls) == 1


def test_a_calculator_that_cannot_be_had_leaves_the_page_in_use_for_everybody_else(models):
    bench = Workbench()
    bench.load()
    models["calculator"] = ValueError("vllm cannot force tokens")
    with pytest.raises(ValueError, match="force"):
        bench.load(calculator=True)
    assert bench.stage == "ready"


# Solving -------------------------------------------------------------------------------------------------------------

PROBLEM = Problem(question="Ann has 3 apples and buys 4. How many?")


@pytest.fixture
def bench(monkeypatch, make_critic):
    """A workbench with a policy and a critic of no size."""
    critic = make_critic()
    monkeypatch.setattr("irl_core.loading.load_critic", lambda name: critic)
    policy = TransformersPolicy("nano", None, nano_llama(), nano_tokenizer())
    monkeypatch.setattr("irl_core.loading.load_policy", lambda name, calculator: policy)
    bench = Workbench()
    bench.critic = critic
    return bench


def solve(bench, stop=None, **settings):
    settings = Sampling(**{"n": 3, "temperature": 1.0, "top_p": 1.0, "max_tokens": 60, **settings})
    return bench.solve(PROBLEM, settings, stop or threading.Event())


def grown(bench, **settings):
    """Every growing trace of every snapshot of a run, of which the critic has read a finished step."""
    return [g for snapshot in solve(bench, **settings) for g in snapshot.growing if g.finished]


def test_the_finished_steps_of_a_growing_trace_are_judged_as_they_would_be_by_themselves(bench):
    seen = grown(bench, prefix="3 + 4 = 8 apples.\nSo she has")
    assert seen
    for growing in seen:
        trace, score, diagnosis = growing.finished.trace, growing.finished.score, growing.finished.diagnosis
        assert growing.text.startswith(trace.text)
        (afresh,) = bench.critic.score(PROBLEM.question, [trace])
        assert score.step_rewards == pytest.approx(afresh.step_rewards, abs=1e-4)
        assert len(diagnosis.steps) == len(trace.steps)
        assert diagnosis.steps[0].verdict == "suspect", "3 + 4 is not 8"


def test_the_step_that_is_being_written_is_not_among_the_finished_ones():
    assert finished_steps("") is None
    assert finished_steps("3 + 4 = 7") is None
    assert finished_steps("3 + 4 = 7\n") is None, "a line may go on in the next one, as a heading does"
    assert finished_steps("3 + 4 = 7\nSo") == Trace(text="3 + 4 = 7\n", steps=((0, 10),))
    assert finished_steps("One. Two. Thr").step_texts() == ["One.", "Two."]


def test_the_critic_reads_in_one_pass_and_a_finished_step_that_is_known_already_is_not_diagnosed_again(bench):
    passes = []

    class Scorer:
        def score(self, traces):
            passes.append([trace.text for trace in traces])
            return bench.critic.score(PROBLEM.question, traces)

    run = Run(Session(problem=PROBLEM, settings=Sampling(n=2)), bench.critic)
    run._scorer = Scorer()
    run._read_after = 1
    run.take(TraceGrew(0, "3 + 4"))
    assert passes == [], "no step is finished, so there is nothing to read"
    run.take(TraceGrew(0, "3 + 4 = 7\nSo"))
    run._read()
    (before,) = run.snapshot().growing
    run.take(TraceGrew(0, "3 + 4 = 7\nSo she"))
    run.take(TraceEnded(1, Trace.from_text("7")))
    run._read()
    (after,) = run.snapshot().growing
    assert passes == [["3 + 4 = 7\n"], ["7", "3 + 4 = 7\n"]]
    assert after.text == "3 + 4 = 7\nSo she"
    assert after.finished is before.finished
    assert run.session.traces == (Trace.from_text("7"),)


def test_every_trace_is_scored_once_as_it_would_be_alone_and_ranked(bench):
    *_, last = solve(bench)
    session = last.session
    assert last.done
    assert not last.growing
    assert sorted(session.ranking.order) == list(range(len(session.traces)))
    assert last.tokens == sum(len(trace.token_ids) for trace in session.traces)
    for trace, score in zip(session.traces, session.scores, strict=True):
        alone = bench.critic.score(PROBLEM.question, [trace])[0]
        assert score.rewards == pytest.approx(alone.rewards, abs=1e-4)
        assert score.trace_score == pytest.approx(alone.trace_score, abs=1e-4)


def test_a_trace_stays_in_sight_from_its_first_token_to_its_verdict(bench):
    most = 0
    for snapshot in solve(bench):
        shown = len(snapshot.growing) + len(snapshot.session.traces)
        assert shown >= most
        most = shown
    assert most == 3


def test_solutions_that_go_on_with_a_text_keep_it_and_are_scored_from_its_first_token(bench):
    begun = "3 + 4 = 7 apples.\n"
    *_, last = solve(bench, prefix=begun)
    assert last.session.settings.prefix == begun
    kept = len(encode_solution(nano_tokenizer(), begun)[0])
    assert last.tokens == sum(len(trace.token_ids) - kept for trace in last.session.traces)
    for trace, score in zip(last.session.traces, last.session.scores, strict=True):
        assert trace.text.startswith(begun)
        assert score.offsets[0][0] == 0
    assert len({trace.text for trace in last.session.traces}) > 1


def test_a_text_that_leaves_no_room_is_refused_with_both_lengths(bench):
    with pytest.raises(DoesNotFit, match=r"what is written of its solution [\d,]+ .* reads at most"):
        list(solve(bench, prefix="7 " * 3000))


def test_a_stopped_run_judges_and_ranks_what_is_there(bench):
    stop = threading.Event()
    for snapshot in solve(bench, stop, max_tokens=500):
        if sum(len(growing.text) for growing in snapshot.growing) > 30:
            stop.set()
    assert snapshot.done
    assert snapshot.stopped
    assert len(snapshot.session.scores) == len(snapshot.session.traces) == len(snapshot.session.ranking.order)


def test_a_solution_that_comes_back_edited_is_diagnosed_as_if_it_were_new(bench):
    texts = ["3 + 4 = 7 apples.\nSo 7.\n#### 7", "3 + 4 = 7 apples.\nSo 8.\n#### 8"]
    for text in texts:
        (score,) = bench.diagnose(PROBLEM, text).scores
        (afresh,) = bench.critic.score(PROBLEM.question, [Trace.from_text(text)])
        assert score.rewards == pytest.approx(afresh.rewards, abs=1e-4)
        assert score.trace_score == pytest.approx(afresh.trace_score, abs=1e-4)


# Changing ------------------------------------------------------------------------------------------------------------

LINES = ["Ann has 3 apples.", "She buys 4 more.", "3 + 4 = 8 apples.", "#### 8"]


@pytest.fixture
def tokens_read(monkeypatch):
    """How many tokens each pass of a critic read anew."""
    counts = []
    read = PrefixReader._read

    def counted(reader, work):
        counts.append(sum(len(new) for _, new in work))
        return read(reader, work)

    monkeypatch.setattr(PrefixReader, "_read", counted)
    return counts


def test_a_changed_step_costs_the_tokens_from_the_change_on_and_is_judged_as_if_it_were_new(bench, tokens_read):
    session = bench.diagnose(PROBLEM, "\n".join(LINES))
    whole = len(session.scores[0].offsets)
    made = change_step(session.traces[0], 2, "3 + 4 = 7 apples.")
    after = bench.change(session, 0, made)
    (afresh,) = bench.critic.score(PROBLEM.question, [made])
    kept = common_length(*(encode_solution(nano_tokenizer(), trace.text)[0] for trace in (session.traces[0], made)))
    assert tokens_read[1] == len(afresh.offsets) - kept < whole / 2
    assert after.scores[0].rewards == pytest.approx(afresh.rewards, abs=1e-4)
    assert [equation.ok for equation in after.diagnoses[0].steps[2].equations] == [True]
    assert session.diagnoses[0].steps[2].verdict == "suspect"
    undone = undo(after, 0)
    assert (undone.traces, undone.scores, undone.diagnoses) == (session.traces, session.scores, session.diagnoses)
    assert len(tokens_read) == 3, "undo reads nothing"


def test_a_solution_of_a_run_is_read_ahead_so_that_its_first_change_is_cheap_too(bench, tokens_read):
    *_, last = solve(bench, prefix="\n".join(LINES))
    session = last.session
    bench.load()
    assert bench.read_ahead(session, 1)
    tokens_read.clear()
    end = len(session.traces[1].steps) - 1
    made = change_step(session.traces[1], end, "#### 7")
    after = bench.change(session, 1, made)
    assert tokens_read[0] <= len(encode_solution(nano_tokenizer(), made.text[made.steps[end][0] - 1 :])[0])
    assert sorted(after.ranking.order) == list(range(len(session.traces)))
    assert after.weight_temperature == session.weight_temperature == bench.critic.weight_temperature


def test_nothing_is_read_ahead_while_the_models_are_busy_or_of_another_critics_session(bench):
    session = bench.diagnose(PROBLEM, "\n".join(LINES))
    with bench._solving:
        assert not bench.read_ahead(session, 0)
    assert bench.read_ahead(session, 0)
    assert not bench.read_ahead(session.model_copy(update={"critic": None}), 0)
    assert not Workbench().read_ahead(session, 0)


def test_a_session_of_another_critic_is_read_anew_as_a_whole(bench):
    first = bench.change(bench.diagnose(PROBLEM, "\n".join(LINES)), 0, Trace.from_text("3 + 4 = 7\n#### 7"))
    foreign = first.scores[0].model_copy(update={"trace_score": 99.0})
    histories = tuple(
        h.model_copy(
            update={"versions": tuple(v.model_copy(update={"score": foreign}) for v in h.versions[1:]), "at": 0}
        )
        for h in first.histories
    )
    others = first.model_copy(
        update={"critic": ModelCard(name="another"), "scores": (foreign,), "histories": histories}
    )
    after = bench.change(others, 0, Trace.from_text("4 + 3 = 7\n#### 7"))
    assert after.critic == first.critic
    assert undo(after, 0).scores[0].trace_score == pytest.approx(first.scores[0].trace_score, abs=1e-4)
