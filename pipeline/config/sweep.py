"""What `conf/sweep/*.yaml` may hold: how several runs are made, ranked and told of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field


@dataclass(kw_only=True)
class SweepConfig:
    """Several runs: `-m`, or `seeds` greater than 1."""

    metric: str = "validation_accuracy"              # dotted key of metrics.json to rank by
    direction: Literal["max", "min"] = "max"
    strategy: Literal["process", "vmap"] = "process"  # vmap: runs that differ in numbers together
    on_failure: Literal["continue", "stop"] = "continue"
    resume: str | None = None                        # directory of a sweep to go on with
    # The share of a GPU's memory for each of several jobs at a time; null: as much as each needs.
    gpu_memory: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
