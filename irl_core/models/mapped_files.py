"""Gives back the memory of mapped files that was read once and is not needed again.

OpenVINO maps a graph's weights and packs a copy of them for the processor when it first computes. The pages of the
file that it read for that go on being counted as this process's memory, as much again as the weights. They can be
dropped: a page that is wanted after all is read again from the system's cache.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

_MAPS = Path("/proc/self/maps")
_DONTNEED = 4  # MADV_DONTNEED of Linux


def release_pages(file: Path) -> int:
    """Drop this process's pages of a file that it maps for reading alone; returns the bytes of those maps.

    On a system other than Linux nothing is done.
    """
    released = 0
    for start, length in _read_only_maps(file.resolve()):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), _DONTNEED) == 0:
            released += length
    return released


def _read_only_maps(file: Path) -> Iterator[tuple[int, int]]:
    """Address and length of each map of the file that cannot have been written to, since what was would be lost."""
    try:
        lines = _MAPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        place, rights, _, _, _, *path = line.split(maxsplit=5)
        if path and path[0] == str(file) and "w" not in rights:
            start, end = (int(address, 16) for address in place.split("-"))
            yield start, end - start
