"""Random graphs in a TensorFlow session and in JAX.

`JAXFROST_CASES=5000 pytest tests/execution/test_execution_random_graphs.py` draws 5,000 graphs.
"""

from __future__ import annotations

import os
import warnings
from types import ModuleType
from typing import Any

import jax
import ml_dtypes
import numpy as np
import pytest
from execution_judge import relative_error, run_in_tensorflow
from op_templates import TEMPLATES, Call
from random_graphs import RandomGraph, draw_graph

from pipeline import execution
from pipeline.graph import GraphError

CASES = int(os.environ.get("JAXFROST_CASES", "20"))
TABLE_SIZE = 30
OPS = sorted(TEMPLATES)
PURE = [op for op in OPS if not op.startswith("Inplace")]   # TensorFlow changes their inputs
TOLERANCE = {np.dtype(np.float64): 1e-11, np.dtype(np.complex128): 1e-11,
             np.dtype(np.float16): 5e-3, np.dtype(ml_dtypes.bfloat16): 4e-2}
TYPES = ["bfloat16", "int32", "uint8"] if CASES < 100 else [
    "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "bool", "complex64", "complex128"]
# TensorFlow 2.21 rounds every integer to 0; integers have no gradients here
NOT_IN_INTEGERS = {"Round", "MaxPoolGrad", *(op for op in OPS if op.startswith("Conv")
                                             and "Backprop" in op)}


@pytest.fixture(autouse=True)
def _compile_fast() -> None:
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


def run_invalid(made: RandomGraph) -> None:
    """Runs the node that TensorFlow refuses."""
    assert made.invalid is not None
    graph_def, feeds = made.invalid.graph_def, made.invalid.feeds
    execution.function(graph_def, list(feeds), [graph_def.node[-1].name])(*feeds.values())


def compare(tf: ModuleType, made: RandomGraph) -> list[str]:
    """What differs from TensorFlow, node by node; nothing in a graph without nodes."""
    if not made.outputs:
        return []
    expected = run_in_tensorflow(
        tf.compat.v1, made.graph_def, made.outputs,
        {name: value.copy() for name, value in made.feeds.items()})
    f = execution.function(made.graph_def, list(made.feeds), made.outputs)
    found = f(*made.feeds.values())
    ops = {node.name: node.op for node in made.graph_def.node}
    wrong = []
    for name, ours, theirs, scale in zip(made.outputs, found, expected, made.scales, strict=True):
        op = ops[name.partition(":")[0]]
        try:
            error = relative_error(ours, theirs, floor=1e-2 * scale)
        except AssertionError as difference:
            wrong.append(f"{op} {name}: {difference}")
            continue
        if not error <= TOLERANCE.get(theirs.dtype, 1e-5):
            wrong.append(f"{op} {name}: relative error {error:.2g}")
    return wrong


@pytest.mark.parametrize("begin", range(0, len(OPS), TABLE_SIZE))
def test_every_op_of_the_table(tf: ModuleType, begin: int) -> None:
    ops = OPS[begin:begin + TABLE_SIZE]
    made = RandomGraph()
    for place, op in enumerate(ops):
        for seed in range(max(1, CASES // 100)):
            single = draw_graph(tf, 1000 * seed + place, [op], 1)
            if single.outputs:
                made.extend(single, f"{op}_{seed}/")
    assert compare(tf, made) == []


@pytest.mark.parametrize("dtype", TYPES)
def test_every_op_in_other_types(tf: ModuleType, dtype: str) -> None:
    """What has a kernel for the type; templates that insist on float32 stay at it."""
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    is_integer = kind.kind in "iu"
    made = RandomGraph()
    with jax.enable_x64(True):
        for place, op in enumerate(OPS):
            if is_integer and op in NOT_IN_INTEGERS:
                continue
            for seed in range(max(1, CASES // 1000)):
                made.extend(draw_valid(tf, 1000 * seed + place, op, kind), f"{op}_{seed}/")
        assert compare(tf, made) == []
    assert len(made.outputs) > 100


def draw_valid(tf: ModuleType, seed: int, op: str, kind: Any) -> RandomGraph:
    """One node, or none where NumPy cannot draw such values for the template."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)   # NaN as an integer
            warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
            made = draw_graph(tf, seed, [op], 1, kind.type)
    except (TypeError, OverflowError, GraphError):
        return RandomGraph()
    return made if made.outputs else RandomGraph()


@pytest.mark.parametrize("kind", [np.int32, np.uint32, np.int64])
def test_gradients_of_integers_are_refused(kind: Any) -> None:
    x = np.ones((1, 4, 4, 1), kind)
    made = RandomGraph()
    made.add(Call("MaxPoolGrad", [x, x, x], {
        "ksize": [1, 1, 1, 1], "strides": [1, 1, 1, 1], "padding": "VALID"}), "gradient")
    with pytest.raises(execution.ExecutionError, match="expected floats or 16-bit integers"):
        execution.function(made.graph_def, list(made.feeds), ["gradient"])(*made.feeds.values())


@pytest.mark.parametrize("seed", range(CASES))
def test_random_graph(tf: ModuleType, seed: int) -> None:
    made = draw_graph(tf, seed, PURE, 2 + seed % 9)
    assert compare(tf, made) == []
    if made.invalid is not None and "is not in [" not in made.invalid.reason:
        with pytest.raises((execution.ExecutionError, GraphError)):
            run_invalid(made)


@pytest.mark.parametrize("seed", range(CASES // 4))
def test_random_graph_in_double_precision(tf: ModuleType, seed: int) -> None:
    with jax.enable_x64(True):
        made = draw_graph(tf, seed, PURE, 2 + seed % 9, np.float64)
        assert compare(tf, made) == []
