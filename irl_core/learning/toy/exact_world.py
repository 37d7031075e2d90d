"""An exact world: chains of small arithmetic whose expert and novice are processes with known token probabilities.

A problem is a chain such as `3 + 4 * 2 - 5 ?`, worked from left to right on a clock of `modulus` hours. A solution
fills a fixed layout of six tokens a step and three more:

    so 3 + 4 = 7 then 2 * 7 = 4 so 4 - 5 = 9 answer 9 <eos>

Connectives and the order of commuting operands are style; operations, operands, results and the answer can be wrong.
What a `Writer` writes next depends on the problem and on what is written, errors included: a result is right or wrong
for the equation as it stands. So log π of every token of *any* sequence is known, and with it the log-ratio of two
writers that a critic learned from their samples ought to find. Everything is a tensor function over a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from torch.nn.functional import one_hot
from transformers import PreTrainedTokenizerFast

OPERATIONS = "+ - *".split()
CONNECTIVES = "so then thus".split()
_WORDS = ["<pad>", "<eos>", *CONNECTIVES, *OPERATIONS, "=", "?", "answer"]
PAD, EOS, EQUALS, ASK, ANSWER = (_WORDS.index(word) for word in "<pad> <eos> = ? answer".split())
CONNECTIVE, OPERATION, NUMBER = _WORDS.index("so"), _WORDS.index("+"), len(_WORDS)
HARD = 24
"""Products from here on are where a novice may have a misconception."""
STEP = 6
"""Tokens of a step: connective, left operand, operation, right operand, `=`, result."""
_LEFT, _OPERATION, _RIGHT, _RESULT = 1, 2, 3, 5


@dataclass(frozen=True)
class Writer:
    """How somebody writes solutions; all fields are probabilities.

    Attributes:
        connectives: of `so`, `then`, `thus`; style.
        constant_first: writes `4 + 3` where the chain has 3 first, if the operation commutes; style.
        operand_slip: copies a number near the operand instead.
        operation_slip: writes one of the two other operations.
        result_slip: after `+`, `-`, `*`: writes a number near the result.
        misconception: of a product of `HARD` or more: multiplies once too often, `7 * 8 = 3` for 63 (modulo 10).
        answer_slip: copies a number near the last result as the answer.
        garble: writes any token of the vocabulary, so that no probability is zero.
    """

    connectives: tuple[float, float, float]
    constant_first: float
    operand_slip: float
    operation_slip: float
    result_slip: tuple[float, float, float]
    misconception: float
    answer_slip: float
    garble: float = 1e-3


EXPERT = Writer((0.6, 0.3, 0.1), 0.5, 0.005, 0.005, (0.02, 0.02, 0.03), 0.0, 0.005)
NOVICE = Writer((0.2, 0.3, 0.5), 0.15, 0.04, 0.04, (0.15, 0.2, 0.25), 0.7, 0.03)
IDEAL = Writer((1 / 3, 1 / 3, 1 / 3), 0.5, 0.0, 0.0, (0.0, 0.0, 0.0), 0.0, 0.0, garble=0.0)
"""Makes no mistake and gives every valid token some probability."""


@dataclass(frozen=True)
class ExactWorld:
    """Problems of `steps` operations with constants from 1 to `largest_constant`, numbers modulo `modulus`."""

    modulus: int = 10
    steps: int = 3
    largest_constant: int = 9
    words: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.largest_constant < self.modulus:
            raise ValueError(
                f"the largest constant must lie between 1 and {self.modulus - 1}: {self.largest_constant}"
            )
        object.__setattr__(self, "words", (*_WORDS, *map(str, range(self.modulus))))

    @property
    def length(self) -> int:
        """Tokens of a solution, T."""
        return STEP * self.steps + 3

    def problems(self, count: int, generator: torch.Generator) -> Tensor:
        """Random prompts (B, 2·steps + 2): start, then an operation and a constant for each step, then `?`."""
        columns = [torch.randint(self.modulus, (count,), generator=generator) + NUMBER]
        for _ in range(self.steps):
            columns.append(torch.randint(len(OPERATIONS), (count,), generator=generator) + OPERATION)
            columns.append(torch.randint(1, self.largest_constant + 1, (count,), generator=generator) + NUMBER)
        return torch.stack([*columns, torch.full((count,), ASK)], dim=1)

    def answers(self, problems: Tensor) -> Tensor:
        """The token of the right answer of each problem (B,)."""
        value = problems[:, 0]
        for step in range(self.steps):
            value = self.apply(value, problems[:, 1 + 2 * step], problems[:, 2 + 2 * step])
        return value

    def apply(self, left: Tensor, operation: Tensor, right: Tensor) -> Tensor:
        """The token of the result of each calculation, from the tokens of its operands and operation; all (B,)."""
        a, b = left - NUMBER, right - NUMBER
        results = torch.stack([a + b, a - b, a * b], dim=1) % self.modulus
        return results.gather(1, (operation - OPERATION).clamp(0, 2)[:, None])[:, 0] + NUMBER

    def next_token_probabilities(self, writer: Writer, problems: Tensor, written: Tensor) -> Tensor:
        """π(· | problem, written) of the next token, (B, V), for problems (B, P) and what is written so far (B, t)."""
        step, slot = divmod(written.shape[1], STEP)
        if step == self.steps:
            clean = self._closing(writer, problems, written, slot)
        else:
            clean = self._in_step(writer, problems, written, step, slot)
        return (1 - writer.garble) * clean + writer.garble / len(self.words)

    def sample(self, writer: Writer, problems: Tensor, generator: torch.Generator) -> Tensor:
        """One solution of each problem, (B, T)."""
        written = problems.new_empty((len(problems), 0))
        for _ in range(self.length):
            probabilities = self.next_token_probabilities(writer, problems, written)
            written = torch.cat([written, torch.multinomial(probabilities, 1, generator=generator)], dim=1)
        return written

    def token_probabilities(self, writer: Writer, problems: Tensor, solutions: Tensor) -> Tensor:
        """π(y_t | x, y_<t) of every token of solutions (B, t), t ≤ T; the same shape."""
        columns = []
        for t in range(solutions.shape[1]):
            probabilities = self.next_token_probabilities(writer, problems, solutions[:, :t])
            columns.append(probabilities.gather(1, solutions[:, t : t + 1]))
        return torch.cat(columns, dim=1)

    def log_ratio(self, one: Writer, other: Writer, problems: Tensor, solutions: Tensor) -> Tensor:
        """log π_one − log π_other of every token in nats, (B, t)."""
        ratio = self.token_probabilities(one, problems, solutions) / self.token_probabilities(
            other, problems, solutions
        )
        return ratio.log()

    def wrong_tokens(self, problems: Tensor, solutions: Tensor) -> Tensor:
        """(B, t) bool: what nobody who makes no mistake would write there, given what is written before."""
        return self.token_probabilities(IDEAL, problems, solutions) == 0

    def correct(self, problems: Tensor, solutions: Tensor) -> Tensor:
        """(B,) bool: the right number stands where the answer belongs; solutions (B, T)."""
        return solutions[:, STEP * self.steps + 1] == self.answers(problems)

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """One token a word."""
        model = models.WordLevel({word: i for i, word in enumerate(self.words)}, unk_token="<pad>")
        tokenizer = Tokenizer(model)
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<pad>")

    def text(self, ids: Sequence[int]) -> str:
        """Token ids as they are read."""
        return " ".join(self.words[i] for i in ids)

    def _in_step(self, writer: Writer, problems: Tensor, written: Tensor, step: int, slot: int) -> Tensor:
        operation, constant = problems[:, 1 + 2 * step], problems[:, 2 + 2 * step]
        commutes = operation != OPERATION + OPERATIONS.index("-")
        start = self._last_result(problems, written, step)
        here = written[:, STEP * step :]
        if slot == 0:
            return self._fixed(len(problems), range(CONNECTIVE, CONNECTIVE + 3), writer.connectives)
        if slot == _LEFT:
            swapped = (writer.constant_first * commutes)[:, None]
            right = (1 - swapped) * self._certain(start) + swapped * self._certain(constant)
            return (1 - writer.operand_slip) * right + writer.operand_slip * self._nearby_number(start)
        if slot == _OPERATION:
            others = self._fixed(len(problems), range(OPERATION, OPERATION + 3), (0.5, 0.5, 0.5))
            wrong = others * (1 - self._certain(operation))
            return (1 - writer.operation_slip) * self._certain(operation) + writer.operation_slip * wrong
        if slot == _RIGHT:
            swapped = commutes & (here[:, _LEFT] == constant)
            return self._slipping(torch.where(swapped, start, constant), writer.operand_slip)
        if slot == _RESULT:
            return self._result(writer, here)
        return self._certain(problems.new_full((len(problems),), EQUALS))

    def _result(self, writer: Writer, here: Tensor) -> Tensor:
        """Of the equation as it is written; any number is as good as another where it makes no sense."""
        left, operation, right = here[:, _LEFT], here[:, _OPERATION], here[:, _RIGHT]
        readable = (left >= NUMBER) & (right >= NUMBER) & (operation >= OPERATION) & (operation < OPERATION + 3)
        slips = torch.tensor(writer.result_slip)[(operation - OPERATION).clamp(0, 2)][:, None]
        left, right = left.clamp(min=NUMBER), right.clamp(min=NUMBER)
        result = self.apply(left, operation, right)
        product = (left - NUMBER) * (right - NUMBER)
        hard = (operation == OPERATION + OPERATIONS.index("*")) & (product >= HARD)
        believed = self._certain((product + left - NUMBER) % self.modulus + NUMBER)
        doubt = (writer.misconception * hard)[:, None]
        known = (1 - doubt) * self._certain(result) + doubt * believed
        anything = self._fixed(len(here), range(NUMBER, len(self.words)), [1 / self.modulus] * self.modulus)
        mixture = (1 - slips) * known + slips * self._nearby_number(result)
        return torch.where(readable[:, None], mixture, anything)

    def _closing(self, writer: Writer, problems: Tensor, written: Tensor, slot: int) -> Tensor:
        if slot == 1:
            return self._slipping(self._last_result(problems, written, self.steps), writer.answer_slip)
        return self._certain(problems.new_full((len(problems),), ANSWER if slot == 0 else EOS))

    def _last_result(self, problems: Tensor, written: Tensor, step: int) -> Tensor:
        """The number that `step` starts from, (B,): the last result that is written as a number, or the start."""
        value = problems[:, 0]
        for before in range(step):
            result = written[:, STEP * before + _RESULT]
            value = torch.where(result >= NUMBER, result, value)
        return value

    def _slipping(self, right: Tensor, slip: float | Tensor) -> Tensor:
        return (1 - slip) * self._certain(right) + slip * self._nearby_number(right)

    def _nearby_number(self, token: Tensor) -> Tensor:
        """Numbers other than `token` (B,), each further one on the clock half as likely; (B, V)."""
        numbers = torch.arange(self.modulus)
        distance = (numbers - (token[:, None] - NUMBER)) % self.modulus
        weight = 0.5 ** torch.minimum(distance, self.modulus - distance) * (distance > 0)
        probabilities = torch.zeros(len(token), len(self.words))
        probabilities[:, NUMBER:] = weight / weight.sum(dim=1, keepdim=True)
        return probabilities

    def _certain(self, tokens: Tensor) -> Tensor:
        return one_hot(tokens, len(self.words)).float()

    def _fixed(self, count: int, tokens: range, probabilities: Sequence[float]) -> Tensor:
        row = torch.zeros(len(self.words))
        row[tokens.start : tokens.stop] = torch.tensor(list(probabilities))
        return row.expand(count, -1)
