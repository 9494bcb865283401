"""What every schedule is: options, and the learning rate as a function of the step.

A row is one file beside this one and one line in the package's table. It imports optax only when it
builds: configurations are checked before JAX is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Schedule:
    """A row adds `name`, its tag and that of its file in `conf/schedule`."""

    def build(self, learning_rate: float, total_steps: int) -> optax.Schedule:
        """The learning rate over steps, from `learning_rate` at step 0; which may be traced."""
        raise NotImplementedError

    def length(self, total_steps: int) -> int | None:
        """Over how many steps it runs where that follows from the length of the training.

        A run that goes on for longer than it was begun for would be another one.
        """
        return None
