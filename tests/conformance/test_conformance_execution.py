"""Every case goes JAX → graph → JAX under jit: same values, same gradients.

By default half of the cases go at one batch size, and the gradients of a sixteenth are compared;
`JAXFROST_CASES=1000` and more takes all of them at every size, through both sets of operations.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import expected
import jax
import numpy as np
import pytest
from case import Case
from cases import CASES
from judge import relative_error
from round_trip import Trip, can_be_differentiated, gradients, outputs

ALL = int(os.environ.get("JAXFROST_CASES", "0")) >= 1000
OPSETS = ["tf1", "modern"] if ALL else ["tf1"]
CHUNK = 40
BEYOND = "indices beyond the array, of which JAX is promised that there are none"
# JAX's gradients of these are not the derivatives of what they give
AMBIGUOUS = {
    "reduce-own function": "the reducer is not associative, and the gradient reduces as a tree",
    "gather-mask of ints": BEYOND,
    "gather-of the batch": BEYOND,
    "gather-pairs": BEYOND,
    "gather-windows": BEYOND,
}
# a frozen graph has values only: TensorFlow's `remove_training_nodes` drops StopGradient as well
STOPPED = ("stop_gradient",)


def chunks(every: int) -> list[Any]:
    """The cases that work, every so many of them, in groups that compile as one program."""
    found = []
    for wide in (False, True):
        cases = [case for case in CASES if case.limitation is None and case.x64 == wide]
        cases = cases[::1 if ALL else every]
        found += [pytest.param(cases[at:at + CHUNK], id=cases[at].id)
                  for at in range(0, len(cases), CHUNK)]
    return found


def trips(cases: list[Case], opset: str) -> list[Trip]:
    """The cases' graphs; whatever a case's function itself gives is known already."""
    return [trip_of(case, opset) for case in cases]


def trip_of(case: Case, opset: str = "tf1") -> Trip:
    known = expected.outputs(case)
    with jax.enable_x64(case.x64):
        return Trip.of(case, len(next(iter(known.values()))), opset)


def differences(cases: list[Case], opset: str) -> Iterator[str]:
    made = trips(cases, opset)
    with jax.enable_x64(cases[0].x64):
        found = outputs(made, every_size=ALL)
    for (name, batch), results in found.items():
        case = next(each for each in cases if each.id == name)
        for at, (ours, right) in enumerate(zip(results, expected.outputs(case)[batch],
                                               strict=True)):
            error = relative_error(ours, right)
            if not error <= case.tolerance:
                yield f"{name}: output {at} at batch {batch}: error {error:.2g}"


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("cases", chunks(2))
def test_values_come_back(cases: list[Case], opset: str) -> None:
    assert list(differences(cases, opset)) == []


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("cases", chunks(16))
def test_gradients_come_back(cases: list[Case], opset: str) -> None:
    wrong = []
    with jax.enable_x64(cases[0].x64):
        made = [trip for trip in trips(cases, opset)
                if trip.case.id not in AMBIGUOUS and trip.case.primitive not in STOPPED
                and can_be_differentiated(trip)]
        right = gradients(made, lambda trip: trip.original)
        found = gradients(made, lambda trip: trip.run)
    for trip in made:
        for name, gradient in right[trip.case.id].items():
            given = trip.case.feeds(trip.case.sizes[0])[name]
            error = relative_error(*(_where_defined(each, given, gradient)
                                     for each in (found[trip.case.id][name], gradient)))
            if not error <= max(10 * trip.case.tolerance, 1e-4):
                wrong.append(f"{trip.case.id}: by {name}: error {error:.2g}")
    assert wrong == []


def _where_defined(found: Any, given: Any, gradient: Any) -> Any:
    """Without the poles, where there is no derivative; each form of a function gives its own."""
    return np.where(np.isfinite(given) & np.isfinite(gradient), found, np.zeros_like(gradient))


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_gradients_are_those_of_the_values(name: str) -> None:
    """Along a line, of functions that are linear; JAX's own gradient is another."""
    trip = trip_of(next(case for case in CASES if case.id == name))
    x, *others = trip.case.feeds(trip.case.sizes[0]).values()
    step = np.cos(np.arange(x.size, dtype=np.float32)).reshape(x.shape)

    def slope(run: Callable[..., Any]) -> float:
        return float((jax.grad(lambda x: run(x, *others)[0].sum())(x) * step).sum())

    ahead, behind = (np.asarray(trip.imported(each, *others)[0], np.float64).sum()
                     for each in (x + step, x - step))
    assert slope(trip.imported) == pytest.approx((ahead - behind) / 2, rel=1e-4)
    assert slope(trip.original) != pytest.approx((ahead - behind) / 2, rel=1e-2)
