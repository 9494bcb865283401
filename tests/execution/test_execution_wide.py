"""Numbers of 64 bits that 32 do not hold: computed as TensorFlow does, or refused by name."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from execution_judge import run_in_tensorflow
from op_templates import Call, Known
from random_graphs import RandomGraph

from pipeline import dtypes, execution

INT32, INT64, UINT64, FLOAT, DOUBLE = map(
    dtypes.from_numpy, ("int32", "int64", "uint64", "float32", "float64"))


def i64(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def u64(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def f64(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


HUGE, LEAST = np.iinfo(np.int64).max, np.iinfo(np.int64).min
FITTING = i64(2**31 - 1, -2**31, 46341, 7)
CASES = [
    Call("FloorMod", [i64(3_000_000_000, -3_000_000_000, HUGE), i64(7, 7, 1000)]),
    Call("Mod", [i64(3_000_000_000, -3_000_000_000), i64(7, 7)]),
    Call("FloorDiv", [i64(3_000_000_000, LEAST), i64(7, 3)]),
    Call("AddV2", [FITTING, FITTING]),
    Call("Mul", [FITTING, FITTING]),
    Call("Sub", [FITTING, -FITTING]),
    Call("Square", [FITTING]),
    Call("Sum", [FITTING, Known(np.int32(0))]),
    Call("Cumsum", [FITTING, Known(np.int32(0))]),
    Call("Prod", [i64(65536, 65536, 3), Known(np.int32(0))]),
    Call("LeftShift", [i64(1, 3), i64(40, 33)]),
    Call("RightShift", [i64(1 << 40, LEAST), i64(33, 1)]),
    Call("BitwiseXor", [i64(1 << 40, 5), i64(3 << 38, 9)]),
    Call("MatMul", [FITTING[:, None], FITTING[None, :]]),
    Call("Neg", [i64(-2**31)]),
    Call("Abs", [i64(-2**31)]),
    Call("Less", [i64(2**32, 1), i64(1, 2)]),
    Call("Equal", [i64(2**32, 1), i64(0, 1)]),
    Call("Maximum", [i64(2**32, 1), i64(0, 5)]),
    Call("ArgMax", [i64(2**32, 1, 2**33), Known(np.int32(0))]),
    Call("Cast", [i64(2**40, -2**33)], {"DstT": FLOAT}),
    Call("Cast", [i64(2**40 + 3, -2**33 - 1)], {"DstT": INT32}),
    Call("Cast", [np.array([1e12, -3e9], np.float32)], {"DstT": INT64}),
    Call("Cast", [np.array([2**31, 7], np.uint32)], {"DstT": INT64}),
    Call("Cast", [f64(1e12, -3e9)], {"DstT": INT64}),
    Call("FloorMod", [u64(2**63 + 5, 9), u64(1000, 4)]),
    Call("Mul", [u64(2**32 - 1, 9), u64(2**32 - 1, 4)]),
    Call("Minimum", [u64(2**63, 1), u64(2**62, 5)]),
    Call("Div", [f64(1e301, 3e300), f64(1e300, 1e300)]),
    Call("Mul", [f64(1e-200, 1e300), f64(1e200, 1e-300)]),
    Call("Mul", [f64(3, 1e-310), f64(2, 1)]),
    Call("Bucketize", [i64(2**40, -2**40, 3)], {"boundaries": [0.0, 10.0]}),
    Call("GatherV2", [i64(2**40, 5, -2**35), np.array([2, 0]), Known(np.int32(0))]),
    Call("ConcatV2", [i64(2**40), i64(-2**40), Known(np.int32(0))]),
    Call("AddV2", [Known(i64(2**40)), i64(1)]),
    Call("OneHot", [i64(2**32 + 1, 1), Known(np.int32(3)), Known(np.float32(1)),
                    Known(np.float32(0))]),
]


def fed(made: RandomGraph) -> dict[str, np.ndarray]:
    return {f"{name}:0": value for name, value in made.feeds.items()}


@pytest.mark.parametrize("call", CASES, ids=lambda call: call.op)
def test_run_gives_all_64_bits(tf: ModuleType, call: Call) -> None:
    made = RandomGraph()
    made.add(call, "n")
    expected = run_in_tensorflow(tf.compat.v1, made.graph_def, ["n"], made.feeds)[0]
    graph = execution.import_graph_def(made.graph_def, name="")
    np.testing.assert_array_equal(graph.run("n:0", fed(made)), expected)
    made_function = execution.function(made.graph_def, list(made.feeds), ["n"])
    try:
        (found,) = made_function(*made.feeds.values())
    except execution.ExecutionError as error:
        assert "do not fit" in str(error) or "turn on jax_enable_x64" in str(error)  # noqa: PT017
        assert expected.dtype.itemsize == 8
    else:
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == jax.dtypes.canonicalize_dtype(expected.dtype)


@pytest.mark.parametrize("value", [i64(2**31), u64(2**32), f64(1e39), f64(1e-60)],
                         ids=lambda value: str(value))
def test_inside_a_transformation_what_does_not_fit_is_refused(value: np.ndarray) -> None:
    made = RandomGraph()
    made.add(Call("Identity", [value]), "n")
    made.add(Call("Identity", [np.float32(1)]), "m")
    function = execution.function(made.graph_def, list(made.feeds), ["n", "m"])
    (wide, _) = made.feeds
    with pytest.raises(execution.ExecutionError, match=f"input {wide}.*do not fit into 32 bits"):
        jax.jit(lambda x: function(value, x)[1])(jnp.float32(1))
    with jax.enable_x64(True):
        assert jax.jit(lambda x: function(value, x)[0])(jnp.float32(1)) == value


@pytest.mark.parametrize(("dtype", "value"), [
    ("int32", 2**31), ("int8", 128), ("uint8", -1), ("uint8", 256), ("int16", -40000)])
def test_integers_that_a_narrower_input_cannot_hold_are_refused(dtype: str, value: int) -> None:
    made = RandomGraph()
    made.add(Call("Identity", [np.zeros(2, dtype)]), "n")
    (name,) = made.feeds
    graph = execution.import_graph_def(made.graph_def, name="")
    with pytest.raises(execution.ExecutionError, match=f"{name}.*values from .*expected {dtype}"):
        graph.run("n:0", {f"{name}:0": np.array([0, value])})
    assert graph.run("n:0", {f"{name}:0": np.array([0, 1])}).dtype == dtype


def test_a_counter_that_outgrows_32_bits_goes_on(tf: ModuleType) -> None:
    """A variable is held as JAX would hold it until that is too narrow."""
    with tf.Graph().as_default() as made:
        step = tf.compat.v1.get_variable("step", initializer=tf.constant(2**31 - 2, tf.int64),
                                         use_resource=False)
        tf.compat.v1.assign_add(step, tf.constant([1, 2], tf.int64)[0], name="more")
        tf.compat.v1.assign_add(step, step * 1, name="double")
    graph = execution.import_graph_def(
        type(RandomGraph().graph_def).FromString(made.as_graph_def().SerializeToString()), name="")
    graph.run("step/Assign")
    values: list[Any] = [graph.run("double:0"), graph.run("step/read:0"), graph.run("double:0")]
    assert values == [2 * (2**31 - 2), 2 * (2**31 - 2), 4 * (2**31 - 2)]
