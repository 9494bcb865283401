"""Every op that has a rule has a judge: a template, an update, a graph here, or a twin that has."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import test_execution_control_flow as control_flow
import test_execution_detection as detection
import test_execution_more_ops as more
import test_execution_pictures as pictures
import test_execution_quantization as quantization
import test_execution_ties as ties
from execution_judge import ours, relative_error, run_in_tensorflow
from op_graphs import BUILDERS, Build, graph_of
from op_templates import TEMPLATES
from random_graphs import draw_graph
from variable_updates import UPDATES

from pipeline import execution
from pipeline.execution import registry

X = np.arange(6, dtype=np.float32).reshape(3, 2) / 3 - 0.7
# names that TensorFlow removed at producers 13 to 15, and the ops that took over their kernels
TWINS = {f"Batch{name}": name for name in (
    "Cholesky", "FFT", "FFT2D", "IFFT", "IFFT2D", "MatrixBandPart", "MatrixDeterminant",
    "MatrixDiag", "MatrixDiagPart", "MatrixInverse", "MatrixSetDiag", "MatrixSolve",
    "MatrixTriangularSolve", "SelfAdjointEigV2")}
# draws of TensorFlow's distribution but not of its numbers: test_execution_distributions
DISTRIBUTIONS = {"Multinomial", "RandomGamma", "RandomPoissonV2", "RandomShuffle",
                 "StatelessMultinomial"}
# a Saver's own op: test_execution_tutorial restores what TensorFlow saved
OF_SAVERS = {"RestoreV2"}
# test_execution_saved_objects, and what else shares their rules' files
OF_TABLES = {"HashTableV2", "MutableHashTableV2", "InitializeTableV2", "LookupTableInsertV2",
             "LookupTableFindV2", "LookupTableSizeV2", "InitializeTableFromTextFileV2",
             "LookupTableExportV2", "LookupTableRemoveV2"}
# test_execution_custom_gradients, test_execution_quantization, test_execution_ties
IN_CALLS = {"PreventGradient", "Eig", "QuantizeAndDequantizeV4Grad",
            "ScaleAndTranslateGrad", *(call.op for call in (
    *ties.CASES, *(call for table in more.TABLES.values() for call in table), *more.MATRICES,
    *more.SPECIAL, *detection.CALLS, *pictures.CALLS, *pictures.FORWARD,
    *quantization.of_range(-1, 1),
    *quantization.round_trips(-1, 1)))}
# test_execution_quantized
QUANTIZED = {op for op in execution.supported_ops() if op.startswith("Quantized")} | {
    "QuantizeV2", "Dequantize", "RequantizationRange", "Requantize", "QuantizeDownAndShrinkRange"}
# what TensorFlow writes for XLA alone: test_execution_control_flow
OF_XLA = {"FakeParam"}
# what gradients of TF1's loops need: test_execution_loop_gradients
OF_STACKS = {"StackV2", "StackPushV2", "StackPopV2", "StackCloseV2", "TensorArrayGradV3"}


def run_here(graph_def: Any, fetches: list[str]) -> list[Any]:
    return list(execution.import_graph_def(ours(graph_def), name="").run(fetches, {"x:0": X}))


@pytest.fixture
def flow_v2(tf: ModuleType) -> Iterator[None]:
    tf.compat.v1.enable_control_flow_v2()
    yield
    tf.compat.v1.disable_control_flow_v2()


@pytest.mark.usefixtures("flow_v2")
@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
def test_graph_gives_what_tensorflow_gives(tf: ModuleType, build: Build) -> None:
    graph_def, fetches = graph_of(tf, build)
    expected = run_in_tensorflow(tf.compat.v1, graph_def, fetches, {"x": X})
    for name, found, right in zip(fetches, run_here(graph_def, fetches), expected, strict=True):
        assert relative_error(found, right) <= 1e-5, name


@pytest.mark.parametrize("old", TWINS)
def test_old_names_do_what_their_successors_do(tf: ModuleType, old: str) -> None:
    made = draw_graph(tf, 1, [TWINS[old]], 1)
    expected = run_in_tensorflow(tf.compat.v1, made.graph_def, made.outputs, made.feeds)
    made.graph_def.node[-1].op = old
    found = execution.function(made.graph_def, list(made.feeds), made.outputs)(
        *made.feeds.values())
    for left, right in zip(found, expected, strict=True):
        assert relative_error(left, right) <= 1e-5


def ops_of(graph_def: Any) -> set[str]:
    nodes = [*graph_def.node, *(n for f in graph_def.library.function for n in f.node_def)]
    return {node.op for node in nodes}


def ops_of_control_flow(tf: ModuleType) -> set[str]:
    """Those of the graphs that `test_execution_control_flow` runs."""
    found: set[str] = set()
    for switch in (tf.compat.v1.disable_control_flow_v2, tf.compat.v1.enable_control_flow_v2):
        switch()
        for make in (*control_flow.FLAGGED, *control_flow.LOOPS):
            with tf.Graph().as_default():
                found |= ops_of(control_flow.build(tf.compat.v1, make))
    tf.compat.v1.disable_control_flow_v2()
    return found


def test_every_op_has_a_judge(tf: ModuleType) -> None:
    judged = {*TEMPLATES, *UPDATES, *TWINS, *DISTRIBUTIONS, *OF_SAVERS, *OF_XLA, *OF_STACKS,
              *OF_TABLES, *IN_CALLS, *QUANTIZED,
              *ops_of_control_flow(tf)}
    for build in BUILDERS:
        judged |= ops_of(graph_of(tf, build)[0])
    same_rule = {registry.find(op).function for op in judged if registry.find(op) is not None}
    alone = [op for op in execution.supported_ops()
             if op not in judged and registry.find(op).function not in same_rule]
    assert alone == [], "add a template, an update or a graph for these"
