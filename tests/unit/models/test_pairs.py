"""Which pair is taken."""

from __future__ import annotations

import logging

import pytest

from irl_core.critic.names import locate_critic
from irl_core.models import pairs
from irl_core.models.pairs import NEEDED, PAIRS, SMALL, STANDARD, choose_pair, default_pair
from irl_core.policy.names import locate_policy


@pytest.fixture(autouse=True)
def free(monkeypatch):
    """Sets how many bytes are free; each test decides anew."""
    default_pair.cache_clear()
    monkeypatch.delenv("ERRATA_PAIR", raising=False)
    yield lambda number: monkeypatch.setattr(pairs, "free_memory", lambda: number)
    default_pair.cache_clear()


def test_standard_is_the_default_where_there_is_room(free):
    free(NEEDED)
    assert choose_pair() is STANDARD


def test_small_is_taken_in_words_where_there_is_less_room(free, caplog):
    free(NEEDED - 1)
    with caplog.at_level(logging.WARNING):
        assert choose_pair() is SMALL
    assert "6.0 GB of memory are free here, and the pair `standard` wants 6: taking `small`" in caplog.text


def test_a_pair_that_is_asked_for_is_taken_however_little_room_there_is(free, monkeypatch):
    free(0)
    assert choose_pair("standard") is STANDARD
    monkeypatch.setenv("ERRATA_PAIR", "standard")
    assert choose_pair() is STANDARD
    assert choose_pair("small") is SMALL


def test_policy_and_critic_agree_though_one_takes_memory_before_the_other(free):
    free(NEEDED)
    assert locate_critic(None).path == STANDARD.critic
    free(0)
    assert locate_policy("auto").adapter == STANDARD.adapter


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_a_pairs_name_means_its_policy_and_its_critic(name):
    assert (locate_policy(name).adapter, locate_policy(name).backbone) == (
        PAIRS[name].adapter,
        PAIRS[name].backbone.name,
    )
    assert locate_critic(name).path == PAIRS[name].critic


def test_a_backbone_as_it_comes_is_asked_in_its_own_chat_manner_and_one_that_was_taught_as_it_was_taught():
    assert [locate_policy(name).form for name in PAIRS] == ["short", "short", "chat"]
    assert [locate_policy(name).label for name in PAIRS] == [
        "SmolLM2-135M, taught by Errata",
        "Qwen2.5-Coder-0.5B, taught by Errata",
        "Qwen2.5-Coder-1.5B",
    ]


def test_the_former_name_of_standard_is_answered_with_the_new_one(caplog, monkeypatch):
    with caplog.at_level(logging.WARNING):
        assert choose_pair("larger") is STANDARD
    assert "the pair 'larger' is called 'standard' now, and is the default" in caplog.text
    monkeypatch.setenv("ERRATA_PAIR", "larger")
    assert choose_pair() is STANDARD
    assert locate_critic("larger").path == STANDARD.critic
    assert locate_policy("larger").adapter == STANDARD.adapter


@pytest.mark.parametrize(("name", "variable", "said"), [("huge", None, "--pair"), (None, "huge", "ERRATA_PAIR")])
def test_a_pair_that_there_is_not_is_refused_with_those_that_there_are(name, variable, said, monkeypatch):
    if variable:
        monkeypatch.setenv("ERRATA_PAIR", variable)
    with pytest.raises(ValueError, match=f"{said} is 'huge'; it must be one of small, standard, large"):
        choose_pair(name)
