"""Ways to find the log-probability of every token of some traces: ours, what a user would write, other engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from irl_core.critic.engines.openvino import OpenVINOModel
from irl_core.critic.engines.reordered_linear import reorder_linear_layers
from irl_core.critic.model import logprobs_by, new_engine
from irl_core.critic.prefix_reader import PrefixReader, PromptAndCompletion
from irl_core.critic.token_statistics import causal_statistics
from irl_core.models.backbones import resolve_backbone
from irl_core.models.catalogue import SMOLLM2
from irl_core.models.gguf import Packing
from irl_core.models.openvino_graphs import packed_graph
from irl_core.models.pairs import SMALL

PADDED_TO = 256

Scorer = Callable[[Sequence[PromptAndCompletion]], list[torch.Tensor]]
"""Log-probabilities (T,) in nats of what follows each prompt."""


def ours(model: PreTrainedModel | OpenVINOModel) -> Scorer:
    @torch.inference_mode()
    def score(rows: Sequence[PromptAndCompletion]) -> list[torch.Tensor]:
        # An engine switches the model to its attention, the others back to theirs.
        sequences = PrefixReader(new_engine(model)).read(rows)
        return [found.logprobs for found in causal_statistics(logprobs_by(model), sequences)]

    return score


def plain_loop(model: PreTrainedModel, padded_to: int = 0, attention: str = "sdpa") -> Scorer:
    """Trace by trace, all logits of all tokens, padded to a fixed length."""

    @torch.inference_mode()
    def score(rows: Sequence[PromptAndCompletion]) -> list[torch.Tensor]:
        model.set_attn_implementation(attention)
        return [_of_logits(_logits(model, [row], padded_to)[0], row) for row in rows]

    return score


def padded_batch(model: PreTrainedModel, attention: str = "sdpa") -> Scorer:
    """All traces in one batch, padded to the longest."""

    @torch.inference_mode()
    def score(rows: Sequence[PromptAndCompletion]) -> list[torch.Tensor]:
        model.set_attn_implementation(attention)
        logits = _logits(model, rows, max(len(prompt) + len(ids) for prompt, ids in rows))
        return [_of_logits(one, row) for one, row in zip(logits, rows, strict=True)]

    return score


def reordered(model: PreTrainedModel) -> PreTrainedModel:
    """The model as the critic keeps it."""
    reorder_linear_layers(model)
    return model


def raw_forward(model: PreTrainedModel, attention: str = "sdpa") -> Scorer:
    """The limit: as many unique tokens as dense rows of equal length, as many rows through the head; no scores."""

    @torch.inference_mode()
    def score(rows: Sequence[PromptAndCompletion]) -> list[torch.Tensor]:
        model.set_attn_implementation(attention)
        count = len(rows) * -(-unique_tokens(rows) // len(rows))
        ids = torch.arange(count, device=model.device) % model.config.vocab_size
        hidden = model.model(ids.view(len(rows), -1), use_cache=False).last_hidden_state.flatten(0, 1)
        for states in hidden[: sum(len(completion) for _, completion in rows)].split(64):
            model.lm_head(states).float().log_softmax(-1)
        return []

    return score


def openvino_forward(packing: Packing, precision: str) -> Scorer:
    """OpenVINO's own graph of the merged model, log-probabilities in the graph; one batch padded to the longest."""
    import openvino

    settings = {"INFERENCE_PRECISION_HINT": precision}
    request = openvino.Core().compile_model(_scoring_graph(packing), "CPU", settings).create_infer_request()

    def score(rows: Sequence[PromptAndCompletion]) -> list[torch.Tensor]:
        ids = _padded(rows, max(len(prompt) + len(completion) for prompt, completion in rows)).numpy()
        batch, width = ids.shape
        request.reset_state()
        out = request.infer(
            {
                "input_ids": ids,
                "attention_mask": np.ones_like(ids),
                "position_ids": np.broadcast_to(np.arange(width), (batch, width)).astype(np.int64),
                "beam_idx": np.arange(batch, dtype=np.int32),
            }
        )[0]
        return [
            torch.tensor(line[len(prompt) - 1 : len(prompt) + len(completion) - 1])
            for line, (prompt, completion) in zip(out, rows, strict=True)
        ]

    return score


def _scoring_graph(packing: Packing):
    """The graph of the merged model, its logits replaced by the log-probabilities of the ids that follow."""
    import openvino
    import openvino.opset13 as op

    folder = packed_graph(resolve_backbone(SMOLLM2.name), SMALL.adapter, packing)
    graph = openvino.Core().read_model(folder / "openvino_model.xml")

    def number(*values: int):
        return op.constant(np.array(values, dtype=np.int64))

    logits = graph.outputs[0].get_node().input_value(0)
    before = op.slice(logits, number(0), number(-1), number(1), number(1))
    after = op.slice(graph.input("input_ids").get_node(), number(1), number(1 << 40), number(1), number(1))
    logprobs = op.gather_elements(op.log_softmax(before, -1), op.unsqueeze(after, number(2)), 2)
    result = op.result(op.squeeze(logprobs, number(2)))
    return openvino.Model([result], graph.get_sinks(), graph.get_parameters(), graph.get_variables(), "scorer")


def unique_tokens(rows: Sequence[PromptAndCompletion]) -> int:
    """Tokens that have to be read when each prompt is read once."""
    return sum(map(len, {tuple(prompt) for prompt, _ in rows})) + sum(len(completion) for _, completion in rows)


def differences(
    scorer: Scorer, exact: Sequence[torch.Tensor], rows: Sequence[PromptAndCompletion]
) -> dict[str, float]:
    """How far a scorer's log-probabilities (nats) are from exact ones: per token, and the mean over a trace."""
    found = scorer(rows)
    token = torch.cat([(a - b).abs() for a, b in zip(found, exact, strict=True)])
    trace = torch.stack([(a.mean() - b.mean()).abs() for a, b in zip(found, exact, strict=True)])
    return {
        "token_mean": float(f"{token.mean():.2g}"),
        "token_max": float(f"{token.max():.2g}"),
        "trace_max": float(f"{trace.max():.2g}"),
    }


def _padded(rows: Sequence[PromptAndCompletion], width: int) -> torch.Tensor:
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    for line, (prompt, completion) in zip(ids, rows, strict=True):
        line[: len(prompt) + len(completion)] = torch.tensor([*prompt, *completion])
    return ids


def _logits(model: PreTrainedModel, rows: Sequence[PromptAndCompletion], width: int) -> torch.Tensor:
    lengths = torch.tensor([len(prompt) + len(completion) for prompt, completion in rows])
    ids = _padded(rows, max(width, int(lengths.max()))).to(model.device)
    mask = (torch.arange(ids.shape[1]) < lengths[:, None]).to(model.device)
    return model(input_ids=ids, attention_mask=mask.long(), use_cache=False).logits


def _of_logits(logits: torch.Tensor, row: PromptAndCompletion) -> torch.Tensor:
    prompt, completion = row
    rows = logits.float().log_softmax(-1)[len(prompt) - 1 : len(prompt) + len(completion) - 1]
    return rows.gather(1, torch.tensor(completion, device=rows.device)[:, None])[:, 0].cpu()
