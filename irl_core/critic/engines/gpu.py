"""A model of transformers on a GPU: all new tokens attend in a few calls, whichever sequences they belong to.

A GPU is kept waiting by the number of calls, not by arithmetic. So keys and values of every token lie in a slot of a
tensor for each layer; a pass writes its own with one call and gathers those of its sequences, padded, with another.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import AttentionInterface, PreTrainedModel

from irl_core.critic.engines.cpu import refuse_unknown
from irl_core.critic.prefix_reader import Work, ids_and_positions

_NAME = "slotted"
_PIECE = 512  # queries of one sequence that attend at once
_SCORES = 1 << 22  # queries times keys that attend at once, which all heads multiply


@dataclass(frozen=True, eq=False)
class _Run:
    """Slots that were taken together, free again once no memory holds them."""

    numbers: list[int]


@dataclass
class _Slots:
    """The memory of a sequence: the slot of each token, and what keeps them taken."""

    numbers: list[int] = field(default_factory=list)
    runs: list[_Run] = field(default_factory=list)

    def until(self, position: int) -> _Slots:
        return _Slots(self.numbers[:position], self.runs)


class GPUKVCache:
    """The body of a causal model, which is switched to attention by slots for good; on any device.

    Reading raises NotImplementedError if the attention has more to it than a causal mask and a sliding window.
    """

    def __init__(self, body: PreTrainedModel) -> None:
        self._body = body
        body.set_attn_implementation(_NAME)
        self._layers: dict[int, torch.Tensor] = {}
        self._free: list[int] = []
        self._slots = 0

    def read(self, work: Sequence[Work]) -> torch.Tensor:
        ids, positions = ids_and_positions(work)
        for sequence, new in work:
            before = sequence.memory or (sequence.origin or sequence.parent or sequence).memory or _Slots()
            run = self._take(len(new))
            known = before.numbers[: sequence.end - len(new)]
            sequence.memory = _Slots([*known, *run.numbers], [*before.runs, run])
        device = self._body.get_input_embeddings().weight.device
        states = self._body(
            input_ids=torch.tensor([ids], device=device),
            position_ids=torch.tensor([positions], device=device),
            use_cache=False,
            reading=_Pass(self, work, device),
        ).last_hidden_state[0]
        return states[: sum(len(new) for _, new in work)]

    def _take(self, count: int) -> _Run:
        if missing := max(0, count - len(self._free)):
            more = max(missing, self._slots)
            self._free += range(self._slots, self._slots + more)
            self._slots += more
        run = _Run(self._free[-count:])
        del self._free[-count:]
        weakref.finalize(run, self._free.extend, run.numbers).atexit = False
        return run

    def keys_and_values(self, layer: int, new: torch.Tensor, slots: torch.Tensor) -> torch.Tensor:
        """All of a layer (slots, 2 · H_kv, d_head), with those of the new tokens (N, 2 · H_kv, d_head) put in."""
        kept = self._layers.get(layer, new[:0])
        if len(kept) < self._slots:
            kept = torch.cat([kept, new.new_zeros(self._slots - len(kept), *new.shape[1:])])
        self._layers[layer] = kept.index_copy_(0, slots, new)
        return kept


class _Piece:
    """Some queries of one sequence: their rows in the pass, the position of the first, the slots of what they see."""

    def __init__(self, rows: range, start: int, slots: Sequence[int]) -> None:
        self.rows, self.start, self.slots = rows, start, slots


class _Together:
    """Pieces that attend at once: `rows` (B, n) and `slots` (B, L), padded; which of B · n queries are none."""

    def __init__(self, pieces: Sequence[_Piece], device: torch.device) -> None:
        def padded(lists: Sequence[Sequence[int]]) -> torch.Tensor:
            return pad_sequence([torch.tensor(list(one)) for one in lists], batch_first=True).to(device)

        self.rows, self.slots = padded([piece.rows for piece in pieces]), padded([piece.slots for piece in pieces])
        self._positions = padded([range(piece.start, piece.start + len(piece.rows)) for piece in pieces])
        width = self.rows.shape[1]
        real = [i * width + j for i, piece in enumerate(pieces) for j in range(len(piece.rows))]
        self.real = torch.tensor(real, device=device)
        self.real_rows = torch.tensor([row for piece in pieces for row in piece.rows], device=device)
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


class _Pass:
    """What is read at once: `slots` (N,) of the new tokens, and who attends together."""

    def __init__(self, engine: GPUKVCache, work: Sequence[Work], device: torch.device) -> None:
        self.engine = engine
        slots = [slot for sequence, new in work for slot in sequence.memory.numbers[-len(new) :]]
        self.slots = torch.tensor(slots, device=device)
        self.parts = [_Together(pieces, device) for pieces in _gathered(_pieces(work))]


def _pieces(work: Sequence[Work]) -> Iterator[_Piece]:
    row = 0
    for sequence, new in work:
        for start in range(sequence.end - len(new), sequence.end, _PIECE):
            end = min(start + _PIECE, sequence.end)
            yield _Piece(range(row, row := row + end - start), start, sequence.memory.numbers[:end])


def _gathered(pieces: Iterator[_Piece]) -> Iterator[list[_Piece]]:
    """Pieces of similar length side by side, as many as `_SCORES` allows."""
    together: list[_Piece] = []
    for piece in sorted(pieces, key=lambda piece: (len(piece.slots), len(piece.rows))):
        longest = max([len(piece.rows), *(len(one.rows) for one in together)])
        if together and (len(together) + 1) * longest * len(piece.slots) > _SCORES:
            yield together
            together = []
        together.append(piece)
    yield together


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    scaling: float,
    reading: _Pass,
    sliding_window: int | None = None,
    **options: object,
) -> tuple[torch.Tensor, None]:
    """Attention of one layer: query (1, H, N, d_head), key and value (1, H_kv, N, d_head)."""
    refuse_unknown(module, options)
    heads, width = key.shape[1], query.shape[-1]
    queries = query[0].transpose(0, 1)
    new = torch.cat([key[0], value[0]]).transpose(0, 1)[: len(reading.slots)]
    kept = reading.engine.keys_and_values(module.layer_idx, new, reading.slots)
    out = torch.zeros_like(queries)
    for part in reading.parts:
        count, length = part.rows.shape
        asked = queries[part.rows].view(count, length, heads, -1, width).permute(0, 2, 3, 1, 4)  # (B, H_kv, g, n, d)
        keys, values = kept[part.slots].transpose(1, 2).split(heads, 1)  # (B, H_kv, L, d)
        scores = (asked.flatten(2, 3) * scaling) @ keys.mT
        scores = scores.unflatten(2, (-1, length)) + part.mask(scores, sliding_window)
        said = scores.softmax(-1).flatten(2, 3) @ values
        said = said.unflatten(2, (-1, length)).permute(0, 3, 1, 2, 4).reshape(count * length, -1, width)
        out[part.real_rows] = said[part.real]
    return out[None], None


AttentionInterface.register(_NAME, _attend)
