"""TensorFlow's larger ops, recognised by the peepholes; their names begin with `nn.`."""

from __future__ import annotations

from pipeline.lowering.builder import Builder
from pipeline.lowering.ir import Equation
from pipeline.lowering.registry import rule
from pipeline.lowering.rules.elementwise import unary
from pipeline.lowering.rules.gather import take
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


@rule("nn.gather")
def _gather(b: Builder, e: Equation) -> Tensor:
    """`operand[indices]` along one axis; indices are within bounds."""
    operand, indices = b.full_operands(e)
    return take(b, operand, indices, e.params["axis"], e.output.shape)
