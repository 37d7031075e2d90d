"""A model of transformers reads new tokens of many sequences side by side in one row, each seeing its own past."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from transformers import AttentionInterface, PreTrainedModel

from irl_core.critic.prefix_reader import ReadSequence, Work, ids_and_positions

_NAME = "padding_free"
_PIECE = 128
_PAD_TO = 32  # oneDNN keeps a kernel for every number of keys it has seen: there are to be few


@dataclass
class _KeysAndValues:
    """By layer the keys and below them the values, (2 · H_kv, T, d_head); of a T rounded up, the last mean nothing."""

    of: dict[int, torch.Tensor] = field(default_factory=dict)

    def until(self, position: int) -> _KeysAndValues:
        return _KeysAndValues({layer: kept[:, :position] for layer, kept in self.of.items()})


class CPUKVCache:
    """The body of a causal model, which is switched to padding-free attention for good.

    Reading raises NotImplementedError if the attention has more to it than a causal mask and a sliding window.
    """

    def __init__(self, body: PreTrainedModel) -> None:
        self._body = body
        body.set_attn_implementation(_NAME)

    def read(self, work: Sequence[Work]) -> torch.Tensor:
        ids, positions = ids_and_positions(work)
        device = self._body.get_input_embeddings().weight.device
        for sequence, _ in work:
            sequence.memory = sequence.memory or _KeysAndValues()
        states = self._body(
            input_ids=torch.tensor([ids], device=device),
            position_ids=torch.tensor([positions], device=device),
            use_cache=False,
            pieces=[piece for sequence, new in work for piece in _pieces(sequence, len(new))],
        ).last_hidden_state[0]
        return states[: sum(len(new) for _, new in work)]


class _Piece:
    """`length` new tokens of a sequence that end at position `end`, and what each of them must not look at."""

    def __init__(self, sequence: ReadSequence, length: int, end: int) -> None:
        self.sequence, self.length, self.end = sequence, length, end
        self.padded = end + -end % _PAD_TO
        self._masks: dict[int | None, torch.Tensor] = {}

    def extend(self, layer: int, new: torch.Tensor) -> torch.Tensor:
        """Add the keys and values (2 · H_kv, n, d_head) of these tokens; returns all up to them, and padding."""
        memory, before = self.sequence.memory.of, self.sequence.origin or self.sequence.parent
        if layer not in memory and before:  # which this layer has read a moment ago, if not earlier
            memory[layer] = before.memory.of[layer]
        known = [memory[layer][:, : self.end - self.length]] if layer in memory else []
        memory[layer] = torch.cat([*known, new, new.new_zeros(len(new), self.padded - self.end, new.shape[-1])], 1)
        return memory[layer]

    def mask(self, like: torch.Tensor, groups: int, window: int | None) -> torch.Tensor:
        """What is added to the scores of `groups` queries a key (groups · n, L): -inf where a token must not look.

        That is ahead, where the padding is too, and further back than `window`.
        """
        if window not in self._masks:
            order = torch.arange(self.padded, device=like.device)
            back = order[self.end - self.length : self.end, None] - order
            hidden = (back < 0) | (back >= (window or self.end))
            mask = torch.zeros(back.shape, device=like.device).masked_fill(hidden, float("-inf"))
            self._masks[window] = mask.repeat(groups, 1).to(like)
        return self._masks[window]


def _pieces(sequence: ReadSequence, new: int) -> Iterator[_Piece]:
    """The newest `new` tokens of a sequence in pieces short enough that little is computed only to be masked."""
    for start in range(sequence.end - new, sequence.end, _PIECE):
        end = min(start + _PIECE, sequence.end)
        yield _Piece(sequence, end - start, end)


def refuse_unknown(module: torch.nn.Module, options: Mapping[str, object]) -> None:
    """Raise NotImplementedError if a layer's attention has more to it than a causal mask and a sliding window."""
    if options.get("softcap") is not None or options.get("s_aux") is not None:
        raise NotImplementedError(f"{module.config.model_type}: capped scores and attention sinks cannot be read")


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    scaling: float,
    pieces: Sequence[_Piece],
    sliding_window: int | None = None,
    **options: object,
) -> tuple[torch.Tensor, None]:
    """Attention of one layer, piece by piece: query (1, H, N, d_head), key and value (1, H_kv, N, d_head).

    Plain products: for the few hundred keys of a solution they are faster in bfloat16 than the fused kernel.
    """
    refuse_unknown(module, options)
    out = torch.zeros_like(query[0])
    heads, start = key.shape[1], 0
    groups, new = query.shape[1] // heads, torch.cat([key[0], value[0]])
    for piece in pieces:
        rows = slice(start, start := start + piece.length)
        keys, values = piece.extend(module.layer_idx, new[:, rows]).split(heads)
        queries = query[0, :, rows].reshape(heads, groups * piece.length, -1)
        mask = piece.mask(queries, groups, sliding_window)
        weights = torch.baddbmm(mask, queries, keys.mT, alpha=scaling).softmax(-1)
        out[:, rows] = (weights @ values).view(-1, piece.length, query.shape[-1])
    return out.transpose(0, 1)[None], None


AttentionInterface.register(_NAME, _attend)
