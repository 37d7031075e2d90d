"""What Errata relies on in huggingface_hub without being promised it: a download that goes on where a file ends."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download
from huggingface_hub.file_download import http_get
from huggingface_hub.utils._headers import build_hf_headers

from tests.support.hub import CONTENT, Server, serving

PATH = "/owner/model/resolve/0123456789/weights.gguf"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100_000)


def _download(server: Server, file: Path) -> None:
    with file.open("ab") as part:
        http_get(
            server.url + PATH,
            part,
            resume_size=part.tell(),
            headers=build_hf_headers(),
            expected_size=len(CONTENT),
            displayed_filename="weights",
        )


def test_a_download_asks_for_what_is_missing_and_appends_it(tmp_path: Path) -> None:
    file = tmp_path / "part"
    file.write_bytes(CONTENT[:1_000_000])
    with serving(Server({PATH: CONTENT})) as server:
        _download(server, file)
    assert server.downloads == [(PATH, "bytes=1000000-")]
    assert file.read_bytes() == CONTENT


def test_a_cut_connection_is_taken_up_within_one_call(tmp_path: Path) -> None:
    with serving(Server({PATH: CONTENT}, cuts=[1_000_000, 500_000])) as server:
        _download(server, tmp_path / "part")
    assert [range_ for _, range_ in server.downloads] == [None, "bytes=1000000-", "bytes=1500000-"]
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_a_server_that_ignores_ranges_has_the_file_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "part"
    file.write_bytes(CONTENT[:1_000_000])
    with serving(Server({PATH: CONTENT}, knows_ranges=False)) as server:
        _download(server, file)
    assert file.read_bytes() == CONTENT


def test_a_whole_file_costs_no_request(tmp_path: Path) -> None:
    file = tmp_path / "part"
    file.write_bytes(CONTENT)
    with serving(Server({PATH: CONTENT})) as server:
        _download(server, file)
    assert server.downloads == []


def test_what_was_written_before_an_error_stays(tmp_path: Path) -> None:
    with (
        serving(Server({PATH: CONTENT}, cuts=[1_000_000], refuses=1)) as server,
        pytest.raises(Exception, match="503"),
    ):
        _download(server, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT[:1_000_000]


def test_the_size_of_a_file_is_known_before_it_is_fetched() -> None:
    with serving(Server({PATH: CONTENT})) as server:
        assert get_hf_file_metadata(server.url + PATH).size == len(CONTENT)


def test_the_library_itself_still_throws_away_what_an_interrupted_download_brought() -> None:
    """Once it does not, `hf_hub_download` with a `local_dir` can take the place of our own file and of `http_get`."""
    assert "resume_download" not in inspect.signature(hf_hub_download).parameters
