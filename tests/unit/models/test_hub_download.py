"""The hub's cache is used where it has the file; the hub is given up soon where it is not there, and resumed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from irl_core.models import hub_download
from irl_core.models.cache import cache_root
from irl_core.models.download import BackboneError, fetch_gguf
from irl_core.models.pairs import STANDARD
from tests.conftest import ROOT
from tests.support.hub import CONTENT, Roads, hub_of, serving, tiny_model, write_hub_cache

MODEL = tiny_model()


def test_a_file_in_the_hubs_cache_is_linked_not_copied(roads: Roads, tmp_path: Path) -> None:
    blob = write_hub_cache(tmp_path / "hub", MODEL)
    roads(hub_cache=tmp_path / "hub")
    gguf = fetch_gguf(MODEL)
    assert gguf.read_bytes() == CONTENT
    assert gguf.is_symlink()
    assert gguf.samefile(blob)


def test_offline_the_hubs_cache_still_serves(roads: Roads, tmp_path: Path) -> None:
    write_hub_cache(tmp_path / "hub", MODEL)
    roads("hub", hub_cache=tmp_path / "hub", offline=True)
    assert fetch_gguf(MODEL).read_bytes() == CONTENT


def test_what_a_space_preloads_is_what_the_default_pair_takes_from_the_cache(roads: Roads, tmp_path: Path) -> None:
    space = yaml.safe_load((ROOT / "Spacefile").read_text("utf-8"))["huggingface"]
    (line,) = space["preload_from_hub"]
    repo, file, revision = line.split()
    packed = replace(STANDARD.backbone, sha256=MODEL.sha256, size=MODEL.size)  # other bytes under its own name
    write_hub_cache(tmp_path / "hub", replace(packed, hub_repo=repo, gguf=file, hub_revision=revision))
    roads(hub_cache=tmp_path / "hub", offline=True)
    assert fetch_gguf(packed).read_bytes() == CONTENT


def test_offline_the_hub_is_not_asked_and_the_reason_is_told(roads: Roads) -> None:
    with serving(hub_of(MODEL)) as hub:
        roads("hub", hub=hub.url, offline=True)
        with pytest.raises(BackboneError, match="HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids it"):
            fetch_gguf(MODEL)
    assert hub.downloads == []


def test_another_revision_in_the_hubs_cache_is_not_taken(roads: Roads, tmp_path: Path) -> None:
    write_hub_cache(tmp_path / "hub", MODEL)
    (snapshot,) = (tmp_path / "hub").glob("*/snapshots/*")
    snapshot.rename(snapshot.with_name("f" * 40))
    roads("hub", hub_cache=tmp_path / "hub")
    with pytest.raises(BackboneError, match="Connection refused"):
        fetch_gguf(MODEL)


def test_a_link_that_dangles_is_fetched_again(roads: Roads, tmp_path: Path) -> None:
    blob = write_hub_cache(tmp_path / "hub", MODEL)
    roads(hub_cache=tmp_path / "hub")
    fetch_gguf(MODEL)
    blob.unlink()
    with serving(hub_of(MODEL)) as hub:
        roads(hub=hub.url, hub_cache=tmp_path / "hub")
        gguf = fetch_gguf(MODEL)
    assert gguf.read_bytes() == CONTENT
    assert not gguf.is_symlink()


@pytest.mark.parametrize(("refused", "copies"), [(("symlink",), False), (("symlink", "link"), True)])
def test_where_no_symbolic_link_can_be_made_a_hard_one_or_else_a_copy_is(
    roads: Roads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: tuple[str, ...], copies: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("a required privilege is not held by the client")

    blob = write_hub_cache(tmp_path / "hub", MODEL)
    roads(hub_cache=tmp_path / "hub")
    for name in refused:
        monkeypatch.setattr(hub_download.os, name, refuse)
    gguf = fetch_gguf(MODEL)
    assert gguf.read_bytes() == CONTENT
    assert not gguf.is_symlink()
    assert gguf.samefile(blob) is not copies


@pytest.fixture(params=["accepts and never answers", "drops what it is sent"])
def silent(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a hub of that kind."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0 if request.param.startswith("drops") else 16)
        waiting = [socket.socket() for _ in range(4 if request.param.startswith("drops") else 0)]
        for caller in waiting:  # the queue is full then, and the kernel drops who else wants in
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for caller in waiting:
                caller.close()


def _seconds_to_give_up() -> float:
    begin = time.monotonic()
    with pytest.raises(BackboneError, match="gave no answer within 3 s"):
        fetch_gguf(MODEL)
    return time.monotonic() - begin


def test_a_hub_that_cannot_be_reached_costs_three_seconds(roads: Roads, silent: str) -> None:
    roads("hub", hub=silent)
    assert 2.9 < _seconds_to_give_up() < 4.5


def test_a_name_that_is_not_resolved_costs_three_seconds(roads: Roads, monkeypatch: pytest.MonkeyPatch) -> None:
    """No client's time limit holds for that."""
    over = threading.Event()

    def hang(*_: object, **__: object) -> Any:
        over.wait(20)
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    roads("hub", hub="http://hub.invalid")
    try:
        assert 2.9 < _seconds_to_give_up() < 4.5
    finally:
        over.set()


