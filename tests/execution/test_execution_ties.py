"""Whose gradient it is where values are equal or lie on an edge: TensorFlow's choice."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from call_judge import assert_calls_agree
from op_templates import Call, Known

EDGES = np.array([-1, -0.0, 0, 1, 3, 6, 7, np.inf, -np.inf], np.float32)
TIES = np.array([[2, 2, 1], [-0.0, 0, 0], [1, 1, 1]], np.float32)
AXIS = Known(np.array([1], np.int32))

CASES = [
    *(Call(op, [EDGES]) for op in (
        "Relu", "Relu6", "Elu", "Selu", "LeakyRelu", "Softsign", "Softplus", "Abs", "Sign",
        "Floor", "Round", "Sigmoid", "Tanh", "Exp", "Square")),
    *(Call(op, [EDGES, other]) for op in ("Maximum", "Minimum") for other in (
        EDGES, np.float32(0), np.float32(6), -EDGES, EDGES[:, None])),
    Call("ClipByValue", [EDGES, np.float32(0), np.float32(6)]),
    Call("ClipByValue", [EDGES, np.float32(6), np.float32(0)]),
    Call("SquaredDifference", [EDGES[:7], EDGES[:7]]),
    Call("DivNoNan", [EDGES[:7], np.zeros(7, np.float32)]),
    *(Call(op, [TIES, AXIS]) for op in ("Max", "Min", "Sum", "Mean", "Prod")),
]


def test_gradients_at_ties_are_tensorflows(tf: ModuleType) -> None:
    assert_calls_agree(tf, CASES)
