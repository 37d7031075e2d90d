"""What `import irl_core as irl` promises: the names, their examples, and that it costs nothing until it is used."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys

import pytest

import irl_core as irl
from tests.conftest import ROOT

PROMISED = {
    *("load_critic", "load_policy", "diagnose", "rank", "check_equations", "extract_answer", "answers_match"),
    *("split_steps", "read_traces", "Trace", "Problem", "Session", "load_session", "Sampling"),
}
PACKAGES = (
    *("text", "models", "policy", "critic", "critic.engines", "diagnosis", "session", "serving", "export"),
    *("evaluation", "learning.airl", "learning.data", "learning.common", "learning.toy"),
)
HEAVY = ("torch", "transformers", "gradio", "openvino", "pydantic", "numpy")


def test_the_promised_names_are_there():
    assert set(irl.__all__) >= PROMISED


def test_importing_the_library_imports_nothing_heavy():
    program = f"import sys, irl_core; sys.exit(any(name in sys.modules for name in {HEAVY}))"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


def test_exact_reading_needs_no_model_library():
    program = "import sys, irl_core as irl; irl.check_equations('3 * 4 = 13'); irl.Trace.from_text('3'); "
    program += "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'gradio', 'openvino')))"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_of_a_package_can_be_had_and_belongs_to_it(package):
    module = __import__(f"irl_core.{package}", fromlist=["__all__"])
    assert module.__doc__
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.slow
def test_scores_and_diagnoses_carry_the_promised_names():
    question, trace = "Tom has 3 boxes of 4 pens. How many pens?", irl.Trace.from_text("3 * 4 = 13\n#### 13")
    critic = irl.load_critic()
    score = critic.score(question, [trace])[0]
    assert len(score.token_rewards) == len(score.offsets) == len(score.rewards)
    assert len(score.step_rewards) == len(trace.steps)
    assert isinstance(score.trace_score, float)
    diagnosis = irl.diagnose(question, trace, critic)
    assert (diagnosis.first_suspect, diagnosis.not_sure, diagnosis.outside) == (0, False, False)
    assert [(step.verdict, 0 <= step.error_probability <= 1) for step in diagnosis.steps] == [
        ("suspect", True), ("follows", True)
    ]  # fmt: skip
    never = critic.calibration.model_copy(update={"threshold": 1.0, "unsure_above": 1.0})
    wrong_plan = irl.Trace.from_text("3 + 4 = 7\n#### 7")
    assert irl.diagnose(question, wrong_plan, critic, calibration=never).first_suspect is None
    assert irl.rank([trace], [score]).order == (0,)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError):
        irl.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_a_promised_name_is_documented_with_an_example(name):
    assert ">>>" in inspect.getdoc(getattr(irl, name))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PROMISED))
def test_the_example_of_a_promised_name_does_what_it_says(name):
    thing = getattr(irl, name)
    module = sys.modules[thing.__module__]
    tests = doctest.DocTestFinder(recurse=False).find(thing, name, module=module, globs=vars(module).copy())
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in tests:
        runner.run(test)
    assert runner.tries
    assert not runner.failures
