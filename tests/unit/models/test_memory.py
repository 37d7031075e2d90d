"""How much memory is free, with Linux's control groups made by hand."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from irl_core.models import memory

GB = 10**9


def group(folder: Path, version: int, limit: str, used: int, files: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    key = "inactive_file" if version == 2 else "total_inactive_file"
    (folder / "memory.stat").write_text(f"anon {used - files}\n{key} {files}\n")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with 16 GB free, and control groups in a folder."""
    root, own = tmp_path / "cgroup", tmp_path / "own"
    monkeypatch.setattr(memory, "_CGROUPS", root)
    monkeypatch.setattr(memory, "_OWN", own)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 16 * GB}))
    return root, own


def test_without_a_limit_all_that_the_machine_has_is_free(machine):
    root, own = machine
    own.write_text("0::/\n")
    group(root, 2, "max", GB, 0)
    assert memory.free_memory() == 16 * GB


def test_without_control_groups_all_that_the_machine_has_is_free(machine):
    assert memory.free_memory() == 16 * GB


def test_a_containers_limit_counts_less_what_is_used_but_for_pages_of_files(machine):
    root, own = machine
    own.write_text("0::/\n")
    group(root, 2, str(4 * GB), 2 * GB, GB)
    assert memory.free_memory() == 3 * GB


def test_the_tightest_of_a_groups_parents_counts(machine):
    root, own = machine
    own.write_text("0::/all/app\n")
    group(root / "all", 2, str(5 * GB), GB, 0)
    group(root / "all" / "app", 2, str(9 * GB), GB, 0)
    assert memory.free_memory() == 4 * GB


def test_a_limit_of_the_first_version_counts_even_where_the_path_is_the_hosts(machine):
    root, own = machine
    own.write_text("3:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n")
    group(root / "memory", 1, str(2 * GB), GB // 2, 0)
    assert memory.free_memory() == 3 * GB // 2


def test_no_limit_of_the_first_version_is_written_as_a_huge_number(machine):
    root, own = machine
    own.write_text("4:memory:/\n")
    group(root / "memory", 1, "9223372036854771712", GB, 0)
    assert memory.free_memory() == 16 * GB


def test_more_used_than_allowed_leaves_nothing(machine):
    root, own = machine
    own.write_text("0::/\n")
    group(root, 2, str(GB), 2 * GB, 0)
    assert memory.free_memory() == 0
