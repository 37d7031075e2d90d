"""PyTorch on a CPU: new tokens of many sequences are read in one row, and each attends to its own sequence's past.

No sequence is padded; keys and values are kept as one tensor per sequence and layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from transformers import AttentionInterface, PretrainedConfig, PreTrainedModel

from irl_core.critic.prefix_reader import ReadSequence, Work, ids_and_positions

_ATTENTION = "errata_cpu_kv_cache"  # the name that transformers knows `_attend` by
_CHUNK = 128  # queries of one sequence that attend at once
_PAD_TO = 32  # oneDNN keeps a kernel for every number of keys it has seen: there are to be few


@dataclass
class _KeysAndValues:
    """The memory of a sequence. By layer the keys and below them the values, (2 · H_kv, T, d_head).

    T is rounded up; the last columns are padding.
    """

    by_layer: dict[int, torch.Tensor] = field(default_factory=dict)

    def until(self, position: int) -> _KeysAndValues:
        return _KeysAndValues({layer: kept[:, :position] for layer, kept in self.by_layer.items()})


class CPUKVCache:
    """Reads with the body of a causal model of transformers and keeps keys and values for `PrefixReader`.

    The body's attention is replaced by `_attend` for good. Reading raises NotImplementedError if the attention has
    more to it than a causal mask and a sliding window.
    """

    def __init__(self, body: PreTrainedModel) -> None:
        self._body = body
        body.set_attn_implementation(_ATTENTION)

    def read(self, work: Sequence[Work]) -> torch.Tensor:
        ids, positions = ids_and_positions(work)
        device = self._body.device
        for sequence, _ in work:
            sequence.memory = sequence.memory or _KeysAndValues()
        states: torch.Tensor = self._body(
            input_ids=torch.tensor([ids], device=device),
            position_ids=torch.tensor([positions], device=device),
            use_cache=False,
            chunks=[chunk for sequence, new in work for chunk in _chunks(sequence, len(new))],
        ).last_hidden_state[0]
        return states[: sum(len(new) for _, new in work)]


def _keys_and_values(sequence: ReadSequence) -> dict[int, torch.Tensor]:
    """By layer, of a sequence that `CPUKVCache` has begun to read."""
    return cast(_KeysAndValues, sequence.memory).by_layer


class _QueryChunk:
    """`length` new tokens of a sequence that end at position `end`, and what each of them must not look at."""

    def __init__(self, sequence: ReadSequence, length: int, end: int) -> None:
        self.sequence, self.length, self.end = sequence, length, end
        self.padded = end + -end % _PAD_TO
        self._masks: dict[int | None, torch.Tensor] = {}

    def extend(self, layer: int, new: torch.Tensor) -> torch.Tensor:
        """Add the keys and values (2 · H_kv, n, d_head) of these tokens; returns all up to them, and padding."""
        memory, before = _keys_and_values(self.sequence), self.sequence.origin or self.sequence.parent
        if layer not in memory and before:  # whose keys and values this layer has computed, at the latest in this pass
            memory[layer] = _keys_and_values(before)[layer]
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


def _chunks(sequence: ReadSequence, new: int) -> Iterator[_QueryChunk]:
    """The newest `new` tokens of a sequence in chunks short enough that little is computed only to be masked."""
    for start in range(sequence.end - new, sequence.end, _CHUNK):
        end = min(start + _CHUNK, sequence.end)
        yield _QueryChunk(sequence, end - start, end)


def refuse_unknown(module: torch.nn.Module, options: Mapping[str, object]) -> None:
    """Raise NotImplementedError if a layer's attention has more to it than a causal mask and a sliding window."""
    if options.get("softcap") is not None or options.get("s_aux") is not None:
        kind = cast(PretrainedConfig, module.config).model_type
        raise NotImplementedError(f"{kind}: capped scores and attention sinks cannot be read")


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    scaling: float,
    chunks: Sequence[_QueryChunk],
    sliding_window: int | None = None,
    **options: object,
) -> tuple[torch.Tensor, None]:
    """Attention of one layer, chunk by chunk: query (1, H, N, d_head), key and value (1, H_kv, N, d_head).

    Plain products: for the few hundred keys of a solution they are faster in bfloat16 than the fused kernel.
    """
    refuse_unknown(module, options)
    out = torch.zeros_like(query[0])
    heads, start = key.shape[1], 0
    groups, new = query.shape[1] // heads, torch.cat([key[0], value[0]])
    for chunk in chunks:
        rows = slice(start, start := start + chunk.length)
        keys, values = torch.split(chunk.extend(cast(int, module.layer_idx), new[:, rows]), heads)
        queries = query[0, :, rows].reshape(heads, groups * chunk.length, -1)
        mask = chunk.mask(queries, groups, sliding_window)
        weights = torch.baddbmm(mask, queries, keys.mT, alpha=scaling).softmax(-1)
        out[:, rows] = (weights @ values).view(-1, chunk.length, query.shape[-1])
    return out.transpose(0, 1)[None], None


AttentionInterface.register(_ATTENTION, _attend)
