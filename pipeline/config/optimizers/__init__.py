"""The table of optimizers: one file a row; `optimizer=NAME` chooses it.

To add one: its file beside this one, its line in `ROWS`, a file in `conf/optimizer/`. All else
follows from the row: what a configuration may say, the optax transformation, the names of its
state in a TensorFlow checkpoint, and which of its numbers a compiled program takes as arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union, get_args, get_type_hints

from pydantic import Field

from pipeline.config.optimizers.adabelief import AdaBelief
from pipeline.config.optimizers.adadelta import Adadelta
from pipeline.config.optimizers.adafactor import Adafactor
from pipeline.config.optimizers.adagrad import Adagrad
from pipeline.config.optimizers.adam import Adam
from pipeline.config.optimizers.adamax import AdaMax
from pipeline.config.optimizers.adamaxw import AdaMaxW
from pipeline.config.optimizers.adamw import AdamW
from pipeline.config.optimizers.adan import Adan
from pipeline.config.optimizers.amsgrad import AMSGrad
from pipeline.config.optimizers.factory import Factory
from pipeline.config.optimizers.fromage import Fromage
from pipeline.config.optimizers.lamb import Lamb
from pipeline.config.optimizers.lars import Lars
from pipeline.config.optimizers.lion import Lion
from pipeline.config.optimizers.momentum import Momentum
from pipeline.config.optimizers.nadam import NAdam
from pipeline.config.optimizers.nadamw import NAdamW
from pipeline.config.optimizers.novograd import NovoGrad
from pipeline.config.optimizers.radam import RAdam
from pipeline.config.optimizers.rmsprop import RMSProp
from pipeline.config.optimizers.row import NoSlots as NoSlots
from pipeline.config.optimizers.row import Optimizer as Optimizer
from pipeline.config.optimizers.row import Slots as Slots
from pipeline.config.optimizers.sgd import SGD
from pipeline.config.optimizers.sign_sgd import SignSGD
from pipeline.config.optimizers.yogi import Yogi

ROWS: tuple[type[Optimizer], ...] = (
    SGD, Momentum, Adam, AdamW, NAdam, NAdamW, AdaMax, AdaMaxW, AMSGrad, RMSProp, Adagrad, Adadelta,
    Lion, Lamb, Lars, NovoGrad, Yogi, RAdam, AdaBelief, Adan, Adafactor, Fromage, SignSGD, Factory,
)
# A tagged union: each optimizer takes its own options and no other's.
if TYPE_CHECKING:
    OptimizerConfig: TypeAlias = Optimizer
else:
    OptimizerConfig = Annotated[Union[ROWS], Field(discriminator="name")]  # noqa: UP007
_BY_NAME: dict[str, Any] = {get_args(get_type_hints(row)["name"])[0]: row for row in ROWS}
NAMES = tuple(_BY_NAME)


def by_name(name: str, **options: Any) -> Optimizer:
    """An optimizer with some options, unchecked; those that are not its own are an error."""
    made: Optimizer = _BY_NAME[name](name=name, **options)
    return made


def from_record(recorded: Mapping[str, Any]) -> Optimizer:
    """An optimizer as a training state has it in its recipe.

    Those of 0.1 hold the options of all optimizers beside its own, which decided nothing.
    """
    row = _BY_NAME[recorded["name"]]
    own = {field.name for field in fields(row)}
    made: Optimizer = row(**{key: value for key, value in recorded.items() if key in own})
    return made
