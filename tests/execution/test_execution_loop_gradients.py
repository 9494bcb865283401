"""Training graphs with loops: forwards without what only the gradient needs, and the gradient."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from execution_judge import assert_agrees, ours, relative_error
from google.protobuf import text_format
from loop_graphs import KERNEL, LOOPS, X, lstm
from tensorboard.compat.proto.graph_pb2 import GraphDef

from pipeline import execution


def parse_graph(text: str) -> GraphDef:
    return text_format.Parse(text, GraphDef())


def training_graph(tf: ModuleType, build: Callable[[ModuleType, Any], Any]) -> Any:
    """x → y, and the gradient of y's squares by x as g."""
    x = tf.placeholder(tf.float32, X.shape, name="x")
    y = tf.identity(build(tf, x), name="y")
    tf.identity(tf.gradients(tf.reduce_sum(y * y), x)[0], name="g")
    return tf.get_default_graph().as_graph_def()


@pytest.mark.parametrize("build", LOOPS)
def test_output_of_training_graph_runs_without_the_gradient_s_leftovers(
    control: ModuleType, build: Callable[[ModuleType, Any], Any]
) -> None:
    assert_agrees(control, training_graph(control, build), ["y"], {"x": X})


def test_variable_that_nobody_fetches_may_grow_or_be_text(control: ModuleType) -> None:
    x = control.placeholder(control.float32, X.shape, name="x")
    loop = control.while_loop(
        lambda i, y, more, text: i < 3,
        lambda i, y, more, text: (i + 1, y * 1.5, control.concat([more, y], 0),
                                  control.strings.join([text, "a"])),
        [0, x, x, control.constant("")],
        shape_invariants=[control.TensorShape([]), x.shape, control.TensorShape([None, 4]),
                          control.TensorShape([])])
    control.identity(loop[1], name="y")
    assert_agrees(control, control.get_default_graph().as_graph_def(), ["y"], {"x": X})


def test_assignment_in_a_loop_that_is_only_waited_for_takes_place(tf1_graph: ModuleType) -> None:
    tf1_graph.disable_control_flow_v2()
    counter = tf1_graph.get_variable("counter", [], tf1_graph.float32, use_resource=False)
    setup = counter.assign(1.0, name="setup")

    def body(i: Any, y: Any) -> Any:
        with tf1_graph.control_dependencies([counter.assign_add(y)]):
            return i + 1, tf1_graph.identity(y * 2.0)
    loop = tf1_graph.while_loop(lambda i, y: i < 3, body, [0, 1.0])
    with tf1_graph.control_dependencies([loop[1]]):
        tf1_graph.no_op("go")
    graph = execution.import_graph_def(
        ours(tf1_graph.get_default_graph().as_graph_def()), name="")
    with tf1_graph.Session() as session:
        session.run(setup)
        session.run("go")
        expected = session.run(counter)
    graph.run("setup")
    graph.run("go")
    assert graph.run("counter:0") == expected == 8


@pytest.mark.parametrize("build", LOOPS)
def test_gradient_in_the_graph_is_tensorflow_s(
    control: ModuleType, build: Callable[[ModuleType, Any], Any]
) -> None:
    assert_agrees(control, training_graph(control, build), ["y", "g"], {"x": X})


def test_stack_may_be_used_by_hand(tf1_graph: ModuleType) -> None:
    from tensorflow.raw_ops import StackPopV2, StackPushV2, StackV2

    x = tf1_graph.placeholder(tf1_graph.float32, X.shape, name="x")
    stack = StackV2(max_size=4, elem_type=tf1_graph.float32)
    with tf1_graph.control_dependencies([StackPushV2(handle=stack, elem=x)]):
        second = StackPushV2(handle=stack, elem=x * 2.0)
    with tf1_graph.control_dependencies([second]):
        first_popped = StackPopV2(handle=stack, elem_type=tf1_graph.float32)
    with tf1_graph.control_dependencies([first_popped]):
        tf1_graph.identity(StackPopV2(handle=stack, elem_type=tf1_graph.float32), name="y")
    assert_agrees(tf1_graph, tf1_graph.get_default_graph().as_graph_def(), ["y"], {"x": X})


@pytest.mark.parametrize("optimizer", ["GradientDescentOptimizer", "AdamOptimizer"])
def test_recurrent_network_s_train_op_takes_tensorflow_s_steps(
    control: ModuleType, optimizer: str
) -> None:
    with control.variable_scope("rnn"):
        x = control.placeholder(control.float32, X.shape, name="x")
        kernel = control.get_variable("kernel", initializer=KERNEL, use_resource=False)
        loss = control.reduce_mean(control.square(lstm(control, x, kernel) - 0.3))
        getattr(control.train, optimizer)(0.05).minimize(loss, name="train")
        setup = control.global_variables_initializer()
    graph = execution.import_graph_def(
        ours(control.get_default_graph().as_graph_def()), name="")
    names = [f"{each.op.name}:0" for each in control.global_variables()]
    with control.Session() as session:
        for run in (session.run, graph.run):
            run(setup.name)
            for scale in (1.0, -0.5, 2.0):
                run("rnn/train", {"rnn/x:0": X * scale})
        for name, found, want in zip(names, graph.run(names), session.run(names), strict=True):
            assert relative_error(found, want) < 1e-5, name


def test_write_that_has_no_rule_is_refused_where_it_is_only_waited_for() -> None:
    """Left out in silence, `global_step` would move on and the variable would not."""
    graph_def = parse_graph("""
        node { name: "w" op: "VariableV2"
               attr { key: "shape" value { shape { dim { size: 2 } } } }
               attr { key: "dtype" value { type: DT_FLOAT } } }
        node { name: "one" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } }
               attr { key: "value" value { tensor { dtype: DT_FLOAT float_val: 1
                                                    tensor_shape {} } } } }
        node { name: "update" op: "ApplyOfTheFuture" input: "w" input: "one" }
        node { name: "train" op: "Identity" input: "one" input: "^update"
               attr { key: "T" value { type: DT_FLOAT } } }""")
    with pytest.raises(execution.ExecutionError, match=r"ApplyOfTheFuture.*update"):
        execution.import_graph_def(graph_def, name="").run("train:0")
