"""A primitive of somebody else's, lowered by a rule of his own."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest
from jax.extend.core import Primitive

from pipeline import lowering
from pipeline.lowering.registry import RULES

scale_p = Primitive("scale_of_a_third_party")
scale_p.def_abstract_eval(lambda x, *, factor: x)


def scaled(x: Any) -> Any:
    return scale_p.bind(x, factor=3.0) + 1


@pytest.fixture
def registered() -> Iterator[None]:
    @lowering.register(scale_p)
    def _scale(b: Any, e: Any) -> Any:
        return b.op("Mul", b.operand(e.inputs[0]), np.float32(e.params["factor"]))

    yield
    del RULES[scale_p.name]


def test_its_rule_is_used(registered: None, tf1_graph: ModuleType) -> None:
    made = lowering.freeze(scaled, inputs={"x": jax.ShapeDtypeStruct((None, 2), np.float32)},
                           outputs=["y"])
    tf1_graph.import_graph_def(tf1_graph.GraphDef.FromString(made.SerializeToString()), name="")
    with tf1_graph.Session() as session:
        found = session.run("y:0", {"x:0": [[1.0, 2.0]]})
    np.testing.assert_array_equal(found, [[4.0, 7.0]])


def test_a_second_rule_is_refused(registered: None) -> None:
    with pytest.raises(ValueError, match="scale_of_a_third_party is already lowered"):
        lowering.register(scale_p.name)(lambda b, e: b.operand(e.inputs[0]))


def test_without_one_it_is_named() -> None:
    with pytest.raises(lowering.LoweringError, match="scale_of_a_third_party"):
        lowering.freeze(scaled, inputs={"x": jax.ShapeDtypeStruct((None, 2), np.float32)},
                        outputs=["y"])
