"""The page's functions for machines: typed JSON for `gradio_client`, for REST and, as tools, for MCP.

They read what they are given and keep nothing. The limits of the form hold for them too, and what is wrong with a
request is said in the same words. Gradio takes types and descriptions from the signatures and docstrings below, which
is why annotations are real here and each argument is described in one line. `docs/api.md` shows calls and answers.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.events import api

from irl_core.policy.sampling import Sampling
from irl_core.session.record import Session
from irl_core.text.answers import answers_match

from .api_answers import (
    DiagnosedTrace,
    RankedSolutions,
    ScoredTrace,
    diagnosed_trace,
    ranked_solutions,
    scored_trace,
)
from .stop_signals import StopSignals
from .validation import read_problem, read_sampling, read_solution, refusal
from .waiting import faults_in_words, require, wait_until_ready

if TYPE_CHECKING:
    from irl_core.session.workbench import Workbench

_DEFAULTS = Sampling()


class Endpoints:
    """The functions, on one workbench for all callers."""

    def __init__(self, workbench: "Workbench | None", stops: StopSignals) -> None:
        """`stops` ends the run of a caller that goes away; `workbench` is None where nothing can be run."""
        self._workbench, self._stops = workbench, stops

    def connect(self) -> None:
        """Make them endpoints of the page that is being built; one of them works at a time, in line with the page."""
        for function in (self.score_trace, self.diagnose, self.solve_and_rerank):
            api(function, api_name=function.__name__, concurrency_id="model", concurrency_limit=1)

    def score_trace(self, question: str, solution: str) -> ScoredTrace:
        """Score a worked solution of a math problem with a critic that learned from expert solutions alone.

        The critic's dense reward, in nats, of each token and of each step. It says how expert-like the text is, not
        whether it is right; use `diagnose` for that. Nothing is stored.

        Args:
            question: The math problem, at most 2,000 characters.
            solution: The worked solution, one step a line, at most 8,000 characters and 64 steps.

        Returns:
            Token offsets and rewards, step spans, scores and surprise, and the score that ranks solutions.
        """
        return scored_trace(self._read(question, solution))

    def diagnose(self, question: str, solution: str, answer: str = "") -> DiagnosedTrace:
        """Find the first wrong step in a worked solution of a math problem, with a calibrated probability per step.

        Every equation is worked again exactly; what cannot be read as an equation is not checked. A mark is a
        question, not a verdict: the critic errs both ways, and says so where it is not sure. Nothing is stored.

        Args:
            question: The math problem, at most 2,000 characters.
            solution: The worked solution, one step a line, at most 8,000 characters and 64 steps.
            answer: The right final answer, if it is known, at most 100 characters; it is compared with the solution's.

        Returns:
            The first suspect step (-1 for none), and for each step its verdict, error probability and equations.
        """
        session = self._read(question, solution, answer)
        gold = session.problem.answer
        return diagnosed_trace(session, None if gold is None else answers_match(gold, session.traces[0].answer))

    def solve_and_rerank(
        self,
        request: gr.Request,
        question: str,
        answer: str = "",
        n: int = _DEFAULTS.n,
        temperature: float = _DEFAULTS.temperature,
        seed: int = _DEFAULTS.seed,
        calculator: bool = _DEFAULTS.calculator,
    ) -> RankedSolutions:
        """Let a small language model write several solutions of a math problem, and rank them by the critic.

        The answer to believe is the one that `chosen["weighted_vote"]` points at. Takes seconds to minutes. Nothing
        is stored.

        Args:
            question: The math problem, at most 2,000 characters.
            answer: The right final answer, if it is known, at most 100 characters; solutions are compared with it.
            n: How many solutions are drawn, 1 to 16.
            temperature: How freely they are drawn, 0 (the most probable words) to 2.
            seed: The same seed draws the same solutions, 0 to 4294967295.
            calculator: Whether exact arithmetic fills in what follows an equals sign.

        Returns:
            The solutions with their diagnoses, their order by the critic, the votes, and what each rule picks.
        """
        problem, sampling = read_problem(question, answer), read_sampling(n, temperature, seed, calculator)
        workbench = require(self._workbench)
        stop = self._stops.begin(request.session_hash)
        _exhaust(wait_until_ready(workbench, stop))
        session = None
        with faults_in_words("solving"), closing(workbench.solve(problem, sampling, stop)) as snapshots:
            for snapshot in snapshots:
                session = snapshot.session
        if session is None or not session.traces:
            raise refusal("The model wrote nothing. Try another seed.")
        return ranked_solutions(session)

    def _read(self, question: object, solution: object, answer: object = None) -> Session:
        problem, text, workbench = read_problem(question, answer), read_solution(solution), require(self._workbench)
        _exhaust(wait_until_ready(workbench))
        with faults_in_words("checking"):
            return workbench.diagnose(problem, text)


def _exhaust(lines: Iterator[str]) -> None:
    """Wait without a page to show the lines on."""
    for _ in lines:
        pass


def answer_tools_in_json(page: gr.Blocks) -> None:
    """Let a launched page's MCP tools answer in JSON, which Gradio would write as Python does (`None`, `True`)."""
    server = page.mcp_server_obj
    if server is None:
        return

    def content(data: list[Any], root_url: str) -> list[Any]:
        from mcp.types import TextContent

        return [TextContent(type="text", text=json.dumps(output, ensure_ascii=False)) for output in data]

    server.postprocess_output_data = content  # type: ignore[method-assign]
