"""How much memory a process may still take here; what a container is allowed counts, not what its host has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

_CGROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
# Version 2 and version 1 of Linux's control groups: the limit, what is used of it, and which line of `memory.stat`
# counts the pages of files, which are given up before anything else is.
_NAMES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def free_memory() -> int:
    """Bytes that are free on this machine, or within the limit of this container where that is less."""
    return max(0, min([psutil.virtual_memory().available, *_left_in_groups(_CGROUPS, _OWN)]))


def _left_in_groups(root: Path, own: Path) -> Iterator[int]:
    """What is left of the limit of each control group that this process is in, its parents included."""
    try:
        lines = own.read_text().splitlines()
    except OSError:  # no Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        mount = root / controllers
        # Inside a container the path may be the host's, which is not there: the mount itself is then the group.
        group = mount / path.lstrip("/")
        for folder in {group, *group.parents, mount}:
            if folder == mount or mount in folder.parents:
                yield from _left(folder)


def _left(group: Path) -> Iterator[int]:
    for limit_name, used_name, reclaimable in _NAMES:
        try:
            limit, used = (group / limit_name).read_text().strip(), int((group / used_name).read_text())
            stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):
            continue
        if limit.isdigit():  # else "max": none
            yield int(limit) - used + int(stat.get(reclaimable, 0))
