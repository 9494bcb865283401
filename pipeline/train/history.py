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

    def exhausted(self, interval: Interval, config: EarlyStoppingConfig | None) -> bool:
        """Takes an evaluated interval into account; True when it is time to stop."""
        if config is None or interval.validation_loss is None:
            return False
        assert interval.validation_accuracy is not None, "both are measured together"
        value = (
            -interval.validation_accuracy if config.metric == "accuracy"
            else interval.validation_loss
        )
        if value < self.best - config.min_delta:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        return self.is_exhausted(config)

    def is_exhausted(self, config: EarlyStoppingConfig | None) -> bool:
        """Whether it was time to stop already: a run that stopped early is not trained on."""
        return config is not None and self.waited >= config.patience
