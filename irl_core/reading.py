"""A forward pass without padding: the new tokens of many sequences side by side in one row, each seeing its own past.

A sequence may continue another, as the solutions of a problem continue its prompt, and solutions that begin alike
continue each other: whatever several begin with is read once. What was read is kept, keys and values of every layer,
so that a sequence that grew or was edited is read from the first new token on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from transformers import AttentionInterface, PreTrainedModel

Row = tuple[list[int], list[int]]
"""Token ids of a prompt and of what follows it."""

_PADDING_FREE = "padding_free"
_PIECE = 128
_ROUND_TO, _FEW_ROUND_TO = 32, 8  # a new number of rows costs a kernel that is kept; rounded, there are few


@dataclass(eq=False)
class Branch:
    """Tokens read after those of `parent`, and the last hidden state of each, (T, d).

    `memory` holds by layer the keys and below them the values, (2 · H_kv, T', d_head), from the parent's first token
    on; `found` whatever a head has said of the first tokens. The first `shared` tokens are those of `origin`, which is
    read in the same pass.
    """

    parent: Branch | None = None
    ids: list[int] = field(default_factory=list)
    memory: dict[int, torch.Tensor] = field(default_factory=dict)
    states: torch.Tensor | None = None
    found: torch.Tensor | None = None
    origin: Branch | None = None
    shared: int = 0

    @property
    def start(self) -> int:
        """The position of the first token."""
        return self.parent.end if self.parent else 0

    @property
    def end(self) -> int:
        """The position after the last token."""
        return self.start + len(self.ids)

    def fork(self, length: int) -> Branch:
        """A branch that shares the first `length` tokens of this one."""
        return Branch(
            self.parent,
            self.ids[:length],
            {layer: kept[:, : self.start + length] for layer, kept in self.memory.items()},
            None if self.states is None else self.states[:length],
            None if self.found is None else self.found[:length],
        )

    def before(self, start: int) -> torch.Tensor:
        """The states (T - start, d) that predict the tokens from `start` on."""
        first = self.parent.states[-1:] if start == 0 else self.states[start - 1 : start]
        return torch.cat([first, self.states[start:-1]])

    def extend(self, layer: int, new: torch.Tensor) -> torch.Tensor:
        """Add the keys and values (2 · H_kv, n, d_head) of new tokens; returns all."""
        old = self.memory.get(layer)
        if old is None and self.origin:
            old = self.origin.memory[layer][:, : self.start + self.shared]
        elif old is None and self.parent:
            old = self.parent.memory[layer]
        self.memory[layer] = new if old is None else torch.cat([old, new], 1)
        return self.memory[layer]

    def settle(self) -> None:
        """Take from `origin`, which has been read, what nothing new was added to."""
        beginning = self.origin.fork(self.shared)
        self.memory = beginning.memory | self.memory
        self.states = beginning.states if self.states is None else torch.cat([beginning.states, self.states])


class Reader:
    """One model and what it read last: tokens that the next rows begin with as well are not read again.

    The model, a causal body `model` under some head, is switched to padding-free attention for good.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._body = model.model
        self._body.set_attn_implementation(_PADDING_FREE)
        self._prompts: dict[tuple[int, ...], Branch] = {}
        self._known: list[Branch] = []

    def read(self, rows: Sequence[Row]) -> list[Branch]:
        """One branch per row, in order, whose ids are what follows the prompt; all in one pass.

        Raises:
            ValueError: if a prompt is empty.
            NotImplementedError: if the model's attention has more to it than a causal mask and a sliding window.
        """
        if not all(prompt for prompt, _ in rows):
            raise ValueError("a prompt without tokens predicts nothing")
        prompts = {tuple(prompt): self._prompts.get(tuple(prompt)) or Branch() for prompt, _ in rows}
        work = [(branch, list(prompt)) for prompt, branch in prompts.items() if not branch.ids]
        branches: list[Branch] = []
        for i, (prompt, ids) in enumerate(rows):
            branch = self._resumed(prompts[tuple(prompt)], ids)
            branches.append(_sharing(branch, ids, zip(branches, (before for _, before in rows[:i]), strict=True)))
        work += [(branch, ids[len(branch.ids) :]) for branch, (_, ids) in zip(branches, rows, strict=True)]
        read_on(self._body, [(branch, new) for branch, new in work if new])
        for branch in branches:
            if branch.origin:
                branch.settle()
        self._prompts, self._known = prompts, branches
        return branches

    def _resumed(self, prompt: Branch, ids: list[int]) -> Branch:
        """A branch with as many of the first `ids` as were read before."""
        shared = [(common_length(known.ids, ids), known) for known in self._known if known.parent is prompt]
        length, known = max(shared, key=lambda pair: pair[0], default=(0, None))
        return known.fork(length) if length else Branch(prompt)


def _sharing(branch: Branch, ids: list[int], before: Iterable[tuple[Branch, list[int]]]) -> Branch:
    """`branch`, or one that begins as another of the same pass does, if they share more of `ids` than is known."""
    shared = [(common_length(others, ids), other) for other, others in before if other.parent is branch.parent]
    length, origin = max(shared, key=lambda pair: pair[0], default=(0, branch))
    return branch if length <= len(branch.ids) else Branch(branch.parent, ids[:length], origin=origin, shared=length)


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def read_on(body: PreTrainedModel, work: Sequence[tuple[Branch, list[int]]]) -> None:
    """Read new ids after what each branch holds, all in one pass; a branch comes after its parent."""
    if not work:
        return
    for branch, new in work:
        branch.ids.extend(new)
    ids = [token for _, new in work for token in new]
    positions = [p for branch, new in work for p in range(branch.end - len(new), branch.end)]
    idle = [0] * (-len(ids) % (_ROUND_TO if len(ids) > _PIECE else _FEW_ROUND_TO))
    device = body.get_input_embeddings().weight.device
    states = body(
        input_ids=torch.tensor([ids + idle], device=device),
        position_ids=torch.tensor([positions + idle], device=device),
        use_cache=False,
        pieces=[piece for branch, new in work for piece in _pieces(branch, len(new))],
    ).last_hidden_state[0, : len(ids)]
    for (branch, _), read in zip(work, states.split([len(new) for _, new in work]), strict=True):
        branch.states = read if branch.states is None else torch.cat([branch.states, read])


class _Piece:
    """`length` new tokens of a branch that end at position `end`, and what each of them must not look at."""

    def __init__(self, branch: Branch, length: int, end: int) -> None:
        self.branch, self.length, self.end = branch, length, end
        self._masks: dict[int | None, torch.Tensor] = {}

    def mask(self, like: torch.Tensor, groups: int, window: int | None) -> torch.Tensor:
        """What is added to the scores of `groups` queries a key (groups · n, L): -inf where a token must not look.

        That is ahead, and further back than `window`.
        """
        if window not in self._masks:
            order = torch.arange(self.end, device=like.device)
            back = order[self.end - self.length :, None] - order
            hidden = (back < 0) | (back >= (window or self.end))
            mask = torch.zeros(back.shape, device=like.device).masked_fill(hidden, float("-inf"))
            self._masks[window] = mask.repeat(groups, 1).to(like)
        return self._masks[window]


def _pieces(branch: Branch, new: int) -> Iterator[_Piece]:
    """The newest `new` tokens of a branch in pieces short enough that little is computed only to be masked."""
    for start in range(branch.end - new, branch.end, _PIECE):
        end = min(start + _PIECE, branch.end)
        yield _Piece(branch, end - start, end)


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
    if options.get("softcap") is not None or options.get("s_aux") is not None:
        raise NotImplementedError(f"{module.config.model_type}: capped scores and attention sinks cannot be read")
    out = torch.zeros_like(query[0])
    heads, start = key.shape[1], 0
    groups, new = query.shape[1] // heads, torch.cat([key[0], value[0]])
    for piece in pieces:
        rows = slice(start, start := start + piece.length)
        keys, values = piece.branch.extend(module.layer_idx, new[:, rows]).split(heads)
        queries = query[0, :, rows].reshape(heads, groups * piece.length, -1)
        mask = piece.mask(queries, groups, sliding_window)
        weights = torch.baddbmm(mask, queries, keys.mT, alpha=scaling).softmax(-1)
        out[:, rows] = (weights @ values).view(-1, piece.length, query.shape[-1])
    return out.transpose(0, 1)[None], None


AttentionInterface.register(_PADDING_FREE, _attend)
