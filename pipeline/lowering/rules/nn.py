"""TensorFlow's larger ops, recognised by the peepholes; their names begin with `nn.`."""

from __future__ import annotations

import numpy as np

from pipeline.lowering.builder import Builder
from pipeline.lowering.ir import Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.elementwise import unary
from pipeline.lowering.rules.gather import filled, take
from pipeline.lowering.tensor import Operand, Tensor

unary("nn.relu", "Relu")
unary("nn.relu6", "Relu6")
unary("nn.elu", "Elu")
unary("nn.selu", "Selu")
unary("nn.softplus", "Softplus")
unary("nn.softsign", "Softsign")


@rule("nn.leaky_relu")
def _leaky_relu(b: Builder, e: Equation) -> Tensor:
    return b.op("LeakyRelu", b.operand(e.inputs[0]), alpha=e.params["alpha"])


@rule("nn.scaled_elu")
def _scaled_elu(b: Builder, e: Equation) -> Tensor:
    """As it was found: the condition, the value elsewhere, the value where it holds."""
    _, condition, no, yes = b.operands(e)
    return b.select(condition, yes, no)


@rule("nn.gelu")
def _gelu(b: Builder, e: Equation) -> Operand:
    """factor · (1 + erf(slope · x))."""
    factor, x = b.operands(e)
    inner = b.op("Erf", b.op("Mul", x, np.asarray(e.params["slope"], x.dtype)))
    return b.op("Mul", factor, b.op("Add", inner, np.asarray(1, x.dtype)))


def _on_last_axis(primitive: str, op: str) -> None:
    rule(primitive)(lambda b, e: b.op(op, b.full(e.inputs[0]), shape=e.output.shape))


_on_last_axis("nn.softmax", "Softmax")
_on_last_axis("nn.log_softmax", "LogSoftmax")


@rule("nn.bias_add")
def _bias_add(b: Builder, e: Equation) -> Operand:
    value, bias = b.full_operands(e)
    return b.op("BiasAdd", value, bias, shape=e.output.shape)


@rule("nn.batch_norm")
def _batch_norm(b: Builder, e: Equation) -> Tensor:
    """Inference form: inputs are image, scale, offset, mean and variance."""
    image, *parameters = b.full_operands(e)
    return b.op("FusedBatchNorm", image, *parameters, shape=e.output.shape, is_training=False,
                epsilon=e.params["epsilon"])


@rule("nn.take")
def _take(b: Builder, e: Equation) -> Operand:
    """`operand[indices]` along one axis; indices from -n to n - 1 are within bounds."""
    operand, indices = b.full_operands(e)
    axis = e.params["axis"]
    size, zero = (np.asarray(number, indices.dtype) for number in (operand.shape[axis], 0))
    low, high = b.op("GreaterEqual", indices, -size), b.op("Less", indices, size)
    shown: Operand = b.op("LogicalAnd", low, high)
    places = b.op("FloorMod", indices, size) if operand.shape[axis] else zero
    found = take(b, operand, places, axis, e.output.shape)
    behind = len(operand.shape) - axis - 1
    if behind and indices.shape:
        shown = b.reshape(shown, (*indices.shape, *(1,) * behind))
    return filled(b, shown, found, e.params["fill_value"])
