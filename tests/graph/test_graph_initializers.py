"""Initial values: TensorFlow's own initializers as the judge, node by node and by their draws."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from pipeline import dtypes, graph

CASES: list[tuple[str, tuple[int, ...], dict[str, Any], Any]] = [
    ("truncated_normal", (30, 40), {"stddev": 0.1}, lambda i: i.truncated_normal(stddev=0.1)),
    ("random_normal", (30, 40), {"mean": 1.0}, lambda i: i.random_normal(mean=1.0)),
    ("random_uniform", (30, 40), {"minval": -1.0, "maxval": 3.0},
     lambda i: i.random_uniform(-1.0, 3.0)),
    ("variance_scaling", (3, 3, 4, 50), {"mode": "fan_avg", "distribution": "uniform"},
     lambda i: i.glorot_uniform()),
    ("variance_scaling", (30, 40), {"mode": "fan_avg"}, lambda i: i.glorot_normal()),
    ("variance_scaling", (3, 3, 4, 50), {"scale": 2.0}, lambda i: i.variance_scaling(2.0)),
    ("variance_scaling", (40,), {"scale": 2.0, "distribution": "untruncated_normal"},
     lambda i: i.variance_scaling(2.0, distribution="untruncated_normal")),
    ("zeros", (4,), {}, lambda i: i.zeros()),
    ("zeros", (100, 20), {}, lambda i: i.zeros()),
    ("ones", (4, 2), {}, lambda i: i.ones()),
    ("constant", (4,), {"value": 0.5}, lambda i: i.constant(0.5)),
    ("constant", (2, 2), {"value": [1, 2, 3, 4]}, lambda i: i.constant([1, 2, 3, 4])),
    ("orthogonal", (30, 40), {"gain": 2.0}, lambda i: i.orthogonal(gain=2.0)),
    ("orthogonal", (3, 2, 4), {}, lambda i: i.orthogonal()),
]


class Initializers:
    """`tf.compat.v1`'s initializers without the suffix of their names."""

    def __init__(self, v1: Any) -> None:
        self._v1 = v1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._v1, f"{name}_initializer")


def ours(shape: tuple[int, ...], dtype: Any, kind: str, **parameters: Any) -> Any:
    assembly = graph.Assembly()
    declaration = graph.VariableDeclaration(
        "a/w", shape, dtype, initializer={"kind": kind, **parameters})
    variable = graph.add_variable(assembly, declaration, resource=False)
    return graph.build_meta_graph(assembly.nodes, graph.find_form("1.9"), variables=[variable])


def draw(tf: ModuleType, meta_graph: Any, name: str = "a/w") -> Any:
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.train.import_meta_graph(v1.MetaGraphDef.FromString(meta_graph.SerializeToString()))
        session.run(v1.global_variables_initializer())
        return session.run(f"{name}:0")


def described(nodes: Any) -> list[tuple[Any, ...]]:
    """Name, op, inputs, constant; what TensorFlow has renamed since 1.15 by its old name."""
    found = []
    for node in nodes:
        value = _value(node) if node.op == "Const" else None
        found.append((node.name, node.op.replace("AddV2", "Add"), list(node.input), value,
                      [bytes(s) for s in node.attr["_class"].list.s]))
    return found


def _value(node: Any) -> Any:
    array = graph.decode_tensor(
        TensorProto.FromString(node.attr["value"].tensor.SerializeToString()))
    return array.dtype, array.shape, array.tobytes()


@pytest.mark.parametrize(("kind", "shape", "parameters", "theirs"), CASES)
def test_nodes_are_those_of_tensorflow(
    tf: ModuleType, kind: str, shape: tuple[int, ...], parameters: dict[str, Any], theirs: Any
) -> None:
    v1 = tf.compat.v1
    meta_graph = ours(shape, np.float32, kind, **parameters)
    with tf.Graph().as_default() as built, v1.variable_scope("a", use_resource=False):
        v1.get_variable("w", shape, initializer=theirs(Initializers(v1)))
    expected = built.as_graph_def().node
    found = meta_graph.graph_def.node
    skip = re.compile("a/w$")       # TensorFlow 2 puts the variable beside itself
    assert [row for row in described(found) if not skip.match(row[0])] == \
        [row for row in described(expected) if not skip.match(row[0])]


@pytest.mark.parametrize(("kind", "shape", "parameters", "theirs"), CASES)
def test_values_follow_the_declared_distribution(
    tf: ModuleType, kind: str, shape: tuple[int, ...], parameters: dict[str, Any], theirs: Any
) -> None:
    found = draw(tf, ours(shape, np.float32, kind, seed=7, **parameters))
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(3)
        variable = v1.get_variable("w", shape, initializer=theirs(Initializers(v1)))
        session.run(variable.initializer)
        expected = session.run(variable)
    assert found.shape == expected.shape
    error = 5 / np.sqrt(found.size)    # five standard errors of the mean
    spread = expected.std() if found.size > 100 else 1.0
    assert abs(found.mean() - expected.mean()) <= error * spread + 1e-6
    assert abs(found.std() - expected.std()) <= 2 * error * spread + 1e-6
    assert found.max() <= expected.max() + max(0.5 * spread, 1e-6) + (kind == "random_normal") * 2


def test_seeded_draws_repeat_and_unseeded_ones_do_not(tf: ModuleType) -> None:
    seeded = ours((50,), np.float32, "truncated_normal", seed=7)
    assert np.array_equal(draw(tf, seeded), draw(tf, seeded))
    free = ours((50,), np.float32, "truncated_normal")
    assert not np.array_equal(draw(tf, free), draw(tf, free))


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integers_are_drawn_evenly(tf: ModuleType, dtype: str) -> None:
    found = draw(tf, ours((1000,), dtype, "random_uniform", minval=-1, maxval=3))
    assert found.dtype == dtype
    assert set(found.tolist()) == {-1, 0, 1, 2}


def test_all_dtypes_begin_with_zeros(tf: ModuleType) -> None:
    for name in ("HALF", "BFLOAT16", "DOUBLE", "INT8", "UINT16", "BOOL", "COMPLEX64"):
        dtype = dtypes.to_numpy(dtypes.NUMBER[name])
        found = draw(tf, ours((3,), dtype, "zeros"))
        assert found.dtype == dtype
        assert not found.astype(bool).any()


@pytest.mark.parametrize(("initializer", "message"), [
    ({"kind": "magic"}, "a/w: initializer of kind 'magic'; expected one of value, zeros"),
    ({"kind": "zeros", "stddev": 1}, "a/w: initializer zeros: .*stddev"),
    ({"kind": "value", "value": [1.0]}, r"initial value has shape \(1,\); the variable has \(3,\)"),
    ({"kind": "constant", "value": [1, 2]}, "holds 2 values"),
    ({"kind": "orthogonal"}, "two or more dimensions"),
    ({"kind": "variance_scaling", "mode": "fan"}, "variance scaling by 'fan'"),
    ({"kind": "variance_scaling", "distribution": "cauchy"}, "distribution 'cauchy'"),
])
def test_what_does_not_fit_is_refused(initializer: dict[str, Any], message: str) -> None:
    with pytest.raises(graph.GraphError, match=message):
        ours((3,), np.float32, **initializer)
