"""A language model that OpenVINO reads on a CPU, faster than PyTorch does and with a quarter of the memory.

Its attention finds keys and values in pages of a few tokens each, so that sequences that begin alike share pages. A
page belongs to whoever writes it: a sequence that goes on within one goes on in a copy. Where it begins with tokens of
the same pass there is nothing to copy yet; the attention is given the rows of those tokens once more, which costs next
to nothing: every product of the model is still done once for each token.
"""

from __future__ import annotations

import importlib.util
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from irl_core.critic.prefix_reader import PrefixReader, ReadSequence, Work, ids_and_positions
from irl_core.models.backbones import Backbone
from irl_core.models.devices import native_device, native_dtype
from irl_core.models.mapped_files import release_pages
from irl_core.models.openvino_graphs import GRAPH, WEIGHTS, packed_graph, reading_graphs

if TYPE_CHECKING:
    import openvino

_FIRST_PAGES, _KEPT_PAGES, _KEPT_POOLS = 64, 256, 2
_HEAD_ROWS, _ROUND_TO = 64, 8  # states whose logits are there at once, and numbers of rows that a kernel is kept for


def can_use_openvino(backbone: Backbone) -> bool:
    """Whether OpenVINO is here, knows the model, and nothing faster is."""
    known = backbone.gguf is not None and importlib.util.find_spec("openvino_genai") is not None
    return known and native_device().type == "cpu"


