"""What cannot be a graph is refused by name; graphs get along with each other."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from pipeline.lowering import LoweringError, freeze

INPUTS = {"x": jax.ShapeDtypeStruct((None, "n"), jnp.float32)}


def loop(bound: float) -> Callable[[Any], Any]:
    return lambda x: lax.while_loop(lambda c: c.sum() < bound, lambda c: c + 1, x)


@pytest.mark.parametrize("fun", [
    lambda x: sum(x[:, at] for at in range(x.shape[1])),
    lambda x: x[:, :x.shape[1] // 2] if x.shape[1] > 2 else x,
])
def test_a_size_that_python_asks_for_is_named(fun: Callable[[Any], Any]) -> None:
    with pytest.raises(LoweringError, match="give that input a fixed shape"):
        freeze(fun, inputs=INPUTS, outputs=["y"])


def test_other_errors_of_the_function_are_its_own() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        freeze(lambda x: x + object(), inputs=INPUTS, outputs=["y"])


def test_a_type_that_an_op_does_not_have_is_named() -> None:
    inputs = {"x": jax.ShapeDtypeStruct((None, 3), jnp.complex64)}
    with pytest.raises(LoweringError, match=r"reduce_max: TensorFlow's Max of DT_COMPLEX64; at .*"
                                            r"test_lowering_refusals"):
        freeze(lambda x: jnp.max(x, 1), inputs=inputs, outputs=["y"])


def test_an_outer_branch_keeps_an_inner_loop_from_running() -> None:
    graph = freeze(lambda x: lax.cond(x[0, 0] > 0, lambda y: lax.cond(
        y[0, 1] > 0, loop(9.0), lambda z: z, y), lambda y: y, x), inputs=INPUTS, outputs=["y"])
    assert [node.op for node in graph.node if node.op.startswith("Stateless")] == ["StatelessIf"]


def test_graphs_with_loops_can_be_imported_into_one(tf: ModuleType) -> None:
    with tf.Graph().as_default() as together:
        for name, bound in (("first", 4.0), ("second", 8.0), ("again", 8.0)):
            graph = freeze(loop(bound), inputs=INPUTS, outputs=["y"])
            parsed = tf.compat.v1.GraphDef.FromString(graph.SerializeToString())
            tf.import_graph_def(parsed, name=name)
    names = ("first", "second", "again")
    with tf.compat.v1.Session(graph=together) as session:
        found = session.run([f"{name}/y:0" for name in names],
                            {f"{name}/x:0": np.ones((1, 2), np.float32) for name in names})
    assert [float(each[0, 0]) for each in found] == [2.0, 4.0, 4.0]
