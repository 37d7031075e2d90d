"""What programs are promised: three functions in JSON, by Gradio's client, HTTP and MCP, with real models.

The examples of `docs/api.md` are run as they stand there, but for the address.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import subprocess
import sys
from contextlib import redirect_stdout

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.conftest import ROOT
from tests.support.page import served_page

NAMES = ["diagnose", "score_trace", "solve_and_rerank"]
QUESTION = "Tom has 3 boxes of 4 pens. How many pens?"
WRONG = "He has 3 * 4 = 13 pens.\n#### 13"
ADDRESS = "http://127.0.0.1:7860/"
DOCUMENT = (ROOT / "docs/api.md").read_text("utf-8")


@pytest.fixture(scope="module")
def url():
    with served_page([sys.executable, "app.py", "--pair", "small"], ROOT) as address:
        yield address


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False)


def test_only_the_three_functions_are_shown_and_each_part_of_them_has_a_type(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert sorted(endpoints) == [f"/{name}" for name in NAMES]
    for endpoint in endpoints.values():
        assert endpoint["description"]
        (answer,) = endpoint["returns"]
        assert answer["type"]["required"] == list(answer["type"]["properties"])
        assert not untyped(answer["type"])
        assert all(parameter["type"].get("type") for parameter in endpoint["parameters"])


def untyped(schema: dict) -> list[dict]:
    """The parts of a schema of which nothing is said, or whose objects may hold anything."""
    inner = [*schema.get("properties", {}).values(), *schema.get("oneOf", []), *filter(None, [schema.get("items")])]
    vague = not schema or (schema.get("type") == "array" and not schema.get("items"))
    return [schema] * vague + [found for part in inner for found in untyped(part)]


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL))
def test_the_examples_of_the_document_print_what_it_says(url, code):
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(code.replace(ADDRESS, url), "docs/api.md", "exec"), {"__name__": "example"})
    expected = re.findall(r"^ *(?:print\(.*)?\)  # (.*)$", code, re.MULTILINE)
    assert expected
    assert printed.getvalue().splitlines() == expected


def test_the_example_by_http_ends_with_a_whole_answer(url):
    (code,) = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    ran = subprocess.run(["bash", "-c", code.replace(ADDRESS, url)], capture_output=True, text=True, timeout=120)
    last = ran.stdout.strip().splitlines()[-1]
    assert "event: complete" in ran.stdout
    (answer,) = json.loads(last.removeprefix("data: "))
    assert answer["steps"][0]["equations"][0]["expected"] == "12"


def test_the_same_solution_is_scored_and_diagnosed_alike(client):
    scored = client.predict(QUESTION, WRONG, api_name="/score_trace")
    found = client.predict(QUESTION, WRONG, api_name="/diagnose")
    assert scored["token_offsets"] == found["token_offsets"]
    assert scored["step_spans"] == [step["span"] for step in found["steps"]]
    assert scored["step_scores"][0] == pytest.approx(
        sum(r for (_, end), r in zip(scored["token_offsets"], scored["token_rewards"], strict=True) if end <= 24)
    )
    assert found["answer_correct"] is None
    assert found["answer"] == "13"


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("score_trace", {"question": "", "solution": "x"}, "There is no problem to work on"),
        ("score_trace", {"question": ["<b>"], "solution": "x"}, "must be text"),
        ("diagnose", {"question": "q", "solution": "y" * 8_001}, "has 8,001 characters and may have 8,000"),
        ("diagnose", {"question": "q", "solution": "1 = 1\n" * 65}, "at most 64 can be checked"),
        ("diagnose", {"question": "q", "solution": "x", "answer": "z" * 101}, "known answer has 101 characters"),
        ("solve_and_rerank", {"question": "q", "n": 17}, "whole number from 1 to 16"),
        ("solve_and_rerank", {"question": "q", "n": True}, "whole number from 1 to 16"),
        ("solve_and_rerank", {"question": "q", "temperature": 2.5}, "temperature must be a number from 0 to 2"),
        ("solve_and_rerank", {"question": "q", "calculator": "yes"}, "calculator is either on or off"),
        ("solve_and_rerank", {"question": "x" * 2_001}, "may have 2,000"),
    ],
)
def test_a_program_meets_the_limits_of_the_form(client, name, arguments, words):
    with pytest.raises(AppError, match=words) as refused:
        client.predict(api_name=f"/{name}", **arguments)
    assert "<b>" not in str(refused.value)


async def ask_tools(url: str, *calls: tuple[str, dict]) -> tuple[list, list]:
    """The tools of the page, and its replies to calls of them."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async with (
        streamablehttp_client(f"{url}gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        return (await session.list_tools()).tools, [await session.call_tool(*call) for call in calls]


def test_an_assistant_finds_tools_that_explain_themselves_and_gets_json(url):
    asked = {"question": QUESTION, "solution": WRONG}
    tools, (found, refused) = asyncio.run(
        ask_tools(url, ("diagnose", asked), ("solve_and_rerank", {"question": QUESTION, "n": 0}))
    )
    assert sorted(tool.name for tool in tools) == NAMES
    for tool in tools:
        assert len(tool.description) > 100
        assert "question" in tool.inputSchema["required"]
        assert all(len(part["description"]) > 20 for part in tool.inputSchema["properties"].values())
    answer = json.loads(found.content[0].text)
    assert not found.isError
    assert (answer["predicted_first_error"], answer["answer_correct"]) == (0, None)
    assert refused.isError
    assert "whole number from 1 to 16" in refused.content[0].text
