"""Problems of no size, and settings of adversarial IRL that are done in a second."""

from __future__ import annotations

from datasets import Dataset

from irl_core.learning.airl.config import AIRLConfig

DATA = Dataset.from_list(
    [{"prompt": f"What is {a} + {a}?", "demonstration": f"{a} + {a} = {2 * a}\n#### {2 * a}"} for a in range(2, 10)]
)


def settings(out, **more) -> AIRLConfig:
    return AIRLConfig(
        output_dir=str(out),
        **{
            "max_steps": 2,
            "per_device_train_batch_size": 8,
            "num_generations": 4,
            "max_completion_length": 10,
            "learning_rate": 1e-2,
            "disc_learning_rate": 1e-2,
            "logging_steps": 1,
            "save_strategy": "no",
            "bf16": False,
            "use_cpu": True,
            "gradient_checkpointing": False,
            "report_to": [],
            "disable_tqdm": True,
            **more,
        },
    )
