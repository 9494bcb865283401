"""Every case lowered, run by TensorFlow at every batch size, and compared with JAX."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import jax
import pytest
from case import Case
from cases import CASES
from coverage import HOW, PAGE, page, primitives_of
from expected import outputs
from judge import relative_error, run_all

from pipeline.lowering import LoweringError, freeze

OLDER = not hasattr(jax.lax, "mulhi")    # than JAX 0.10.2


def check(tf: ModuleType, case: Case, opset: Any) -> None:
    expected = outputs(case)
    names = [f"y{at}" for at in range(len(next(iter(expected.values()))))]
    with jax.enable_x64(case.x64):
        graph = freeze(case.function, dict(case.variables), case.inputs(), outputs=names,
                       opset=opset)
    found = run_all(tf, graph, names, [case.feeds(batch) for batch in expected])
    for (batch, right), left in zip(expected.items(), found, strict=True):
        for at, (a, b) in enumerate(zip(left, right, strict=True)):
            error = relative_error(a, b)
            assert error <= case.tolerance, f"output {at} at batch {batch}: error {error:.2g}"


@pytest.mark.filterwarnings("ignore:.*overflow encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:.*invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_agrees_with_tensorflow(tf: ModuleType, case: Case) -> None:
    if case.limitation is None:
        check(tf, case, "tf1")
        return
    try:
        check(tf, case, "tf1")
    except (AssertionError, LoweringError, tf.errors.OpError):
        return
    pytest.fail(f"{case.id} works now; remove its limitation: {case.limitation}")


def test_names_are_unique() -> None:
    names = [case.id for case in CASES]
    assert sorted(set(names)) == sorted(names)


def test_every_rule_has_a_case() -> None:
    from pipeline.lowering.registry import RULES

    # what traces never hold: made by the peepholes, by expansion, or of random keys
    used = {name for name in RULES if name.startswith("nn.")}
    used |= {"copy_value", "iota_2x32_shape", "threefry2x32"}
    if OLDER:
        used |= {"mulhi", "stack", "unstack"}
    for case in CASES:
        if case.limitation is None:
            used |= primitives_of(case)
    assert sorted(set(RULES) - used) == []


@pytest.mark.skipif(OLDER, reason="the page tells of the primitives that later JAX has")
def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"run {HOW}"
