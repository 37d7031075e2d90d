"""Model cards of exported critics, in the hub's format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from irl_core.critic.model import Critic
from irl_core.models.catalogue import PACKED
from irl_core.models.prompts import format_prompt


def classifier_card(critic: Critic, distilled: Mapping[str, Any] | None) -> str:
    """Of a token classifier: exact for a critic with a head, else with the measured agreement."""
    says = "value" if distilled is None else "reward"
    kind = _EXACT if distilled is None else _DISTILLED.format(**distilled)
    return _front(critic, "token-classification") + _CLASSIFIER.format(
        name=critic.name, says=says, kind=kind, prompt=_prompt(critic), supervision=critic.supervision
    )


def causal_card(critic: Critic) -> str:
    """Of the language model whose log-probabilities are the critic's."""
    card = critic.card
    return _front(critic, "text-generation") + _CAUSAL.format(
        name=critic.name,
        prompt=_prompt(critic),
        supervision=critic.supervision,
        rule=f"{card.number_weight} (log p + {card.number_baseline}) on tokens with a digit, "
        f"{card.word_weight} (log p + {card.word_baseline}) on others",
        sha256=critic.sha256,
    )


def _prompt(critic: Critic) -> str:
    return repr(format_prompt(critic.tokenizer, "{question}"))


def _front(critic: Critic, task: str) -> str:
    packed = PACKED.get(critic.card.backbone)
    base = packed.upstream if packed else critic.card.backbone
    return (
        f"---\nlicense: apache-2.0\nbase_model: {base}\nlibrary_name: transformers\npipeline_tag: {task}\n"
        "datasets: [openai/gsm8k]\ntags: [math, reward-model, process-supervision]\n---\n\n"
    )


_EXACT = "Its values are exactly the critic's."
_DISTILLED = """\
It is the critic's body under a linear head, fitted by ridge regression on {fitted_on_pairs} solutions and their edits
to say the critic's rewards. On {n_pairs} held-out pairs ({n_tokens} tokens) it agrees with the critic as follows:
Pearson correlation of token rewards {token_correlation:.3f}, on numbers {number_correlation:.3f}; rank correlation of
trace scores {trace_rank_correlation:.3f}. It prefers the right solution to the one with a wrong step in
{right_preferred_by_head:.3f} of the pairs, the critic in {right_preferred_by_critic:.3f}. Where the difference
matters, use the causal checkpoint."""

_CLASSIFIER = """\
# Errata's critic {name} as a token classifier

After each token of a solution it says a {says} (nats): how much an expert would have written this. {kind}

- **Prompt**: {prompt}, then the solution, one step a line. Only what follows the prompt is judged.
- **Supervision**: {supervision}.
- **transformers**: `AutoModelForTokenClassification.from_pretrained(NAME)(input_ids).logits[..., 0]`.
- **vLLM**: `LLM(NAME, runner="pooling")`, then `encode(prompts, pooling_task="token_classify")` with
  `PoolingParams(use_activation=False)`: the raw number, not its sigmoid.
- `calibration.json` beside it turns step sums into error probabilities in Errata; `critic.json` says how trace scores
  are made. Both belong to the critic itself.
- **Limits**: English grade-school word problems.
"""

_CAUSAL = """\
# The language model in Errata's critic {name}

The reward of a token (nats) is {rule}, where p is this model's probability of the token. Adapter and backbone are
merged in float32; critic SHA-256 {sha256}.

- **Prompt**: {prompt}, then the solution, one step a line.
- **Supervision**: {supervision}.
- **transformers**: `AutoModelForCausalLM.from_pretrained(NAME)`.
- **vLLM**: `LLM(NAME)`, `SamplingParams(max_tokens=1, prompt_logprobs=0)`.
- **Limits**: English grade-school word problems.
"""
