"""What a run tells about itself while it trains."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.config.schema import EarlyStoppingConfig


@dataclass(frozen=True)
class Interval:
    """The means over one interval of steps, and how the model stood at its end."""

    step: int
    epoch: float
    loss: float                        # nats, regularization included
    accuracy: float
    learning_rate: float
    examples_per_second: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None


@dataclass
class Patience:
    """How long a validation metric has not improved."""

    best: float = math.inf             # of the metric, signed so that less is better
    waited: int = 0                    # evaluations since

    def take(self, interval: Interval, config: EarlyStoppingConfig | None) -> None:
        """Takes an interval into account; one that was not evaluated changes nothing."""
        if config is None or interval.validation_loss is None:
            return
        assert interval.validation_accuracy is not None, "both are measured together"
        value = (
            -interval.validation_accuracy if config.metric == "accuracy"
            else interval.validation_loss
        )
        if value < self.best - config.min_delta:
            self.best, self.waited = value, 0
        else:
            self.waited += 1

    def is_exhausted(self, config: EarlyStoppingConfig | None) -> bool:
        """Whether it is time to stop; of a resumed run, whether it was already."""
        return config is not None and self.waited >= config.patience