def test_whoever_has_a_slow_hub_can_give_it_longer(roads: Roads, monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "0.2")
    roads("hub", hub=silent)
    with pytest.raises(BackboneError, match=r"gave no answer within 0\.2 s"):
        fetch_gguf(MODEL)


def test_a_connection_that_is_cut_is_taken_up_where_it_ended(roads: Roads) -> None:
    with serving(hub_of(MODEL, cuts=[1_000_000])) as hub:
        roads("hub", hub=hub.url)
        assert fetch_gguf(MODEL).read_bytes() == CONTENT
    assert [range_ for _, range_ in hub.downloads] == [None, "bytes=1000000-"]


def test_a_later_attempt_goes_on_where_an_earlier_one_ended(roads: Roads) -> None:
    with serving(hub_of(MODEL, cuts=[1_000_000], refuses=1)) as hub:
        roads("hub", hub=hub.url)
        with pytest.raises(BackboneError, match=r"broke off with 1 of 3 MB, which are kept: .*503"):
            fetch_gguf(MODEL)
    assert not list(cache_root().rglob("*.gguf")), "half a file must not look like a whole one"
    with serving(hub_of(MODEL)) as hub:
        roads("hub", hub=hub.url)
        assert fetch_gguf(MODEL).read_bytes() == CONTENT
    assert [range_ for _, range_ in hub.downloads] == ["bytes=1000000-"]
    assert not list(cache_root().rglob("*.part"))


def test_a_hub_that_sends_all_of_it_again_does_not_spoil_what_is_there(roads: Roads) -> None:
    with serving(hub_of(MODEL, cuts=[1_000_000], refuses=1)) as hub:
        roads("hub", hub=hub.url)
        with pytest.raises(BackboneError):
            fetch_gguf(MODEL)
    with serving(hub_of(MODEL, knows_ranges=False)) as hub:
        roads("hub", hub=hub.url)
        assert fetch_gguf(MODEL).read_bytes() == CONTENT


@pytest.mark.parametrize("kept", [b"not the beginning of it", CONTENT + b"more", bytes(len(CONTENT))])
def test_what_was_kept_and_is_wrong_is_fetched_anew_at_once(roads: Roads, kept: bytes) -> None:
    with pytest.raises(BackboneError):
        fetch_gguf(MODEL)
    (folder,) = cache_root().glob("backbones/*/download/download_from_hub")
    (folder / f"{MODEL.gguf}.part").write_bytes(kept)
    with serving(hub_of(MODEL)) as hub:
        roads("hub", hub=hub.url)
        assert fetch_gguf(MODEL).read_bytes() == CONTENT


def test_a_file_of_another_size_is_refused_before_it_is_sent(roads: Roads) -> None:
    with serving(hub_of(MODEL, CONTENT + b"more")) as hub:
        roads("hub", hub=hub.url)
        with pytest.raises(BackboneError, match="has 3,000,004 bytes instead of 3,000,000"):
            fetch_gguf(MODEL)
    assert hub.downloads == []


def test_a_hub_without_the_file_says_so(roads: Roads) -> None:
    with serving(hub_of(tiny_model(b"another"))) as hub:
        hub.files.clear()
        roads("hub", hub=hub.url)
        with pytest.raises(BackboneError, match=r"cannot be had: .*404 Not Found"):
            fetch_gguf(MODEL)


_PROGRAM = """
import json, logging, sys
from tests.support.hub import tiny_model
from irl_core.models.download import fetch_gguf
gguf = fetch_gguf(tiny_model())
print(json.dumps([gguf.stat().st_size, gguf.is_symlink()]))
"""


@pytest.mark.parametrize("offline", [False, True])
def test_the_hubs_own_variables_hold(tmp_path: Path, offline: bool) -> None:
    """In a process of its own, since the library reads them once: HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE."""
    with serving(hub_of(MODEL)) as hub:
        if offline:
            write_hub_cache(tmp_path / "home" / "hub", MODEL)
        environment = {
            **os.environ,
            "ERRATA_CACHE": str(tmp_path / "cache"),
            "ERRATA_BACKBONE_SOURCE": "hub",
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_OFFLINE": str(int(offline)),
        }
        environment.pop("HF_HUB_CACHE", None)
        output = subprocess.check_output([sys.executable, "-c", _PROGRAM], cwd=ROOT, env=environment)
    assert json.loads(output) == [len(CONTENT), offline]
    assert len(hub.downloads) == (0 if offline else 1)
