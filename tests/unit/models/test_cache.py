"""What was made is kept, within a bound; the least recently used goes first, and never what is being written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from irl_core.models.cache import cache_entries, cached_folder, clear_cache

KILOBYTE = 1000


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path))
    return tmp_path


def kept(made_from: str, used_at: int | None = None, kind: str = "graphs") -> Path:
    """A folder with one file of a kilobyte, last used at `used_at`."""

    def make(folder: Path) -> None:
        (folder / "model.bin").write_bytes(b"x" * KILOBYTE)

    folder = cached_folder(kind, made_from, {"model.bin"}, make)
    if used_at is not None:
        os.utime(folder, (used_at, used_at))
    return folder


def held(folders: list[Path]) -> list[bool]:
    return [(folder / "model.bin").exists() for folder in folders]


def test_what_lies_in_the_cache_is_not_made_again() -> None:
    folder = kept("one")

    def never(folder: Path) -> None:
        raise AssertionError("it was there")

    assert cached_folder("graphs", "one", {"model.bin"}, never) == folder


def test_writing_something_new_removes_what_was_not_used_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [kept("old", 200), kept("oldest", 100, kind="critics"), kept("newer", 300)]
    size = max(entry.bytes for entry in cache_entries())
    monkeypatch.setenv("ERRATA_CACHE_GB", str(3.5 * size / 1e9))
    assert held([*folders, kept("new")]) == [True, False, True, True]


def test_what_is_used_counts_as_recent(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [kept("first", 100), kept("second", 200)]
    kept("first")  # used now
    size = max(entry.bytes for entry in cache_entries())
    monkeypatch.setenv("ERRATA_CACHE_GB", str(2.5 * size / 1e9))
    assert held([*folders, kept("third")]) == [True, False, True]


def test_what_is_written_stays_even_where_it_alone_is_over_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRATA_CACHE_GB", "1e-9")
    first = kept("first")
    assert held([first]) == [True]
    assert held([first, kept("second")]) == [False, True]


def test_a_folder_that_somebody_is_writing_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [kept("locked", 100), kept("free", 200)]
    monkeypatch.setenv("ERRATA_CACHE_GB", "1e-9")
    with FileLock(folders[0] / ".lock"):
        assert held([*folders, kept("new")]) == [True, False, True]
        clear_cache()
    assert [name for name, _, _ in cache_entries()] == [f"graphs/{folders[0].name}"]


def test_folders_of_earlier_versions_are_counted_and_go_first_if_they_are_oldest(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = root / "policies" / "0123456789abcdef"
    old.mkdir(parents=True)
    (old / "model.gguf").write_bytes(b"x" * KILOBYTE)
    os.utime(old, (50, 50))
    kept("first", 100)
    assert cache_entries()[0] == ("policies/0123456789abcdef", KILOBYTE, 50)
    monkeypatch.setenv("ERRATA_CACHE_GB", str(2 * (KILOBYTE + 500) / 1e9))
    kept("second")
    assert len(cache_entries()) == 2
    assert not (old / "model.gguf").exists()


def test_a_removed_folder_is_made_anew_and_backbones_stay_when_the_cache_is_cleared(root: Path) -> None:
    (root / "backbones" / "model").mkdir(parents=True)
    (root / "backbones" / "model" / "weights").write_bytes(b"x")
    folder = kept("one")
    assert [entry.name for entry in clear_cache()] == [f"graphs/{folder.name}"]
    assert cache_entries() == []
    assert (root / "backbones" / "model" / "weights").exists()
    assert held([kept("one")]) == [True]


@pytest.mark.parametrize("limit", ["much", "0", "-1", "inf", "nan"])
def test_a_bound_that_is_no_size_is_refused_before_anything_is_made(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERRATA_CACHE_GB", limit)
    with pytest.raises(ValueError, match=f"ERRATA_CACHE_GB is '{limit}'; it must be a number of gigabytes above zero"):
        kept("one")
    assert cache_entries() == []
