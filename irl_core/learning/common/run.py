"""A training run on disk: progress, metrics as JSON lines, checkpoints; a stop or a kill loses minutes at most."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from irl_core.learning.common.interrupts import stop_on_interrupt
from irl_core.learning.common.optimiser import MasterWeights, load_checkpoint, save_checkpoint

Update = Callable[[int], dict[str, float]]
"""Does forward and backward of one step; returns its figures, `tokens` (how many it saw) among them."""


class TrainingRun:
    """Updates of an optimiser in a folder: `metrics.jsonl`, `checkpoint/`, and whatever `save` writes.

    Args:
        folder: made if it is missing.
        steps: how many updates the whole run has.
        save: writes the model as others load it; called with every checkpoint and at the end.
        save_minutes: between checkpoints.
    """

    def __init__(
        self,
        folder: Path,
        optimizer: MasterWeights,
        *,
        steps: int,
        save: Callable[[], None],
        save_minutes: float,
    ) -> None:
        self.folder, self.optimizer, self.steps, self.save = folder, optimizer, steps, save
        self.save_seconds = save_minutes * 60
        self.done = self.tokens = 0
        self.minutes = 0.0
        self.stopped_early = False
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def _metrics(self) -> Path:
        return self.folder / "metrics.jsonl"

    def resume(self) -> None:
        """Go on from the last whole checkpoint, if there is one.

        Raises:
            ValueError: if the checkpoint belongs to a run of another length, so of other data or settings.
        """
        if (checkpoint := load_checkpoint(self.folder / "checkpoint")) is None:
            return
        tensors, state = checkpoint
        if state["steps"] != self.steps:
            raise ValueError(
                f"the checkpoint in {self.folder} is of a run of {state['steps']} steps, these settings make"
                f" {self.steps}: resume with the settings it was begun with, or choose another --out"
            )
        self.done, self.tokens, self.minutes = state["step"], state["tokens"], state["minutes"]
        self.optimizer.load_tensors(tensors, self.done)

    def go(self, update: Update) -> None:
        """Make the updates that are left. Ctrl-C ends after the step at hand and keeps everything; a second Ctrl-C
        ends at once, with KeyboardInterrupt, and saves nothing."""
        lines = self._metrics.read_text().splitlines()[: self.done] if self._metrics.exists() and self.done else []
        started = last_saved = time.monotonic()
        before = self.minutes
        with (
            stop_on_interrupt("this step is finished and everything saved") as stop,
            self._metrics.open("w", buffering=1) as log,
            tqdm(total=self.steps, initial=self.done, unit="step", mininterval=5) as bar,
        ):
            log.writelines(f"{line}\n" for line in lines)
            while self.done < self.steps and not stop.is_set():
                shown = self._step(update, log)
                bar.set_postfix(shown, refresh=False)
                bar.update()
                self.minutes = before + (time.monotonic() - started) / 60
                if time.monotonic() - last_saved > self.save_seconds:
                    last_saved = time.monotonic()
                    self._keep()
            self.stopped_early = self.done < self.steps
            self._keep()

    def _step(self, update: Update, log: TextIO) -> dict[str, float]:
        """One update and its line in the metrics; its figures, rounded."""
        figures = update(self.done)
        norm = self.optimizer.step()
        self.tokens += int(figures.pop("tokens"))
        shown = {key: round(value, 4) for key, value in figures.items()} | {"norm": round(norm, 3)}
        log.write(json.dumps({"step": self.done, **shown, "tokens": self.tokens}) + "\n")
        self.done += 1
        return shown

    def _keep(self) -> None:
        self.save()
        state = {"step": self.done, "steps": self.steps, "tokens": self.tokens, "minutes": self.minutes}
        save_checkpoint(self.folder / "checkpoint", self.optimizer.tensors(), state)

    def figures(self) -> dict[str, Any]:
        """For the last line of a script."""
        return {
            "steps": self.done,
            "tokens": self.tokens,
            "minutes": round(self.minutes, 1),
            "stopped_early": self.stopped_early,
        }
