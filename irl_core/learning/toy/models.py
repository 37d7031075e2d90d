"""Llamas of about a million parameters for the exact world: built, taught by maximum likelihood, sampled, scored.

Prompts are (B, P) and completions (B, T) token ids without padding in front, all prompts of one length; what stands
behind an end token is padding. With causal attention neither needs an attention mask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM, LlamaForTokenClassification

from irl_core.learning.common.optimiser import MasterWeights
from irl_core.learning.toy.exact_world import EOS, PAD

Pairs = Iterator[tuple[Tensor, Tensor]]
"""Batches of prompts and completions."""


def nano_llama(vocabulary: int, *, hidden: int, layers: int, seed: int) -> LlamaForCausalLM:
    """A random Llama; `hidden` 128 and `layers` 4 make 0.86 million parameters."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(_config(vocabulary, hidden, layers))


def nano_critic(policy: LlamaForCausalLM) -> LlamaForTokenClassification:
    """A critic that starts with the policy's body and a fresh scalar head."""
    config = policy.config
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sizes = config.vocab_size, config.hidden_size, config.num_hidden_layers
        critic = LlamaForTokenClassification(_config(*sizes))
    critic.model.load_state_dict(policy.model.state_dict())
    return critic


def _config(vocabulary: int, hidden: int, layers: int) -> LlamaConfig:
    return LlamaConfig(  # type: ignore[call-arg]
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=64,
        pad_token_id=PAD,
        bos_token_id=None,
        eos_token_id=EOS,
        tie_word_embeddings=True,
        num_labels=1,
        classifier_dropout=0.0,
    )


def completion_mask(completions: Tensor) -> Tensor:
    """(B, T) bool: true up to and with the first end token."""
    ends = completions == EOS
    return ends.cumsum(1) - ends.long() == 0


def completion_logits(model: LlamaForCausalLM, prompts: Tensor, completions: Tensor) -> Tensor:
    """The model's logits for each completion token, (B, T, V)."""
    ids = torch.cat([prompts, completions[:, :-1]], dim=1)
    logits: Tensor = model(ids, logits_to_keep=completions.shape[1]).logits
    return logits


def token_logprobs(logits: Tensor, completions: Tensor) -> Tensor:
    """log π of each completion token in nats, (B, T), from logits (B, T, V)."""
    return -cross_entropy(logits.transpose(1, 2), completions, reduction="none")


def entropies(logits: Tensor) -> Tensor:
    """Entropy of each next-token distribution in nats, (B, T)."""
    logprobs = logits.log_softmax(-1)
    return -(logprobs.exp() * logprobs).sum(-1)


def completion_values(critic: LlamaForTokenClassification, prompts: Tensor, completions: Tensor) -> Tensor:
    """The critic's output after each completion token, less that after the prompt; (B, T)."""
    values: Tensor = critic(torch.cat([prompts, completions], dim=1)).logits[..., 0]
    start = prompts.shape[1]
    return values[:, start:] - values[:, start - 1 : start]


@torch.no_grad()
def sample(model: LlamaForCausalLM, prompts: Tensor, length: int, generator: torch.Generator | None) -> Tensor:
    """One completion of each prompt, (B, length): drawn at temperature 1 or, without a generator, greedy."""
    cache, ids, written = DynamicCache(config=model.config), prompts, []
    ended = torch.zeros(len(prompts), dtype=torch.bool)
    for _ in range(length):
        logits = model(ids, past_key_values=cache, logits_to_keep=1).logits[:, -1]
        if generator is None:
            ids = logits.argmax(-1, keepdim=True)
        else:
            ids = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        ids[ended] = PAD
        ended |= ids[:, 0] == EOS
        written.append(ids)
    return torch.cat(written, dim=1)


def learn_by_likelihood(
    model: LlamaForCausalLM,
    batches: Pairs,
    *,
    lr: float,
    steps: int,
    watch: Callable[[int], bool] | None = None,
) -> list[float]:
    """Supervised fine-tuning: the next `steps` batches, one update each; returns the losses (nats per token).

    `watch` is called after each update with its number and may end the training by returning true.
    """
    optimizer = MasterWeights(model.parameters(), lr=lr, steps=steps, weight_decay=0.01)
    losses = []
    for step, (prompts, completions) in zip(range(steps), batches, strict=False):
        logprobs = token_logprobs(completion_logits(model, prompts, completions), completions)
        loss = -logprobs[completion_mask(completions)].mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if watch is not None and watch(step):
            break
    return losses
