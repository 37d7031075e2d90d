"""PyTorch on a GPU: all new tokens attend in a few calls, whichever sequences they belong to.

A GPU is kept waiting by the number of calls, not by arithmetic. So keys and values of every token lie in a slot of a
tensor for each layer; a pass writes its own with one call and gathers those of its sequences, padded, with another.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import AttentionInterface, PreTrainedModel

from irl_core.critic.engines.cpu import refuse_unknown
from irl_core.critic.prefix_reader import ReadSequence, Work, ids_and_positions

_ATTENTION = "errata_gpu_kv_cache"  # the name that transformers knows `_attend` by
_CHUNK = 512  # queries of one sequence that attend at once
_SCORES = 1 << 22  # queries times keys that attend at once, which all heads multiply


@dataclass(frozen=True, eq=False)
class _SlotBlock:
    """Slots that were taken at once, free again once no memory holds them."""

    numbers: list[int]


@dataclass
class _SequenceSlots:
    """The memory of a sequence: the slot of each token, and what keeps them taken."""

    numbers: list[int] = field(default_factory=list)
    blocks: list[_SlotBlock] = field(default_factory=list)

    def until(self, position: int) -> _SequenceSlots:
        return _SequenceSlots(self.numbers[:position], self.blocks)


def _slots(sequence: ReadSequence) -> _SequenceSlots:
    """What `GPUKVCache` remembers of a sequence: nothing, before it is read."""
    return cast(_SequenceSlots, sequence.memory) if sequence.memory else _SequenceSlots()


class GPUKVCache:
    """Reads with the body of a causal model of transformers and keeps keys and values in slots; on any device.

    The body's attention is replaced by `_attend` for good. Reading raises NotImplementedError if the attention has
    more to it than a causal mask and a sliding window.
    """

    def __init__(self, body: PreTrainedModel) -> None:
        self._body = body
        body.set_attn_implementation(_ATTENTION)
        self._layers: dict[int, torch.Tensor] = {}
        self._free: list[int] = []
        self._slots = 0

    def read(self, work: Sequence[Work]) -> torch.Tensor:
        ids, positions = ids_and_positions(work)
        for sequence, new in work:
            source = sequence if sequence.memory else sequence.origin or sequence.parent
            before = _slots(source) if source else _SequenceSlots()
            block = self._take(len(new))
            known = before.numbers[: sequence.end - len(new)]
            sequence.memory = _SequenceSlots([*known, *block.numbers], [*before.blocks, block])
        device = self._body.device
        states: torch.Tensor = self._body(
            input_ids=torch.tensor([ids], device=device),
            position_ids=torch.tensor([positions], device=device),
            use_cache=False,
            forward_pass=_ForwardPass(self, work, device),
        ).last_hidden_state[0]
        return states[: sum(len(new) for _, new in work)]

    def _take(self, count: int) -> _SlotBlock:
        if missing := max(0, count - len(self._free)):
            more = max(missing, self._slots)
            self._free += range(self._slots, self._slots + more)
            self._slots += more
        block = _SlotBlock(self._free[-count:])
        del self._free[-count:]
        weakref.finalize(block, self._free.extend, block.numbers).atexit = False
        return block

    def keys_and_values(self, layer: int, new: torch.Tensor, slots: torch.Tensor) -> torch.Tensor:
        """All of a layer (slots, 2 · H_kv, d_head), with those of the new tokens (N, 2 · H_kv, d_head) put in."""
        kept = self._layers.get(layer, new[:0])
        if len(kept) < self._slots:
            kept = torch.cat([kept, new.new_zeros(self._slots - len(kept), *new.shape[1:])])
        self._layers[layer] = kept.index_copy_(0, slots, new)
        return kept


class _QueryChunk:
    """Queries of one sequence: their rows in the forward pass, the position of the first, the slots they attend to."""

    def __init__(self, rows: range, start: int, slots: Sequence[int]) -> None:
        self.rows, self.start, self.slots = rows, start, slots


class _ChunkBatch:
    """Chunks that attend at once: `rows` (B, n) and `slots` (B, L), padded; which of B · n queries are none."""

    def __init__(self, chunks: Sequence[_QueryChunk], device: torch.device) -> None:
        def padded(lists: Sequence[Sequence[int]]) -> torch.Tensor:
            return pad_sequence([torch.tensor(list(one)) for one in lists], batch_first=True).to(device)

        self.rows, self.slots = padded([chunk.rows for chunk in chunks]), padded([chunk.slots for chunk in chunks])
        self._positions = padded([range(chunk.start, chunk.start + len(chunk.rows)) for chunk in chunks])
        width = self.rows.shape[1]
        real = [i * width + j for i, chunk in enumerate(chunks) for j in range(len(chunk.rows))]
        self.real = torch.tensor(real, device=device)
        self.real_rows = torch.tensor([row for chunk in chunks for row in chunk.rows], device=device)
        self._masks: dict[int | None, torch.Tensor] = {}

    def mask(self, like: torch.Tensor, window: int | None) -> torch.Tensor:
        """What is added to scores (B, 1, 1, n, L): -inf where a token must not look, ahead or further than `window`.

        What pads the keys of a sequence stands behind its last token, ahead of all.
        """
        if window not in self._masks:
            back = self._positions[:, :, None] - torch.arange(self.slots.shape[1], device=like.device)
            hidden = (back < 0) | (back >= (window or self.slots.shape[1]))
            mask = torch.zeros(back.shape, device=like.device).masked_fill(hidden, float("-inf"))
            self._masks[window] = mask.to(like)[:, None, None]
        return self._masks[window]


class _ForwardPass:
    """What is read at once: `slots` (N,) of the new tokens, and which queries attend at once."""

    def __init__(self, engine: GPUKVCache, work: Sequence[Work], device: torch.device) -> None:
        self.engine = engine
        slots = [slot for sequence, new in work for slot in _slots(sequence).numbers[-len(new) :]]
        self.slots = torch.tensor(slots, device=device)
        self.batches = [_ChunkBatch(chunks, device) for chunks in _batches(_query_chunks(work))]


def _query_chunks(work: Sequence[Work]) -> Iterator[_QueryChunk]:
    row = 0
    for sequence, new in work:
        for start in range(sequence.end - len(new), sequence.end, _CHUNK):
            end = min(start + _CHUNK, sequence.end)
            yield _QueryChunk(range(row, row := row + end - start), start, _slots(sequence).numbers[:end])


def _batches(chunks: Iterator[_QueryChunk]) -> Iterator[list[_QueryChunk]]:
    """Chunks of similar length side by side, as many as `_SCORES` allows."""
    batch: list[_QueryChunk] = []
    for chunk in sorted(chunks, key=lambda chunk: (len(chunk.slots), len(chunk.rows))):
        longest = max([len(chunk.rows), *(len(one.rows) for one in batch)])
        if batch and (len(batch) + 1) * longest * len(chunk.slots) > _SCORES:
            yield batch
            batch = []
        batch.append(chunk)
    yield batch


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    scaling: float,
    forward_pass: _ForwardPass,
    sliding_window: int | None = None,
    **options: object,
) -> tuple[torch.Tensor, None]:
    """Attention of one layer: query (1, H, N, d_head), key and value (1, H_kv, N, d_head)."""
    refuse_unknown(module, options)
    heads, width = key.shape[1], query.shape[-1]
    queries = query[0].transpose(0, 1)
    new = torch.cat([key[0], value[0]]).transpose(0, 1)[: len(forward_pass.slots)]
    kept = forward_pass.engine.keys_and_values(cast(int, module.layer_idx), new, forward_pass.slots)
    out = torch.zeros_like(queries)
    for part in forward_pass.batches:
        count, length = part.rows.shape
        asked = queries[part.rows].view(count, length, heads, -1, width).permute(0, 2, 3, 1, 4)  # (B, H_kv, g, n, d)
        keys, values = torch.split(kept[part.slots].transpose(1, 2), heads, 1)  # (B, H_kv, L, d)
        scores = (asked.flatten(2, 3) * scaling) @ keys.mT
        scores = scores.unflatten(2, (-1, length)) + part.mask(scores, sliding_window)
        attended = scores.softmax(-1).flatten(2, 3) @ values
        attended = torch.unflatten(attended, 2, (-1, length)).permute(0, 3, 1, 2, 4).reshape(count * length, -1, width)
        out[part.real_rows] = attended[part.real]
    return out[None], None


AttentionInterface.register(_ATTENTION, _attend)
