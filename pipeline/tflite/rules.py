"""Graph op → builtin: one table, a line for what needs no thought.

A rule is given the builder, the node's attributes, its inputs and its outputs, and gives other
outputs where it makes none. What it can't write it refuses with `Unsupported`. Layouts of operands
and versions: tensorflow/compiler/mlir/lite, tools/versioning/op_version.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from pipeline.tflite import layers
from pipeline.tflite.builder import Builder
from pipeline.tflite.errors import Unsupported
from pipeline.tflite.file import TYPES
from pipeline.tflite.model import Value

Rule: TypeAlias = Callable[
    [Builder, dict[str, Any], list[Value], list[Value]], "list[Value] | None"]
# ActivationFunctionType of the schema
_FUSED = {"RELU": 1, "RELU6": 3}
_FUSABLE = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "DIV",
            "MAX_POOL_2D", "AVERAGE_POOL_2D")


def plain(builtin: str, options: str | None = None, **fields: Any) -> Rule:
    """The same operands, results and meaning."""
    def rule(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
        b.add(builtin, x, y[:1], None if options is None else (options, dict(fields)))

    return rule


def arithmetic(builtin: str, options: str, *kinds: str) -> Rule:
    """Of two numbers, with an activation that may be fused."""
    def rule(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
        if x[0].dtype.kind not in (kinds or ("f", "i")):
            raise Unsupported(f"has no kernel for {x[0].dtype}")
        b.add(builtin, x, y, (options, {}))

    return rule


def activation(builtin: str) -> Rule:
    """Fused into the op before it where nobody else reads that."""
    def rule(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
        if op := b.fusable(x[0], _FUSABLE):
            assert op.options is not None
            op.options[1]["fusedActivationFunction"] = _FUSED[builtin]
            b.take_over(op, y[0])
        else:
            b.add(builtin, x, y)

    return rule


def reduction(builtin: str) -> Rule:
    """Over constant or computed axes."""
    def rule(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
        b.add(builtin, x, y, ("Reducer", {"keepDims": attrs["keep_dims"]}))

    return rule


def alias(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> list[Value]:
    """What is read under two names is one tensor."""
    x[0].readers += y[0].readers - 1
    return [x[0]]


def constant(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """Content that ops of the model read."""
    y[0].data = attrs["value"]


def placeholder(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """An input."""


def reshape(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """Squeeze and ExpandDims too."""
    b.reshape(x[0], y[0], x[1] if len(x) > 1 else None)


def transpose(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """Of constants at once."""
    if x[0].data is not None and x[1].data is not None:
        y[0].data = np.transpose(x[0].data, x[1].data.tolist())
    else:
        b.add("TRANSPOSE", x, y, ("Transpose", {}))


def concatenation(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """The axis is an option."""
    b.add("CONCATENATION", x[:-1], y, ("Concatenation", {"axis": _scalar(x[-1], "axis")}))


def pack(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """Stacking."""
    b.add("PACK", x, y, ("Pack", {"valuesCount": len(x), "axis": attrs["axis"]}))


def shape(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """Known only when the model runs."""
    b.add("SHAPE", x, y, ("Shape", {"outType": _type(y[0])}))


def cast(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """Between dtypes."""
    b.add("CAST", x, y, ("Cast", {"inDataType": _type(x[0]), "outDataType": _type(y[0])}))


def gather(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """Along one axis."""
    batch = attrs["batch_dims"]
    b.add("GATHER", x[:2], y, ("Gather", {"axis": _scalar(x[2], "axis"), "batchDims": batch}),
          version=5 if batch else 1)


def strided_slice(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """The masks mean the same."""
    masks = {f"{key}Mask": attrs[f"{word}_mask"] for key, word in (
        ("begin", "begin"), ("end", "end"), ("ellipsis", "ellipsis"), ("newAxis", "new_axis"),
        ("shrinkAxis", "shrink_axis"))}
    b.add("STRIDED_SLICE", x, y, ("StridedSlice", masks),
          version=4 if len(x[0].shape) > 4 else 1)


def matrix_product(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """Of batches."""
    if x[0].dtype.kind != "f":
        raise Unsupported(f"has no kernel for {x[0].dtype}")
    adjoint = {"adjX": bool(attrs.get("adj_x", attrs.get("transpose_a"))),
               "adjY": bool(attrs.get("adj_y", attrs.get("transpose_b")))}
    b.add("BATCH_MATMUL", x, y, ("BatchMatMul", adjoint))


def matmul(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """FULLY_CONNECTED where the second is constant: weights [out, in]."""
    weights = x[1].data
    if weights is None or attrs["transpose_a"] or x[0].dtype != np.float32:
        matrix_product(b, attrs, x, y)
    else:
        layers.fully_connected(b, x[0], x[1], y[0], turned=attrs["transpose_b"])


def argument(builtin: str) -> Rule:
    """The index of an extreme."""
    def rule(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
        b.add(builtin, x, y, (_TITLE[builtin], {"outputType": _type(y[0])}))

    return rule


def truncated_remainder(
    b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]
) -> None:
    """x − (x / y) · y: DIV of integers truncates."""
    if x[0].dtype.kind != "i":
        raise Unsupported(f"has no kernel for {x[0].dtype}")
    quotient, product = (b.between(y[0], name, y[0].shape) for name in ("quotient", "product"))
    b.add("DIV", x, [quotient], ("Div", {}))
    b.add("MUL", [quotient, x[1]], [product], ("Mul", {}))
    b.add("SUB", [x[0], product], y, ("Sub", {}))


def leaky_relu(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """alpha · x below zero."""
    b.add("LEAKY_RELU", x, y, ("LeakyRelu", {"alpha": attrs["alpha"]}))


def reciprocal(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """1 / x."""
    b.add("DIV", [b.constant(y[0], "one", x[0].dtype.type(1)), x[0]], y, ("Div", {}))


def softplus(b: Builder, attrs: dict[str, Any], x: list[Value], y: list[Value]) -> None:
    """max(x, 0) − log(sigmoid(|x|)), which nothing overflows."""
    steps = ("ABS", "LOGISTIC", "LOG")
    value = x[0]
    for builtin in steps:
        made = b.between(y[0], builtin.lower(), y[0].shape)
        b.add(builtin, [value], [made])
        value = made
    positive = b.between(y[0], "relu", y[0].shape)
    b.add("RELU", x, [positive])
    b.add("SUB", [positive, value], y, ("Sub", {}))


def _scalar(value: Value, what: str) -> int:
    if value.data is None:
        raise Unsupported(f"needs a constant {what}")
    return int(value.data)


def _type(value: Value) -> int:
    from ai_edge_litert.schema_py_generated import TensorType

    return int(getattr(TensorType, TYPES[value.dtype]))


_TITLE = {"ARG_MAX": "ArgMax", "ARG_MIN": "ArgMin"}
RULES: dict[str, Rule] = {
    "Placeholder": placeholder, "Const": constant,
    **dict.fromkeys(("Identity", "StopGradient", "PreventGradient", "Snapshot"), alias),
    # layers
    "MatMul": matmul, "BatchMatMul": matrix_product, "BatchMatMulV2": matrix_product,
    "BiasAdd": layers.bias_add, "Conv2D": layers.conv_2d,
    "DepthwiseConv2dNative": layers.depthwise_conv_2d,
    "MaxPool": layers.pool("MAX_POOL_2D"), "AvgPool": layers.pool("AVERAGE_POOL_2D"),
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), layers.batch_norm),
    # activations
    "Relu": activation("RELU"), "Relu6": activation("RELU6"), "Elu": plain("ELU"),
    "LeakyRelu": leaky_relu,
    "Sigmoid": plain("LOGISTIC"), "Tanh": plain("TANH"),
    "Softmax": plain("SOFTMAX", "Softmax", beta=1.0),
    "LogSoftmax": plain("LOG_SOFTMAX", "LogSoftmax"), "Softplus": softplus,
    # elementwise
    "Add": arithmetic("ADD", "Add"), "AddV2": arithmetic("ADD", "Add"),
    "Sub": arithmetic("SUB", "Sub"), "Mul": arithmetic("MUL", "Mul"),
    "RealDiv": arithmetic("DIV", "Div", "f"), "Div": arithmetic("DIV", "Div", "f"),
    "TruncateDiv": arithmetic("DIV", "Div", "i"), "TruncateMod": truncated_remainder,
    "Reciprocal": reciprocal, "Inv": reciprocal,
    "Maximum": plain("MAXIMUM", "MaximumMinimum"), "Minimum": plain("MINIMUM", "MaximumMinimum"),
    "Pow": plain("POW"), "SquaredDifference": plain("SQUARED_DIFFERENCE"), "Atan2": plain("ATAN2"),
    "FloorDiv": plain("FLOOR_DIV"), "FloorMod": plain("FLOOR_MOD"),
    "Exp": plain("EXP"), "Log": plain("LOG"), "Sqrt": plain("SQRT"), "Rsqrt": plain("RSQRT"),
    "Abs": plain("ABS"), "Neg": plain("NEG"), "Square": plain("SQUARE"), "Sign": plain("SIGN"),
    "Floor": plain("FLOOR"), "Ceil": plain("CEIL"), "Round": plain("ROUND"), "Rint": plain("ROUND"),
    "Sin": plain("SIN"), "Cos": plain("COS"), "ZerosLike": plain("ZEROS_LIKE"), "Cast": cast,
    "Less": plain("LESS"), "LessEqual": plain("LESS_EQUAL"), "Greater": plain("GREATER"),
    "GreaterEqual": plain("GREATER_EQUAL"), "Equal": plain("EQUAL"),
    "NotEqual": plain("NOT_EQUAL"), "LogicalAnd": plain("LOGICAL_AND"),
    "LogicalOr": plain("LOGICAL_OR"), "LogicalNot": plain("LOGICAL_NOT"),
    "SelectV2": plain("SELECT_V2"),
    # reductions
    "Mean": reduction("MEAN"), "Sum": reduction("SUM"), "Max": reduction("REDUCE_MAX"),
    "Min": reduction("REDUCE_MIN"), "Prod": reduction("REDUCE_PROD"),
    "Any": reduction("REDUCE_ANY"), "All": reduction("REDUCE_ALL"),
    "ArgMax": argument("ARG_MAX"), "ArgMin": argument("ARG_MIN"),
    # shapes
    "Reshape": reshape, "Squeeze": reshape, "ExpandDims": reshape, "Transpose": transpose,
    "ConcatV2": concatenation, "Pack": pack, "Shape": shape, "StridedSlice": strided_slice,
    "GatherV2": gather, "Fill": plain("FILL"), "Tile": plain("TILE"), "Pad": plain("PAD"),
    "PadV2": plain("PADV2"), "Slice": plain("SLICE"), "ReverseV2": plain("REVERSE_V2"),
    "BroadcastTo": plain("BROADCAST_TO"), "Range": plain("RANGE"),
}
