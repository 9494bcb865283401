"""Where TensorFlow's kernels and NumPy's or JAX's functions of the same name part: one table.

Every case runs twice, its inputs fed and its inputs constants, which are folded by NumPy.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest
from execution_judge import relative_error, run_in_tensorflow
from op_templates import Call, Known
from random_graphs import RandomGraph

from pipeline import dtypes, execution

NAN, INF = np.nan, np.inf
UINT8, INT8, INT16, UINT16, INT32 = map(
    dtypes.from_numpy, ("uint8", "int8", "int16", "uint16", "int32"))


def f(*values: Any) -> np.ndarray:
    return np.array(values, np.float32)


def i(*values: Any, dtype: Any = np.int32) -> np.ndarray:
    return np.array(values, dtype)


def known(value: Any, dtype: Any = np.int32) -> Known:
    return Known(np.array(value, dtype))


ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)
OVERFLOWING = f(300, -1, 255.9, 3e9, -3e9, NAN, INF, -INF, 1.9, -1.9)
WITH_NAN = f([NAN, 1, 5, 2], [2, NAN, -1, NAN], [NAN] * 4, [-INF, NAN, -INF, 3])
PREDICTIONS = f([1, 2, 3], [INF, 1, 0], [NAN, 2, 1], [3, 3, 1])
PICTURE = np.random.default_rng(0).random((2, 4, 5, 3), np.float32)
BOOLEANS = np.array([[True, True], [True, False]])

CASES = [
    Call("FloorDiv", [f(1, .3, 2.1, .7, 6, -1), f(.1, .1, .7, .1, .1, .1)]),
    Call("FloorDiv", [f(5, -5, -INF, 1, 1e30), f(-INF, INF, 2, 0, .1)]),
    Call("FloorMod", [i(7, -7, 7, -7), i(2, 2, -2, -2)]),
    Call("TruncateMod", [i(7, -7, 7, -7), i(2, 2, -2, -2)]),
    *(Call("Cast", [OVERFLOWING], {"DstT": wanted}) for wanted in (
        UINT8, INT8, INT16, UINT16, INT32)),
    Call("Xlogy", [f(0, 0, 2), f(NAN, 0, 3)]),
    Call("Xlog1py", [f(0, 0, 2), f(NAN, -1, 3)]),
    Call("Relu6", [i(-3, 9, dtype=np.int8)]),
    Call("Equal", [f(1, 2), f(1, 2, 3)], {"incompatible_shape_error": False}),
    Call("NotEqual", [f(1, 2), f(1, 2, 3)], {"incompatible_shape_error": False}),
    Call("Equal", [f(1, 2), f([1], [2])], {"incompatible_shape_error": False}),
    Call("Roll", [ROWS, known(1), known(0)]),
    Call("Range", [known(0, np.float32), known(.3, np.float32), known(.1, np.float32)]),
    Call("Range", [known(0, np.float32), known(1.2, np.float32), known(.4, np.float32)]),
    Call("Range", [known(-5), known(5), known(3)]),
    Call("Range", [known(10), known(0), known(-3)]),
    Call("Reshape", [np.zeros((0, 2, 3), np.float32), known([0, -1])]),
    Call("Mean", [i(-7, 2), known(0)]),
    Call("Mean", [i(7, 2, dtype=np.uint8), known(0)]),
    Call("ArgMax", [WITH_NAN, known(1)]),
    Call("ArgMin", [WITH_NAN, known(0)]),
    Call("GatherNd", [ROWS, i([5, 0], [1, 1])], {"bad_indices_policy": "IGNORE"}),
    Call("ScatterNd", [i([5], [0]), f(1, 2), known([3])], {"bad_indices_policy": "IGNORE"}),
    Call("TensorScatterAdd", [f(1, 2), i([5], [0]), f(1, 2)], {"bad_indices_policy": "IGNORE"}),
    Call("TopKV2", [f(1, 3, 3, 2), known(3)], {"index_type": INT16}),
    *(Call("InTopKV2", [PREDICTIONS, np.full(4, target, np.int32), known(k)])
      for target in (0, 1, 2) for k in (1, 2, 3)),
    Call("DenseBincount", [i([1, 1], [0, 2]), known(3), f([.5, 1], [-1, 0])],
         {"binary_output": True}),
    Call("Unique", [Known(f(1.5, NAN, 1.5, NAN))]),
    Call("UpperBound", [f([1, 2, 2, 3]), f([2, 0, NAN])]),
    Call("LowerBound", [f([1, 2, 2, 3]), f([2, 0, NAN])]),
    Call("MatrixDiag", [f([1, INF, NAN])]),
    Call("MatrixBandPart", [BOOLEANS, known(0, np.int64), known(0, np.int64)]),
    Call("QuantizeAndDequantizeV2", [f(-.5, .1, .3, .75, 1.9), f(-1)[0], f(2)[0]],
         {"range_given": False, "signed_input": False, "num_bits": 4}),
    Call("FakeQuantWithMinMaxVars", [f(-7, -.5, 0, .3, 6.01, NAN, INF), f(-1)[0], f(1)[0]],
         {"num_bits": 8}),
]

# what TensorFlow's kernels refuse, and what is said here
REFUSED = [
    (Call("FloorDiv", [i(5), i(0)]), "Integer division by zero"),
    (Call("FloorMod", [i(5), i(0)]), "Integer division by zero"),
    (Call("Div", [i(5), i(0)]), "Integer division by zero"),
    (Call("MirrorPad", [ROWS, known([[3, 0], [0, 0]])], {"mode": "REFLECT"}), "mirror more than"),
    (Call("MirrorPad", [ROWS, known([[0, 0], [0, 5]])], {"mode": "SYMMETRIC"}),
     "mirror more than"),
    (Call("BatchToSpaceND", [np.zeros((4, 2, 3, 1), np.float32), known([2, 2]),
                             known([[3, 3], [0, 2]])]), "exceed"),
    (Call("InvertPermutation", [i(2, 0, 2)]), "is no permutation"),
    (Call("StridedSlice", [ROWS, known([1]), known([2]), known([-1])], {"shrink_axis_mask": 1}),
     "only stride 1 allowed"),
    (Call("SegmentSum", [ROWS, i(0, 2, 1)]), "not increasing"),
    (Call("SegmentMean", [ROWS, i(-1, 0, 1)]), "not increasing"),
    (Call("SparseSegmentSum", [ROWS, i(0, 2, 1), i(1, 0, 2)]), "not increasing"),
    (Call("UnsortedSegmentMax", [ROWS, i(2, 5, 0), known(4)]), "segment ids reach 5"),
    (Call("DynamicPartition", [ROWS, i(1, 0, 5)], {"num_partitions": 2}), "partitions reach"),
    (Call("CropAndResize", [PICTURE, f([0, .1, 1, 1]), i(3), known([2, 2])]), "indices reach"),
    (Call("SparseTensorDenseMatMul", [
        i([0, 1], [1, 0], dtype=np.int64), f(1, 2), known([2, 3], np.int64),
        np.ones((4, 2), np.float32)], {"adjoint_a": True}), "for a product over 2"),
]


def folded(call: Call) -> Call:
    """The call with constants only."""
    inputs = [each if isinstance(each, Known) else Known(np.asarray(each)) for each in call.inputs]
    return Call(call.op, inputs, call.attrs)


@pytest.mark.parametrize("fold", [False, True], ids=["fed", "known"])
def test_edges_are_tensorflows(tf: ModuleType, fold: bool) -> None:
    made, names = RandomGraph(), []
    for place, call in enumerate(CASES):
        made.add(folded(call) if fold else call, f"n{place}")
        names.append(f"n{place}:{1 if call.op == 'TopKV2' else 0}")
    expected = run_in_tensorflow(tf.compat.v1, made.graph_def, names, made.feeds)
    found = execution.function(made.graph_def, list(made.feeds), names)(*made.feeds.values())
    for call, ours, theirs in zip(CASES, found, expected, strict=True):
        assert ours.dtype.kind == theirs.dtype.kind, call
        assert relative_error(ours, theirs) <= 1e-5, call


@pytest.mark.parametrize(("call", "text"), REFUSED, ids=lambda each: getattr(each, "op", ""))
def test_known_values_that_tensorflow_refuses_are_refused(
    tf: ModuleType, call: Call, text: str
) -> None:
    made = RandomGraph()
    made.add(folded(call), "n")
    with pytest.raises((ValueError, tf.errors.OpError)):
        run_in_tensorflow(tf.compat.v1, made.graph_def, ["n"], {})
    with pytest.raises(execution.ExecutionError, match=text):
        execution.function(made.graph_def, [], ["n"])()


@pytest.mark.parametrize("wanted", ["int64", "float64", "int32"])
def test_bits_of_64_need_64(tf: ModuleType, wanted: str) -> None:
    """A pair of 32 bits is one number of 64, which must not become a pair of 32 in silence.

    Numbers are computed in 64 bits; inside a transformation JAX's own mode counts.
    """
    made = RandomGraph()
    given = i(1, 2, dtype=np.int64) if wanted == "int32" else f(1, 2)
    made.add(Call("Bitcast", [given], {"type": dtypes.from_numpy(wanted)}), "n")
    function = execution.function(made.graph_def, list(made.feeds), ["n"])
    with pytest.raises(execution.ExecutionError, match="turn on jax_enable_x64"):
        jax.eval_shape(function, *map(narrow, made.feeds.values()))
    (expected,) = run_in_tensorflow(tf.compat.v1, made.graph_def, ["n"], made.feeds)
    if expected.dtype == np.int32:
        np.testing.assert_array_equal(function(*made.feeds.values())[0], expected)
    with jax.enable_x64(True):
        np.testing.assert_array_equal(function(*made.feeds.values())[0], expected)


def narrow(value: np.ndarray) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(value.shape, jax.dtypes.canonicalize_dtype(value.dtype))


def test_truncating_casts_are_refused() -> None:
    made = RandomGraph()
    made.add(Call("Cast", [f(1.00390625)], {"DstT": dtypes.from_numpy("float16"),
                                            "Truncate": True}), "n")
    with pytest.raises(execution.ExecutionError, match="Truncate=True"):
        execution.function(made.graph_def, list(made.feeds), ["n"])