class OpenVINOModel:
    """A critic's merged model for OpenVINO on a CPU: 8-bit weights, arithmetic in bfloat16 where there is, or float32.

    The graph is the one that a policy on the same weights draws from, made and kept as
    `irl_core.models.openvino_graphs.packed_graph` says, with the errors of that.
    """

    device = torch.device("cpu")

    def __init__(self, backbone: Backbone, adapter: Path | None) -> None:
        import openvino

        core, kind = openvino.Core(), "bf16" if native_dtype() == torch.bfloat16 else "f32"
        arithmetic = {
            "INFERENCE_PRECISION_HINT": kind,
            "KV_CACHE_PRECISION": kind,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",  # no 8-bit activations
        }
        folder = packed_graph(backbone, adapter, "Q8_0")
        graphs = reading_graphs(core.read_model(folder / GRAPH))
        self._body = core.compile_model(graphs.body, "CPU", arithmetic)
        self._head = core.compile_model(graphs.head, "CPU", arithmetic).create_infer_request()
        self._idle: deque[_PagePool] = deque()
        self._one_at_a_time = threading.Lock()
        self._pack_weights(folder)

    def _pack_weights(self, folder: Path) -> None:
        """Read a token: OpenVINO packs its weights for the processor when it first computes."""
        (states,) = PrefixReader(self.engine()).read([([0], [0])])
        self.logprobs(states.before(0), torch.tensor([0]))
        release_pages(folder / WEIGHTS)

    def logprobs(self, states: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """Log-probability (N,) of each of `ids` (N,) after its row of `states` (N, d)."""
        found = []
        with self._one_at_a_time:
            for rows, wanted in zip(states.split(_HEAD_ROWS), ids.split(_HEAD_ROWS), strict=True):
                padding = -len(rows) % _ROUND_TO
                padded = {
                    "states": torch.nn.functional.pad(rows.float(), (0, 0, 0, padding)).numpy(),
                    "ids": torch.nn.functional.pad(wanted.int(), (0, padding)).numpy(),
                }
                self._head.infer(padded)
                found.append(torch.tensor(self._head.get_output_tensor().data[: len(rows)]))
        return torch.cat(found)

    def engine(self) -> OpenVINOKVCache:
        """A cache that has read nothing yet; its pool may have served another that is gone, which spares 24 ms."""
        try:
            pool = self._idle.pop()
        except IndexError:
            pool = _PagePool(self._body)
        engine = OpenVINOKVCache(pool)
        weakref.finalize(engine, self._take_back, pool).atexit = False
        return engine

    def _take_back(self, pool: _PagePool) -> None:
        if pool.places <= _KEPT_PAGES and len(self._idle) < _KEPT_POOLS:
            self._idle.append(pool)


@dataclass(frozen=True, eq=False)
class _Page:
    """A place for keys and values, free again once no memory holds it."""

    number: int


@dataclass
class _SequencePages:
    """The memory of a sequence: keys and values of `known` tokens, then of those in `rows` of the pass being read."""

    pages: list[_Page] = field(default_factory=list)
    known: int = 0
    rows: list[int] = field(default_factory=list)

    def until(self, position: int) -> _SequencePages:
        return _SequencePages(list(self.pages), min(self.known, position), self.rows[: max(0, position - self.known)])


class _PagePool:
    """A request to a compiled `irl_core.models.openvino_graphs.reading_graphs`, and the pages it reads from."""

    def __init__(self, body: openvino.CompiledModel) -> None:
        self.request = body.create_infer_request()
        self._caches = [name for name in (i.get_any_name() for i in body.inputs) if "cache" in name]
        cache = body.input(self._caches[0])
        self._type = cache.get_element_type()
        _, heads, self.page_length, width = (d.get_length() if d.is_static else 0 for d in cache.get_partial_shape())
        self._kept = np.zeros((len(self._caches), 0, heads, self.page_length, width), f"u{self._type.size}")
        self._free: list[int] = []

    @property
    def places(self) -> int:
        """How many pages there are, free or not."""
        return int(self._kept.shape[1])

    def page(self, like: _Page | None = None) -> _Page:
        """A page that nobody else has, with what `like` holds."""
        if not self._free:
            self._grow()
        page = _Page(self._free.pop())
        weakref.finalize(page, self._free.append, page.number).atexit = False
        if like:
            self._kept[:, page.number] = self._kept[:, like.number]
        return page

    def _grow(self) -> None:
        import openvino

        layers, old, *shape = self._kept.shape
        grown = np.zeros((layers, 2 * old or _FIRST_PAGES, *shape), self._kept.dtype)
        grown[:, :old] = self._kept
        self._kept = grown
        self._free += range(old, self.places)
        for name, cache in zip(self._caches, grown, strict=True):
            self.request.set_tensor(name, openvino.Tensor(cache, openvino.Shape(cache.shape), self._type))


class OpenVINOKVCache:
    """Reads with an `OpenVINOModel` and keeps keys and values in pages, for one `PrefixReader`, on one thread."""

    def __init__(self, pool: _PagePool) -> None:
        self._pool = pool

    def read(self, work: Sequence[Work]) -> torch.Tensor:
        ids, positions = ids_and_positions(work)
        start, memories = 0, list[_SequencePages]()
        for sequence, new in work:
            sequence.memory = memory = self._continued(sequence, list(range(start, start := start + len(new))))
            memories.append(memory)
        rows = np.concatenate([memory.rows for memory in memories])
        row_of_each = np.zeros(len(ids))
        row_of_each[rows] = np.arange(len(rows))
        inputs = {
            "past_lens": [memory.known for memory in memories],
            "subsequence_begins": np.cumsum([0, *(len(memory.rows) for memory in memories)]),
            "block_indices": [page.number for memory in memories for page in memory.pages],
            "block_indices_begins": np.cumsum([0, *(len(memory.pages) for memory in memories)]),
            "max_context_len": max(memory.known + len(memory.rows) for memory in memories),
            "rows_attending": rows,
            "row_of_each": row_of_each,
        }
        wide = {"input_ids": np.array(ids), "position_ids": np.array(positions)}
        self._pool.request.infer(wide | {name: np.array(value, np.int32) for name, value in inputs.items()})
        for memory in memories:
            memory.known, memory.rows = memory.known + len(memory.rows), []
        return torch.tensor(self._pool.request.get_output_tensor().data[:start])

    def _continued(self, sequence: ReadSequence, rows: list[int]) -> _SequencePages:
        """What the sequence, whose last tokens are `rows` of the pass, will remember."""
        before, length = sequence.origin or sequence.parent, self._pool.page_length
        memory = sequence.memory or (before.memory if before else None)
        source = cast(_SequencePages, memory) if memory else _SequencePages()
        start = sequence.end - len(rows)
        known = max(start - start % length, min(source.known, start))
        pages = source.pages[: known // length]
        if known % length:
            pages.append(self._pool.page(like=source.pages[len(pages)]))
        pages += [self._pool.page() for _ in range(-(-sequence.end // length) - len(pages))]
        return _SequencePages(pages, known, source.rows[known - source.known : start - source.known] + rows)
