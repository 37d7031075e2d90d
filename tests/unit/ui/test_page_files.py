"""Files of visitors do not outlive the page."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gradio as gr
import pytest

from irl_core.session.record import Session, load_session
from irl_core.text.traces import Problem
from tests.conftest import ROOT
from ui.page_files import page_files, remove_old_files, save_session


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path))
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    return tmp_path


def test_uploads_and_downloads_lie_in_one_folder_that_is_gone_afterwards(cache):
    with page_files() as folder:
        assert folder.is_relative_to(cache / "page-files")
        assert gr.utils.get_upload_folder() == str(folder)
        with gr.Blocks():
            assert str(folder) == gr.DownloadButton().GRADIO_CACHE
        save_session(Session(problem=Problem(question="q")), folder)
    assert not folder.exists()
    assert "GRADIO_TEMP_DIR" not in os.environ


def test_a_folder_that_was_asked_for_is_not_emptied_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "asked"))
    theirs = tmp_path / "asked" / "theirs.json"
    theirs.parent.mkdir()
    theirs.write_text("{}")
    os.utime(theirs, (0, 0))
    with page_files() as folder:
        assert folder.is_relative_to(tmp_path / "asked" / "page-files")
    assert theirs.exists()
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path / "asked")


def test_the_same_session_is_saved_once_and_reads_back(tmp_path):
    session = Session(problem=Problem(question="q"))
    first, second = (save_session(session, tmp_path) for _ in range(2))
    assert first == second
    assert load_session(first.read_bytes()) == session
    assert first.name == "errata-session.json"


def test_only_what_is_old_is_removed(tmp_path):
    old, new = tmp_path / "old" / "a.json", tmp_path / "new" / "b.json"
    for file in (old, new):
        file.parent.mkdir()
        file.write_text("{}")
    day_before = time.time() - 100
    os.utime(old, (day_before, day_before))
    remove_old_files(tmp_path, 50)
    assert [file.exists() for file in (old, new)] == [False, True]
    os.utime(old.parent, (day_before, day_before))
    remove_old_files(tmp_path, 50)
    assert [folder.name for folder in tmp_path.iterdir()] == ["new"]


PROGRAM = """
import signal, time
from ui.page_files import page_files
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it runs in the background ignore it
with page_files() as folder:
    (folder / "session.json").write_text("{}")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_page_that_is_ended_by_a_signal_leaves_nothing(number):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    folder = Path(process.stdout.readline().strip())
    assert (folder / "session.json").exists()
    process.send_signal(number)
    assert process.wait(timeout=30) != 0
    assert not folder.exists()
