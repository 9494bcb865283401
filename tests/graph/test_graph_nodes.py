"""Nodes as TensorFlow's own op constructors would write them."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from pipeline import dtypes
from pipeline.graph import GraphError, build_node, op_def

FLOAT, INT32 = dtypes.NUMBER["FLOAT"], dtypes.NUMBER["INT32"]


def test_table_is_tensorflows(tf: ModuleType) -> None:
    from tensorflow.python.framework import op_def_registry

    for name in ("Conv2D", "StatelessWhile", "VariableV2", "ConcatV2"):
        assert op_def(name).SerializeToString(deterministic=True) == \
            op_def_registry.get(name).SerializeToString(deterministic=True)


def test_types_and_lengths_follow_from_inputs() -> None:
    node = build_node("ConcatV2", "c", [("a", FLOAT), ("b:1", FLOAT), ("axis", INT32)])
    assert node.attr["N"].i == 2
    assert node.attr["T"].type == FLOAT
    assert "Tidx" not in node.attr          # int32 is its default
    assert list(node.input) == ["a", "b:1", "axis"]


def test_defaults_are_left_out_unless_asked_for() -> None:
    inputs = [("x", FLOAT), ("w", FLOAT)]
    attrs = {"strides": [1, 1, 1, 1], "padding": "SAME", "dilations": [1, 1, 1, 1]}
    assert sorted(build_node("Conv2D", "c", inputs, attrs).attr) == ["T", "padding", "strides"]
    everything = build_node("Conv2D", "c", inputs, attrs, write_defaults=True)
    assert "use_cudnn_on_gpu" in everything.attr
    assert list(everything.attr["dilations"].list.i) == [1, 1, 1, 1]


@pytest.mark.parametrize(("op", "inputs", "attrs", "message"), [
    ("NoSuchOp", [], {}, "NoSuchOp is not in the table"),
    ("Relu", [("x", FLOAT)], {"alpha": 1.0}, "no attribute 'alpha'"),
    ("Relu", [], {}, "given 0 inputs"),
    ("Relu", [("x", FLOAT), ("y", FLOAT)], {}, "given 2 inputs"),
    ("Add", [("x", FLOAT), ("y", INT32)], {}, "input y is DT_INT32; expected DT_FLOAT"),
    ("Conv2D", [("x", FLOAT), ("w", FLOAT)], {"padding": "SAME"}, "needs the attribute strides"),
])
def test_refuses_what_the_op_does_not_take(
    op: str, inputs: list[tuple[str, int]], attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        build_node(op, "n", inputs, attrs)


def test_constants_carry_their_value() -> None:
    node = build_node("Const", "w", [], {"value": np.zeros((2, 3), np.float32), "dtype": FLOAT})
    assert len(node.attr["value"].tensor.tensor_content) == 24
