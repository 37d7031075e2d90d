"""Edited solutions are wrong where they say so."""

import random

from irl_core.learning.data.demonstrations import Demonstration
from irl_core.learning.data.edited_solutions import edited_solutions
from irl_core.text.traces import Trace


def test_an_edited_solution_is_wrong_in_the_step_that_is_named_and_nowhere_else():
    demonstrations = [Demonstration("Tom has 3, 4 and 5.", "3 * 4 = 12 pens\n12 + 5 = 17 pens\n#### 17", "gsm8k")]
    edited = list(edited_solutions(demonstrations, 20, "train", random.Random(0)))
    assert len(edited) == 21
    for one in edited:
        right, wrong = (Trace.from_text(text).step_texts() for text in (one.right, one.wrong))
        assert [k for k, (a, b) in enumerate(zip(right, wrong, strict=True)) if a != b] == [one.step]
