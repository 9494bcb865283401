"""Random graphs in a TensorFlow session and in JAX.

`JAXFROST_CASES=5000 pytest tests/execution/test_execution_random_graphs.py` draws 5,000 graphs.
"""

from __future__ import annotations

import os
from types import ModuleType

import jax
import numpy as np
import pytest
from execution_judge import relative_error, run_in_tensorflow
from op_templates import TEMPLATES
from random_graphs import RandomGraph, draw_graph

from pipeline import execution
from pipeline.graph import GraphError

CASES = int(os.environ.get("JAXFROST_CASES", "20"))
TABLE_SIZE = 30
OPS = sorted(TEMPLATES)
PURE = [op for op in OPS if not op.startswith("Inplace")]   # TensorFlow changes their inputs
TOLERANCE = {np.dtype(np.float64): 1e-11, np.dtype(np.complex128): 1e-11}


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
    """What differs from TensorFlow, node by node."""
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


@pytest.mark.parametrize("seed", range(CASES))
def test_random_graph(tf: ModuleType, seed: int) -> None:
    made = draw_graph(tf, seed, PURE, 10)
    assert compare(tf, made) == []
    if made.invalid is not None and "is not in [" not in made.invalid.reason:
        with pytest.raises((execution.ExecutionError, GraphError)):
            run_invalid(made)


@pytest.mark.parametrize("seed", range(CASES // 4))
def test_random_graph_in_double_precision(tf: ModuleType, seed: int) -> None:
    with jax.enable_x64(True):
        made = draw_graph(tf, seed, PURE, 10, np.float64)
        assert compare(tf, made) == []
