"""The table of learning rates over steps: one file a row; `schedule=NAME` chooses it.

To add one: its file beside this one, its line in the union, a file in `conf/schedule/`.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from pipeline.config.schedules.constant import Constant
from pipeline.config.schedules.cosine import Cosine
from pipeline.config.schedules.exponential_decay import ExponentialDecay
from pipeline.config.schedules.polynomial import Polynomial
from pipeline.config.schedules.row import Schedule as Schedule

# A tagged union: each schedule takes its own options and no other's.
ScheduleConfig: TypeAlias = Annotated[
    Constant | Cosine | ExponentialDecay | Polynomial, Field(discriminator="name"),
]
