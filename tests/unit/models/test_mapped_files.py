"""Pages of mapped files that were read once are given back."""

from __future__ import annotations

import mmap
import re
import sys
from pathlib import Path

import pytest

from irl_core.models.mapped_files import release_pages

SIZE = 4 << 20


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a file of weights.bin"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    return path


def resident(path: Path) -> int:
    """Bytes of the file that this process holds in memory."""
    maps = Path("/proc/self/smaps").read_text().split(str(path))[1:]
    return sum(1024 * int(re.search(r"Rss:\s+(\d+) kB", one)[1]) for one in maps)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process holds")
def test_what_was_read_of_a_mapped_file_is_given_back_and_can_be_read_again(file: Path) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert sum(mapped[:: mmap.PAGESIZE]) == 0
        assert resident(file) == SIZE
        assert release_pages(file) == SIZE
        assert resident(file) == 0
        assert mapped[:] == file.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process holds")
def test_a_map_that_was_written_to_is_left_alone(file: Path) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        mapped[0] = 7
        assert release_pages(file) == 0
        assert mapped[0] == 7


def test_where_no_process_tells_what_it_maps_nothing_is_done(file: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("irl_core.models.mapped_files._MAPS", tmp_path / "no maps here")
    assert release_pages(file) == 0
