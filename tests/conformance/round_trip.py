"""Cases through both rooms: the function lowered to a graph, the graph run in JAX again.

Many cases are compiled as one program, as in `expected`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from case import Case

from pipeline import execution
from pipeline.lowering import freeze

_QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True,
          "xla_cpu_use_fusion_emitters": False}
Arrays = list[Any]


@dataclass
class Trip:
    """A case and its graph as a JAX function of the case's inputs."""

    case: Case
    imported: execution.Function

    @classmethod
    def of(cls, case: Case, outputs: int, opset: Any) -> Trip:
        """The case's graph, in the operations of `opset`."""
        names = [f"y{at}" for at in range(outputs)]
        graph = freeze(case.function, dict(case.variables), case.inputs(), outputs=names,
                       opset=opset)
        return cls(case, execution.function(graph, list(case.inputs()), names))

    def run(self, *inputs: Any) -> Arrays:
        """The graph's outputs; inputs that decide shapes are NumPy arrays."""
        return list(self.imported.apply(self.imported.constants, *inputs))

    def original(self, *inputs: Any) -> Arrays:
        return jax.tree_util.tree_leaves(self.case.function(dict(self.case.variables), *inputs))


def outputs(trips: Sequence[Trip], *, every_size: bool) -> dict[tuple[str, int], Arrays]:
    """What the graphs give, by case and batch size; the first size of each or all of them."""
    wanted = [(trip, batch) for trip in trips
              for batch in trip.case.sizes[:None if every_size else 1]]
    feeds = [_split(trip, trip.case.feeds(batch)) for trip, batch in wanted]

    def run(fed: Any) -> Any:
        return [trip.run(*_join(trip, given, known))
                for (trip, _), (_, known), given in zip(wanted, feeds, fed, strict=True)]

    found = _compiled(run, [given for given, _ in feeds])
    return {(trip.case.id, batch): list(map(np.asarray, each))
            for (trip, batch), each in zip(wanted, found, strict=True)}


def can_be_differentiated(trip: Trip) -> bool:
    """Whether JAX gives the original's gradient: not through loops of unknown length."""
    if not any(_is_real(value) for value in trip.case.feeds(trip.case.sizes[0]).values()):
        return False
    loss, *feeds = _loss([trip], lambda trip: trip.original)
    try:
        jax.eval_shape(jax.grad(loss), *feeds)
    except (ValueError, TypeError, NotImplementedError):
        return False
    return True


def gradients(
    trips: Sequence[Trip], run: Callable[[Trip], Callable[..., Arrays]]
) -> dict[str, dict[str, Any]]:
    """By case: of a weighted sum of its floating outputs, by its floating inputs."""
    loss, *feeds = _loss(trips, run)
    found = _compiled(jax.grad(loss), *feeds)
    return {trip.case.id: each for trip, each in zip(trips, found, strict=True)}


def _loss(
    trips: Sequence[Trip], run: Callable[[Trip], Callable[..., Arrays]]
) -> tuple[Any, Any, Any]:
    """The function that is differentiated, by which inputs, and the others that are traced."""
    feeds = [_split(trip, trip.case.feeds(trip.case.sizes[0])) for trip in trips]
    moved = [{name: value for name, value in given.items() if _is_real(value)}
             for given, _ in feeds]
    others = [{name: value for name, value in given.items() if not _is_real(value)}
              for given, _ in feeds]

    def loss(moved: Any, others: Any) -> Any:
        total = jnp.zeros(())
        for trip, (_, known), changed, fed in zip(trips, feeds, moved, others, strict=True):
            found = run(trip)(*_join(trip, changed | fed, known))
            total += sum((_weighed(each) for each in found if _is_float(each)), jnp.zeros(()))
        return total

    return loss, moved, others


def _weighed(x: Any) -> Any:
    weights = np.cos(np.arange(x.size)).reshape(x.shape)
    real = x.real + x.imag * 0.5 if jnp.issubdtype(x.dtype, jnp.complexfloating) else x
    return (real * weights.astype(real.dtype)).sum().astype(jnp.zeros(()).dtype)


def _is_float(x: Any) -> bool:
    return bool(jnp.issubdtype(x.dtype, jnp.inexact))


def _is_real(x: Any) -> bool:
    return bool(jnp.issubdtype(x.dtype, jnp.floating))


def _split(trip: Trip, feeds: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The feeds that are traced, and those that must be known before."""
    known = {name: feeds[name] for name in trip.imported.static_inputs}
    return {name: value for name, value in feeds.items() if name not in known}, known


def _join(trip: Trip, given: dict[str, Any], known: dict[str, Any]) -> Arrays:
    both = given | known
    return [both[name] for name in trip.imported.inputs]


def _compiled(function: Any, *arguments: Any) -> Any:
    return jax.jit(function).lower(*arguments).compile(_QUICK)(*arguments)
