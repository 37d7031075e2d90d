"""The command `errata`."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from irl_core.models import cache
from irl_core.models.backbones import Backbone
from irl_core.models.download import BackboneError
from tests.conftest import ROOT
from ui.command import list_cache, main, parse_arguments


@dataclass(frozen=True)
class Entry:
    name: str
    bytes: int
    last_used: float


ENTRIES = [Entry("graphs/small", 1_500_000, 0.0), Entry("graphs/large", 123_456_789, 86_400.0)]


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path))
    monkeypatch.delenv("ERRATA_PAIR", raising=False)
    return tmp_path


def test_without_a_command_the_page_is_opened(monkeypatch):
    opened = []
    monkeypatch.setattr("ui.command.open_page", opened.append)
    main(["--port", "7999", "--pair", "small"])
    assert [(o.port, o.policy, o.critic, o.replay_only) for o in opened] == [(7999, "small", "small", False)]


def test_a_pair_is_named_by_the_environment_where_no_option_names_one(monkeypatch):
    monkeypatch.setenv("ERRATA_PAIR", "small")
    options = parse_arguments(["--critic", "surprise"])
    assert (options.policy, options.critic) == ("small", "surprise")


def test_a_pair_that_is_none_is_refused(monkeypatch, capsys):
    monkeypatch.setenv("ERRATA_PAIR", "largest")
    with pytest.raises(SystemExit):
        parse_arguments([])
    assert "ERRATA_PAIR is 'largest'; it must be one of small, standard, large" in capsys.readouterr().err


def test_the_cache_is_listed_with_sizes_and_last_use_the_largest_first(kept):
    lines = list_cache(ENTRIES).splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["graphs/large", "123.5", "MB"],
        ["graphs/small", "1.5", "MB"],
        ["total", "125.0", "MB"],
    ]
    assert "1970-01-0" in lines[1]
    assert lines[-1].endswith(str(kept))


def test_an_empty_cache_says_where_it_is(kept):
    assert list_cache([]) == f"nothing was made in {kept}"


def test_the_cache_is_emptied_when_that_is_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(cache, "cache_entries", lambda: ENTRIES, raising=False)
    monkeypatch.setattr(cache, "clear_cache", lambda: ENTRIES, raising=False)
    main(["cache"])
    assert "graphs/large" in capsys.readouterr().out
    main(["cache", "--clear"])
    assert capsys.readouterr().out == "125.0 MB freed\n"


def test_the_script_and_the_command_are_one():
    program = (
        "import sys; sys.argv = ['app.py', '--help']\n"
        "import app, ui.command\n"
        "assert app.main is ui.command.main\n"
        "assert 'gradio' not in sys.modules, 'no command but the page needs Gradio'\n"
        "app.main()"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "--replay-only" in ran.stdout
    assert "cache" in ran.stdout


@pytest.fixture
def fetched(monkeypatch) -> list[str]:
    """The names of the weights that are asked for; none are fetched."""
    names: list[str] = []

    def resolve(name: str) -> Backbone:
        names.append(name)
        return Backbone(name, Path("weights") / name, None, "0" * 64)

    monkeypatch.setattr("irl_core.loading.resolve_backbone", resolve)
    return names


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--pair", "small"], ["smollm2-135m"]),
        (["--pair", "standard"], ["qwen2.5-coder-0.5b"]),
        (["--pair", "small", "--policy", "standard"], ["qwen2.5-coder-0.5b", "smollm2-135m"]),
        (["--pair", "standard", "--critic", "surprise"], ["qwen2.5-coder-0.5b", "smollm2-135m"]),
        (["--pair", "small", "--policy", "http://127.0.0.1:8000/v1"], ["smollm2-135m"]),
        (["--pair", "small", "--policy", "vllm:small", "--critic", "small@http://127.0.0.1:8001/v1"], []),
        (["--replay-only"], []),
    ],
)
def test_what_the_page_would_load_is_fetched_once_and_nothing_else(options, wanted, fetched, capsys):
    main([*options, "fetch"])
    assert fetched == wanted
    assert [line.split(" is in ")[0] for line in capsys.readouterr().out.splitlines()] == wanted


def test_weights_that_cannot_be_had_end_the_command_with_one_sentence(monkeypatch):
    def fail(name: str) -> Backbone:
        raise BackboneError(f"{name} could not be fetched")

    monkeypatch.setattr("irl_core.loading.resolve_backbone", fail)
    with pytest.raises(SystemExit, match=r"^error: smollm2-135m could not be fetched$"):
        main(["--pair", "small", "fetch"])


def test_a_critic_that_is_not_there_is_named_before_anything_is_fetched(fetched, tmp_path):
    with pytest.raises(SystemExit, match="error: no critic in "):
        main(["--pair", "small", "--critic", str(tmp_path / "nowhere"), "fetch"])
    assert not fetched
