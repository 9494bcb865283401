"""What TensorFlow 1 calls the variables that training adds to a model's own.

An optimizer's slot of the variable `layer1/weights` is `layer1/weights/Adam`; its second one gets a
`_1`. Those of an optimizer that was made inside `variable_scope("train")` lie below it, counters
too: `train/layer1/weights/Adam`, `train/beta1_power` (tf1_semantics.md C23, H1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.checkpoint.errors import InvalidArgumentError

GLOBAL_STEP = "global_step"  # int64, []: steps taken
EMA = "ExponentialMovingAverage"

# optimizer: (TensorFlow's name, slots in the order in which TensorFlow makes them, scalars). All of
# TensorFlow 1's are here; whoever trains with another library maps its own state to these.
_OPTIMIZERS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "sgd": ("GradientDescent", (), ()),
    "momentum": ("Momentum", ("momentum",), ()),
    "adam": ("Adam", ("m", "v"), ("beta1_power", "beta2_power")),
    "adamw": ("Adam", ("m", "v"), ("beta1_power", "beta2_power")),  # so that Adam can go on
    "adamax": ("AdaMax", ("m", "v"), ("beta1_power",)),
    "adagrad": ("Adagrad", ("accumulator",), ()),
    "proximal_adagrad": ("ProximalAdagrad", ("accumulator",), ()),
    "adadelta": ("Adadelta", ("accum", "accum_update"), ()),
    "rmsprop": ("RMSProp", ("mean_square", "momentum"), ()),
    "rmsprop_centered": ("RMSProp", ("mean_square", "mean_gradient", "momentum"), ()),
    "ftrl": ("Ftrl", ("accum", "linear"), ()),
}


@dataclass(frozen=True)
class OptimizerSlots:
    """The names of one optimizer's variables.

    `slots` has the checkpoint key of every variable's slot, as in `{"m": {"layer1/weights":
    "layer1/weights/Adam"}}`: of the variable's shape and dtype. `scalars` has the key of every
    counter, `{"beta1_power": "beta1_power"}`: float32 and of shape [].
    """

    slots: dict[str, dict[str, str]]
    scalars: dict[str, str]

    @property
    def keys(self) -> list[str]:
        """All names, sorted as a Saver writes them."""
        of_variables = (key for slot in self.slots.values() for key in slot.values())
        return sorted((*of_variables, *self.scalars.values()))


def optimizer_slots(
    optimizer: str, variables: Iterable[str], *, scope: str = "", name: str | None = None
) -> OptimizerSlots:
    """What TensorFlow calls the state of an optimizer over variables of these names.

    What the slots hold after `t` steps: `momentum` the sum of gradients, each step decayed by the
    momentum, not yet times the learning rate; `m` and `v` the averages before bias correction;
    `beta1_power` `beta1 ** (t + 1)`, and `beta2_power` likewise.

    Args:
        optimizer: TensorFlow's, in lower case: sgd, momentum, adam, rmsprop, rmsprop_centered, …
        variables: names without `:0`.
        scope: of the variable scope in which the optimizer was made.
        name: the optimizer's own, when it was given one.

    Raises:
        InvalidArgumentError: the optimizer is none of these.
    """
    if optimizer not in _OPTIMIZERS:
        raise InvalidArgumentError(f"optimizer {optimizer!r} has no known slots; expected one of "
                                   f"{', '.join(_OPTIMIZERS)}")
    known_as, slots, scalars = _OPTIMIZERS[optimizer]
    variables, root = tuple(variables), f"{scope}/" if scope else ""
    return OptimizerSlots(
        {slot: {variable: f"{root}{variable}/{name or known_as}{f'_{index}' if index else ''}"
                for variable in variables} for index, slot in enumerate(slots)},
        {scalar: root + scalar for scalar in scalars},
    )


def average_name(variable: str, *, scope: str = "", name: str = EMA) -> str:
    """The name of a variable's moving average: `layer1/weights/ExponentialMovingAverage`."""
    return f"{scope}/{variable}/{name}" if scope else f"{variable}/{name}"


def variables_to_restore(
    averaged: Iterable[str], others: Iterable[str] = (), *, scope: str = "", name: str = EMA
) -> dict[str, str]:
    """Checkpoint key → variable, so that variables begin with their moving averages.

    Args:
        averaged: names of the variables that have one, the trainable ones as a rule.
        others: names of those that keep their own value, such as `global_step`.
        scope: of the variable scope in which the averages were made.
        name: the average's own, when it was given one.
    """
    shadows = {average_name(variable, scope=scope, name=name): variable for variable in averaged}
    return shadows | {variable: variable for variable in others}
