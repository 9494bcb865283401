"""How many steps a run takes, and how they are cut into intervals."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.schema import TrainerConfig
from pipeline.train.errors import TrainError


@dataclass(frozen=True)
class Plan:
    """Lengths in steps; `examples` is the size of the training split."""

    examples: int
    steps: int
    interval: int

    @classmethod
    def build(cls, trainer: TrainerConfig, examples: int) -> Plan:
        """The plan that `conf/trainer` asks for.

        Raises:
            TrainError: a batch is larger than the training split.
        """
        if trainer.batch_size > examples:
            raise TrainError(
                f"trainer.batch_size={trainer.batch_size}: the training split has only {examples} "
                "examples; choose a smaller batch"
            )
        epoch = examples // trainer.batch_size
        if trainer.steps is not None:
            steps = trainer.steps
        else:
            assert trainer.epochs is not None, "the border checks that one of the two is given"
            steps = max(1, round(trainer.epochs * examples / trainer.batch_size))
        return cls(examples, steps, min(trainer.interval or epoch, steps))
