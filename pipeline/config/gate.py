"""What `conf/gate/*.yaml` may hold: what must be true of a run before a scheduler may trust it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

NotNegative: TypeAlias = Annotated[float, Field(ge=0.0)]


@dataclass(kw_only=True)
class Threshold:
    """Bounds of one metric, both inclusive; what is not finite is outside."""

    at_least: float | None = None
    at_most: float | None = None


@dataclass(kw_only=True)
class BaselineConfig:
    """How much worse than the figures of a file in git a run may be, by metric."""

    file: str
    max_drop: dict[str, NotNegative] = field(default_factory=dict)  # where more is better
    max_rise: dict[str, NotNegative] = field(default_factory=dict)  # where less is better
    # with fewer on a side the spread is taken from both sides together
    minimum_seeds: Annotated[int, Field(ge=2)] = 3
    confidence: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.95  # one-sided, of a failure


@dataclass(kw_only=True)
class GateConfig:
    """What is judged after a run and after a sweep; nothing named is nothing judged."""

    metrics: dict[str, Threshold] = field(default_factory=dict)  # by dotted key of metrics.json
    parity: bool = False           # every artefact was compared with the model and agrees
    max_bytes: dict[str, Annotated[int, Field(gt=0)]] = field(default_factory=dict)  # by target
    variables: str | None = None   # file with the golden description of the variables
    baseline: BaselineConfig | None = None
    undecided: Literal["pass", "fail"] = "fail"  # what "investigate" counts as
    trend: str | None = None       # JSONL file to which every run and sweep appends a line
    from_run: bool = False         # task=gate: take metrics, parity and max_bytes from its record
    accept: bool = False           # write baseline and description anew instead of judging by them
