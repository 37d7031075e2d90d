"""Counterfactual trees: an expert's solution with other ways to write its steps, packed into one sequence.

Each alternative grows from the expert's own prefix and sees only that prefix and itself (a tree attention mask,
positions counted along the path), so that expert step and counterfactual are compared under the same context,
the shared prefix carries no label, and a solution of K steps gives several pairs for little more than one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import torch

from irl_core.learning.common.encoding import ROUND_TO, causal_lm, target_logprobs
from irl_core.learning.data.perturbations import results_of
from irl_core.models.prompts import prompt_ids
from irl_core.models.solution_tokens import encode_solution, end_id
from irl_core.text.steps import split_steps

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Alternative(NamedTuple):
    """Another text for step `step` (0-based) of the expert's solution; `kind` is an edit's family or `policy`."""

    step: int
    text: str
    kind: str


class Tree(NamedTuple):
    """Ids, positions and parents of one packed tree of T tokens.

    `segments[i]` is 0 for prompt and expert, b for alternative b; `roots[b]` how many tokens of the trunk
    alternative b sees.
    `pairs` holds for each alternative the (start, end) of the expert's step and of the alternative in the sequence.
    """

    ids: list[int]
    positions: list[int]
    segments: list[int]
    roots: list[int]
    numbers: list[bool]
    trunk: int
    prompt: int
    pairs: list[tuple[tuple[int, int], tuple[int, int]]]


def usable(alternative: str, expert_step: str, expert_solution: str) -> bool:
    """Whether a policy's step is surely worse than the expert's, judged by the demonstration alone.

    It is not if it computes nothing, or any number that the expert computes too, there or elsewhere: it may then be
    right in other words or another order.
    """
    computed = results_of(alternative)
    return bool(computed) and bool(results_of(expert_step)) and not computed & results_of(expert_solution)


def grow(
    tokenizer: PreTrainedTokenizerBase,
    question: str,
    solution: str,
    alternatives: Sequence[Alternative],
    max_tokens: int,
) -> Tree | None:
    """Pack a tree; alternatives that no longer fit in `max_tokens` are left out. None if no alternative fits."""
    steps = [solution[a:b] for a, b in split_steps(solution)]
    prompt = prompt_ids(tokenizer, question)
    encoded = [encode_solution(tokenizer, step) for step in steps]
    starts = list(accumulate((len(ids) for ids, _ in encoded), initial=len(prompt)))
    ids = [*prompt, *(token for step, _ in encoded for token in step), end_id(tokenizer)]
    trunk = len(ids)
    numbers = [False] * len(prompt)
    for (_, spans), step in zip(encoded, steps, strict=True):
        numbers += [any(c.isdigit() for c in step[a:b]) for a, b in spans]
    numbers.append(False)
    positions, segments, roots = list(range(trunk)), [0] * trunk, [trunk]
    pairs: list[tuple[tuple[int, int], tuple[int, int]]] = []
    for alternative in alternatives:
        text = alternative.text.strip("\n") + ("\n" if steps[alternative.step].endswith("\n") else "")
        branch, spans = encode_solution(tokenizer, text)
        if len(ids) + len(branch) > max_tokens:
            continue
        root = starts[alternative.step]
        pairs.append(((root, starts[alternative.step + 1]), (len(ids), len(ids) + len(branch))))
        positions += range(root, root + len(branch))
        segments += [len(roots)] * len(branch)
        roots.append(root)
        numbers += [any(c.isdigit() for c in text[a:b]) for a, b in spans]
        ids += branch
    return Tree(ids, positions, segments, roots, numbers, trunk, len(prompt), pairs) if pairs else None


def tree_mask(tree: Tree) -> torch.Tensor:
    """(T, T) bool, true where the row's token may look: back along its own path."""
    segments = torch.tensor(tree.segments)
    order = torch.arange(len(segments))
    causal = order[:, None] >= order[None, :]
    same = segments[:, None] == segments[None, :]
    seen_of_trunk = order[None, :] < torch.tensor(tree.roots)[segments][:, None]
    on_trunk = (segments == 0)[None, :]
    return causal & (same | (on_trunk & seen_of_trunk))


def predictors(tree: Tree) -> list[int]:
    """For each token after the prompt the index of the token that predicts it: the one before it on its path."""
    indices = []
    for i in range(tree.prompt, len(tree.ids)):
        segment = tree.segments[i]
        first_of_branch = segment and tree.segments[i - 1] != segment
        indices.append(tree.roots[segment] - 1 if first_of_branch else i - 1)
    return indices


def tree_logprobs(model: torch.nn.Module, tree: Tree) -> torch.Tensor:
    """log π(y_t | its path) in nats of every token after the prompt, (T − prompt,)."""
    return forest_logprobs(model, [tree])[0]


def forest_logprobs(model: torch.nn.Module, trees: Sequence[Tree]) -> list[torch.Tensor]:
    """`tree_logprobs` of several trees, from one padded forward pass of (B, longest T)."""
    causal = causal_lm(model)
    weight = causal.lm_head.weight
    width = max(len(tree.ids) for tree in trees)
    width += -width % ROUND_TO
    mask = torch.full((len(trees), 1, width, width), torch.finfo(weight.dtype).min, dtype=weight.dtype)
    ids, positions = torch.zeros(2, len(trees), width, dtype=torch.long)
    for row, tree in enumerate(trees):
        length = len(tree.ids)
        ids[row, :length], positions[row, :length] = torch.tensor(tree.ids), torch.tensor(tree.positions)
        mask[row, 0, :length, :length].masked_fill_(tree_mask(tree), 0)
        # A padding token looks at itself, since a softmax over nothing is not a number.
        mask[row, 0].fill_diagonal_(0)
    ids, positions, mask = (tensor.to(weight.device) for tensor in (ids, positions, mask))
    hidden = causal.model(
        input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False
    ).last_hidden_state
    seen = torch.cat([hidden[row, predictors(tree)] for row, tree in enumerate(trees)])
    targets = torch.cat([ids[row, tree.prompt : len(tree.ids)] for row, tree in enumerate(trees)])
    logprobs = target_logprobs(causal.lm_head, seen, targets)
    return list(torch.split(logprobs, [len(tree.ids) - tree.prompt for tree in trees]))


def contrast_loss(
    logprobs: torch.Tensor, tree: Tree, *, number_weight: float, word_weight: float, beta: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Relativistic loss over the pairs of a tree, and its margins.

    L = mean over alternatives of −log σ(β (S_expert − S_branch)), S a step's sum of w_t log π(y_t) in nats
    (a Bradley-Terry model of pairs under one context). Tokens before the first difference have the same path and
    cancel.

    Returns:
        The loss (a scalar) and the margins S_expert − S_branch (number of alternatives,), detached.
    """
    numbers = torch.tensor(tree.numbers[tree.prompt :], device=logprobs.device)
    weight = torch.where(numbers, number_weight, word_weight)
    total = torch.nn.functional.pad((weight * logprobs).cumsum(0), (1, 0))
    spans = torch.tensor(tree.pairs) - tree.prompt
    sums = total[spans[..., 1]] - total[spans[..., 0]]
    margins = sums[:, 0] - sums[:, 1]
    return -torch.nn.functional.logsigmoid(beta * margins).mean(), margins.detach()
