"""What a name means when an engine serves the model."""

from __future__ import annotations

import pytest

from irl_core.models.served_names import ServedName, parse_served_name


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("auto", None),
        ("Qwen/Qwen2.5-0.5B", None),
        ("a folder@home", None),
        ("vllm:", ServedName(None)),
        ("vllm:Qwen/Qwen2.5-0.5B", ServedName("Qwen/Qwen2.5-0.5B")),
        ("http://host:8000/v1", ServedName(None, ("http://host:8000/v1",))),
        ("https://host/v1/#big/model", ServedName(None, ("https://host/v1",), "big/model")),
        ("http://a/v1,http://b/v1", ServedName(None, ("http://a/v1", "http://b/v1"))),
        ("runs/sft@http://a/v1, http://b/v1#m", ServedName("runs/sft", ("http://a/v1", "http://b/v1"), "m")),
        ("C:\\my model@http://a/v1", ServedName("C:\\my model", ("http://a/v1",))),
    ],
)
def test_a_name_is_read_into_what_is_served_where_under_which_name(name: str, meaning: ServedName | None) -> None:
    assert parse_served_name(name) == meaning


@pytest.mark.parametrize("name", ["http://", "http://a/v1,b", "http://a/v1,"])
def test_what_is_no_url_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="is no URL"):
        parse_served_name(name)
